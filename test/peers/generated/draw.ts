/** Drawing from a seed: one of a list, a chance, a weighted choice. */
import { seededRandom, type Random } from '../../../core/lib/random.ts'

export class Draw {
  readonly random: Random

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  int(below: number): number {
    return this.random.int(below)
  }

  /** True with this probability. */
  chance(of: number): boolean {
    return this.random.fraction() < of
  }

  one<T>(of: readonly T[]): T {
    const drawn = of[this.random.int(of.length)]
    if (drawn === undefined) throw new Error('nothing to draw from')
    return drawn
  }

  /** Draws a function by weight and calls it. */
  weighted<T>(of: readonly (readonly [weight: number, make: () => T])[]): T {
    let at = this.random.fraction() * of.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, make] of of) {
      at -= weight
      if (at < 0) return make()
    }
    const last = of.at(-1)
    if (last === undefined) throw new Error('nothing to draw from')
    return last[1]()
  }
}
