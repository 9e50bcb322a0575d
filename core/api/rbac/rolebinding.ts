/** The kind RoleBinding of rbac.authorization.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { RoleBinding } from '../schema/types.ts'

export const roleBindings: Kind<RoleBinding> = defineKind<RoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  singular: 'rolebinding',
  namespaced: true,
})
