/**
 * Requests in flight, counted: past the limit they are refused with 429 and told when to come back. Reads and writes
 * are counted apart, so that a storm of one leaves room for the other. Watches and connections do not count.
 */
import { tooManyRequests } from '../api/errors.ts'

/** Upstream starts at 400 and 200 with queues behind them; here the event loop is the queue. */
export const readsInFlightMax = 4_000
export const writesInFlightMax = 2_000

export interface Limiter {
  /** Throws 429. */
  within<T>(verb: string, work: () => Promise<T>): Promise<T>
  readonly reads: number
  readonly writes: number
}

const readVerbs = new Set(['get', 'list'])

export function limiter(limits = { reads: readsInFlightMax, writes: writesInFlightMax }): Limiter {
  const counts = { reads: 0, writes: 0 }
  return {
    async within(verb, work) {
      const lane = readVerbs.has(verb) ? 'reads' : 'writes'
      if (counts[lane] >= limits[lane]) throw tooManyRequests('Too many requests, please try again later.', 1)
      counts[lane]++
      try {
        return await work()
      } finally {
        counts[lane]--
      }
    },
    get reads() {
      return counts.reads
    },
    get writes() {
      return counts.writes
    },
  }
}
