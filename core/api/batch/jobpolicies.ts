/** When a Job's failures count and when its success is enough; lists of indexes (k8s.io/kubernetes/pkg/apis/batch/validation/validation.go). */
import { nonNegative, qualified, type Errors } from '../checks.ts'
import { duplicate, invalidValue, notSupported, omitted, required, tooLong, tooMany, type Path } from '../field.ts'
import type { JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule, SuccessPolicyRule } from '../schema/types.ts'

const rulesMax = 20
const exitCodesMax = 255
const patternsMax = 20
const indexesBytesMax = 64 * 1_024
const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore']

/** As Go's %q shows a list. */
const listed = (values: readonly string[]): string => `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`

export function validateFailurePolicy(errors: Errors, spec: Readonly<JobSpec>, at: Path): void {
  const rules = spec.podFailurePolicy?.rules ?? []
  if (rules.length > rulesMax) errors.push(tooMany(at.child('rules'), rules.length, rulesMax))
  const pod = spec.template.spec
  const names = new Set([...(pod?.containers ?? []), ...(pod?.initContainers ?? [])].map((container) => container.name))
  rules.forEach((rule, i) => failureRule(errors, spec, rule, at.child('rules').index(i), names))
}

function failureRule(errors: Errors, spec: Readonly<JobSpec>, rule: Readonly<PodFailurePolicyRule>, at: Path, names: ReadonlySet<string>): void {
  const { action, onExitCodes: codes, onPodConditions: patterns = [] } = rule
  const here = at.child('action')
  if (action === '') errors.push(required(here, listed(actions)))
  else if (action === 'FailIndex') {
    if (spec.backoffLimitPerIndex === undefined) errors.push(invalidValue(here, action, 'requires the backoffLimitPerIndex to be set'))
  } else if (!actions.includes(action)) errors.push(notSupported(here, action, actions))
  if (codes !== undefined) exitCodes(errors, codes, at.child('onExitCodes'), names)
  if (patterns.length > patternsMax) errors.push(tooMany(at.child('onPodConditions'), patterns.length, patternsMax))
  patterns.forEach((pattern, i) => {
    const place = at.child('onPodConditions').index(i)
    const statuses = ['False', 'True', 'Unknown']
    qualified(errors, pattern.type, place.child('type'))
    const status = pattern.status ?? ''
    if (status === '') errors.push(required(place.child('status'), listed(statuses)))
    else if (!statuses.includes(status)) errors.push(notSupported(place.child('status'), status, statuses))
  })
  if (codes !== undefined && patterns.length > 0) errors.push(invalidValue(at, omitted, 'specifying both OnExitCodes and OnPodConditions is not supported'))
  if (codes === undefined && patterns.length === 0) errors.push(invalidValue(at, omitted, 'specifying one of OnExitCodes and OnPodConditions is required'))
}

function exitCodes(errors: Errors, codes: Readonly<PodFailurePolicyOnExitCodesRequirement>, at: Path, names: ReadonlySet<string>): void {
  const { operator, containerName } = codes
  const values = codes.values ?? []
  const place = at.child('values')
  if (operator === '') errors.push(required(at.child('operator'), listed(['In', 'NotIn'])))
  else if (operator !== 'In' && operator !== 'NotIn') errors.push(notSupported(at.child('operator'), operator, ['In', 'NotIn']))
  if (containerName !== undefined && !names.has(containerName)) {
    errors.push(invalidValue(at.child('containerName'), containerName, 'must be one of the container or initContainer names in the pod template'))
  }
  if (values.length === 0) errors.push(invalidValue(place, codes.values ?? null, 'at least one value is required'))
  else if (values.length > exitCodesMax) errors.push(tooMany(place, values.length, exitCodesMax))
  values.forEach((value, i) => {
    if (operator === 'In' && value === 0) errors.push(invalidValue(place.index(i), value, 'must not be 0 for the In operator'))
    if (values.indexOf(value) < i) errors.push(duplicate(place.index(i), value))
  })
  if (values.some((value, i) => i > 0 && (values[i - 1] ?? 0) > value)) errors.push(invalidValue(place, values, 'must be ordered'))
}

export function validateSuccessPolicy(errors: Errors, spec: Readonly<JobSpec>, at: Path): void {
  const rules = spec.successPolicy?.rules ?? []
  const place = at.child('rules')
  if (rules.length === 0) errors.push(required(place, 'at least one rules must be specified when the successPolicy is specified'))
  if (rules.length > rulesMax) errors.push(tooMany(place, rules.length, rulesMax))
  rules.forEach((rule, i) => successRule(errors, rule, spec.completions ?? 0, place.index(i)))
}

function successRule(errors: Errors, rule: Readonly<SuccessPolicyRule>, completions: number, at: Path): void {
  const { succeededCount: count, succeededIndexes: indexes } = rule
  if (count === undefined && indexes === undefined) errors.push(required(at, 'at least one of succeededCount or succeededIndexes must be specified'))
  let total = 0
  if (indexes !== undefined) {
    const place = at.child('succeededIndexes')
    if (indexes.length > indexesBytesMax) errors.push(tooLong(place, indexesBytesMax))
    const read = readIndexes(indexes, completions)
    if (typeof read === 'string') errors.push(invalidValue(place, indexes, `error parsing succeededIndexes: ${read}`))
    else total = read.reduce((sum, [from, to]) => sum + to - from + 1, 0)
  }
  if (count === undefined) return
  const place = at.child('succeededCount')
  nonNegative(errors, count, place)
  if (count > completions) errors.push(invalidValue(place, count, `must be less than or equal to ${completions} (the number of specified completions)`))
  if (indexes !== undefined && count > total) {
    errors.push(invalidValue(place, count, `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`))
  }
}

export type Interval = readonly [from: number, to: number]

/** `1,3-5` -> its intervals, or what is wrong with it. */
export function readIndexes(text: string, completions: number): readonly Interval[] | string {
  const found: Interval[] = []
  if (text === '') return found
  for (const part of text.split(',')) {
    const interval = readInterval(part, completions)
    if (typeof interval === 'string') return interval
    const last = found.at(-1)?.[1]
    if (last !== undefined && last >= interval[0]) return `non-increasing order, previous: ${last}, current: ${interval[0]}`
    found.push(interval)
  }
  return found
}

export function readInterval(text: string, completions: number): Interval | string {
  const ends = text.split('-')
  if (ends.length > 2) return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`
  const numbers: number[] = []
  for (const end of ends) {
    if (!/^[+]?\d+$/.test(end)) return `cannot convert string to integer for index: ${JSON.stringify(end)}`
    if (Number(end) >= completions) return `too large index: ${JSON.stringify(end)}`
    numbers.push(Number(end))
  }
  const [from = 0, to = from] = numbers
  return ends.length > 1 && from >= to ? `non-increasing order, previous: ${from}, current: ${to}` : [from, to]
}
