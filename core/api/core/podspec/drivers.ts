/**
 * Volume sources of storage drivers, as pods and PersistentVolumes name them: what each needs and refuses. The sources
 * that only pods have are volumes.ts (k8s.io/kubernetes/pkg/apis/core/validation/validation.go).
 */
import { label, needsText, say, subdomain, type Errors } from '../../checks.ts'
import { invalidValue, notSupported, required, tooLong, type Path } from '../../field.ts'
import { dns1123Label, dns1123Subdomain, range } from '../../names.ts'
import type * as k from '../../schema/types.ts'
import { noBacksteps } from './paths.ts'

/** A check of one source; the two kinds of volumes call some of them with more. */
export type SourceCheck = (errors: Errors, source: never, at: Path) => void

interface SecretRef {
  readonly name?: string
  readonly namespace?: string
}

/** Fields that must have a value. */
function needs(...fields: readonly string[]): (errors: Errors, source: object, at: Path) => void {
  return (errors, source, at) => {
    for (const field of fields) {
      const value = (source as Record<string, string | readonly unknown[] | undefined>)[field]
      if (value === undefined || value.length === 0) errors.push(required(at.child(field)))
    }
  }
}

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket']

export function hostPath(errors: Errors, source: Readonly<k.HostPathVolumeSource>, at: Path): void {
  if (source.path === '') {
    errors.push(required(at.child('path')))
    return
  }
  noBacksteps(errors, source.path, at.child('path'))
  if (source.type !== undefined && !hostPathTypes.includes(source.type)) errors.push(notSupported(at.child('type'), source.type, hostPathTypes))
}

export function disk(field: 'pdName' | 'volumeID'): (errors: Errors, source: { readonly partition?: number }, at: Path) => void {
  return (errors, source, at) => {
    needs(field)(errors, source, at)
    const partition = source.partition ?? 0
    if (partition < 0 || partition > 255) errors.push(invalidValue(at.child('partition'), partition, range(1, 255)))
  }
}

export function nfs(errors: Errors, source: Readonly<k.NFSVolumeSource>, at: Path): void {
  needs('server', 'path')(errors, source, at)
  if (!source.path.startsWith('/')) errors.push(invalidValue(at.child('path'), source.path, 'must be an absolute path'))
}

/** iSCSI qualified names, or one of the two other forms. */
function initiator(errors: Errors, name: string, at: Path, unknown: string): void {
  const forms = { iqn: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$/, eui: /^eui.[A-Za-z0-9]{16}$/, naa: /^naa.[A-Za-z0-9]{32}$/ }
  const form = Object.entries(forms).find(([prefix]) => name.startsWith(prefix))?.[1]
  if (form === undefined) errors.push(invalidValue(at, name, unknown))
  else if (!form.test(name)) errors.push(invalidValue(at, name, 'must be valid format'))
}

export const iscsiTooLong = 'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.'

export function iscsi(errors: Errors, source: Readonly<k.ISCSIVolumeSource | k.ISCSIPersistentVolumeSource>, at: Path, volume?: string): void {
  const persistent = volume !== undefined
  const unknown = persistent ? 'must be valid format' : 'must be valid format starting with iqn, eui, or naa'
  needsText(errors, source.targetPortal, at.child('targetPortal'))
  if (persistent && source.initiatorName !== undefined && `${volume}:${source.targetPortal}`.length > 64) {
    errors.push(invalidValue(at.child('targetportal'), source.targetPortal, iscsiTooLong))
  }
  if (source.iqn === '') errors.push(required(at.child('iqn')))
  else initiator(errors, source.iqn, at.child('iqn'), unknown)
  if (source.lun < 0 || source.lun > 255) errors.push(invalidValue(at.child('lun'), source.lun, range(0, 255)))
  if ((source.chapAuthDiscovery === true || source.chapAuthSession === true) && source.secretRef === undefined) errors.push(required(at.child('secretRef')))
  if (persistent && source.secretRef !== undefined) needsText(errors, source.secretRef.name, at.child('secretRef', 'name'))
  if (source.initiatorName !== undefined) initiator(errors, source.initiatorName, at.child('initiatorname'), unknown)
}

export function fc(errors: Errors, source: Readonly<k.FCVolumeSource>, at: Path): void {
  const [targets, wwids] = [source.targetWWNs ?? [], source.wwids ?? []]
  if (targets.length === 0 && wwids.length === 0) errors.push(required(at.child('targetWWNs'), 'must specify either targetWWNs or wwids, but not both'))
  if (targets.length > 0 && wwids.length > 0) errors.push(invalidValue(at.child('targetWWNs'), targets, 'targetWWNs and wwids can not be specified simultaneously'))
  if (targets.length === 0) return
  if (source.lun === undefined) errors.push(required(at.child('lun'), 'lun is required if targetWWNs is specified'))
  else if (source.lun < 0 || source.lun > 255) errors.push(invalidValue(at.child('lun'), source.lun, range(0, 255)))
}

export function glusterfs(errors: Errors, source: Readonly<k.GlusterfsVolumeSource & k.GlusterfsPersistentVolumeSource>, at: Path): void {
  needs('endpoints', 'path')(errors, source, at)
  const namespace = source.endpointsNamespace
  if (namespace === undefined) return
  const here = at.child('endpointsNamespace')
  if (namespace === '') errors.push(invalidValue(here, namespace, 'if the endpointnamespace is set, it must be a valid namespace name'))
  else say(errors, here, namespace, dns1123Label(namespace))
}

export function flocker(errors: Errors, source: Readonly<k.FlockerVolumeSource>, at: Path): void {
  const [name, uuid] = [source.datasetName ?? '', source.datasetUUID ?? '']
  if (name === '' && uuid === '') errors.push(required(at, 'one of datasetName and datasetUUID is required'))
  if (name !== '' && uuid !== '') errors.push(invalidValue(at, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'))
  if (name.includes('/')) errors.push(invalidValue(at.child('datasetName'), name, "must not contain '/'"))
}

export function quobyte(errors: Errors, source: Readonly<k.QuobyteVolumeSource>, at: Path): void {
  const pairs = 'must be a host:port pair or multiple pairs separated by commas'
  if (source.registry === '') errors.push(required(at.child('registry'), pairs))
  else if ((source.tenant ?? '').length >= 65) errors.push(required(at.child('tenant'), 'must be a UUID and may not exceed a length of 64 characters'))
  else for (const pair of source.registry.split(',')) if (!/^([^:[\]]*|\[[^\]]*\]):[^:]*$/.test(pair)) errors.push(invalidValue(at.child('registry'), source.registry, pairs))
  needsText(errors, source.volume, at.child('volume'))
}

export const rbd = needs('monitors', 'image')
export const cephfs = needs('monitors')
export const photon = needs('pdID')
export const portworx = needs('volumeID')
export const vsphere = needs('volumePath')
export const scaleIO = needs('gateway', 'system', 'volumeName')

function secretRef(errors: Errors, ref: SecretRef | undefined, at: Path, persistent: boolean): void {
  if (ref === undefined) return
  needsText(errors, ref.name, at.child('secretRef', 'name'))
  if (persistent) needsText(errors, ref.namespace, at.child('secretRef', 'namespace'))
}

export function cinder(persistent: boolean): (errors: Errors, source: Readonly<k.CinderVolumeSource | k.CinderPersistentVolumeSource>, at: Path) => void {
  return (errors, source, at) => {
    needs('volumeID')(errors, source, at)
    secretRef(errors, source.secretRef, at, persistent)
  }
}

export function storageos(persistent: boolean): (errors: Errors, source: Readonly<k.StorageOSVolumeSource | k.StorageOSPersistentVolumeSource>, at: Path) => void {
  return (errors, source, at) => {
    const name = source.volumeName ?? ''
    if (name === '') errors.push(required(at.child('volumeName')))
    else label(errors, name, at.child('volumeName'))
    if ((source.volumeNamespace ?? '') !== '') label(errors, source.volumeNamespace ?? '', at.child('volumeNamespace'))
    secretRef(errors, source.secretRef, at, persistent)
  }
}

export function flexVolume(errors: Errors, source: Readonly<k.FlexVolumeSource | k.FlexPersistentVolumeSource>, at: Path): void {
  needsText(errors, source.driver, at.child('driver'))
  for (const key in source.options) {
    const domain = `.${(key.includes('/') ? key.slice(0, key.indexOf('/')) : key).toLowerCase()}`
    if (domain.endsWith('.kubernetes.io') || domain.endsWith('.k8s.io')) {
      errors.push(invalidValue(at.child('options').key(key), key, 'kubernetes.io and k8s.io namespaces are reserved'))
    }
  }
}

export function azureFile(errors: Errors, source: Readonly<k.AzureFileVolumeSource | k.AzureFilePersistentVolumeSource>, at: Path): void {
  needs('secretName', 'shareName')(errors, source, at)
  if ('secretNamespace' in source && source.secretNamespace === '') errors.push(required(at.child('secretNamespace')))
}

export function azureDisk(errors: Errors, source: Readonly<k.AzureDiskVolumeSource>, at: Path): void {
  needs('diskName', 'diskURI')(errors, source, at)
  const { cachingMode, kind, diskURI } = source
  const [caching, kinds] = [['None', 'ReadOnly', 'ReadWrite'], ['Dedicated', 'Managed', 'Shared']]
  if (cachingMode !== undefined && !caching.includes(cachingMode)) errors.push(notSupported(at.child('cachingMode'), cachingMode, caching))
  if (kind === undefined) return
  if (!kinds.includes(kind)) errors.push(notSupported(at.child('kind'), kind, kinds))
  if (kind === 'Managed' && !diskURI.startsWith('/subscriptions/')) {
    errors.push(notSupported(at.child('diskURI'), diskURI, ['/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}']))
  }
  if (kind !== 'Managed' && !diskURI.startsWith('https://')) {
    errors.push(notSupported(at.child('diskURI'), diskURI, ['https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd']))
  }
}

/** Names of CSI drivers: at most 63 characters, capitals allowed. */
export function csiDriverName(errors: Errors, name: string, at: Path): void {
  if (name === '') {
    errors.push(required(at))
    return
  }
  if (name.length > 63) errors.push(tooLong(at, 63))
  say(errors, at, name, dns1123Subdomain(name.toLowerCase()))
}

export function csiVolume(errors: Errors, source: Readonly<k.CSIVolumeSource>, at: Path): void {
  csiDriverName(errors, source.driver, at.child('driver'))
  if (source.nodePublishSecretRef === undefined) return
  const name = source.nodePublishSecretRef.name ?? ''
  if (name === '') errors.push(required(at.child('nodePublishSecretRef', 'name')))
  else say(errors, at.child('name'), name, dns1123Subdomain(name))
}

export function csiPersistent(errors: Errors, source: Readonly<k.CSIPersistentVolumeSource>, at: Path): void {
  csiDriverName(errors, source.driver, at.child('driver'))
  needsText(errors, source.volumeHandle, at.child('volumeHandle'))
  for (const field of ['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef', 'nodeExpandSecretRef'] as const) {
    const ref = source[field]
    if (ref === undefined) continue
    const here = at.child(field)
    if ((ref.name ?? '') === '') errors.push(required(here.child('name')))
    else subdomain(errors, ref.name ?? '', here.child('name'))
    if ((ref.namespace ?? '') === '') errors.push(required(here.child('namespace')))
    else label(errors, ref.namespace ?? '', here.child('namespace'))
  }
}
