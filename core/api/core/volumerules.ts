/** Rules of PersistentVolumes, also where a VolumeAttachment carries one inline (k8s.io/kubernetes/pkg/apis/core/validation/validation.go). */
import { immutable, positiveQuantity, subdomain, type Errors } from '../checks.ts'
import { equalJson } from '../../lib/json.ts'
import { diffText } from '../diff.ts'
import { forbiddenField, invalidValue, notSupported, path, required, type Path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import { compareQuantities, quantityValue } from '../quantity.ts'
import type * as k from '../schema/types.ts'
import { formatTime } from '../time.ts'
import { validateAccessModes, volumeModes } from './claimspec.ts'
import * as drivers from './podspec/drivers.ts'
import { validateNodeSelector } from './podspec/affinity.ts'
import { noBacksteps } from './podspec/paths.ts'
import { termWarnings } from './podspec/warnings.ts'

const at = path('spec')

const sources: readonly { readonly field: keyof k.PersistentVolumeSpec; readonly at?: string; readonly more?: string; readonly check: drivers.SourceCheck }[] = [
  { field: 'hostPath', check: drivers.hostPath },
  { field: 'gcePersistentDisk', at: 'persistentDisk', check: drivers.disk('pdName') },
  { field: 'awsElasticBlockStore', check: drivers.disk('volumeID') },
  { field: 'glusterfs', check: drivers.glusterfs },
  { field: 'flocker', check: drivers.flocker },
  { field: 'nfs', check: drivers.nfs },
  { field: 'rbd', check: drivers.rbd },
  { field: 'quobyte', check: drivers.quobyte },
  { field: 'cephfs', more: 'cephFS', check: drivers.cephfs },
  { field: 'iscsi', check: drivers.iscsi },
  { field: 'cinder', check: drivers.cinder(true) },
  { field: 'fc', check: drivers.fc },
  { field: 'flexVolume', check: drivers.flexVolume },
  { field: 'azureFile', check: drivers.azureFile },
  { field: 'vsphereVolume', check: drivers.vsphere },
  { field: 'photonPersistentDisk', check: drivers.photon },
  { field: 'portworxVolume', check: drivers.portworx },
  { field: 'azureDisk', check: drivers.azureDisk },
  { field: 'scaleIO', check: drivers.scaleIO },
  { field: 'local', check: local },
  { field: 'storageos', check: drivers.storageos(true) },
  { field: 'csi', check: drivers.csiPersistent },
]

function local(errors: Errors, source: Readonly<k.LocalVolumeSource>, at: Path): void {
  if (source.path === '') errors.push(required(at.child('path')))
  else noBacksteps(errors, source.path, at.child('path'))
}

/** `inline`: in a VolumeAttachment, where only CSI volumes stand. */
export function validateVolumeSpec(errors: Errors, spec: Readonly<k.PersistentVolumeSpec>, name: string, inline: boolean, at: Path): void {
  if (inline) onlyCsi(errors, spec, at)
  const modes = spec.accessModes ?? []
  if (modes.length === 0) errors.push(required(at.child('accessModes')))
  validateAccessModes(errors, modes, at.child('accessModes'))
  if (!inline) capacity(errors, spec, at.child('capacity'))
  const policy = spec.persistentVolumeReclaimPolicy ?? ''
  const policies = ['Delete', 'Recycle', 'Retain']
  if (!inline && policy !== '' && !policies.includes(policy)) errors.push(notSupported(at.child('persistentVolumeReclaimPolicy'), policy, policies))
  if (!inline && spec.nodeAffinity !== undefined) {
    const here = at.child('nodeAffinity', 'required')
    if (spec.nodeAffinity.required === undefined) errors.push(required(here, 'must specify required node constraints'))
    else validateNodeSelector(errors, spec.nodeAffinity.required, here)
  }
  oneSource(errors, spec, name, at)
  if (/^\/[./]*$/.test(spec.hostPath?.path ?? '') && !/\.{3,}|\/\.\.?[^./]/.test(spec.hostPath?.path ?? '') && policy === 'Recycle') {
    errors.push(forbiddenField(at.child('persistentVolumeReclaimPolicy'), "may not be 'recycle' for a hostPath mount of '/'"))
  }
  if (inline) return
  if ((spec.storageClassName ?? '') !== '') subdomain(errors, spec.storageClassName ?? '', at.child('storageClassName'))
  if (spec.volumeMode !== undefined && !volumeModes.includes(spec.volumeMode)) errors.push(notSupported(at.child('volumeMode'), spec.volumeMode, volumeModes))
  const attributes = spec.volumeAttributesClassName
  if (attributes === undefined) return
  if (attributes === '') errors.push(required(at.child('volumeAttributesClassName'), 'an empty string is disallowed'))
  else subdomain(errors, attributes, at.child('volumeAttributesClassName'))
  if (spec.csi === undefined) errors.push(required(at.child('csi'), 'has to be specified when using volumeAttributesClassName'))
}

function onlyCsi(errors: Errors, spec: Readonly<k.PersistentVolumeSpec>, at: Path): void {
  const no = 'may not be specified in the context of inline volumes'
  if (spec.claimRef !== undefined) errors.push(forbiddenField(at.child('claimRef'), no))
  if (Object.keys(spec.capacity ?? {}).length > 0) errors.push(forbiddenField(at.child('capacity'), no))
  if (spec.csi === undefined) errors.push(required(at.child('csi'), 'has to be specified in the context of inline volumes'))
  const policy = spec.persistentVolumeReclaimPolicy ?? ''
  if (policy !== '' && policy !== 'Retain') errors.push(forbiddenField(at.child('persistentVolumeReclaimPolicy'), 'may only be Retain in the context of inline volumes'))
  if (spec.nodeAffinity !== undefined) errors.push(forbiddenField(at.child('nodeAffinity'), no))
  if ((spec.storageClassName ?? '') !== '') errors.push(forbiddenField(at.child('storageClassName'), no))
  if ((spec.volumeMode ?? 'Filesystem') !== 'Filesystem') errors.push(forbiddenField(at.child('volumeMode'), 'may not specify volumeMode other than Filesystem in the context of inline volumes'))
}

function capacity(errors: Errors, spec: Readonly<k.PersistentVolumeSpec>, at: Path): void {
  const amounts = Object.entries(spec.capacity ?? {})
  if (amounts.length === 0) errors.push(required(at))
  if (spec.capacity?.['storage'] === undefined || amounts.length > 1) errors.push(notSupported(at, spec.capacity ?? null, ['storage']))
  for (const [name, amount] of amounts) {
    if (compareQuantities(amount, '0') < 0) errors.push(invalidValue(at.key(name), quantityValue(amount), 'must be a valid resource quantity'))
    positiveQuantity(errors, amount, at.key(name))
  }
}

function oneSource(errors: Errors, spec: Readonly<k.PersistentVolumeSpec>, name: string, at: Path): void {
  let count = 0
  for (const { field, at: place = field, more = field, check } of sources) {
    const source = spec[field]
    if (source === undefined) continue
    // Upstream looks at flex volumes without minding others.
    if (count++ > 0 && field !== 'flexVolume') {
      errors.push(forbiddenField(at.child(more), 'may not specify more than 1 volume type'))
      continue
    }
    const run = check as (errors: Errors, source: unknown, at: Path, name?: string) => void
    run(errors, source, at.child(place), name)
    if (field === 'local' && spec.nodeAffinity === undefined) errors.push(required(at.child('nodeAffinity'), 'Local volume requires node affinity'))
  }
  if (count === 0) errors.push(required(at, 'must specify a volume type'))
}

function validate(volume: Readonly<k.PersistentVolume>): Errors {
  const errors: Errors = []
  validateVolumeSpec(errors, volume.spec ?? {}, volume.metadata.name ?? '', false, at)
  return errors
}

/** The volume itself; a secret for growing it may be added. */
function sourceOf(spec: Readonly<k.PersistentVolumeSpec>, without: boolean): object {
  const source: Record<string, unknown> = {}
  for (const { field } of sources) if (spec[field] !== undefined) source[field] = spec[field]
  if (!without || spec.csi === undefined) return source
  const { controllerExpandSecretRef: _added, ...csi } = spec.csi
  return { ...source, csi }
}

/** An old way to say how to mount, which few sorts of volumes ever had. */
const mountOptions = 'volume.beta.kubernetes.io/mount-options'
const mountable: readonly (keyof k.PersistentVolumeSpec)[] = [
  'gcePersistentDisk', 'awsElasticBlockStore', 'glusterfs', 'nfs', 'rbd', 'quobyte', 'iscsi', 'cinder', 'cephfs', 'azureFile', 'vsphereVolume', 'azureDisk', 'photonPersistentDisk',
]

function validateMountOptions({ metadata, spec = {} }: Readonly<k.PersistentVolume>): Errors {
  if (metadata.annotations?.[mountOptions] === undefined || mountable.some((source) => spec[source] !== undefined)) return []
  return [forbiddenField(path('metadata', 'annotations', mountOptions), 'may not specify mount options for this volume type')]
}

const upgradedLabels: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/os': 'kubernetes.io/os', 'beta.kubernetes.io/arch': 'kubernetes.io/arch', 'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
}

/** Old labels of nodes under their new names, where the other side has those. */
function upgraded(affinity: unknown): unknown {
  return JSON.parse(JSON.stringify(affinity ?? null), (key, value: unknown) => (key === 'key' && typeof value === 'string' ? (upgradedLabels[value] ?? value) : value))
}

function validateChange(next: Readonly<k.PersistentVolume>, prev: Readonly<k.PersistentVolume>): Errors {
  const errors = [...validate(next), ...validateMountOptions(next)]
  const [spec, old] = [next.spec ?? {}, prev.spec ?? {}]
  const adds = old.csi !== undefined && old.csi.controllerExpandSecretRef === undefined
  const [now, before] = [sourceOf(spec, adds), sourceOf(old, false)]
  if (!equalJson(now, before)) errors.push(forbiddenField(path('spec', 'persistentvolumesource'), `spec.persistentvolumesource is immutable after creation\n${diffText(before, now)}`))
  immutable(errors, spec.volumeMode, old.volumeMode, path('volumeMode'))
  const affinity = old.nodeAffinity
  if (affinity !== undefined && !equalJson(spec.nodeAffinity ?? null, affinity) && !equalJson(spec.nodeAffinity ?? null, upgraded(affinity))) {
    errors.push(invalidValue(path('nodeAffinity'), spec.nodeAffinity ?? null, 'field is immutable, except for updating from beta label to GA'))
  }
  if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
    errors.push(forbiddenField(path('spec', 'volumeAttributesClassName'), 'update from non-nil value to nil is forbidden'))
  }
  return errors
}

const deprecatedSources: readonly (readonly [keyof k.PersistentVolumeSpec, string, string])[] = [
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'], ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'], ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'], ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]

function warnings(volume: Readonly<k.PersistentVolume>): string[] {
  const found: string[] = []
  const warn = (place: Path, text: string): void => void found.push(`${place.text}: ${text}`)
  const old = { 'volume.beta.kubernetes.io/storage-class': 'deprecated since v1.8; use "storageClassName" attribute instead', 'volume.beta.kubernetes.io/mount-options': 'deprecated since v1.31; use "mountOptions" attribute instead' }
  for (const [key, text] of Object.entries(old)) if (volume.metadata.annotations?.[key] !== undefined) warn(path('metadata', 'annotations').key(key), text)
  if (volume.spec?.persistentVolumeReclaimPolicy === 'Recycle') {
    warn(at.child('persistentVolumeReclaimPolicy'), 'The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.')
  }
  volume.spec?.nodeAffinity?.required?.nodeSelectorTerms?.forEach((term, i) => termWarnings(term, false, at.child('nodeAffinity', 'required', 'nodeSelectorTerms').index(i), warn))
  for (const [field, name, text] of deprecatedSources) if (volume.spec?.[field] !== undefined) warn(at.child(name), text)
  return found
}

export const volumeStrategy: Strategy<k.PersistentVolume> = {
  prepareCreate(volume, env) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: formatTime(env.now) }
  },
  validateCreate: (volume) => [...validate(volume), ...validateMountOptions(volume)],
  validateUpdate: validateChange,
  warnings,
}

export const volumeStatus: StatusRules<k.PersistentVolume> = {
  prepareUpdate(next, prev, env) {
    const status = (next.status ??= {})
    const [phase, before] = [status.phase, prev.status?.phase]
    const [time, old] = [status.lastPhaseTransitionTime, prev.status?.lastPhaseTransitionTime]
    if (phase === before && time === undefined && old !== undefined) status.lastPhaseTransitionTime = old
    if (phase !== before && (time === undefined || time === old)) status.lastPhaseTransitionTime = formatTime(env.now)
  },
}
