/** Exponential back-off: a pure series, and a wait with full jitter on the ctx's clock. */
import type { Ctx } from './ctx.ts'
import type { Random } from './random.ts'

export interface BackoffOptions {
  readonly firstMs: number
  readonly maxMs: number
  readonly factor?: number
}

/** Milliseconds before try number `failures + 1`. */
export function backoffMs(options: BackoffOptions, failures: number): number {
  return Math.min(options.firstMs * (options.factor ?? 2) ** Math.min(failures, 60), options.maxMs)
}

export async function backoff(ctx: Ctx, random: Random, failures: number, options: BackoffOptions): Promise<void> {
  const ceiling = backoffMs(options, failures)
  await ctx.clock.sleep(ceiling / 2 + (random.fraction() * ceiling) / 2, ctx.signal)
}
