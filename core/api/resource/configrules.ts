/** What claims, classes and allocations share: selectors, configuration, binding conditions (pkg/apis/resource/validation/validation.go). */
import { qualified, type Errors } from '../checks.ts'
import { duplicate, invalidValue, required, tooLong, type Path } from '../field.ts'
import type * as k from '../schema/types.ts'
import { driverName, each } from './names.ts'
import { validateExpression } from './selectors.ts'

const selectorsMax = 32
const bindingConditionsMax = 4
export const configMax = 32
export const opaqueBytesMax = 10 * 1_024

export function selectors(errors: Errors, list: readonly Readonly<k.DeviceSelector>[] | undefined, at: Path): void {
  each(errors, list, selectorsMax, at, ({ cel }, here) => {
    if (cel === undefined) errors.push(required(here.child('cel')))
    else validateExpression(errors, cel.expression, here.child('cel', 'expression'))
  })
}

/** `stored`: it stood there before, and may be longer than is let in today. */
export function configuration(errors: Errors, { opaque }: { readonly opaque?: Readonly<k.OpaqueDeviceConfiguration> }, at: Path, stored = false): void {
  const here = at.child('opaque')
  if (opaque === undefined) {
    errors.push(required(here))
    return
  }
  driverName(errors, opaque.driver, here.child('driver'))
  rawObject(errors, opaque.parameters, here.child('parameters'), stored)
}

/** JSON of a driver's own: an object, and not a long one. */
export function rawObject(errors: Errors, value: unknown, at: Path, stored = false): void {
  if (value === undefined || value === null) errors.push(required(at))
  else if (!stored && Buffer.byteLength(JSON.stringify(value)) > opaqueBytesMax) errors.push(tooLong(at, opaqueBytesMax))
  else if (typeof value !== 'object' || Array.isArray(value)) errors.push(invalidValue(at, '<value omitted>', 'must be a valid JSON object'))
}

interface Bound {
  readonly bindingConditions?: readonly string[]
  readonly bindingFailureConditions?: readonly string[]
}

/** What a driver says of a device before a pod is bound to its node: both kinds of conditions, or neither. */
export function bindingConditions(errors: Errors, { bindingConditions: good, bindingFailureConditions: bad }: Readonly<Bound>, at: Path): void {
  const [goodAt, badAt] = [at.child('bindingConditions'), at.child('bindingFailureConditions')]
  each(errors, good, bindingConditionsMax, goodAt, (condition, here) => qualified(errors, condition, here))
  each(errors, bad, bindingConditionsMax, badAt, (condition, here) => qualified(errors, condition, here))
  const twice = (list: readonly string[], i: number): boolean => list.indexOf(list[i] ?? '') < i
  good?.forEach((condition, i) => {
    if (twice(good, i)) errors.push(duplicate(goodAt.index(i), condition))
  })
  bad?.forEach((condition, i) => {
    if (twice(bad, i)) errors.push(duplicate(badAt.index(i), condition))
    if (good?.includes(condition) === true) errors.push(invalidValue(badAt.index(i), condition, 'bindingFailureConditions must not overlap with bindingConditions'))
  })
  const [goods, bads] = [good?.length ?? 0, bad?.length ?? 0]
  if (goods === 0 && bads > 0) errors.push(invalidValue(goodAt, good ?? null, 'bindingConditions are required to use bindingFailureConditions'))
  if (bads === 0 && goods > 0) errors.push(invalidValue(badAt, bad ?? null, 'bindingFailureConditions are required to use bindingConditions'))
}
