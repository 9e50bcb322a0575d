/** The kind PersistentVolumeClaim of core/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { PersistentVolumeClaim } from '../schema/types.ts'

export const persistentVolumeClaims: Kind<PersistentVolumeClaim> = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  namespaced: true,
  shortNames: ['pvc'],
  status: {},
})
