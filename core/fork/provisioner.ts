/**
 * Volumes that nobody makes: what external provisioners would do for claims, were they there. A claim that waits for a
 * provisioner gets a volume of the size it asks for, at once; whether the real one would make it is not known here.
 */
import { persistentVolumeClaims } from '../api/core/persistentvolumeclaim.ts'
import { persistentVolumes } from '../api/core/persistentvolume.ts'
import { annotationOf, bindingAnnotations, claimClass, waitsForConsumer } from '../api/core/volumebinding.ts'
import { isApiError } from '../api/errors.ts'
import { isBeingDeleted } from '../api/meta.ts'
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../api/schema/types.ts'
import { storageClasses } from '../api/storage/storageclass.ts'
import type { Client } from '../client/client.ts'
import { Informers } from '../client/informers.ts'
import type { Ctx } from '../lib/ctx.ts'
import { Group } from '../lib/group.ts'
import type { Random } from '../lib/random.ts'

/** Until ctx ends. */
export async function runProvisioner(parent: Ctx, { client, random }: { readonly client: Client; readonly random: Random }): Promise<void> {
  await using group = new Group(parent)
  const { ctx } = group
  const informers = new Informers({ client, random })
  const [claims, classes] = [informers.of(persistentVolumeClaims), informers.of(storageClasses)]
  const made = new Set<string>()
  const look = (claim: Readonly<PersistentVolumeClaim>): void => {
    const volume = volumeFor(claim, classes.lister.get({ namespace: '', name: claimClass(claim) ?? '' }))
    if (volume === undefined || made.has(claim.metadata.uid ?? '')) return
    made.add(claim.metadata.uid ?? '')
    client.create(ctx, persistentVolumes, volume).catch((error: unknown) => {
      if (!isApiError(error, 'AlreadyExists') && !ctx.signal.aborted) ctx.log.debug('no volume', { error })
    })
  }
  group.go('informers', (part) => informers.run(part))
  await informers.synced(ctx)
  claims.on({ added: look, updated: look })
  await group.wait()
}

/** Undefined: nobody is asked for one now. */
function volumeFor(claim: Readonly<PersistentVolumeClaim>, of: Readonly<StorageClass> | undefined): PersistentVolume | undefined {
  const provisioner = annotationOf(claim, bindingAnnotations.provisioner)
  if (of === undefined || provisioner === undefined || provisioner !== of.provisioner) return undefined
  if ((claim.spec?.volumeName ?? '') !== '' || isBeingDeleted(claim)) return undefined
  if (waitsForConsumer(of) && annotationOf(claim, bindingAnnotations.selectedNode) === undefined) return undefined
  const { uid = '', name = '', namespace = '' } = claim.metadata
  const { accessModes, volumeMode, resources } = claim.spec ?? {}
  return {
    metadata: { name: `pvc-${uid}`, annotations: { [bindingAnnotations.provisionedBy]: provisioner } },
    spec: {
      capacity: { storage: resources?.requests?.['storage'] ?? '1Gi' },
      ...(accessModes === undefined ? {} : { accessModes }),
      ...(volumeMode === undefined ? {} : { volumeMode }),
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      persistentVolumeReclaimPolicy: of.reclaimPolicy ?? 'Delete',
      storageClassName: of.metadata.name ?? '',
      // Only drivers of CSI have names that a driver may have.
      ...(provisioner.includes('/') ? { hostPath: { path: `/volumes/pvc-${uid}` } } : { csi: { driver: provisioner, volumeHandle: `pvc-${uid}` } }),
    },
  }
}
