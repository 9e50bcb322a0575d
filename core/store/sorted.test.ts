import { describe, expect, it } from 'vitest'
import { seededRandom } from '../lib/random.ts'
import { Sorted } from './sorted.ts'

describe('Sorted', () => {
  it('agrees with a plain map that is sorted every time', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const random = seededRandom(seed)
      const sorted = new Sorted<number>()
      const plain = new Map<string, number>()
      for (let i = 0; i < 6_000; i++) {
        const key = `${'abc'[random.int(3)]}/${random.int(1_500)}`
        if (random.fraction() < 0.35) {
          expect(sorted.delete(key)).toBe(plain.delete(key))
        } else {
          sorted.set(key, i)
          plain.set(key, i)
        }
      }
      const keys = [...plain.keys()].sort()
      const want = (prefix: string, after = ''): number[] => keys.filter((k) => k.startsWith(prefix) && k > after).map((k) => plain.get(k) as number)
      expect(sorted.size).toBe(plain.size)
      for (const prefix of ['', 'a/', 'b/', 'b/1', 'c/', 'd/']) {
        for (const after of ['', 'b/', 'b/7', 'b/700', 'zz', keys[0] ?? '', keys.at(-1) ?? '']) {
          const all = want(prefix, after)
          expect(sorted.slice(prefix, after), `seed ${seed}, ${prefix} after ${after}`).toEqual({ values: all, remaining: 0 })
          expect(sorted.slice(prefix, after, 10)).toEqual({ values: all.slice(0, 10), remaining: Math.max(0, all.length - 10) })
          expect([...sorted.entries(prefix, after)].map(([, value]) => value)).toEqual(all)
        }
      }
    }
  })
})
