/**
 * Rules of ResourceSlices: which nodes have the devices, how many there are, what they share
 * (pkg/apis/resource/validation/validation.go, pkg/registry/resource/resourceslice/strategy.go). One device is devicerules.ts.
 */
import { equalJson } from '../../lib/json.ts'
import { immutable, label, notPositiveSentence, subdomain, type Errors } from '../checks.ts'
import { validateNodeSelector } from '../core/podspec/affinity.ts'
import { invalidValue, path, required, type Path } from '../field.ts'
import type { Strategy } from '../kind.ts'
import type * as k from '../schema/types.ts'
import { counters, device, isList } from './devicerules.ts'
import { driverName, eachOnce, poolName } from './names.ts'
import { shownTerms } from './shown.ts'

const devicesMax = 128
/** Where devices have taints, or take from what the slice's devices share. */
const richDevicesMax = 64
const counterSetsMax = 8

const oneOfFour = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'

function validate({ spec }: Readonly<k.ResourceSlice>, prev?: Readonly<k.ResourceSlice>): Errors {
  const errors: Errors = []
  const at = path('spec')
  driverName(errors, spec.driver, at.child('driver'))
  pool(errors, spec.pool, at.child('pool'))
  if (prev !== undefined) {
    immutable(errors, spec.pool.name, prev.spec.pool.name, at.child('pool', 'name'))
    immutable(errors, spec.driver, prev.spec.driver, at.child('driver'))
    immutable(errors, spec.nodeName, prev.spec.nodeName, at.child('nodeName'))
  }
  nodes(errors, spec, at)
  if (spec.sharedCounters !== undefined && spec.devices !== undefined) errors.push(invalidValue(at, '', 'only one of `sharedCounters` or `devices` is allowed'))
  const { devices = [] } = spec
  const rich = devices.some(({ taints = [], consumesCounters = [], attributes = {} }) => taints.length > 0 || consumesCounters.length > 0 || Object.values(attributes).some(isList))
  const before = new Map(prev?.spec.devices?.map((old) => [old.name, old]))
  eachOnce(errors, spec.devices, rich ? richDevicesMax : devicesMax, at.child('devices'), ({ name }) => name, (of, here) => {
    const old = before.get(of.name)
    const sameTaints = old !== undefined && equalJson(old.taints ?? [], of.taints ?? [])
    device(errors, of, here, { perDevice: spec.perDeviceNodeSelection === true, sameTaints })
  })
  eachOnce(errors, spec.sharedCounters, counterSetsMax, at.child('sharedCounters'), ({ name }) => name, (set, here) => {
    if (set.name === '') errors.push(required(here.child('name')))
    else label(errors, set.name, here.child('name'))
    counters(errors, set.counters as typeof set.counters | undefined, here.child('counters'))
  })
  return errors
}

function pool(errors: Errors, { name, resourceSliceCount: count, generation }: Readonly<k.ResourcePool>, at: Path): void {
  poolName(errors, name, at.child('name'))
  if (count <= 0) errors.push(invalidValue(at.child('resourceSliceCount'), count, notPositiveSentence))
  if (generation < 0) errors.push(invalidValue(at.child('generation'), generation, 'must be greater than or equal to zero'))
}

function nodes(errors: Errors, spec: Readonly<k.ResourceSliceSpec>, at: Path): void {
  const found: string[] = []
  if (spec.nodeName !== undefined) {
    if (spec.nodeName === '') errors.push(invalidValue(at.child('nodeName'), '', 'must be either unset or set to a non-empty string'))
    else {
      found.push('`nodeName`')
      subdomain(errors, spec.nodeName, at.child('nodeName'))
    }
  }
  if (spec.nodeSelector !== undefined) {
    found.push('`nodeSelector`')
    const here = at.child('nodeSelector')
    validateNodeSelector(errors, spec.nodeSelector, here)
    const terms = (spec.nodeSelector.nodeSelectorTerms as readonly k.NodeSelectorTerm[] | undefined) ?? []
    if (terms.length !== 1) errors.push(invalidValue(here.child('nodeSelectorTerms'), shownTerms(terms), 'must have exactly one node selector term'))
  }
  for (const field of ['allNodes', 'perDeviceNodeSelection'] as const) {
    if (spec[field] === true) found.push(`\`${field}\``)
    else if (spec[field] === false) errors.push(invalidValue(at.child(field), false, 'must be either unset or set to true'))
  }
  if (found.length === 0) errors.push(required(at, oneOfFour))
  else if (found.length > 1) errors.push(invalidValue(at, `{${found.join(', ')}}`, `${oneOfFour}, but multiple fields are set`))
}

/** Lists as values of attributes, and mappings to what nodes allocate, are not served (upstream has them behind gates that are off): they stay only where they stood. */
function dropUnserved(next: k.ResourceSlice, prev?: Readonly<k.ResourceSlice>): void {
  const before = prev?.spec.devices ?? []
  const keepLists = before.some(({ attributes = {} }) => Object.values(attributes).some(isList))
  const keepMappings = before.some(({ nodeAllocatableResourceMappings = {} }) => Object.keys(nodeAllocatableResourceMappings).length > 0)
  for (const of of next.spec.devices ?? []) {
    if (!keepMappings) delete of.nodeAllocatableResourceMappings
    if (keepLists) continue
    for (const attribute of Object.values(of.attributes ?? {})) for (const field of ['bools', 'ints', 'strings', 'versions'] as const) delete attribute[field]
  }
}

export const sliceStrategy: Strategy<k.ResourceSlice> = {
  prepareCreate: (slice) => dropUnserved(slice),
  prepareUpdate: (next, prev) => dropUnserved(next, prev),
  validateCreate: (next) => validate(next),
  validateUpdate: (next, prev) => validate(next, prev),
  warnings({ spec: { driver } }) {
    if (driver === driver.toLowerCase()) return []
    return [`spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`]
  },
}
