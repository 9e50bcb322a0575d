/** The kind PersistentVolume of core/v1: its names and its rules. */
import { ageColumn, formatAccessModes, nameColumn, text, wide } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { volumeStatus, volumeStrategy } from './volumerules.ts'
import { isBeingDeleted } from '../meta.ts'
import type { PersistentVolume } from '../schema/types.ts'

export const persistentVolumes: Kind<PersistentVolume> = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  singular: 'persistentvolume',
  namespaced: false,
  shortNames: ['pv'],
  status: volumeStatus,
  strategy: volumeStrategy,
  columns: [
    nameColumn,
    text('Capacity', (o) => o.spec?.capacity?.['storage'] ?? '0'),
    text('Access Modes', (o) => formatAccessModes(o.spec?.accessModes)),
    text('Reclaim Policy', (o) => o.spec?.persistentVolumeReclaimPolicy ?? ''),
    text('Status', (o) => (isBeingDeleted(o) ? 'Terminating' : (o.status?.phase ?? ''))),
    text('Claim', (o) => (o.spec?.claimRef === undefined ? '' : `${o.spec.claimRef.namespace}/${o.spec.claimRef.name}`)),
    text('StorageClass', (o) => o.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? o.spec?.storageClassName ?? ''),
    text('VolumeAttributesClass', (o) => o.spec?.volumeAttributesClassName ?? '<unset>'),
    text('Reason', (o) => o.status?.reason ?? ''),
    ageColumn,
    wide('VolumeMode', (o) => o.spec?.volumeMode ?? '<unset>'),
  ],
})
