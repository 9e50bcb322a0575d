/**
 * Tells a bound claim that asks for more than it has who is to enlarge its volume: an external resizer, for nothing that
 * is built in can be enlarged (upstream's pkg/controller/volume/expand).
 */
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { annotate, annotationOf, requestOf } from '../../api/core/volumebinding.ts'
import { compareQuantities } from '../../api/quantity.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/schema/types.ts'
import { migratedDriver, migratedSource } from '../../api/storage/migration.ts'
import type { Controller } from '../controller.ts'
import { itself } from '../run.ts'
import { preResizeCapacity } from './bind.ts'

/** On a claim: the driver that is to enlarge its volume, where it was built in once. */
const resizerAnnotation = 'volume.kubernetes.io/storage-resizer'

export const expandController: Controller = {
  name: 'expand-controller',
  component: 'volume_expand',
  setUp(env) {
    const volumes = env.read(persistentVolumes)
    const claims = env.informers.of(persistentVolumeClaims)
    const add = (claim: Readonly<PersistentVolumeClaim>): void => {
      if (claim.status?.phase === 'Bound') itself(claim).forEach((key) => env.queue.add(key))
    }
    claims.on({ added: add, updated: (next, prev) => (grew(next, prev) ? add(next) : undefined) })
    return async (ctx, key, client) => {
      const claim = claims.lister.at(key)
      if (claim === undefined) return
      const { volumeName: name = '' } = claim.spec ?? {}
      const volume = volumes.at(name)
      if (volume === undefined) throw new Error(`failed to get PV "${name}": persistentvolumes "${name}" not found`)
      if (volume.spec?.claimRef?.uid !== claim.metadata.uid) throw new Error(`persistent Volume is not bound to PVC being updated : ${key}`)
      if (!isToGrow(claim, volume)) return
      const plugin = migratedSource(volume)
      const tell = (message: string): void => env.recorder.event(persistentVolumeClaims, claim, 'Normal', 'ExternalExpanding', message)
      if (plugin === undefined) return tell('waiting for an external controller to expand this PVC')
      tell(`CSI migration enabled for ${plugin}; waiting for external resizer to expand the pvc`)
      const resizer = migratedDriver(plugin) ?? ''
      if (annotationOf(claim, resizerAnnotation) === resizer) return
      const next: PersistentVolumeClaim = { metadata: {} }
      annotate(next, resizerAnnotation, resizer)
      await client.patch(ctx, persistentVolumeClaims, { namespace: claim.metadata.namespace ?? '', name: claim.metadata.name ?? '' }, 'merge', next, { subresource: 'status' })
    }
  },
}

function capacity(claim: Readonly<PersistentVolumeClaim>): string {
  return claim.status?.capacity?.['storage'] ?? '0'
}

function grew(next: Readonly<PersistentVolumeClaim>, prev: Readonly<PersistentVolumeClaim>): boolean {
  return compareQuantities(requestOf(next), requestOf(prev)) > 0 || compareQuantities(capacity(next), capacity(prev)) > 0
}

function isToGrow(claim: Readonly<PersistentVolumeClaim>, volume: Readonly<PersistentVolume>): boolean {
  return compareQuantities(requestOf(claim), capacity(claim)) > 0 || annotationOf(volume, preResizeCapacity) !== undefined
}
