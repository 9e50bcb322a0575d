/** Devices by name, and what of them is in use: by claims that are allocated, or are about to be. Pure. */
import { addAmounts, type Amount, readAmount } from '../../api/cel/library/amount.ts'
import type { AllocationResult, DeviceRequestAllocationResult } from '../../api/schema/types.ts'

/** `driver/pool/device`: only pools have slashes in their names. */
export type DeviceId = string

export function deviceId({ driver, pool, device }: Readonly<Pick<DeviceRequestAllocationResult, 'driver' | 'pool' | 'device'>>): DeviceId {
  return `${driver}/${pool}/${device}`
}

/** Capacities by name. */
export type Capacities = ReadonlyMap<string, Amount>

export interface DevicesInUse {
  /** Nobody else may have them. */
  readonly whole: ReadonlySet<DeviceId>
  /** What is taken of those that several may have. */
  readonly shared: ReadonlyMap<DeviceId, Capacities>
}

/** Clusters use few different quantities, and a search meets them again and again. */
const remembered = new Map<string, Amount>()
const rememberedMax = 4_096

/** A quantity of the API, which was read before. */
export function amountOf(quantity: string): Amount {
  const known = remembered.get(quantity)
  if (known !== undefined) return known
  const read = readAmount(quantity)
  if (!read.ok) throw new Error(`quantity ${quantity}: ${read.error}`)
  if (remembered.size >= rememberedMax) remembered.clear()
  remembered.set(quantity, read.amount)
  return read.amount
}

/** Devices with admin access are nobody's. */
export function devicesInUse(allocations: Iterable<Readonly<AllocationResult>>): DevicesInUse {
  const whole = new Set<DeviceId>()
  const shared = new Map<DeviceId, Map<string, Amount>>()
  for (const { devices } of allocations) {
    for (const result of devices?.results ?? []) {
      if (result.adminAccess === true) continue
      const id = deviceId(result)
      if (result.shareID === undefined) whole.add(id)
      else shared.set(id, withAdded(shared.get(id) ?? new Map<string, Amount>(), result.consumedCapacity ?? {}))
    }
  }
  return { whole, shared }
}

function withAdded(into: Map<string, Amount>, consumed: Readonly<Record<string, string>>): Map<string, Amount> {
  for (const [name, quantity] of Object.entries(consumed)) {
    const before = into.get(name)
    into.set(name, before === undefined ? amountOf(quantity) : addAmounts(before, amountOf(quantity)))
  }
  return into
}
