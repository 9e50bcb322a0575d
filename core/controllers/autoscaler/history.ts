/** What an autoscaler remembers of itself: what it wanted and what it did. A new entry takes the place of one that is too old to count. */

export interface Recommendation {
  readonly replicas: number
  readonly atMs: number
}

export interface ScaleEvent {
  /** Replicas more, or fewer: without a sign. */
  readonly change: number
  readonly atMs: number
}

export interface History {
  readonly recommendations: readonly Recommendation[]
  readonly ups: readonly ScaleEvent[]
  readonly downs: readonly ScaleEvent[]
}

export const noHistory: History = { recommendations: [], ups: [], downs: [] }

interface Dated {
  readonly atMs: number
}

/** With the entry in the place of the last one that is too old, or at the end. */
export function recorded<E extends Dated>(entries: readonly E[], entry: E, isOld: (entry: E) => boolean): readonly E[] {
  const old = entries.findLastIndex(isOld)
  return old < 0 ? [...entries, entry] : entries.with(old, entry)
}

/** Replicas by which it changed within this time. */
export function changeWithin(events: readonly ScaleEvent[], periodMs: number, nowMs: number): number {
  return events.filter(({ atMs }) => atMs > nowMs - periodMs).reduce((sum, { change }) => sum + change, 0)
}
