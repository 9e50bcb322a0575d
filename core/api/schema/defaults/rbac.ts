/** Defaults of the group rbac.authorization.k8s.io. After k8s.io/kubernetes/pkg/apis/rbac/v1/defaults.go. */
import type * as k from '../types.ts'
import type { Rules } from '../defaults.ts'

const group = 'rbac.authorization.k8s.io'

export const rbacDefaults = {
  RoleRef(ref: k.RoleRef) {
    if ((ref.apiGroup ?? '') === '') ref.apiGroup = group
  },
  Subject(subject: k.Subject) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ??= group
  },
} satisfies Rules
