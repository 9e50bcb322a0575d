/** The kind RoleBinding of rbac.authorization.k8s.io/v1: its names and its rules. */
import { ageColumn, nameColumn, text, wide } from '../columns.ts'
import { pathSegment } from '../names.ts'
import { defineKind, type Kind } from '../kind.ts'
import { roleBindingStrategy } from './rolerules.ts'
import { subjectNames } from './subjects.ts'
import type { RoleBinding } from '../schema/types.ts'

export const roleBindings: Kind<RoleBinding> = defineKind<RoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  singular: 'rolebinding',
  namespaced: true,
  strategy: roleBindingStrategy,
  columns: [
    nameColumn,
    text('Role', (o) => `${o.roleRef.kind}/${o.roleRef.name}`),
    ageColumn,
    wide('Users', (o) => subjectNames(o, 'User')),
    wide('Groups', (o) => subjectNames(o, 'Group')),
    wide('ServiceAccounts', (o) => subjectNames(o, 'ServiceAccount')),
  ],
  createOnUpdate: true,
  validateName: pathSegment,
})
