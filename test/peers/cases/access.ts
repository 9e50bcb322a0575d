/** Who may not: no, wrong and expired credentials, missing rights, escalation, impersonation. */
import { namespaceCases, type Case, type CaseGroup } from '../case.ts'

const maps = '/api/v1/namespaces/access/configmaps'
const rbac = '/apis/rbac.authorization.k8s.io/v1'

const world: readonly Case[] = [
  ...namespaceCases('access'),
  { name: 'role', method: 'POST', path: `${rbac}/namespaces/access/roles`, compare: 'none', body: { metadata: { name: 'reader' }, rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'], resourceNames: [] }, { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: ['get', 'create', 'update'] }, { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] }] } },
  { name: 'binding', method: 'POST', path: `${rbac}/namespaces/access/rolebindings`, compare: 'none', body: { metadata: { name: 'reader' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' }, subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'readers' }] } },
  { name: 'token', method: 'POST', path: '/api/v1/namespaces/access/serviceaccounts/default/token', body: { spec: {} }, compare: 'none', save: { serviceAccountToken: 'status.token' } },
]

const self = '/apis/authentication.k8s.io/v1/selfsubjectreviews'

export const access: CaseGroup = {
  name: 'access',
  golden: true,
  cases: [
    ...world,
    { name: 'anonymous lists', path: maps, as: 'anonymous' },
    { name: 'anonymous reads a node', path: '/api/v1/nodes/n', as: 'anonymous' },
    { name: 'anonymous reads a path', path: '/metrics', as: 'anonymous' },
    { name: 'anonymous reads discovery', path: '/apis', as: 'anonymous' },
    { name: 'unknown token', path: maps, as: 'badToken' },
    { name: 'unknown token for the version', path: '/version', as: 'badToken' },
    { name: 'signed by somebody else', path: maps, as: 'garbageToken' },
    { name: 'expired certificate', path: maps, as: 'expired' },
    { name: 'certificate of a stranger', path: maps, as: 'foreign' },
    { name: 'no right to list', path: maps, as: 'nobody' },
    { name: 'no right to list everywhere', path: '/api/v1/configmaps', as: 'nobody' },
    { name: 'no right to watch', path: `${maps}?watch=1`, as: 'nobody' },
    { name: 'no right to get', path: `${maps}/x`, as: 'nobody' },
    { name: 'no right to create', path: maps, method: 'POST', body: '{broken', as: 'nobody' },
    { name: 'no right to update', path: `${maps}/x`, method: 'PUT', body: {}, as: 'nobody' },
    { name: 'no right to patch', path: `${maps}/x`, method: 'PATCH', body: {}, type: 'application/merge-patch+json', as: 'nobody' },
    { name: 'no right to delete', path: `${maps}/x`, method: 'DELETE', as: 'nobody' },
    { name: 'no right to delete all', path: maps, method: 'DELETE', as: 'nobody' },
    { name: 'no right to a subresource', path: '/apis/apps/v1/namespaces/access/deployments/x/scale', as: 'nobody' },
    { name: 'no right to a cluster kind', path: '/apis/rbac.authorization.k8s.io/v1/clusterroles/x', as: 'nobody' },
    { name: 'no right to a path', path: '/metrics', as: 'nobody' },
    { name: 'no right to a path that is not there', path: '/nonsense', as: 'nobody' },
    { name: 'no right to an unknown group', path: '/apis/nonsense.io/v1/things', as: 'nobody' },
    { name: 'right to list', path: maps, as: 'reader' },
    { name: 'right to get what is not there', path: `${maps}/missing`, as: 'reader' },
    { name: 'no right outside', path: '/api/v1/namespaces/default/configmaps', as: 'reader' },
    { name: 'service account without rights', path: maps, as: 'serviceAccount' },
    { name: 'who is the service account', path: self, method: 'POST', body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }, as: 'serviceAccount' },
    { name: 'who is the reader', path: self, method: 'POST', body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }, as: 'reader' },
    { name: 'escalation by a role', path: `${rbac}/namespaces/access/roles`, method: 'POST', as: 'reader', body: { metadata: { name: 'more' }, rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }, { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }] } },
    { name: 'escalation by a binding', path: `${rbac}/namespaces/access/rolebindings`, method: 'POST', as: 'reader', body: { metadata: { name: 'more' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:basic-user' }, subjects: [] } },
    { name: 'binding to a role that is not there', path: `${rbac}/namespaces/access/rolebindings`, method: 'POST', as: 'reader', body: { metadata: { name: 'more' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'missing' }, subjects: [] } },
    { name: 'role of one\'s own rights', path: `${rbac}/namespaces/access/roles`, method: 'POST', as: 'reader', body: { metadata: { name: 'less' }, rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }] } },
    { name: 'impersonation without the right', path: maps, as: 'reader', headers: { 'impersonate-user': 'admin' } },
    { name: 'impersonated', path: `${maps}/x`, headers: { 'impersonate-user': 'jane', 'impersonate-group': 'readers' } },
    { name: 'impersonated without rights', path: '/api/v1/nodes', headers: { 'impersonate-user': 'jane' } },
    { name: 'impersonated group without user', path: maps, headers: { 'impersonate-group': 'readers' } },
    { name: 'token for a service account that is not there', method: 'POST', path: '/api/v1/namespaces/access/serviceaccounts/missing/token', body: { spec: {} } },
    { name: 'token that is too short', method: 'POST', path: '/api/v1/namespaces/access/serviceaccounts/default/token', body: { spec: { expirationSeconds: 10 } } },
    { name: 'token bound to a pod that is not there', method: 'POST', path: '/api/v1/namespaces/access/serviceaccounts/default/token', body: { spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'missing' } } } },
    { name: 'may the reader list', method: 'POST', path: '/apis/authorization.k8s.io/v1/subjectaccessreviews', body: { spec: { user: 'x', groups: ['readers'], resourceAttributes: { namespace: 'access', verb: 'list', resource: 'configmaps' } } } },
    { name: 'may the reader delete', method: 'POST', path: '/apis/authorization.k8s.io/v1/subjectaccessreviews', body: { spec: { user: 'x', groups: ['readers'], resourceAttributes: { namespace: 'access', verb: 'delete', resource: 'configmaps' } } } },
    { name: 'review that asks nothing', method: 'POST', path: '/apis/authorization.k8s.io/v1/subjectaccessreviews', body: { spec: { user: 'x' } } },
    { name: 'review that asks for two', method: 'POST', path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', body: { spec: { resourceAttributes: { verb: 'get' }, nonResourceAttributes: { path: '/x', verb: 'get' } } } },
    { name: 'local review of another namespace', method: 'POST', path: '/apis/authorization.k8s.io/v1/namespaces/access/localsubjectaccessreviews', body: { metadata: { namespace: 'access' }, spec: { user: 'x', resourceAttributes: { namespace: 'other', verb: 'get', resource: 'pods' } } } },
    { name: 'review of a token that is none', method: 'POST', path: '/apis/authentication.k8s.io/v1/tokenreviews', body: { spec: { token: 'nonsense' } } },
    { name: 'review of no token', method: 'POST', path: '/apis/authentication.k8s.io/v1/tokenreviews', body: { spec: {} } },
    { name: 'rules of the reader', method: 'POST', path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', body: { spec: { namespace: 'access' } }, as: 'nobody', compare: 'code' },
    { name: 'rules of no namespace', method: 'POST', path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', body: { spec: {} } },
  ],
}
