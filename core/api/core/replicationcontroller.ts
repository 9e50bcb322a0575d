/** The kind ReplicationController of core/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
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
  status: {},
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
})
