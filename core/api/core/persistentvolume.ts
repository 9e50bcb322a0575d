/** The kind PersistentVolume of core/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { PersistentVolume } from '../schema/types.ts'

export const persistentVolumes: Kind<PersistentVolume> = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  singular: 'persistentvolume',
  namespaced: false,
  shortNames: ['pv'],
  status: {},
})
