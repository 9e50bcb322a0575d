/** The kind ClusterRoleBinding of rbac.authorization.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { ClusterRoleBinding } from '../schema/types.ts'

export const clusterRoleBindings: Kind<ClusterRoleBinding> = defineKind<ClusterRoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  namespaced: false,
})
