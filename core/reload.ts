/** Files of the user's own that count again when they change: looked at every while, for as long as ctx lasts. */
import { readFile } from 'node:fs/promises'
import type { Ctx } from './lib/ctx.ts'
import { errorPath } from './lib/log.ts'

const lookEveryMs = 5_000

/**
 * `before` is what was read last. `changed` is given the new text, and answers whether it is done with it, for good or ill;
 * otherwise it is asked again. It must not throw.
 */
export async function onFileChange(ctx: Ctx, file: string, before: string, changed: (text: string) => Promise<boolean>): Promise<void> {
  let known = before
  while (!ctx.signal.aborted) {
    await ctx.clock.sleep(lookEveryMs, ctx.signal).catch(() => undefined)
    if (ctx.signal.aborted) return
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      ctx.log.error('read again', { file, error: errorPath(error) })
      return known
    })
    if (text !== known && (await changed(text))) known = text
  }
}
