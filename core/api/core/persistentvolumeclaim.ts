/** The kind PersistentVolumeClaim of core/v1: its names and its rules. */
import { ageColumn, formatAccessModes, nameColumn, text, wide } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { claimStatus, claimStrategy } from './claimrules.ts'
import { isBeingDeleted } from '../meta.ts'
import type { PersistentVolumeClaim } from '../schema/types.ts'

export const persistentVolumeClaims: Kind<PersistentVolumeClaim> = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  namespaced: true,
  shortNames: ['pvc'],
  status: claimStatus,
  strategy: claimStrategy,
  columns: [
    nameColumn,
    text('Status', (o) => (isBeingDeleted(o) ? 'Terminating' : (o.status?.phase ?? ''))),
    text('Volume', (o) => o.spec?.volumeName ?? ''),
    text('Capacity', (o) => (o.spec?.volumeName ? (o.status?.capacity?.['storage'] ?? '0') : '')),
    text('Access Modes', (o) => (o.spec?.volumeName ? formatAccessModes(o.status?.accessModes) : '')),
    text('StorageClass', (o) => o.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? o.spec?.storageClassName ?? ''),
    text('VolumeAttributesClass', (o) => o.spec?.volumeAttributesClassName ?? '<unset>'),
    ageColumn,
    wide('VolumeMode', (o) => o.spec?.volumeMode ?? '<unset>'),
  ],
})
