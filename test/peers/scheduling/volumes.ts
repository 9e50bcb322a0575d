/**
 * Volumes of a drawn cluster: classes, drivers with their limits and capacities, claims in every state (bound here or
 * there, unbound that bind at once or with their pod, lost, going away), and the volumes of pods that use them.
 */
import type { CSINode, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass, TypedObject, Volume } from '../../../core/api/schema/types.ts'
import type { Drawing } from './cluster.ts'
import { hostKey, zoneKey, zones } from './nodes.ts'

export interface Volumes {
  readonly objects: readonly TypedObject[]
  /** Claims in the namespace `default`. */
  readonly claims: readonly string[]
}

const driver = 'csi.example.com'
const capped = 'capped.example.com'

export function volumeObjects(drawing: Drawing): Volumes {
  const made = Array.from({ length: 5 + drawing.draw.int(6) }, (_, i) => claim(drawing, `claim-${i + 1}`))
  const locals = Array.from({ length: drawing.draw.int(5) }, (_, i) => localVolume(drawing, `local-${i + 1}`))
  return {
    objects: [...classes(drawing), ...drivers(drawing), ...drawing.nodes.flatMap((name) => csiNode(drawing, name)), ...locals, ...made.flat()],
    claims: made.map(([{ metadata }]) => metadata.name ?? ''),
  }
}

function classes({ draw }: Drawing): readonly StorageClass[] {
  const common = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', reclaimPolicy: 'Delete' }
  const allowedTopologies = [{ matchLabelExpressions: [{ key: zoneKey, values: ['za', draw.one(zones)] }] }]
  return [
    { ...common, metadata: { name: 'now' }, provisioner: driver, volumeBindingMode: 'Immediate' },
    { ...common, metadata: { name: 'later' }, provisioner: driver, volumeBindingMode: 'WaitForFirstConsumer', ...(draw.chance(0.5) ? { allowedTopologies } : {}) },
    { ...common, metadata: { name: 'local' }, provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer' },
    { ...common, metadata: { name: 'capped' }, provisioner: capped, volumeBindingMode: 'WaitForFirstConsumer' },
  ]
}

function drivers({ draw }: Drawing): readonly TypedObject[] {
  const made = (name: string, storageCapacity: boolean): TypedObject & { spec: object } => ({ apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', metadata: { name }, spec: { attachRequired: true, storageCapacity } })
  const room = zones.filter(() => draw.chance(0.7)).map((zone) => ({
    apiVersion: 'storage.k8s.io/v1', kind: 'CSIStorageCapacity', metadata: { name: `room-${zone}`, namespace: 'default' },
    storageClassName: 'capped', nodeTopology: { matchLabels: { [zoneKey]: zone } }, capacity: draw.one(['1Gi', '10Gi', '100Gi']), ...(draw.chance(0.3) ? { maximumVolumeSize: '5Gi' } : {}),
  }))
  return [made(driver, false), made(capped, true), ...room]
}

function csiNode({ draw }: Drawing, name: string): CSINode[] {
  if (draw.chance(0.08)) return []
  const limit = draw.chance(0.7) ? { allocatable: { count: 1 + draw.int(3) } } : {}
  const made = draw.chance(0.93) ? [{ name: driver, nodeID: name, ...limit }] : []
  return [{ apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', metadata: { name }, spec: { drivers: [...made, { name: capped, nodeID: name }] } }]
}

const sizes = ['1Gi', '5Gi', '20Gi'] as const

function wanted({ draw }: Drawing, name: string): PersistentVolumeClaim & { spec: NonNullable<PersistentVolumeClaim['spec']> } {
  const accessModes = [draw.one(['ReadWriteOnce', 'ReadWriteOnce', 'ReadWriteMany', 'ReadWriteOncePod'])]
  return {
    apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace: 'default', uid: `uid-${name}` },
    spec: { accessModes, volumeMode: 'Filesystem', resources: { requests: { storage: draw.one(sizes) } } }, status: { phase: 'Pending' },
  }
}

/** A claim, and its volume where it has one. */
function claim(drawing: Drawing, name: string): [PersistentVolumeClaim, ...TypedObject[]] {
  const { draw, nodes } = drawing
  const made = wanted(drawing, name)
  const ofClass = (storageClassName: string): [PersistentVolumeClaim] => [{ ...made, spec: { ...made.spec, storageClassName } }]
  return draw.weighted<[PersistentVolumeClaim, ...TypedObject[]]>([
    [10, () => bound(drawing, made)],
    [1, () => ofClass('now')],
    [4, () => ofClass('later')],
    [1, () => [{ ...made, metadata: { ...made.metadata, annotations: { 'volume.kubernetes.io/selected-node': draw.one(nodes) } }, spec: { ...made.spec, storageClassName: 'later' } }]],
    [3, () => ofClass('local')],
    [3, () => ofClass('capped')],
    [0.5, () => [made]],
    [0.5, () => ofClass('unheard-of')],
    [0.5, () => [{ ...bound(drawing, made)[0], status: { phase: 'Lost' } }]],
    [0.5, () => [bound(drawing, made)[0]]],
    [0.5, () => { const [own, volume] = bound(drawing, made); return [{ ...own, metadata: { ...own.metadata, deletionTimestamp: '2026-01-03T00:00:00Z', finalizers: ['kubernetes.io/pvc-protection'] } }, volume] }],
  ])
}

function bound(drawing: Drawing, made: ReturnType<typeof wanted>): [PersistentVolumeClaim, PersistentVolume] {
  const { draw, nodes } = drawing
  const name = `pv-${made.metadata.name}`
  const place = draw.weighted<{ key: string; values: string[] } | undefined>([
    [3, () => ({ key: zoneKey, values: draw.chance(0.5) ? [draw.one(zones)] : ['za', 'zb'] })],
    [2, () => ({ key: hostKey, values: [draw.one(nodes)] })],
    [3, () => undefined],
  ])
  const labels = draw.chance(0.3) ? { labels: { [zoneKey]: draw.one(['za', 'zb', 'za__zc']) } } : {}
  const { accessModes = [] } = made.spec
  const volume: PersistentVolume = {
    apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name, ...labels },
    spec: {
      accessModes, capacity: { storage: '20Gi' }, storageClassName: 'later', volumeMode: 'Filesystem', persistentVolumeReclaimPolicy: 'Delete',
      claimRef: { kind: 'PersistentVolumeClaim', namespace: 'default', name: made.metadata.name ?? '', uid: made.metadata.uid ?? '' },
      csi: { driver, volumeHandle: draw.chance(0.9) ? name : 'shared-handle' },
      ...(place === undefined ? {} : { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ ...place, operator: 'In' }] }] } } }),
    },
    status: { phase: 'Bound' },
  }
  const own: PersistentVolumeClaim = {
    ...made, metadata: { ...made.metadata, annotations: { 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' } },
    spec: { ...made.spec, storageClassName: 'later', volumeName: name }, status: { phase: 'Bound', accessModes },
  }
  return [own, volume]
}

function localVolume({ draw, nodes }: Drawing, name: string): PersistentVolume {
  const node = draw.one(nodes)
  return {
    apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name },
    spec: {
      accessModes: ['ReadWriteOnce', ...(draw.chance(0.3) ? ['ReadWriteMany'] : []), ...(draw.chance(0.3) ? ['ReadWriteOncePod'] : [])], capacity: { storage: draw.one(sizes) },
      storageClassName: 'local', volumeMode: 'Filesystem', persistentVolumeReclaimPolicy: 'Retain', local: { path: '/mnt' },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: hostKey, operator: 'In', values: [node] }] }] } },
    },
    status: { phase: 'Available' },
  }
}

/** The volumes of a pod; each name once. */
export function drawVolumes({ draw }: Drawing, { claims }: Volumes): Volume[] {
  return Array.from({ length: draw.chance(0.75) ? 1 : 2 }, (_, i): Volume => {
    const name = `v${i + 1}`
    const disk = draw.one(['disk-a', 'disk-b'])
    const readOnly = draw.chance(0.4)
    return draw.weighted<Volume>([
      [12, () => ({ name, persistentVolumeClaim: { claimName: draw.chance(0.97) ? draw.one(claims) : 'missing' } })],
      [1.5, () => ({ name, ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], storageClassName: draw.one(['later', 'capped', 'now']), resources: { requests: { storage: '5Gi' } } } } } })],
      [1, () => ({ name, csi: { driver } })],
      [1, () => ({ name, gcePersistentDisk: { pdName: disk, readOnly } })],
      [1, () => ({ name, awsElasticBlockStore: { volumeID: disk, readOnly } })],
      [1, () => ({ name, iscsi: { targetPortal: '10.0.0.9:3260', iqn: `iqn.2026-01.com.example:${disk}`, lun: 0, readOnly } })],
      [1, () => ({ name, rbd: { monitors: ['10.0.0.8'], image: disk, pool: 'rbd', readOnly } })],
      [1, () => ({ name, configMap: { name: 'settings' } })],
    ])
  })
}

/** Claims that are made from a pod's own templates; some are not there yet, some belong to another pod. */
export function mounted(pod: Pod): readonly TypedObject[] {
  return (pod.spec?.volumes ?? []).flatMap(({ name, ephemeral }): PersistentVolumeClaim[] => {
    const { spec } = ephemeral?.volumeClaimTemplate ?? {}
    const { name: podName = '', namespace = '', uid = '' } = pod.metadata
    if (spec === undefined || podName.endsWith('9')) return []
    const owner = { apiVersion: 'v1', kind: 'Pod', name: podName, uid: podName.endsWith('7') ? 'another' : uid, controller: true }
    return [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: `${podName}-${name}`, namespace, uid: `uid-${podName}-${name}`, ownerReferences: [owner] }, spec: { ...spec, volumeMode: 'Filesystem' }, status: { phase: 'Pending' } }]
  })
}
