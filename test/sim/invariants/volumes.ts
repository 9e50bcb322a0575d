/** A claim has one volume, a volume one claim, and pods run where their volumes are. */
import { isReachable } from '../../../core/api/core/volumebinding.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../../../core/api/schema/types.ts'
import type { History } from '../history.ts'
import type { Invariant } from '../invariant.ts'
import { isBinding } from './binding.ts'

const claimsPrefix = 'persistentvolumeclaims'

export const oneClaimAVolume: Invariant = {
  name: 'a claim has one volume, and a volume one claim',
  begin: ({ history }) => ({
    after({ prefix, type, key, object, prev }) {
      if (type === 'deleted') return undefined
      const before = prev?.metadata.uid === object.metadata.uid ? prev : undefined
      if (prefix === claimsPrefix) return judgeClaim(history, key, object as PersistentVolumeClaim, before as PersistentVolumeClaim | undefined)
      if (prefix !== 'persistentvolumes') return undefined
      const [was, is] = [(before as PersistentVolume | undefined)?.spec?.claimRef?.uid, (object as PersistentVolume).spec?.claimRef?.uid]
      return was !== undefined && is !== was ? `${key} was of claim ${was} and is of ${String(is)}` : undefined
    },
    end() {
      for (const [key, claim] of history.all<PersistentVolumeClaim>(claimsPrefix)) {
        const name = claim.spec?.volumeName ?? ''
        const of = history.all<PersistentVolume>('persistentvolumes').get(`/${name}`)?.spec?.claimRef?.uid
        if (name !== '' && of !== claim.metadata.uid) return `${key} has ${name}, which is of ${String(of)}`
      }
      return undefined
    },
  }),
}

function judgeClaim(history: History, key: string, claim: Readonly<PersistentVolumeClaim>, before: Readonly<PersistentVolumeClaim> | undefined): string | undefined {
  const [was = '', is = ''] = [before?.spec?.volumeName, claim.spec?.volumeName]
  if (was !== '' && was !== is) return `${key} had ${was} and has ${is}`
  if (is === '') return undefined
  for (const [other, { spec }] of history.all<PersistentVolumeClaim>(claimsPrefix)) if (other !== key && spec?.volumeName === is) return `${key} has ${is}, as ${other} has`
  return undefined
}

export const boundWhereVolumesAre: Invariant = {
  name: 'a pod is bound to a node that reaches its volumes',
  begin: ({ history }) => ({
    after(happened) {
      if (!isBinding(happened)) return undefined
      const pod = happened.object as Pod
      const volume = outOfReach(history, pod, pod.spec?.nodeName ?? '', true)
      return volume === undefined ? undefined : `${happened.key} was bound to ${pod.spec?.nodeName ?? ''}, and its ${volume}`
    },
  }),
}

/** A volume of the pod's that the node does not reach; `all`: its claims have volumes by now. */
export function outOfReach(history: History, pod: Readonly<Pod>, nodeName: string, all = false): string | undefined {
  const node = history.all<Node>('nodes').get(`/${nodeName}`)
  for (const { persistentVolumeClaim } of pod.spec?.volumes ?? []) {
    if (persistentVolumeClaim === undefined || node === undefined) continue
    const claim = history.all<PersistentVolumeClaim>(claimsPrefix).get(`${pod.metadata.namespace ?? ''}/${persistentVolumeClaim.claimName}`)
    const volume = history.all<PersistentVolume>('persistentvolumes').get(`/${claim?.spec?.volumeName ?? ''}`)
    if (volume === undefined && all) return `claim ${persistentVolumeClaim.claimName} has no volume`
    if (volume !== undefined && !isReachable(volume, node)) return `volume ${volume.metadata.name ?? ''} is elsewhere`
  }
  return undefined
}
