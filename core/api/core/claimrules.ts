/** How writes of PersistentVolumeClaims behave: what was asked for stays, but for more storage and other attributes once bound (k8s.io/kubernetes/pkg/apis/core/validation, pkg/registry/core/persistentvolumeclaim). */
import { immutable, type Errors } from '../checks.ts'
import { equalJson } from '../../lib/json.ts'
import { diffText } from '../diff.ts'
import { forbiddenField, invalidValue, notSupported, path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import { immutableSentence } from '../metavalidation.ts'
import { compareQuantities, quantityValue } from '../quantity.ts'
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../schema/types.ts'
import { claimWarnings, validateClaimSpec } from './claimspec.ts'

const at = path('spec')
const classAnnotation = 'volume.beta.kubernetes.io/storage-class'

/** The older and the newer field for what a volume is filled from say the same. */
function sameSources(spec: PersistentVolumeClaimSpec): void {
  const { dataSource: one, dataSourceRef: other } = spec
  if (one !== undefined && other === undefined) spec.dataSourceRef = { ...one }
  else if (one === undefined && other !== undefined && (other.namespace ?? '') === '') {
    const { namespace: _namespace, ...ref } = other
    spec.dataSource = ref
  }
}

/** Sources that nobody can fill from were dropped before the newer field was; they still are. */
function dropUnknownSource(spec: PersistentVolumeClaimSpec, prev: Readonly<PersistentVolumeClaimSpec> | undefined): void {
  const source = spec.dataSource
  if (source === undefined || spec.dataSourceRef !== undefined || prev?.dataSource !== undefined || prev?.dataSourceRef !== undefined) return
  const group = source.apiGroup ?? ''
  const known = (source.kind === 'PersistentVolumeClaim' && group === '') || (source.kind === 'VolumeSnapshot' && group === 'snapshot.storage.k8s.io')
  if (!known) delete spec.dataSource
}

function dropForeignNamespace(spec: PersistentVolumeClaimSpec, prev: Readonly<PersistentVolumeClaimSpec> | undefined): void {
  // Other namespaces as sources are behind a feature that is off by default.
  if ((spec.dataSourceRef?.namespace ?? '') !== '' && prev?.dataSourceRef === undefined) delete spec.dataSourceRef
}

function prepare(spec: PersistentVolumeClaimSpec, prev?: Readonly<PersistentVolumeClaimSpec>): void {
  dropForeignNamespace(spec, prev)
  dropUnknownSource(spec, prev)
  sameSources(spec)
}

function validate(claim: Readonly<PersistentVolumeClaim>, tolerantGroup = false): Errors {
  const errors: Errors = []
  validateClaimSpec(errors, claim.spec ?? {}, at, { tolerantGroup })
  return errors
}

function validateChange(next: Readonly<PersistentVolumeClaim>, prev: Readonly<PersistentVolumeClaim>): Errors {
  const [spec, old] = [next.spec ?? {}, prev.spec ?? {}]
  const tolerant = (old.dataSource?.apiGroup ?? old.dataSourceRef?.apiGroup) !== undefined
  const errors = validate(next, tolerant)
  const [mine, before] = [{ ...spec }, { ...old }]
  const bound = next.status?.phase === 'Bound'
  if ((old.volumeName ?? '') === '') copyField(before, mine, 'volumeName')
  storageClass(errors, next, prev, mine, before)
  if (bound && mine.resources?.requests !== undefined) {
    const storage = old.resources?.requests?.['storage']
    mine.resources = { ...mine.resources, requests: { ...mine.resources.requests, ...(storage === undefined ? {} : { storage }) } }
  }
  if (bound) copyField(mine, before, 'volumeAttributesClassName')
  if (!equalJson(mine, before)) {
    errors.push(forbiddenField(at, `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${diffText(before, mine)}`))
  }
  const [size, was, has] = [spec.resources?.requests?.['storage'] ?? '0', old.resources?.requests?.['storage'] ?? '0', prev.status?.capacity?.['storage'] ?? '0']
  if (compareQuantities(size, was) < 0 && compareQuantities(size, has) <= 0) {
    errors.push(forbiddenField(path('spec', 'resources', 'requests', 'storage'), 'field can not be less than status.capacity'))
  }
  immutable(errors, spec.volumeMode, old.volumeMode, path('volumeMode'))
  if (prev.status?.currentVolumeAttributesClassName !== undefined && spec.volumeAttributesClassName !== old.volumeAttributesClassName && (spec.volumeAttributesClassName ?? '') === '') {
    const what = spec.volumeAttributesClassName === undefined ? 'nil' : 'empty string'
    errors.push(forbiddenField(path('spec', 'volumeAttributesClassName'), `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`))
  }
  return errors
}

function copyField(to: PersistentVolumeClaimSpec, from: Readonly<PersistentVolumeClaimSpec>, field: 'volumeName' | 'volumeAttributesClassName' | 'storageClassName'): void {
  if (from[field] === undefined) delete to[field]
  else to[field] = from[field]
}

/** The class may move from the annotation to the field, and come where there was none. */
function storageClass(errors: Errors, next: Readonly<PersistentVolumeClaim>, prev: Readonly<PersistentVolumeClaim>, mine: PersistentVolumeClaimSpec, before: Readonly<PersistentVolumeClaimSpec>): void {
  const [now, was] = [next.metadata.annotations?.[classAnnotation], prev.metadata.annotations?.[classAnnotation]]
  const name = next.spec?.storageClassName
  if (was !== undefined && before.storageClassName === undefined && name === was && (now === undefined || now === was)) {
    delete mine.storageClassName
    return
  }
  if ((now ?? '') !== (was ?? '')) errors.push(invalidValue(path('metadata', 'annotations', classAnnotation), now ?? '', immutableSentence))
  if (name !== undefined && before.storageClassName === undefined && (was === undefined || name === was)) delete mine.storageClassName
}

export const claimStrategy: Strategy<PersistentVolumeClaim> = {
  prepareCreate(claim) {
    claim.status = { phase: 'Pending' }
    if (claim.spec !== undefined) prepare(claim.spec)
  },
  prepareUpdate(next, prev) {
    if (next.spec !== undefined) prepare(next.spec, prev.spec)
  },
  validateCreate: (claim) => validate(claim),
  validateUpdate: validateChange,
  warnings: (next) => [
    ...(next.metadata.annotations?.[classAnnotation] === undefined ? [] : [`metadata.annotations[${classAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`]),
    ...claimWarnings(next.spec ?? {}, at),
  ],
}

const resizeStates = ['ControllerResizeInProgress', 'ControllerResizeInfeasible', 'NodeResizeInProgress', 'NodeResizeInfeasible', 'NodeResizePending'].sort()

export const claimStatus: StatusRules<PersistentVolumeClaim> = {
  validateUpdate(next) {
    const errors: Errors = []
    for (const field of ['capacity', 'allocatedResources'] as const) {
      for (const [name, amount] of Object.entries(next.status?.[field] ?? {})) {
        if (compareQuantities(amount, '0') < 0) errors.push(invalidValue(path('status', field).key(name), quantityValue(amount), 'must be a valid resource quantity'))
      }
    }
    for (const [name, state] of Object.entries(next.status?.allocatedResourceStatuses ?? {})) {
      if (!resizeStates.includes(state)) errors.push(notSupported(path('status', 'allocatedResourceStatuses'), name, resizeStates))
    }
    return errors
  },
}
