/** Back-off as upstream counts it, and durations as Go prints them. */
import { describe, expect, it } from 'vitest'
import { Backoff, goDuration } from './backoff.ts'

describe('Backoff', () => {
  it('lets the first failure pass, then doubles up to its maximum', () => {
    const backoff = new Backoff(10, 40)
    expect(backoff.waiting('a', 0, 1)).toBeUndefined()
    const waits: number[] = []
    let now = 0
    for (let i = 0; i < 4; i++) {
      backoff.grow('a', now, now)
      const wait = backoff.waiting('a', now, now)
      waits.push(wait?.ms ?? 0)
      now = wait?.untilMs ?? now
    }
    expect(waits).toEqual([10, 20, 40, 40])
  })
  it('starts anew after twice the maximum of quiet', () => {
    const backoff = new Backoff(10, 40)
    backoff.grow('a', 0, 0)
    backoff.grow('a', 10, 10)
    backoff.grow('a', 200, 200)
    expect(backoff.waiting('a', 200, 200)?.ms).toBe(10)
  })
  it('forgets by prefix', () => {
    const backoff = new Backoff(10, 40)
    backoff.grow('u_a', 0, 0)
    backoff.forget('u_')
    expect(backoff.waiting('u_a', 0, 0)).toBeUndefined()
  })
})

describe('goDuration()', () => {
  it.each([[0, '0s'], [250, '250ms'], [10_000, '10s'], [80_000, '1m20s'], [300_000, '5m0s'], [3_600_000, '1h0m0s'], [1500, '1.5s']])('%d is %s', (ms, text) => {
    expect(goDuration(ms)).toBe(text)
  })
})
