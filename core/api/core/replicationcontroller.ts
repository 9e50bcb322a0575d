/** The kind ReplicationController of core/v1: its names and its rules. */
import { ageColumn, formatLabels, integer, nameColumn, templateColumns, wide } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { replicationControllerStatus, replicationControllerStrategy } from '../apps/replicasetrules.ts'
import type { ReplicationController } from '../schema/types.ts'

export const replicationControllers: Kind<ReplicationController> = defineKind<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  singular: 'replicationcontroller',
  namespaced: true,
  shortNames: ['rc'],
  categories: ['all'],
  status: replicationControllerStatus,
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  strategy: replicationControllerStrategy,
  columns: [
    nameColumn,
    integer('Desired', (o) => o.spec?.replicas),
    integer('Current', (o) => o.status?.replicas),
    integer('Ready', (o) => o.status?.readyReplicas),
    ageColumn,
    ...templateColumns((o: Readonly<ReplicationController>) => o.spec?.template?.spec?.containers),
    wide('Selector', (o) => formatLabels(o.spec?.selector)),
  ],
  generation: 'spec',
  orphansByDefault: true,
  selectableFields: {
    'status.replicas': (o) => String(o.status?.replicas ?? 0),
  },
})
