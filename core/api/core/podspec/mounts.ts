/** Where containers see volumes: as directories, and as block devices (k8s.io/kubernetes/pkg/apis/core/validation/validation.go). */
import type { Errors } from '../../checks.ts'
import { forbiddenField, invalidValue, notFoundField, notSupported, required, type Path } from '../../field.ts'
import type * as k from '../../schema/types.ts'
import { relativePath } from './paths.ts'
import type { VolumesByName } from './volumes.ts'

const propagations = ['Bidirectional', 'HostToContainer', 'None']

export function validateMounts(errors: Errors, container: Readonly<k.Container>, volumes: VolumesByName, at: Path): void {
  // By name: the last of one name counts, as in upstream's maps.
  const devices = new Map(container.volumeDevices?.map((device) => [device.name, device.devicePath]))
  const paths = new Set<string>()
  container.volumeMounts?.forEach((mount, i) => {
    const here = at.index(i)
    if (mount.name === '') errors.push(required(here.child('name')))
    if (!volumes.has(mount.name)) errors.push(notFoundField(here.child('name'), mount.name))
    if (mount.mountPath === '') errors.push(required(here.child('mountPath')))
    if (paths.has(mount.mountPath)) errors.push(invalidValue(here.child('mountPath'), mount.mountPath, 'must be unique'))
    paths.add(mount.mountPath)
    if (devices.has(mount.name)) errors.push(invalidValue(here.child('name'), mount.name, 'must not already exist in volumeDevices'))
    if ([...devices.values()].includes(mount.mountPath)) {
      errors.push(invalidValue(here.child('mountPath'), mount.mountPath, 'must not already exist as a path in volumeDevices'))
    }
    const { subPath = '', subPathExpr = '' } = mount
    // Upstream places these beside the list's entries, not in them.
    if (subPath !== '') relativePath(errors, subPath, at.child('subPath'))
    if (subPathExpr !== '') {
      if (subPath !== '') errors.push(invalidValue(here.child('subPathExpr'), subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
      relativePath(errors, subPathExpr, at.child('subPathExpr'))
    }
    propagation(errors, mount.mountPropagation, container, at.child('mountPropagation'))
    readOnly(errors, mount, at.child('recursiveReadOnly'))
  })
}

function propagation(errors: Errors, mode: string | undefined, container: Readonly<k.Container>, at: Path): void {
  if (mode === undefined) return
  if (!propagations.includes(mode)) errors.push(notSupported(at, mode, propagations))
  if (mode === 'Bidirectional' && container.securityContext?.privileged !== true) {
    errors.push(forbiddenField(at, 'Bidirectional mount propagation is available only to privileged containers'))
  }
}

function readOnly(errors: Errors, mount: Readonly<k.VolumeMount>, at: Path): void {
  const mode = mount.recursiveReadOnly
  if (mode === undefined || mode === 'Disabled') return
  if (mode !== 'Enabled' && mode !== 'IfPossible') {
    errors.push(notSupported(at, mode, ['Disabled', 'Enabled', 'IfPossible']))
    return
  }
  if (mount.readOnly !== true) errors.push(forbiddenField(at, 'may only be specified when readOnly is true'))
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== 'None') {
    errors.push(forbiddenField(at, 'may only be specified when mountPropagation is None or not specified'))
  }
}

export function validateDevices(errors: Errors, container: Readonly<k.Container>, volumes: VolumesByName, at: Path): void {
  const mounts = new Map(container.volumeMounts?.map((mount) => [mount.name, mount.mountPath]))
  const [names, paths] = [new Set<string>(), new Set<string>()]
  container.volumeDevices?.forEach(({ name, devicePath }, i) => {
    const here = at.index(i)
    const volume = volumes.get(name)
    if (name === '') errors.push(required(here.child('name')))
    if (names.has(name)) errors.push(invalidValue(here.child('name'), name, 'must be unique'))
    if (volume === undefined) errors.push(notFoundField(here.child('name'), name))
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
      errors.push(invalidValue(here.child('name'), name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'))
    }
    if (devicePath === '') errors.push(required(here.child('devicePath')))
    if (paths.has(devicePath)) errors.push(invalidValue(here.child('devicePath'), devicePath, 'must be unique'))
    if (devicePath.split('/').includes('..')) errors.push(invalidValue(here.child('devicePath'), devicePath, "can not contain backsteps ('..')"))
    else paths.add(devicePath)
    if (mounts.has(name)) errors.push(invalidValue(here.child('name'), name, 'must not already exist in volumeMounts'))
    if ([...mounts.values()].includes(devicePath)) {
      errors.push(invalidValue(here.child('devicePath'), devicePath, 'must not already exist as a path in volumeMounts'))
    }
    if (name !== '') names.add(name)
  })
}
