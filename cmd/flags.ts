/** Kinds of values that flags of several commands have. Each says in its sentence what it wants to see. */
import { resolve } from 'node:path'
import * as z from 'zod'
import { parseDuration } from '../core/lib/duration.ts'
import { parseCidr, parseIp } from '../core/lib/ip.ts'

const portSentence = 'must be a port, 1 to 65535'

/** A TCP or UDP port. */
export const port = z.coerce.number(portSentence).int(portSentence).min(1, portSentence).max(65_535, portSentence)

/** One address, v4 or v6. */
export const address = z.string().refine((text) => parseIp(text) !== undefined, 'must be an IP address')

/** A range of addresses. */
export const cidr = z.string().refine((text) => parseCidr(text) !== undefined, 'must be a range of addresses such as 10.42.0.0/16')

/** A domain name. */
export const domain = z.string().refine((text) => text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text), 'must be a domain name such as cluster.local')

/** A folder of this machine, and not all of it. */
export const folder = z.string().refine((text) => text.startsWith('/') && /[^/.]/.test(text), 'must be the absolute path of a folder').transform((text) => resolve(text))

/** A span of time, as text; parseDuration() reads it. */
export const duration = (minMs = 0, sentence = 'must be a duration such as 30s or 1h30m') => z.string().refine((text) => durationMs(text) >= minMs, sentence)

/** A whole number of so many or more. */
export const count = (least: number) => z.coerce.number('must be a whole number').int('must be a whole number').min(least, `must be ${least} or more`)

/** NaN for what is no duration. */
function durationMs(text: string): number {
  try {
    return parseDuration(text)
  } catch {
    return Number.NaN
  }
}
