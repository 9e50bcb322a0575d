/** Volumes, claims and classes for tests: the least that the API takes, and what a test says more. */
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeSpec, StorageClass } from '../../core/api/schema/types.ts'

export function volumeOf(name: string, spec: Partial<PersistentVolumeSpec> = {}, metadata: Partial<PersistentVolume['metadata']> = {}): PersistentVolume {
  const source = spec.csi ?? spec.local ?? spec.nfs ?? spec.awsElasticBlockStore
  return {
    metadata: { name, ...metadata },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...(source === undefined ? { hostPath: { path: `/data/${name}` } } : {}), ...spec },
  }
}

export function claimOf(name: string, spec: Partial<PersistentVolumeClaimSpec> = {}, metadata: Partial<PersistentVolumeClaim['metadata']> = {}): PersistentVolumeClaim {
  return {
    metadata: { name, namespace: 'default', ...metadata },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  }
}

export function classOf(name: string, more: Partial<StorageClass> = {}): StorageClass {
  return { metadata: { name }, provisioner: 'disks.example.com', ...more }
}

export const waitingClass = (name: string, more: Partial<StorageClass> = {}): StorageClass => classOf(name, { volumeBindingMode: 'WaitForFirstConsumer', ...more })

/** Affinity to nodes with this label. */
export function onLabel(key: string, ...values: string[]): Partial<PersistentVolumeSpec> {
  return { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values }] }] } } }
}
