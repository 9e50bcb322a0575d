/** Unpacks a file system's tar with the machine's tar: owners, modes and links as they are in it. */
import type { Readable } from 'node:stream'
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Exec } from './exec.ts'

export type Unpack = (ctx: Ctx, tar: Readable, into: string) => Promise<void>

/** Images can be large, and disks slow. */
const unpackMsMax = 900_000

export function systemUnpack(exec: Exec): Unpack {
  // Docker's own mark of a container is no part of an image.
  return async (ctx, tar, into) => void (await exec.run(ctx, 'tar', ['-x', '-p', '--numeric-owner', '--exclude=.dockerenv', '-C', into, '-f', '-'], { input: tar, timeoutMs: unpackMsMax }))
}
