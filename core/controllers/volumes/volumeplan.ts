/**
 * What is to happen with a volume now: free, kept for a claim, bound, let go, or reclaimed. Pure; who acts is binder.ts
 * (upstream's pkg/controller/volume/persistentvolume, syncVolume). No storage is built in that could be deleted or
 * scrubbed from here: Delete is the business of an external provisioner, and fails where there cannot be one; Recycle fails.
 */
import { annotationOf, bindingAnnotations, hasOtherMode } from '../../api/core/volumebinding.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/schema/types.ts'
import { migratedDriver } from '../../api/storage/migration.ts'
import type { Told } from './claimplan.ts'

export type VolumePlan =
  | { readonly do: 'phase'; readonly phase: 'Available' | 'Bound' }
  /** The claim's turn. */
  | { readonly do: 'claim' }
  | { readonly do: 'mismatch'; readonly tell: Told; readonly tellClaim: Told }
  | { readonly do: 'unbind' }
  /** Released, and then failed where nobody can reclaim it. */
  | { readonly do: 'release'; readonly fail?: Told }

export function planVolume(volume: Readonly<PersistentVolume>, claim: Readonly<PersistentVolumeClaim> | undefined): VolumePlan {
  if ((volume.spec?.claimRef?.uid ?? '') === '') return { do: 'phase', phase: 'Available' }
  if (claim === undefined) return release(volume)
  const named = claim.spec?.volumeName ?? ''
  if (named === '') return hasOtherMode(claim, volume) ? mismatch(volume, claim) : { do: 'claim' }
  if (named === volume.metadata.name) return { do: 'phase', phase: 'Bound' }
  const madeForIt = annotationOf(volume, bindingAnnotations.provisionedBy) !== undefined && volume.spec?.persistentVolumeReclaimPolicy === 'Delete'
  return madeForIt ? release(volume) : { do: 'unbind' }
}

function mismatch(volume: Readonly<PersistentVolume>, claim: Readonly<PersistentVolumeClaim>): VolumePlan {
  const warn = (message: string): Told => ({ type: 'Warning', reason: 'VolumeMismatch', message })
  return {
    do: 'mismatch',
    tell: warn(`Cannot bind PersistentVolume to requested PersistentVolumeClaim "${claim.metadata.name}" due to incompatible volumeMode.`),
    tellClaim: warn(`Cannot bind PersistentVolume "${volume.metadata.name}" to requested PersistentVolumeClaim due to incompatible volumeMode.`),
  }
}

function release(volume: Readonly<PersistentVolume>): VolumePlan {
  const fail = (reason: string, message: string): VolumePlan => ({ do: 'release', fail: { type: 'Warning', reason, message } })
  if ((annotationOf(volume, bindingAnnotations.migratedTo) ?? '') !== '') return { do: 'release' }
  switch (volume.spec?.persistentVolumeReclaimPolicy) {
    case 'Retain':
      return { do: 'release' }
    case 'Recycle':
      return fail('VolumeFailedRecycle', 'No recycler plugin found for the volume!')
    case 'Delete': {
      const why = undeletable(volume)
      return why === undefined ? { do: 'release' } : fail('VolumeFailedDelete', why)
    }
    default:
      return fail('VolumeUnknownReclaimPolicy', 'Volume has unrecognized PersistentVolumeReclaimPolicy')
  }
}

/** Why nobody can delete what is behind the volume; undefined where an external provisioner does. */
function undeletable(volume: Readonly<PersistentVolume>): string | undefined {
  const by = annotationOf(volume, bindingAnnotations.provisionedBy) ?? ''
  const { csi, hostPath, nfs } = volume.spec ?? {}
  if (by === '' ? csi !== undefined : !by.startsWith('kubernetes.io/')) return undefined
  if (hostPath !== undefined && (by === '' || by === hostPathPlugin) && !hostPath.path.startsWith('/tmp/')) return `host_path deleter only supports /tmp/.+ but received provided ${hostPath.path}`
  if (by !== '') return by === hostPathPlugin ? 'no deletable volume plugin matched' : `no volume plugin matched name: ${by}`
  return `error getting deleter volume plugin for volume "${volume.metadata.name}": ${nfs === undefined && hostPath === undefined ? 'no volume plugin matched' : 'no deletable volume plugin matched'}`
}

/** Upstream's deletes what is below /tmp of the machine of the controllers. Here they have no machine. */
const hostPathPlugin = 'kubernetes.io/host-path'

const inTreeFinalizer = 'kubernetes.io/pv-controller'
const externalFinalizer = 'external-provisioner.volume.kubernetes.io/finalizer'

/** Finalizers of a volume that a built-in plugin made: it stays until its storage is deleted. undefined when they are right. */
export function deletionFinalizers(volume: Readonly<PersistentVolume>): readonly string[] | undefined {
  const by = annotationOf(volume, bindingAnnotations.provisionedBy)
  const have = volume.metadata.finalizers ?? []
  if (by === undefined) return undefined
  const migrated = migratedDriver(by) !== undefined
  if (!migrated && !by.startsWith('kubernetes.io/')) return undefined
  const policy = volume.spec?.persistentVolumeReclaimPolicy
  const wanted = migrated ? false : policy === 'Delete' || (policy !== 'Retain' && policy !== 'Recycle' && have.includes(inTreeFinalizer))
  const kept = have.filter((each) => (each !== inTreeFinalizer || wanted) && (migrated || each !== externalFinalizer))
  const next = wanted && !kept.includes(inTreeFinalizer) ? [...kept, inTreeFinalizer] : kept
  return next.length === have.length && next.every((each, i) => each === have[i]) ? undefined : next
}
