/** The kind Role of rbac.authorization.k8s.io/v1: its names and its rules. */
import { nameColumn } from '../columns.ts'
import { pathSegment } from '../names.ts'
import { defineKind, type Kind } from '../kind.ts'
import { roleStrategy } from './rolerules.ts'
import type { Role } from '../schema/types.ts'

export const roles: Kind<Role> = defineKind<Role>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  singular: 'role',
  namespaced: true,
  strategy: roleStrategy,
  columns: [
    nameColumn,
    { name: 'Created At', type: 'date', value: (o) => o.metadata.creationTimestamp ?? null },
  ],
  createOnUpdate: true,
  validateName: pathSegment,
})
