/**
 * A child of the same executable: started, its output passed on, started again with
 * back-off when it ends. It holds the other end of a pipe and ends when that
 * closes, so it does not outlive a parent that was killed.
 */
import { spawn } from 'node:child_process'
import { backoffMs } from '../core/lib/backoff.ts'
import type { Ctx } from '../core/lib/ctx.ts'
import { systemClock } from '../core/lib/clock.ts'

const restart = { firstMs: 1_000, maxMs: 30_000 } as const
/** A child that ran so long has earned a quick restart. */
const steadyMs = 60_000
const stopGraceMs = 10_000
/** An orphan has less: the next parent's child wants its ports. */
export const orphanGraceMs = 5_000

/** argv that runs this program again: the executable itself, or bun with the entry file in a checkout. */
function self(): readonly [string, readonly string[]] {
  const entry = process.argv[1] ?? ''
  return /\.(ts|js)$/.test(entry) && !entry.startsWith('/$bunfs') ? [process.execPath, [entry]] : [process.execPath, []]
}

/** Runs until ctx ends; then the child gets SIGTERM, and SIGKILL when it lingers. */
export async function superviseChild(ctx: Ctx, args: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  let failures = 0
  while (!ctx.signal.aborted) {
    const began = systemClock.monotonic()
    const code = await runOnce(ctx, args, env)
    if (ctx.signal.aborted) return
    failures = systemClock.monotonic() - began > steadyMs ? 0 : failures + 1
    const waitMs = backoffMs(restart, Math.max(failures - 1, 0))
    ctx.log.error('child ended; it is started again', { code, waitMs })
    await ctx.clock.sleep(waitMs, ctx.signal).catch(() => undefined)
  }
}

function runOnce(ctx: Ctx, args: readonly string[], env: Readonly<Record<string, string>>): Promise<number | string> {
  return new Promise((resolve) => {
    const [command, first] = self()
    const child = spawn(command, [...first, ...args], { stdio: ['pipe', 'inherit', 'inherit'], env: { ...process.env, ...env } })
    let cut: { stop(): void } | undefined
    const stop = (): void => {
      child.kill('SIGTERM')
      cut = ctx.clock.after(stopGraceMs, () => child.kill('SIGKILL'))
    }
    ctx.signal.addEventListener('abort', stop, { once: true })
    child.on('error', (error) => resolve(error.message))
    child.on('exit', (code, signal) => {
      cut?.stop()
      ctx.signal.removeEventListener('abort', stop)
      resolve(code ?? signal ?? 'unknown')
    })
  })
}

/** In the child: aborts when the parent's end of the pipe closes; nobody is left to end a child that lingers, so it does so itself. */
export function onParentGone(stop: () => void): void {
  let gone = false
  const end = (): void => {
    if (gone) return
    gone = true
    systemClock.after(orphanGraceMs, () => process.exit(1))
    stop()
  }
  process.stdin.on('end', end)
  process.stdin.on('close', end)
  process.stdin.resume()
}
