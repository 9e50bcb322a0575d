/** The kind ClusterRole of rbac.authorization.k8s.io/v1: its names and its rules. */
import { nameColumn } from '../columns.ts'
import { pathSegment } from '../names.ts'
import { defineKind, type Kind } from '../kind.ts'
import { clusterRoleStrategy } from './rolerules.ts'
import type { ClusterRole } from '../schema/types.ts'

export const clusterRoles: Kind<ClusterRole> = defineKind<ClusterRole>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  singular: 'clusterrole',
  namespaced: false,
  strategy: clusterRoleStrategy,
  columns: [
    nameColumn,
    { name: 'Created At', type: 'date', value: (o) => o.metadata.creationTimestamp ?? null },
  ],
  createOnUpdate: true,
  validateName: pathSegment,
})
