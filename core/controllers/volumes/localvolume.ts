/**
 * What a claim gets from the provisioner of local volumes: the volume, or why it gets none; and what is to happen with
 * such a volume now. Pure; who acts is localprovisioner.ts.
 */
import { annotationOf, bindingAnnotations, claimClass, requestOf, waitsForConsumer } from '../../api/core/volumebinding.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/schema/types.ts'
import { awaitsRemoval, hasLocalPathFinalizer, localPathFolder, localPathMarks, localPathNode, localPathProvisioner, localPathRoot, losesData } from '../../api/storage/localpath.ts'
import { parseTime } from '../../api/time.ts'

type Claim = Readonly<PersistentVolumeClaim>
type Volume = Readonly<PersistentVolume>

const hostnameLabel = 'kubernetes.io/hostname'
/** A node that was taken away may be on its way back: so long its volumes wait for it. */
export const nodeGraceMs = 300_000

/** Modes that a folder of one node can have. */
const modes: readonly string[] = ['ReadWriteOnce', 'ReadWriteOncePod']

export function isForUs(claim: Claim): boolean {
  return (annotationOf(claim, bindingAnnotations.provisioner) ?? annotationOf(claim, bindingAnnotations.betaProvisioner)) === localPathProvisioner
}

/** Whether the claim wants a volume of ours, now. */
export function wantsVolume(claim: Claim, of: Readonly<StorageClass> | undefined): of is Readonly<StorageClass> {
  if (!isForUs(claim) || of?.provisioner !== localPathProvisioner) return false
  if ((claim.spec?.volumeName ?? '') !== '' || isBeingDeleted(claim)) return false
  return !waitsForConsumer(of) || annotationOf(claim, bindingAnnotations.selectedNode) !== undefined
}

/** Why there will be no volume as long as claim and class are as they are. */
export function refusal({ spec = {} }: Claim, of: Readonly<StorageClass>): string | undefined {
  if (!waitsForConsumer(of)) return `volumes of ${localPathProvisioner} lie on the node of their first pod: the class must have volumeBindingMode WaitForFirstConsumer`
  const other = (spec.accessModes ?? []).find((mode) => !modes.includes(mode))
  if (other !== undefined) return `access mode ${other} is not supported: a volume of ${localPathProvisioner} lies on one node, only ${modes.join(' and ')} are possible`
  if (spec.volumeMode === 'Block') return `volumeMode Block is not supported: a volume of ${localPathProvisioner} is a folder`
  if (spec.selector !== undefined) return 'claim.Spec.Selector is not supported'
  if (spec.dataSource !== undefined || spec.dataSourceRef !== undefined) return `a data source is not supported: a volume of ${localPathProvisioner} begins empty`
  const [parameter] = Object.keys(of.parameters ?? {})
  if (parameter !== undefined) return `parameter ${JSON.stringify(parameter)} is not known: ${localPathProvisioner} has none`
  return (of.mountOptions ?? []).length === 0 ? undefined : `mount options are not supported: a volume of ${localPathProvisioner} is a folder`
}

/** A text says why the node has no place for it. */
export function volumeFor(claim: Claim, of: Readonly<StorageClass>, node: Readonly<Node>): PersistentVolume | string {
  const root = localPathRoot(node)
  const hostname = node.metadata.labels?.[hostnameLabel]
  if (root === undefined || hostname === undefined) return `node ${JSON.stringify(node.metadata.name)} has no place for local volumes: it does not say where they would lie (annotation ${localPathMarks.root})`
  const { uid = '', name = '', namespace = '', resourceVersion } = claim.metadata
  const volumeName = `pvc-${uid}`
  const persistentVolumeReclaimPolicy = of.reclaimPolicy ?? 'Delete'
  return {
    metadata: {
      name: volumeName,
      labels: { [localPathMarks.node]: node.metadata.name ?? '' },
      annotations: { [bindingAnnotations.provisionedBy]: localPathProvisioner },
      ...(persistentVolumeReclaimPolicy === 'Delete' ? { finalizers: [localPathMarks.finalizer] } : {}),
    },
    spec: {
      capacity: { storage: requestOf(claim) },
      accessModes: [...(claim.spec?.accessModes ?? [])],
      volumeMode: 'Filesystem',
      claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      persistentVolumeReclaimPolicy,
      storageClassName: claimClass(claim) ?? '',
      local: { path: `${root}/${localPathFolder(volumeName, { namespace, name })}` },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: hostnameLabel, operator: 'In', values: [hostname] }] }] } },
    },
  }
}

export type LocalVolumePlan =
  | { readonly do: 'finalizer'; readonly on: boolean }
  | { readonly do: 'delete' }
  /** The node is gone, and the data with it. */
  | { readonly do: 'abandon' }
  | { readonly do: 'wait'; readonly ms: number }

export function planLocalVolume(volume: Volume, hasNode: boolean, nowMs: number): LocalVolumePlan | undefined {
  if (localPathNode(volume) === undefined) return undefined
  const isHeld = hasLocalPathFinalizer(volume)
  if (isBeingDeleted(volume)) {
    if (isHeld && !losesData(volume)) return { do: 'finalizer', on: false }
    return awaitsRemoval(volume) && !hasNode ? abandon(volume, nowMs) : undefined
  }
  if (isHeld !== losesData(volume)) return { do: 'finalizer', on: !isHeld }
  return isHeld && volume.status?.phase === 'Released' ? { do: 'delete' } : undefined
}

function abandon({ metadata }: Volume, nowMs: number): LocalVolumePlan {
  const ms = (parseTime(metadata.deletionTimestamp ?? '') ?? nowMs) + nodeGraceMs - nowMs
  return ms > 0 ? { do: 'wait', ms } : { do: 'abandon' }
}
