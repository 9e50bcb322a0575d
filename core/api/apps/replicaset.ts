/** The kind ReplicaSet of apps/v1: its names and its rules. */
import { ageColumn, integer, nameColumn, selectorColumn, templateColumns } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { replicaSetStatus, replicaSetStrategy } from './replicasetrules.ts'
import type { ReplicaSet } from '../schema/types.ts'

export const replicaSets: Kind<ReplicaSet> = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  singular: 'replicaset',
  namespaced: true,
  shortNames: ['rs'],
  categories: ['all'],
  status: replicaSetStatus,
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  strategy: replicaSetStrategy,
  columns: [
    nameColumn,
    integer('Desired', (o) => o.spec?.replicas),
    integer('Current', (o) => o.status?.replicas),
    integer('Ready', (o) => o.status?.readyReplicas),
    ageColumn,
    ...templateColumns((o: Readonly<ReplicaSet>) => o.spec?.template?.spec?.containers),
    selectorColumn((o) => o.spec?.selector),
  ],
  generation: 'spec',
  selectableFields: {
    'status.replicas': (o) => String(o.status?.replicas ?? 0),
  },
})
