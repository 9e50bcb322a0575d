/**
 * Volumes that are folders of a node, which Kubun makes itself: by what marks their provisioner, the nodes and whoever
 * guards a node's rights know them. Who makes them is controllers/volumes/localprovisioner.ts, who keeps what is on them
 * the node's kubelet. Pure.
 */
import { annotationOf, bindingAnnotations } from '../core/volumebinding.ts'
import { isBeingDeleted } from '../meta.ts'
import type { Node, PersistentVolume } from '../schema/types.ts'

/** Of classes, and on volumes: who made them. */
export const localPathProvisioner = 'kubun.io/local-path'

export const localPathMarks = {
  /** On a volume whose data goes with it: it stays until its node has removed them. */
  finalizer: 'kubun.io/local-path',
  /** Label of a volume: the node that it lies on. */
  node: 'kubun.io/node',
  /** On a node: the folder that its volumes lie in. */
  root: 'kubun.io/local-storage-path',
} as const

/** Label values have no more. */
const labelCharsMax = 63
/** Linux takes no longer names. */
const folderCharsMax = 255
const protection = 'kubernetes.io/pv-protection'

type Volume = Readonly<PersistentVolume>

/** The node that a volume of ours lies on; undefined for all others. */
export function localPathNode(volume: Volume): string | undefined {
  if (annotationOf(volume, bindingAnnotations.provisionedBy) !== localPathProvisioner || volume.spec?.local === undefined) return undefined
  return volume.metadata.labels?.[localPathMarks.node]
}

/** Selects the volumes of a node; undefined: none can be there. */
export function localPathSelector(nodeName: string): string | undefined {
  return nodeName.length > labelCharsMax ? undefined : `${localPathMarks.node}=${nodeName}`
}

/** Where volumes of the node lie; undefined: it has no place for them. */
export function localPathRoot(node: Readonly<Node>): string | undefined {
  const root = annotationOf(node, localPathMarks.root)
  const isPlain = root?.startsWith('/') === true && !root.split('/').includes('..')
  return isPlain && localPathSelector(node.metadata.name ?? '') !== undefined ? root : undefined
}

/** The first part alone tells volumes apart; the rest is for those who look for their data. */
export function localPathFolder(volumeName: string, claim: { readonly namespace: string; readonly name: string }): string {
  return `${volumeName}_${claim.namespace}_${claim.name}`.slice(0, folderCharsMax)
}

/** Whether the volume's data goes with it. */
export function losesData(volume: Volume): boolean {
  return volume.spec?.persistentVolumeReclaimPolicy === 'Delete'
}

export function hasLocalPathFinalizer(volume: Volume): boolean {
  return volume.metadata.finalizers?.includes(localPathMarks.finalizer) === true
}

/** Nobody has the volume or will have it, and what is on it is to go: now its node removes that, and then its finalizer. */
export function awaitsRemoval(volume: Volume): boolean {
  if (!isBeingDeleted(volume) || !hasLocalPathFinalizer(volume) || !losesData(volume)) return false
  return volume.status?.phase !== 'Bound' && volume.metadata.finalizers?.includes(protection) !== true
}
