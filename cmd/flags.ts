/** Kinds of flags that several commands share. */
import * as z from 'zod'

/** A TCP or UDP port. */
export const port = z.coerce.number().int().min(1, 'must be a port, 1 to 65535').max(65_535, 'must be a port, 1 to 65535')
