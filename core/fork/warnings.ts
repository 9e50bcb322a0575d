/** Hears what the API of a fork warns a caller of, who has no headers to find it in. */
import { apiWarning } from '../apiserver/inprocess.ts'
import type { Ctx } from '../lib/ctx.ts'
import { silentLog } from '../lib/log.ts'

/** A ctx for calls whose warnings are wanted: each once, in the order they come. */
export function hearing(ctx: Ctx, heard: Set<string>): Ctx {
  return { ...ctx, log: { ...silentLog, debug: (message, fields = {}) => void (message === apiWarning && heard.add(String(fields['text']))) } }
}
