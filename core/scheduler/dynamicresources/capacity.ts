/** How much of a device's capacities a request takes, and whether so much is left (consumable_capacity.go). Pure. */
import { addAmounts, type Amount, compareAmounts } from '../../api/cel/library/amount.ts'
import { canonicalQuantity } from '../../api/quantity.ts'
import type { CapacityRequestPolicy, CapacityRequestPolicyRange, DeviceCapacity } from '../../api/schema/types.ts'
import { amountOf, type Capacities } from './devices.ts'

export type Wanted = Readonly<Record<string, string>>
export type Offered = Readonly<Record<string, DeviceCapacity>>

/** Quantities by name. */
export function consumedBy(wanted: Wanted, offered: Offered): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(offered).map(([name, capacity]) => [name, consumed(wanted[name], capacity)]))
}

/** Whether the device has all that is asked for, in portions that it gives, beside what was taken of it before. */
export function isEnough(wanted: Wanted, offered: Offered, taken: readonly (Capacities | undefined)[]): boolean {
  if (Object.keys(wanted).some((name) => !Object.hasOwn(offered, name))) return false
  return Object.entries(offered).every(([name, capacity]) => {
    const portion = consumed(wanted[name], capacity)
    if (!isPortion(portion, capacity.requestPolicy)) return false
    const sum = taken.reduce((total: Amount, some) => addAmounts(total, some?.get(name) ?? none), amountOf(portion))
    return compareAmounts(sum, amountOf(capacity.value)) <= 0
  })
}

const none: Amount = { unscaled: 0n, exponent: 0, large: false }
const compare = (a: string, b: string): number => compareAmounts(amountOf(a), amountOf(b))

/** Who does not ask gets the usual portion, or all. */
function consumed(wanted: string | undefined, { value, requestPolicy }: Readonly<DeviceCapacity>): string {
  if (wanted === undefined) return requestPolicy?.default ?? value
  const { validRange, validValues } = requestPolicy ?? {}
  if (validRange !== undefined) return roundedUp(wanted, validRange)
  return validValues?.find((valid) => compare(wanted, valid) <= 0) ?? wanted
}

function roundedUp(wanted: string, { min, step }: Readonly<CapacityRequestPolicyRange>): string {
  if (compare(wanted, min) < 0) return min
  if (step === undefined) return wanted
  const [least, by] = [wholeUnits(min), wholeUnits(step)]
  const above = wholeUnits(wanted) - least
  return binaryQuantity(least + by * (above / by + (above % by === 0n ? 0n : 1n)))
}

function isPortion(portion: string, { default: usual, validRange, validValues = [] }: Readonly<CapacityRequestPolicy> = {}): boolean {
  if (usual !== undefined && compare(portion, usual) === 0) return true
  if (validRange === undefined) return validValues.length === 0 || validValues.some((valid) => compare(portion, valid) === 0)
  const { min, max, step } = validRange
  if (max !== undefined && compare(portion, max) > 0) return false
  return step === undefined || (wholeUnits(portion) - wholeUnits(min)) % wholeUnits(step) === 0n
}

/** Rounded up. */
function wholeUnits(quantity: string): bigint {
  const { unscaled, exponent } = amountOf(quantity)
  if (exponent >= 0) return unscaled * 10n ** BigInt(exponent)
  const unit = 10n ** BigInt(-exponent)
  return unscaled / unit + (unscaled > 0n && unscaled % unit !== 0n ? 1n : 0n)
}

/** In the largest of Ki, Mi, Gi, ... that loses nothing. */
function binaryQuantity(value: bigint): string {
  const text = value % 1_024n === 0n && value !== 0n ? `${value / 1_024n}Ki` : `${value}`
  if (value >= 1_024n && value % 1_024n !== 0n) return text
  const canonical = canonicalQuantity(text)
  return canonical.ok ? canonical.text : text
}
