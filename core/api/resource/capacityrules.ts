/** How much of a device's capacity one request may have, and in which portions (pkg/apis/resource/validation/validation.go). */
import type { Errors } from '../checks.ts'
import { addAmounts, compareAmounts, readAmount, type Amount } from '../cel/library/amount.ts'
import { forbiddenField, invalidValue, required, type Path } from '../field.ts'
import { addQuantities, quantityValue } from '../quantity.ts'
import type { CapacityRequestPolicy, CapacityRequestPolicyRange, DeviceCapacity } from '../schema/types.ts'
import { eachOnce } from './names.ts'

const optionsMax = 10

export function capacity(errors: Errors, { value, requestPolicy: policy }: Readonly<DeviceCapacity>, at: Path, shared: boolean): void {
  if (policy === undefined) return
  const here = at.child('requestPolicy')
  if (!shared) errors.push(forbiddenField(here, 'allowMultipleAllocations must be true'))
  else requestPolicy(errors, value, policy, here)
}

function requestPolicy(errors: Errors, whole: string, { default: usual, validValues: values = [], validRange: range }: Readonly<CapacityRequestPolicy>, at: Path): void {
  if (values.length > 0 && range !== undefined) {
    errors.push(forbiddenField(at, 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'))
  } else if (values.length > 0) {
    if (usual === undefined) errors.push(required(at.child('default'), 'required when validValues is defined'))
    else validValues(errors, usual, whole, values, at.child('validValues'))
  } else if (range !== undefined) {
    if (usual === undefined) errors.push(required(at.child('default'), 'required when validRange is defined'))
    else validRange(errors, usual, whole, range, at.child('validRange'))
  }
}

function validValues(errors: Errors, usual: string, whole: string, values: readonly string[], at: Path): void {
  for (const [i, value] of values.entries()) {
    const before = values[i - 1]
    if (before !== undefined && more(before, value)) errors.push(invalidValue(at.index(i), value, 'values must be sorted in ascending order'))
  }
  eachOnce(errors, values, optionsMax, at, (value) => String(quantityValue(value)), (value, here) => {
    if (more(value, whole)) errors.push(invalidValue(here, value, `option is larger than capacity value: ${whole}`))
  })
  const seen = values.length <= optionsMax && values.some((value) => compareAmounts(amount(value), amount(usual)) === 0)
  if (!seen) errors.push(invalidValue(at, usual, 'default value is not valid according to the requestPolicy'))
}

function validRange(errors: Errors, usual: string, whole: string, range: Readonly<CapacityRequestPolicyRange>, at: Path): void {
  const { max, step } = range
  const min = range.min as string | undefined
  if (min === undefined) {
    errors.push(required(at.child('min'), 'required when validRange is defined'))
    return
  }
  if (more(min, whole)) errors.push(invalidValue(at.child('min'), min, `min is larger than capacity value: ${whole}`))
  if (more(min, usual)) errors.push(invalidValue(at.child('min'), usual, `default is less than min: ${min}`))
  if (max !== undefined) {
    if (more(min, max)) errors.push(invalidValue(at.child('max'), min, `min is larger than max: ${max}`))
    if (more(max, whole)) errors.push(invalidValue(at.child('max'), max, `max is larger than capacity value: ${whole}`))
    if (more(usual, max)) errors.push(invalidValue(at.child('max'), usual, `default is more than max: ${max}`))
  }
  if (step === undefined) return
  const here = at.child('step')
  if (compareAmounts(addAmounts(amount(min), amount(step)), amount(whole)) > 0) {
    errors.push(invalidValue(here, step, `one step ${addQuantities(min, step)} is larger than capacity value: ${whole}`))
  }
  onStep(errors, usual, { min, step }, here)
  if (max !== undefined) onStep(errors, max, { min, step }, here)
}

function onStep(errors: Errors, value: string, { min, step }: { readonly min: string; readonly step: string }, at: Path): void {
  if ((quantityValue(value) - quantityValue(min)) % quantityValue(step) === 0) return
  errors.push(invalidValue(at, value, `value is not a multiple of a given step (${step}) from (${min})`))
}

const more = (a: string, b: string): boolean => compareAmounts(amount(a), amount(b)) > 0

function amount(text: string): Amount {
  const read = readAmount(text)
  if (!read.ok) throw new Error(`quantity ${text}: ${read.error}`)
  return read.amount
}
