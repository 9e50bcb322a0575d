/**
 * Counters that devices of a pool share: partitions of one device use them up together. Counted for a pool of a driver; upstream
 * goes by the pool's name alone, and mixes up what two drivers have on one node.
 */
import { addAmounts, type Amount, compareAmounts, subtractAmounts } from '../../api/cel/library/amount.ts'
import type { Device } from '../../api/schema/types.ts'
import { amountOf, deviceId, type DevicesInUse } from './devices.ts'
import type { Pool } from './pools.ts'

type Counts = Map<string, Amount>
type Change = (before: Amount, by: Amount) => Amount

const none: Amount = { unscaled: 0n, exponent: 0, large: false }
const poolKey = ({ driver, name }: Pool): string => `${driver}/${name}`
const counterKey = (set: string, counter: string): string => `${set}/${counter}`

function count(counts: Counts, { consumesCounters = [] }: Readonly<Device>, change: Change): void {
  for (const { counterSet, counters } of consumesCounters) {
    for (const [name, { value }] of Object.entries(counters)) {
      const key = counterKey(counterSet, name)
      counts.set(key, change(counts.get(key) ?? none, amountOf(value)))
    }
  }
}

/** What allocated devices have left over, computed once a pool: it is the same on every node. */
export class AvailableCounters {
  readonly #inUse: DevicesInUse
  readonly #pools = new Map<string, Counts>()

  constructor(inUse: DevicesInUse) {
    this.#inUse = inUse
  }

  of(pool: Pool): ReadonlyMap<string, Amount> {
    const key = poolKey(pool)
    const counts = this.#pools.get(key) ?? this.#left(pool)
    this.#pools.set(key, counts)
    return counts
  }

  /** May be less than nothing, which is as good as nothing. */
  #left(pool: Pool): Counts {
    const counts: Counts = new Map()
    for (const [set, { counters }] of pool.counterSets) {
      for (const [name, { value }] of Object.entries(counters)) counts.set(counterKey(set, name), amountOf(value))
    }
    for (const { spec } of [...pool.near, ...pool.far]) {
      for (const device of spec.devices ?? []) {
        const id = deviceId({ driver: spec.driver, pool: spec.pool.name, device: device.name })
        if (this.#inUse.whole.has(id) || this.#inUse.shared.has(id)) count(counts, device, subtractAmounts)
      }
    }
    return counts
  }
}

/** What devices of one attempt use, on top of those that are allocated. */
export class ConsumedCounters {
  readonly #available: AvailableCounters
  readonly #pools = new Map<string, Counts>()

  constructor(available: AvailableCounters) {
    this.#available = available
  }

  /** False: there is not so much left, and nothing was taken. */
  take(pool: Pool, device: Readonly<Device>): boolean {
    const key = poolKey(pool)
    const mine = this.#pools.get(key) ?? new Map<string, Amount>()
    this.#pools.set(key, mine)
    count(mine, device, addAmounts)
    for (const [name, left] of this.#available.of(pool)) {
      if (compareAmounts(left, mine.get(name) ?? none) >= 0) continue
      count(mine, device, subtractAmounts)
      return false
    }
    return true
  }

  giveBack(pool: Pool, device: Readonly<Device>): void {
    const mine = this.#pools.get(poolKey(pool))
    if (mine !== undefined) count(mine, device, subtractAmounts)
  }
}
