/** The kind CSIDriver of storage.k8s.io/v1: its names and its rules. */
import { ageColumn, flag, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { csiDriverStrategy } from './classrules.ts'
import type { CSIDriver } from '../schema/types.ts'

export const csiDrivers: Kind<CSIDriver> = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  singular: 'csidriver',
  namespaced: false,
  strategy: csiDriverStrategy,
  columns: [
    nameColumn,
    flag('AttachRequired', (o) => o.spec.attachRequired ?? true),
    flag('PodInfoOnMount', (o) => o.spec.podInfoOnMount),
    flag('StorageCapacity', (o) => o.spec.storageCapacity),
    text('TokenRequests', (o) => (o.spec.tokenRequests === undefined ? '<unset>' : o.spec.tokenRequests.map((t) => t.audience).join(','))),
    flag('RequiresRepublish', (o) => o.spec.requiresRepublish),
    text('Modes', (o) => (o.spec.volumeLifecycleModes ?? []).join(',') || '<none>'),
    ageColumn,
  ],
  unconditionalUpdate: false,
})
