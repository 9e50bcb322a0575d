/** Rules of the group storage.k8s.io: classes, drivers, nodes, attachments, capacities (k8s.io/kubernetes/pkg/apis/storage/validation/validation.go). */
import { immutable, labelSelector, nonNegative, nonNegativeQuantity, qualified, subdomain, type Errors } from '../checks.ts'
import { csiDriverName } from '../core/podspec/drivers.ts'
import { deprecatedNodeLabels } from '../core/podspec/warnings.ts'
import { validateVolumeSpec } from '../core/volumerules.ts'
import { equalJson } from '../../lib/json.ts'
import { duplicate, forbiddenField, invalidValue, notSupported, path, required, tooLong, type Path } from '../field.ts'
import type { Strategy } from '../kind.ts'
import type * as k from '../schema/types.ts'

const parametersMax = 512
const parameterBytesMax = 256 * 1_024
const messageBytesMax = 1_024
const nodeIdMax = 256

function provisioner(errors: Errors, name: string, at: Path): void {
  if (name === '') errors.push(required(at))
  else qualified(errors, name.toLowerCase(), at)
}

function parameters(errors: Errors, of: Readonly<Record<string, string>> = {}, needed: boolean): void {
  const at = path('parameters')
  const entries = Object.entries(of)
  if (entries.length > parametersMax) {
    errors.push(tooLong(at, parametersMax))
    return
  }
  for (const [key] of entries) if (key === '') errors.push(invalidValue(at, key, 'field can not be empty.'))
  if (entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0) > parameterBytesMax) errors.push(tooLong(at, parameterBytesMax))
  if (needed && entries.length === 0) errors.push(required(at, 'must contain at least one key/value pair'))
}

function validateClass(of: Readonly<k.StorageClass>): Errors {
  const errors: Errors = []
  provisioner(errors, of.provisioner, path('provisioner'))
  parameters(errors, of.parameters, false)
  const { reclaimPolicy: policy = '', volumeBindingMode: mode } = of
  if (policy !== '' && policy !== 'Delete' && policy !== 'Retain') errors.push(notSupported(path('reclaimPolicy'), policy, ['Delete', 'Retain']))
  const modes = ['Immediate', 'WaitForFirstConsumer']
  if (mode === undefined) errors.push(required(path('volumeBindingMode')))
  else if (!modes.includes(mode)) errors.push(notSupported(path('volumeBindingMode'), mode, modes))
  of.allowedTopologies?.forEach((term, i) => topology(errors, term, path('allowedTopologies').index(i), of.allowedTopologies?.slice(0, i) ?? []))
  return errors
}

function topology(errors: Errors, term: Readonly<k.TopologySelectorTerm>, at: Path, before: readonly k.TopologySelectorTerm[]): void {
  const here = at.child('matchLabelExpressions')
  const keys = new Set<string>()
  term.matchLabelExpressions?.forEach((expression, i) => {
    const { key } = expression
    const values = (expression.values as readonly string[] | undefined) ?? []
    const place = here.index(i)
    if (values.length === 0) errors.push(required(place.child('values')))
    values.forEach((value, j) => {
      if (values.indexOf(value) < j) errors.push(duplicate(place.child('values').index(j), value))
    })
    qualified(errors, key, place.child('key'))
    if (keys.has(key)) errors.push(duplicate(place.child('key'), key))
    keys.add(key)
  })
  const sets = (of: Readonly<k.TopologySelectorTerm>): object => Object.fromEntries((of.matchLabelExpressions ?? []).map(({ key, values }) => [key, [...new Set(values)].sort()]))
  // Nothing at all counts as seen already.
  if ((term.matchLabelExpressions ?? []).length === 0) errors.push(duplicate(here, ''))
  for (const other of before) if (equalJson(sets(other), sets(term))) errors.push(duplicate(here, ''))
}

export const storageClassStrategy: Strategy<k.StorageClass> = {
  validateCreate: validateClass,
  validateUpdate(next, prev) {
    const errors = validateClass(next)
    for (const field of ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const) immutable(errors, next[field], prev[field], path(field))
    return errors
  },
  warnings: (next) => (next.allowedTopologies ?? []).flatMap((term, i) => (term.matchLabelExpressions ?? []).flatMap(({ key }, j) => {
    const text = deprecatedNodeLabels[key]
    return text === undefined ? [] : [`${path('allowedTopologies').index(i).child('matchLabelExpressions').index(j).child('key').text}: ${text}`]
  })),
}

function validateAttachment(of: Readonly<k.VolumeAttachment>): Errors {
  const errors: Errors = []
  const at = path('spec')
  const { attacher, nodeName, source } = of.spec
  const { persistentVolumeName: name, inlineVolumeSpec: inline } = source
  const here = at.child('source')
  const one = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
  csiDriverName(errors, attacher, at.child('attacher'))
  if (name === undefined && inline === undefined) errors.push(required(here, one))
  else if (name !== undefined && inline !== undefined) errors.push(forbiddenField(here, one))
  else if (name === '') errors.push(required(here.child('persistentVolumeName'), 'must specify non empty persistentVolumeName'))
  else if (inline !== undefined) validateVolumeSpec(errors, inline, '', true, here.child('inlineVolumeSpec'))
  subdomain(errors, nodeName, at.child('nodeName'))
  for (const field of ['attachError', 'detachError'] as const) {
    const place = path('status', field)
    if ((of.status?.[field]?.message ?? '').length > messageBytesMax) errors.push(tooLong(place.child('message'), parameterBytesMax))
    const code = of.status?.[field]?.errorCode
    if (code !== undefined && code < 0) errors.push(invalidValue(place.child('errorCode'), code, 'must be between 0 and 2147483647, inclusive'))
  }
  if (name !== undefined) subdomain(errors, name, path('spec.source.persistentVolumeName'))
  return errors
}

export const attachmentStrategy: Strategy<k.VolumeAttachment> = {
  validateCreate: validateAttachment,
  validateUpdate(next, prev) {
    const errors = validateAttachment(next)
    immutable(errors, next.spec, prev.spec, path('spec'))
    return errors
  },
}

function validateNode(of: Readonly<k.CSINode>): Errors {
  const errors: Errors = []
  const names = new Set<string>()
  of.spec.drivers?.forEach((driver, i) => {
    const here = path('spec', 'drivers').index(i)
    csiDriverName(errors, driver.name, here.child('name'))
    if (driver.nodeID === '') errors.push(required(here.child('nodeID')))
    if (driver.nodeID.length > nodeIdMax) errors.push(invalidValue(here.child('nodeID'), driver.nodeID, `must be ${nodeIdMax} characters or less`))
    nonNegative(errors, driver.allocatable?.count, here.child('allocatable', 'count'))
    if (names.has(driver.name)) errors.push(duplicate(here.child('name'), driver.name))
    names.add(driver.name)
    const keys = driver.topologyKeys ?? []
    keys.forEach((key, j) => {
      if (key === '') errors.push(required(here))
      if (keys.indexOf(key) < j) errors.push(duplicate(here, key))
      qualified(errors, key, here)
    })
  })
  return errors
}

export const csiNodeStrategy: Strategy<k.CSINode> = {
  validateCreate: validateNode,
  validateUpdate(next, prev) {
    const errors = validateNode(next)
    const fixed = ({ allocatable: _may, ...rest }: k.CSINodeDriver): object => rest
    for (const old of prev.spec.drivers ?? []) {
      const now = next.spec.drivers?.find((driver) => driver.name === old.name)
      if (now !== undefined) immutable(errors, fixed(now), fixed(old), path('spec', 'drivers'), { Name: now.name, NodeID: now.nodeID, TopologyKeys: now.topologyKeys ?? null, Allocatable: null })
    }
    return errors
  },
}

function validateDriver(of: Readonly<k.CSIDriver>): Errors {
  const errors: Errors = []
  const at = path('spec')
  const { spec } = of
  for (const [field, name] of [['attachRequired', 'attachedRequired'], ['podInfoOnMount', 'podInfoOnMount'], ['storageCapacity', 'storageCapacity'], ['seLinuxMount', 'seLinuxMount']] as const) {
    if (spec[field] === undefined) errors.push(required(at.child(name)))
  }
  const policies = ['File', 'None', 'ReadWriteOnceWithFSType']
  if (spec.fsGroupPolicy !== undefined && !policies.includes(spec.fsGroupPolicy)) errors.push(notSupported(at.child('fsGroupPolicy'), spec.fsGroupPolicy, policies))
  const audiences = new Set<string>()
  spec.tokenRequests?.forEach(({ audience, expirationSeconds: seconds }, i) => {
    const here = at.child('tokenRequests').index(i)
    if (audiences.has(audience)) errors.push(duplicate(here.child('audience'), audience))
    else if (seconds !== undefined && seconds < 600) errors.push(invalidValue(here.child('expirationSeconds'), seconds, 'may not specify a duration less than 10 minutes'))
    else if (seconds !== undefined && seconds > 2 ** 32) errors.push(invalidValue(here.child('expirationSeconds'), seconds, 'may not specify a duration larger than 2^32 seconds'))
    audiences.add(audience)
  })
  for (const mode of spec.volumeLifecycleModes ?? []) {
    if (mode !== 'Persistent' && mode !== 'Ephemeral') errors.push(notSupported(at.child('volumeLifecycleModes'), mode, ['Persistent', 'Ephemeral']))
  }
  const period = spec.nodeAllocatableUpdatePeriodSeconds
  if (period !== undefined && period < 10) errors.push(invalidValue(at.child('nodeAllocatableUpdatePeriodSeconds'), period, 'must be greater than or equal to 10 seconds'))
  if (spec.serviceAccountTokenInSecrets !== undefined && (spec.tokenRequests ?? []).length === 0) {
    errors.push(invalidValue(at.child('serviceAccountTokenInSecrets'), spec.serviceAccountTokenInSecrets, 'serviceAccountTokenInSecrets is set but no tokenRequests are specified'))
  }
  return errors
}

export const csiDriverStrategy: Strategy<k.CSIDriver> = {
  validateCreate: validateDriver,
  validateUpdate(next, prev) {
    const errors = validateDriver(next)
    immutable(errors, next.spec.attachRequired, prev.spec.attachRequired, path('spec', 'attachedRequired'))
    immutable(errors, next.spec.volumeLifecycleModes, prev.spec.volumeLifecycleModes, path('spec', 'volumeLifecycleModes'))
    return errors
  },
}

function validateCapacity(of: Readonly<k.CSIStorageCapacity>): Errors {
  const errors: Errors = []
  labelSelector(errors, of.nodeTopology, path('nodeTopology'))
  subdomain(errors, of.storageClassName, path('storageClassName'))
  if (of.capacity !== undefined) nonNegativeQuantity(errors, of.capacity, path('capacity'))
  return errors
}

export const capacityStrategy: Strategy<k.CSIStorageCapacity> = {
  validateCreate: validateCapacity,
  validateUpdate(next, prev) {
    const errors = validateCapacity(next)
    for (const field of ['nodeTopology', 'storageClassName'] as const) immutable(errors, next[field], prev[field], path(field))
    return errors
  },
  warnings({ nodeTopology: { matchExpressions = [], matchLabels = {} } = {} }) {
    const at = path('nodeTopology')
    const said = (place: Path, key: string, about: string): string[] => (deprecatedNodeLabels[key] === undefined ? [] : [`${place.text}: ${about}${deprecatedNodeLabels[key]}`])
    return [
      ...matchExpressions.flatMap(({ key }, i) => said(at.child('matchExpressions').index(i).child('key'), key, `${key} is `)),
      ...Object.keys(matchLabels).flatMap((key) => said(at.child('matchLabels').child(key), key, '')),
    ]
  },
}

function validateAttributes(of: Readonly<k.VolumeAttributesClass>): Errors {
  const errors: Errors = []
  provisioner(errors, of.driverName, path('driverName'))
  parameters(errors, of.parameters, true)
  return errors
}

export const attributesClassStrategy: Strategy<k.VolumeAttributesClass> = {
  validateCreate: validateAttributes,
  validateUpdate(next, prev) {
    const errors: Errors = []
    for (const field of ['driverName', 'parameters'] as const) if (!equalJson(next[field] ?? null, prev[field] ?? null)) errors.push(forbiddenField(path(field), `updates to ${field} are forbidden.`))
    return [...errors, ...validateAttributes(next)]
  },
}
