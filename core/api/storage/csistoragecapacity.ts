/** The kind CSIStorageCapacity of storage.k8s.io/v1: its names and its rules. */
import { nameColumn } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { capacityStrategy } from './classrules.ts'
import type { CSIStorageCapacity } from '../schema/types.ts'

export const csiStorageCapacities: Kind<CSIStorageCapacity> = defineKind<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  singular: 'csistoragecapacity',
  namespaced: true,
  strategy: capacityStrategy,
  columns: [
    nameColumn,
    { name: 'Created At', type: 'date', value: (o) => o.metadata.creationTimestamp ?? null },
  ],
  unconditionalUpdate: false,
})
