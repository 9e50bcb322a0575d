/** Values in use, addresses or ports: by stored Services, or held for one that is on its way. */
import type { Random } from '../../lib/random.ts'

/** As long as a request may take: what was handed out is held for a Service that does not show up. */
const holdMs = 60_000
const heldMax = 1_024

interface Held {
  readonly owner: string
  readonly until: number
  /** Requests of this owner that hold it. */
  readonly times: number
}

export class Used {
  readonly #owners = new Map<string, string>()
  readonly #held = new Map<string, Held>()

  set(value: string, owner: string): void {
    this.#owners.set(value, owner)
    this.#held.delete(value)
  }

  free(value: string, owner: string): void {
    if (this.#owners.get(value) === owner) this.#owners.delete(value)
  }

  ownerOf(value: string): string | undefined {
    return this.#owners.get(value)
  }

  takenFor(value: string, owner: string, now: number): boolean {
    const stored = this.#owners.get(value)
    if (stored !== undefined) return stored !== owner
    const held = this.#held.get(value)
    return held !== undefined && held.until > now && held.owner !== owner
  }

  hold(value: string, owner: string, now: number): void {
    const held = this.#held.get(value)
    this.#held.set(value, { owner, until: now + holdMs, times: held?.owner === owner ? held.times + 1 : 1 })
    if (this.#held.size > heldMax) for (const [key, { until }] of this.#held) if (until <= now) this.#held.delete(key)
  }

  /** The Service does not come. */
  letGo(value: string, owner: string): void {
    const held = this.#held.get(value)
    if (held?.owner !== owner) return
    if (held.times > 1) this.#held.set(value, { ...held, times: held.times - 1 })
    else this.#held.delete(value)
  }
}

export interface Band {
  readonly min: number
  readonly max: number
  readonly share: number
}

/** How much at the start of a range is left to those who ask for a value by name: nothing of a small range. */
export function bandOf(size: number, { min, max, share }: Band): number {
  return size <= min ? 0 : Math.min(Math.max(min, Math.floor(size / share)), max)
}

/** From a random start on, once around. */
export function search<T>(random: Random, from: number, to: number, isFree: (offset: number) => T | undefined): T | undefined {
  const span = to - from
  if (span <= 0) return undefined
  const start = random.int(span)
  for (let i = 0; i < span; i++) {
    const found = isFree(from + ((start + i) % span))
    if (found !== undefined) return found
  }
  return undefined
}
