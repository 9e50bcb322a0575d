/** The kind CSIDriver of storage.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { CSIDriver } from '../schema/types.ts'

export const csiDrivers: Kind<CSIDriver> = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  singular: 'csidriver',
  namespaced: false,
})
