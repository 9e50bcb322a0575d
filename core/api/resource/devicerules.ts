/** Rules of one device of a ResourceSlice: what it is, what it has, who may use it where (pkg/apis/resource/validation/validation.go). */
import { isNativeResource } from '../core/podspec/resources.ts'
import { validateNodeSelector } from '../core/podspec/affinity.ts'
import { label, needsOneOf, qualified, say, subdomain, type Errors } from '../checks.ts'
import { compareAmounts, readAmount, small } from '../cel/library/amount.ts'
import { invalidValue, notFoundField, required, tooLong, type Path } from '../field.ts'
import { labelValue } from '../names.ts'
import type * as k from '../schema/types.ts'
import { capacity } from './capacityrules.ts'
import { taintEffects } from './claimrules.ts'
import { bindingConditions } from './configrules.ts'
import { attributeName, each, eachOnce, entries, qualifiedMax } from './names.ts'
import { shownAttribute } from './shown.ts'

const attributesMax = 32
const attributeValuesMax = 48
const attributeBytesMax = 64
const taintsMax = 16
const consumptionsMax = 2
const countersMax = 32
const counterNameShown = 63

interface Around {
  /** Each device of the slice says for itself which nodes have it. */
  readonly perDevice: boolean
  readonly sameTaints: boolean
}

export function device(errors: Errors, of: Readonly<k.Device>, at: Path, { perDevice, sameTaints }: Around): void {
  label(errors, of.name, at.child('name'))
  const count = Object.keys(of.attributes ?? {}).length + Object.keys(of.capacity ?? {}).length
  if (count > attributesMax) errors.push(invalidValue(at, count, `the total number of attributes and capacities must not exceed ${attributesMax}`))
  const values = Object.values(of.attributes ?? {}).reduce((sum, attribute) => sum + Math.max(1, listed(attribute)), 0)
  if (values > attributeValuesMax) errors.push(invalidValue(at, values, `the total number of attribute values must not exceed ${attributeValuesMax}`))
  const limits = { entries: Infinity, keyShown: qualifiedMax }
  entries(errors, of.attributes, at.child('attributes'), limits, attributeName, (attribute, here) => attributeValue(errors, attribute, here))
  entries(errors, of.capacity, at.child('capacity'), limits, attributeName, (amount, here) => capacity(errors, amount, here, of.allowMultipleAllocations === true))
  if (!sameTaints) each(errors, of.taints, taintsMax, at.child('taints'), (taint, here) => deviceTaint(errors, taint, here))
  eachOnce(errors, of.consumesCounters, consumptionsMax, at.child('consumesCounters'), ({ counterSet }) => counterSet, ({ counterSet, counters: used }, here) => {
    if (counterSet === '') errors.push(required(here.child('counterSet')))
    else label(errors, counterSet, here.child('counterSet'))
    counters(errors, used as typeof used | undefined, here.child('counters'))
  })
  if (perDevice) nodes(errors, of, at)
  else if (of.nodeName !== undefined || of.nodeSelector !== undefined || of.allNodes !== undefined) {
    errors.push(invalidValue(at, null, '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec'))
  }
  bindingConditions(errors, of, at)
  mappings(errors, of, at.child('nodeAllocatableResourceMappings'))
}

export function isList({ bools, ints, strings, versions }: Readonly<k.DeviceAttribute>): boolean {
  return bools !== undefined || ints !== undefined || strings !== undefined || versions !== undefined
}

function listed({ bools = [], ints = [], strings = [], versions = [] }: Readonly<k.DeviceAttribute>): number {
  return bools.length + ints.length + strings.length + versions.length
}

export function counters(errors: Errors, of: Readonly<Record<string, k.Counter>> | undefined, at: Path): void {
  if (Object.keys(of ?? {}).length === 0) errors.push(required(at))
  else entries(errors, of, at, { entries: countersMax, keyShown: counterNameShown }, label)
}

const attributeFields = ['bool', 'int', 'string', 'version', 'bools', 'ints', 'strings', 'versions'] as const

function attributeValue(errors: Errors, of: Readonly<k.DeviceAttribute>, at: Path): void {
  const set = attributeFields.filter((field) => of[field] !== undefined)
  if (of.string !== undefined) short(errors, of.string, at.child('string'))
  if (of.version !== undefined) version(errors, of.version, at.child('version'))
  for (const field of ['bools', 'ints', 'strings', 'versions'] as const) {
    if (of[field]?.length === 0) errors.push(invalidValue(at.child(field), [], 'must not be empty if specified'))
  }
  of.strings?.forEach((text, i) => short(errors, text, at.child('strings').index(i)))
  of.versions?.forEach((text, i) => version(errors, text, at.child('versions').index(i)))
  if (set.length !== 1) errors.push(invalidValue(at, set.length === 0 ? '' : shownAttribute(of), 'exactly one value must be specified'))
}

function short(errors: Errors, text: string, at: Path): void {
  if (Buffer.byteLength(text) > attributeBytesMax) errors.push(tooLong(at, attributeBytesMax))
}

const number = String.raw`(0|[1-9]\d*)`
const preRelease = String.raw`(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)`
const semver = new RegExp(String.raw`^${number}\.${number}\.${number}(-${preRelease}(\.${preRelease})*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$`)

function version(errors: Errors, text: string, at: Path): void {
  if (!semver.test(text)) errors.push(invalidValue(at, text, 'must be a string compatible with semver.org spec 2.0.0'))
  short(errors, text, at)
}

function deviceTaint(errors: Errors, { key, value = '', effect }: Readonly<k.DeviceTaint>, at: Path): void {
  qualified(errors, key, at.child('key'))
  if (value !== '') say(errors, at.child('value'), value, labelValue(value))
  needsOneOf(errors, effect, taintEffects, at.child('effect'))
}

const oneOfThree = 'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'

function nodes(errors: Errors, { nodeName, nodeSelector, allNodes }: Readonly<k.Device>, at: Path): void {
  const found: string[] = []
  if (nodeName === '') errors.push(invalidValue(at.child('nodeName'), '', 'must not be empty'))
  else if (nodeName !== undefined) {
    found.push('`nodeName`')
    subdomain(errors, nodeName, at.child('nodeName'))
  }
  if (nodeSelector !== undefined) {
    found.push('`nodeSelector`')
    validateNodeSelector(errors, nodeSelector, at.child('nodeSelector'))
  }
  if (allNodes === true) found.push('`allNodes`')
  else if (allNodes === false) errors.push(invalidValue(at.child('allNodes'), false, 'must be either unset or set to true'))
  if (found.length === 0) errors.push(required(at, oneOfThree))
  else if (found.length > 1) errors.push(invalidValue(at, `{${found.join(', ')}}`, oneOfThree))
}

/** Upstream's gate for them is off: they are only there where they once were. */
function mappings(errors: Errors, { nodeAllocatableResourceMappings: of = {}, capacity: capacities = {} }: Readonly<k.Device>, at: Path): void {
  for (const [name, { allocationMultiplier: multiplier, capacityKey: key }] of Object.entries(of)) {
    const here = at.key(name)
    if (!isNativeResource(name)) errors.push(invalidValue(here, name, 'must be a node allocatable resource name'))
    if (multiplier === undefined && key === undefined) errors.push(invalidValue(here, '', 'at least one of allocationMultiplier or capacityKey must be set'))
    const read = multiplier === undefined ? undefined : readAmount(multiplier)
    if (read?.ok === true && compareAmounts(read.amount, small(0n)) <= 0) errors.push(invalidValue(here.child('allocationMultiplier'), multiplier, 'must be positive'))
    if (key === '') errors.push(invalidValue(here.child('capacityKey'), '', 'capacityKey must not be an empty string'))
    else if (key !== undefined && !(key in capacities)) errors.push(notFoundField(here.child('capacityKey'), key))
  }
}
