/**
 * The volumes of a pod: names, one source each, and the sources that only pods have. What storage drivers want is
 * drivers.ts, projected volumes are projected.ts (k8s.io/kubernetes/pkg/apis/core/validation/validation.go).
 */
import { label, needsText, oneOf, say, type Errors } from '../../checks.ts'
import { duplicate, forbiddenField, invalidValue, required, type Path } from '../../field.ts'
import { validateAnnotations, validateLabels } from '../../metavalidation.ts'
import { dns1123Subdomain } from '../../names.ts'
import { compareQuantities } from '../../quantity.ts'
import type * as k from '../../schema/types.ts'
import { validateClaimSpec } from '../claimspec.ts'
import * as drivers from './drivers.ts'
import { fileMode, keyToPath, relativePath } from './paths.ts'
import { downwardFiles, projected } from './projected.ts'

export type VolumesByName = ReadonlyMap<string, Readonly<k.Volume>>

/** In upstream's order; `at` where the place is not called like the field, `more` where a second source is named otherwise. */
const sources: readonly { readonly field: keyof k.Volume; readonly at?: string; readonly more?: string; readonly check: drivers.SourceCheck }[] = [
  { field: 'hostPath', check: drivers.hostPath },
  { field: 'gitRepo', check: gitRepo },
  { field: 'gcePersistentDisk', at: 'persistentDisk', check: drivers.disk('pdName') },
  { field: 'awsElasticBlockStore', check: drivers.disk('volumeID') },
  { field: 'secret', check: secret },
  { field: 'nfs', check: drivers.nfs },
  { field: 'iscsi', check: (errors: Errors, source: k.ISCSIVolumeSource, at: Path) => drivers.iscsi(errors, source, at) },
  { field: 'glusterfs', check: drivers.glusterfs },
  { field: 'flocker', check: drivers.flocker },
  { field: 'persistentVolumeClaim', check: (errors: Errors, source: k.PersistentVolumeClaimVolumeSource, at: Path) => needsText(errors, source.claimName, at.child('claimName')) },
  { field: 'rbd', check: drivers.rbd },
  { field: 'cinder', check: drivers.cinder(false) },
  { field: 'cephfs', more: 'cephFS', check: drivers.cephfs },
  { field: 'quobyte', check: drivers.quobyte },
  { field: 'downwardAPI', more: 'downwarAPI', check: downward },
  { field: 'fc', check: drivers.fc },
  { field: 'flexVolume', check: drivers.flexVolume },
  { field: 'configMap', check: configMap },
  { field: 'azureFile', check: drivers.azureFile },
  { field: 'vsphereVolume', check: drivers.vsphere },
  { field: 'photonPersistentDisk', check: drivers.photon },
  { field: 'portworxVolume', check: drivers.portworx },
  { field: 'azureDisk', check: drivers.azureDisk },
  { field: 'storageos', check: drivers.storageos(false) },
  { field: 'projected', check: projected },
  { field: 'scaleIO', check: drivers.scaleIO },
  { field: 'csi', check: drivers.csiVolume },
]

export interface VolumesOf {
  /** '' where it is not a pod but a template. */
  readonly pod: string
  readonly isPod: boolean
}

/** What is right is in the answer: mounts of what is wrong are not found, as upstream has it. */
export function validateVolumes(errors: Errors, volumes: readonly Readonly<k.Volume>[], at: Path, of: VolumesOf): VolumesByName {
  const good = new Map<string, Readonly<k.Volume>>()
  const created = new Set(of.pod === '' ? [] : volumes.filter((v) => v.ephemeral !== undefined).map((v) => `${of.pod}-${v.name}`))
  volumes.forEach((volume, i) => {
    const here = at.index(i)
    const found: Errors = []
    oneSource(found, volume, here, of)
    if (volume.name === '') found.push(required(here.child('name')))
    else label(found, volume.name, here.child('name'))
    if (good.has(volume.name)) found.push(duplicate(here.child('name'), volume.name))
    if (found.length === 0) good.set(volume.name, volume)
    else errors.push(...found)
    const claim = volume.persistentVolumeClaim?.claimName
    if (claim !== undefined && created.has(claim)) {
      errors.push(invalidValue(here.child('persistentVolumeClaim', 'claimName'), claim, 'must not reference a PVC that gets created for an ephemeral volume'))
    }
  })
  return good
}

function oneSource(errors: Errors, volume: Readonly<k.Volume>, at: Path, of: VolumesOf): void {
  let count = 0
  const second = (field: string): boolean => {
    if (count > 0) errors.push(forbiddenField(at.child(field), 'may not specify more than 1 volume type'))
    return count > 0 || count++ > 0
  }
  if (volume.emptyDir !== undefined) {
    count++
    const limit = volume.emptyDir.sizeLimit
    if (limit !== undefined && compareQuantities(limit, '0') < 0) errors.push(forbiddenField(at.child('emptyDir', 'sizeLimit'), 'SizeLimit field must be a valid resource quantity'))
  }
  for (const { field, at: place = field, more = field, check } of sources) {
    const source = volume[field]
    if (source !== undefined && !second(more)) (check as (errors: Errors, source: unknown, at: Path) => void)(errors, source, at.child(place))
    if (field === 'iscsi') longTarget(errors, volume, at)
  }
  if (volume.ephemeral !== undefined && !second('ephemeral')) ephemeral(errors, volume.ephemeral, at, volume.name, of.pod)
  if (volume.image !== undefined && !second('image')) {
    if (of.isPod) needsText(errors, volume.image.reference, at.child('image', 'reference'))
    pullPolicy(errors, volume.image.pullPolicy, at.child('image', 'pullPolicy'))
  }
  if (count === 0) errors.push(required(at, 'must specify a volume type'))
}

function longTarget(errors: Errors, { iscsi, name }: Readonly<k.Volume>, at: Path): void {
  if (iscsi?.initiatorName !== undefined && `${name}:${iscsi.targetPortal}`.length > 64) errors.push(invalidValue(at.child('name'), name, drivers.iscsiTooLong))
}

export function pullPolicy(errors: Errors, policy: string | undefined, at: Path): void {
  if ((policy ?? '') === '') errors.push(required(at))
  else oneOf(errors, policy ?? '', ['Always', 'IfNotPresent', 'Never'], at)
}

function gitRepo(errors: Errors, source: Readonly<k.GitRepoVolumeSource>, at: Path): void {
  needsText(errors, source.repository, at.child('repository'))
  relativePath(errors, source.directory ?? '', at.child('directory'))
}

function secret(errors: Errors, source: Readonly<k.SecretVolumeSource>, at: Path): void {
  needsText(errors, source.secretName, at.child('secretName'))
  fileMode(errors, source.defaultMode, at.child('defaultMode'))
  source.items?.forEach((item, i) => keyToPath(errors, item, at.child('items').index(i)))
}

function configMap(errors: Errors, source: Readonly<k.ConfigMapVolumeSource>, at: Path): void {
  needsText(errors, source.name, at.child('name'))
  fileMode(errors, source.defaultMode, at.child('defaultMode'))
  source.items?.forEach((item, i) => keyToPath(errors, item, at.child('items').index(i)))
}

function downward(errors: Errors, source: Readonly<k.DownwardAPIVolumeSource>, at: Path): void {
  fileMode(errors, source.defaultMode, at.child('defaultMode'))
  downwardFiles(errors, source.items ?? [], at)
}

function ephemeral(errors: Errors, source: Readonly<k.EphemeralVolumeSource>, at: Path, volume: string, pod: string): void {
  const template = source.volumeClaimTemplate
  const here = at.child('ephemeral', 'volumeClaimTemplate')
  if (template === undefined) errors.push(required(here))
  else {
    const { annotations, labels, ...rest } = template.metadata ?? {}
    if (annotations !== undefined) errors.push(...validateAnnotations(annotations, here.child('metadata', 'annotations')))
    if (labels !== undefined) errors.push(...validateLabels(labels, here.child('metadata', 'labels')))
    for (const field of Object.keys(rest)) errors.push(forbiddenField(here.child('metadata', field === 'uid' ? 'uID' : field), 'cannot be set')) // as Go names it
    validateClaimSpec(errors, template.spec, here.child('spec'))
  }
  if (pod === '' || volume === '') return
  const claim = `${pod}-${volume}`
  say(errors, at.child('name'), volume, dns1123Subdomain(claim).map((sentence) => `PVC name ${JSON.stringify(claim)}: ${sentence}`))
}
