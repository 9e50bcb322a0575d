/** The kind StorageClass of storage.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { StorageClass } from '../schema/types.ts'

export const storageClasses: Kind<StorageClass> = defineKind<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  singular: 'storageclass',
  namespaced: false,
  shortNames: ['sc'],
})
