/**
 * Time. The only file that reads the machine's clock or sets a timer; everything
 * else is handed a Clock. `systemClock` is the real one, `virtualClock()` the one
 * of tests and simulation: its time moves only when it is told to.
 */

export interface Timer {
  /** Forgets the timer; harmless when it has fired. */
  stop(): void
}

export interface Clock {
  /** Milliseconds since the Unix epoch, with fractions where the machine has them. */
  now(): number
  /** Milliseconds of a clock that never jumps; only differences mean something. */
  monotonic(): number
  /** Calls `fire` once after `ms` milliseconds. */
  after(ms: number, fire: () => void): Timer
  /** Waits; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** setTimeout's own limit; longer waits are taken in steps. */
const timerMsMax = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fire) {
    let handle: ReturnType<typeof setTimeout>
    const arm = (left: number): void => {
      handle = left > timerMsMax ? setTimeout(() => arm(left - timerMsMax), timerMsMax) : setTimeout(fire, Math.max(0, left))
    }
    arm(ms)
    return { stop: () => clearTimeout(handle) }
  },
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
}

function sleepOn(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const wake = (): void => {
      signal?.removeEventListener('abort', stop) // or a long-lived signal gathers one listener a sleep
      resolve()
    }
    const timer = clock.after(ms, wake)
    const stop = (): void => {
      timer.stop()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', stop, { once: true })
  })
}

export interface VirtualClock extends Clock {
  /** Moves time by `ms`, firing every timer on the way in order, and letting promises settle between. */
  advance(ms: number): Promise<void>
  /** Lets everything that can run now run, without moving time. */
  settle(): Promise<void>
  /** Advances from deadline to deadline until `done()` holds; throws when `limitMs` virtual milliseconds have passed. */
  until(done: () => boolean, limitMs?: number): Promise<void>
  /** Sets the time of day forward, or back: what somebody does to a machine's clock. Timers and monotonic() do not notice. */
  jump(ms: number): void
  /** Timers that wait. */
  pending(): number
}

interface Entry {
  readonly at: number
  readonly order: number
  readonly fire: () => void
}

/** Starts at 2026-01-01T00:00:00Z unless told otherwise. No real I/O may run inside: settling drains the event loop only. */
export function virtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  let now = startMs
  let order = 0
  let jumped = 0
  const timers = new Set<Entry>()

  const first = (): Entry | undefined => {
    let best: Entry | undefined
    for (const t of timers) if (best === undefined || t.at < best.at || (t.at === best.at && t.order < best.order)) best = t
    return best
  }
  const settle = async (): Promise<void> => {
    for (let i = 0; i < settleRounds; i++) await new Promise<void>((resolve) => setImmediate(resolve))
  }
  const step = async (limit: number): Promise<boolean> => {
    const next = first()
    if (next === undefined || next.at > limit) return false
    now = Math.max(now, next.at)
    timers.delete(next)
    next.fire()
    await settle()
    return true
  }
  const clock: VirtualClock = {
    now: () => now + jumped,
    monotonic: () => now - startMs,
    jump: (ms) => void (jumped += ms),
    after(ms, fire) {
      const entry = { at: now + Math.max(0, ms), order: order++, fire }
      timers.add(entry)
      return { stop: () => void timers.delete(entry) }
    },
    sleep: (ms, signal) => sleepOn(clock, ms, signal),
    settle,
    pending: () => timers.size,
    async advance(ms) {
      const end = now + ms
      await settle()
      while (await step(end));
      now = end
    },
    async until(done, limitMs = 3_600_000) {
      const end = now + limitMs
      await settle()
      while (!done()) {
        if (!(await step(end))) throw new Error(`virtual clock: not reached within ${limitMs} ms`)
      }
    },
  }
  return clock
}

/** Rounds of the event loop that one settle drains: enough for a chain of hand-overs between parts. */
const settleRounds = 8
