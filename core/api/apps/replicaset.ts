/** The kind ReplicaSet of apps/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
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
  status: {},
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
})
