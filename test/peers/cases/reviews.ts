/** Who may what, and who is who: reviews with selectors, of nodes and of tokens; impersonation in every mode; bound tokens. */
import { namespaceCases, type Case, type CaseGroup } from '../case.ts'

const rbac = '/apis/rbac.authorization.k8s.io/v1'
const sar = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
const selfSar = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
const localSar = '/apis/authorization.k8s.io/v1/namespaces/reviews/localsubjectaccessreviews'
const rules = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews'
const tokenReviews = '/apis/authentication.k8s.io/v1/tokenreviews'
const self = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
const token = '/api/v1/namespaces/reviews/serviceaccounts/default/token'
const whoAmI = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
const issuer = 'https://kubernetes.default.svc.cluster.local'
const node = { user: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }

function asks(name: string, path: string, spec: object): Case {
  return { name, path, method: 'POST', body: { spec } }
}

function may(name: string, resourceAttributes: object, who: object = { user: 'x', groups: ['readers'] }): Case {
  return asks(name, sar, { ...who, resourceAttributes })
}

const pods = { resource: 'pods', verb: 'list', version: 'v1' }
const fields = (fieldSelector: object): object => ({ ...pods, fieldSelector })
const labels = (labelSelector: object): object => ({ ...pods, labelSelector })

const world: readonly Case[] = [
  ...namespaceCases('reviews'),
  { name: 'impersonators', method: 'POST', path: `${rbac}/clusterroles`, compare: 'none', body: { metadata: { name: 'reviews-impersonator' }, rules: [
    { apiGroups: ['authentication.k8s.io'], resources: ['users'], verbs: ['impersonate:user-info'], resourceNames: ['jane'] },
    { apiGroups: ['authentication.k8s.io'], resources: ['groups'], verbs: ['impersonate:user-info'], resourceNames: ['readers', 'system:masters'] },
    { apiGroups: ['authentication.k8s.io'], resources: ['userextras/example.com/team'], verbs: ['impersonate:user-info'] },
    { apiGroups: ['authentication.k8s.io'], resources: ['nodes'], verbs: ['impersonate:arbitrary-node'], resourceNames: ['n1'] },
    { apiGroups: ['authentication.k8s.io'], resources: ['serviceaccounts'], verbs: ['impersonate:serviceaccount'], resourceNames: ['default'] },
    { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['impersonate-on:user-info:create', 'impersonate-on:arbitrary-node:create', 'impersonate-on:serviceaccount:create'] },
  ] } },
  { name: 'impersonators are bound', method: 'POST', path: `${rbac}/clusterrolebindings`, compare: 'none', body: { metadata: { name: 'reviews-impersonator' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reviews-impersonator' }, subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'readers' }] } },
  { name: 'node', method: 'POST', path: '/api/v1/nodes', compare: 'none', body: { metadata: { name: 'n1' } } },
  { name: 'secret', method: 'POST', path: '/api/v1/namespaces/reviews/secrets', compare: 'none', body: { metadata: { name: 's' } }, save: { secretUid: 'metadata.uid' } },
  { name: 'pod', method: 'POST', path: '/api/v1/namespaces/reviews/pods', compare: 'none', body: { metadata: { name: 'p' }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i', envFrom: [{ secretRef: { name: 's' } }] }] } } },
]

const questions: readonly Case[] = [
  may('raw field selector', fields({ rawSelector: 'spec.nodeName=n1' }), node),
  may('raw field selector of another node', fields({ rawSelector: 'spec.nodeName=n2' }), node),
  may('field requirement', fields({ requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['n1'] }] }), node),
  may('field requirement that excludes', fields({ requirements: [{ key: 'spec.nodeName', operator: 'NotIn', values: ['n1'] }] }), node),
  may('field requirement of two values', fields({ requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['n1', 'n2'] }] }), node),
  may('one field requirement of two is understood', fields({ requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['n1'] }, { key: 'x', operator: 'Exists' }] }), node),
  may('field operator that is not known', fields({ requirements: [{ key: 'x', operator: 'Odd', values: ['n1'] }] })),
  may('raw field selector that is none', fields({ rawSelector: 'spec.nodeName' }), node),
  may('field selector both ways', fields({ rawSelector: 'a=b', requirements: [{ key: 'a', operator: 'In', values: ['b'] }] })),
  may('empty field selector', fields({})),
  may('field requirements that are wrong', fields({ requirements: [{ key: '', operator: 'In' }, { key: 'a', operator: 'Exists', values: ['b'] }] })),
  may('raw label selector', labels({ rawSelector: 'a in (b)' })),
  may('raw label selector that is none', labels({ rawSelector: 'a in b' })),
  may('label requirements', labels({ requirements: [{ key: 'a', operator: 'Exists' }] })),
  may('label requirements that are wrong', labels({ requirements: [{ key: '-a', operator: 'In', values: [] }, { key: 'a', operator: 'In', values: ['-'] }, { key: 'a', operator: 'DoesNotExist', values: ['x'] }] })),
  may('label operator that is not known', labels({ requirements: [{ key: 'a', operator: 'Odd' }] })),
  may('empty label selector', labels({})),
  asks('of nobody', sar, { resourceAttributes: pods }),
  asks('of oneself with a selector that is wrong', selfSar, { resourceAttributes: fields({}) }),
  asks('of a path', sar, { user: 'x', nonResourceAttributes: { path: '/healthz', verb: 'get' } }),
  asks('of a path for strangers', sar, { user: 'system:anonymous', groups: ['system:unauthenticated'], nonResourceAttributes: { path: '/version', verb: 'get' } }),
  { name: 'with a name', path: sar, method: 'POST', body: { metadata: { name: 'n' }, spec: { user: 'x', resourceAttributes: pods } } },
  { name: 'of oneself with a name', path: selfSar, method: 'POST', body: { metadata: { labels: { a: 'b' } }, spec: { resourceAttributes: pods } } },
  { name: 'local with a name', path: localSar, method: 'POST', body: { metadata: { name: 'n', namespace: 'reviews' }, spec: { user: 'x', resourceAttributes: { ...pods, namespace: 'reviews' } } } },
  asks('local of a path', localSar, { user: 'x', nonResourceAttributes: { path: '/x', verb: 'get' } }),
  asks('local', localSar, { user: 'x', groups: ['system:masters'], resourceAttributes: { ...pods, namespace: 'reviews' } }),
  may('node reads a secret of its pod', { namespace: 'reviews', resource: 'secrets', name: 's', verb: 'get' }, node),
  may('node reads a secret of nobody', { namespace: 'reviews', resource: 'secrets', name: 'other', verb: 'get' }, node),
  may('node that is odd', { resource: 'nodes', verb: 'get' }, { user: 'system:node:', groups: ['system:nodes'] }),
  may('node lists slices of its own', { group: 'resource.k8s.io', resource: 'resourceslices', verb: 'list', fieldSelector: { rawSelector: 'spec.nodeName=n1' } }, node),
  may('node lists all slices', { group: 'resource.k8s.io', resource: 'resourceslices', verb: 'list' }, node),
  may('node approves certificates of pods', { group: 'certificates.k8s.io', resource: 'podcertificaterequests', verb: 'create', namespace: 'reviews' }, node),
  may('node reads volume attachments', { group: 'storage.k8s.io', resource: 'volumeattachments', name: 'a', verb: 'get' }, node),
  may('node reads its CSINode', { group: 'storage.k8s.io', resource: 'csinodes', name: 'n1', verb: 'get' }, node),
  { name: 'rules of a node', path: rules, method: 'POST', body: { spec: { namespace: 'reviews' } }, headers: { 'impersonate-user': 'system:node:n1', 'impersonate-group': 'system:nodes' }, compare: 'code' },
  { name: 'rules of a master', path: rules, method: 'POST', body: { spec: { namespace: 'reviews' } }, compare: 'code' },
  { name: 'rules of a reader', path: rules, method: 'POST', body: { spec: { namespace: 'reviews' } }, as: 'reader', compare: 'code' },
]

function impersonates(name: string, headers: Readonly<Record<string, string>>, more: Partial<Case> = {}): Case {
  return { name, path: self, method: 'POST', body: whoAmI, as: 'reader', headers, ...more }
}

const impersonation: readonly Case[] = [
  impersonates('as a user', { 'impersonate-user': 'jane' }),
  impersonates('as a user with a group', { 'impersonate-user': 'jane', 'impersonate-group': 'readers' }),
  impersonates('as a user with a foreign group', { 'impersonate-user': 'jane', 'impersonate-group': 'writers' }),
  impersonates('as a user with the group of masters', { 'impersonate-user': 'jane', 'impersonate-group': 'system:masters' }),
  impersonates('as a user with a uid', { 'impersonate-user': 'jane', 'impersonate-uid': '1' }),
  impersonates('as a user with more', { 'impersonate-user': 'jane', 'impersonate-extra-example.com%2fteam': 'a' }),
  impersonates('as a user with more that is no domain', { 'impersonate-user': 'jane', 'impersonate-extra-team': 'a' }),
  impersonates('as another user', { 'impersonate-user': 'joe' }),
  impersonates('as a node', { 'impersonate-user': 'system:node:n1' }),
  impersonates('as another node', { 'impersonate-user': 'system:node:n2' }),
  impersonates('as a node with groups', { 'impersonate-user': 'system:node:n1', 'impersonate-group': 'system:nodes' }),
  impersonates('as a service account', { 'impersonate-user': 'system:serviceaccount:reviews:default' }),
  impersonates('as another service account', { 'impersonate-user': 'system:serviceaccount:reviews:other' }),
  impersonates('as a user on something else', { 'impersonate-user': 'jane' }, { path: '/api/v1/nodes', method: 'GET', body: undefined }),
  impersonates('as anonymous by a master', { 'impersonate-user': 'system:anonymous' }, { as: 'admin' }),
  impersonates('as a service account by a master', { 'impersonate-user': 'system:serviceaccount:reviews:default' }, { as: 'admin' }),
  impersonates('as a user with all there is by a master', { 'impersonate-user': 'jane', 'impersonate-group': 'g', 'impersonate-uid': '1', 'impersonate-extra-team': 'a' }, { as: 'admin' }),
  impersonates('uid without user', { 'impersonate-uid': '1' }),
  impersonates('more without user', { 'impersonate-extra-team': 'a' }),
]

function bound(name: string, ref: object, more: object = {}): Case {
  return { name, path: token, method: 'POST', body: { spec: { boundObjectRef: ref, ...more } } }
}

const tokens: readonly Case[] = [
  { name: 'token', path: token, method: 'POST', body: { spec: {} }, compare: 'none', save: { plainToken: 'status.token' } },
  { name: 'token for others', path: token, method: 'POST', body: { spec: { audiences: ['others'] } }, compare: 'none', save: { othersToken: 'status.token' } },
  bound('bound to a secret', { apiVersion: 'v1', kind: 'Secret', name: 's' }),
  bound('bound to a secret of another uid', { apiVersion: 'v1', kind: 'Secret', name: 's', uid: 'x' }),
  bound('bound to a secret that is not there', { apiVersion: 'v1', kind: 'Secret', name: 'missing' }),
  bound('bound to a node', { apiVersion: 'v1', kind: 'Node', name: 'n1' }),
  bound('bound to a pod', { apiVersion: 'v1', kind: 'Pod', name: 'p' }),
  bound('bound to a service', { apiVersion: 'v1', kind: 'Service', name: 'p' }),
  bound('bound to something of a group', { apiVersion: 'apps/v1', kind: 'Deployment', name: 'p' }),
  bound('bound for too long', { apiVersion: 'v1', kind: 'Pod', name: 'p' }, { expirationSeconds: 4_294_967_297 }),
  { name: 'of another name', path: token, method: 'POST', body: { metadata: { name: 'other' }, spec: {} } },
  asks('review', tokenReviews, { token: '{{plainToken}}' }),
  asks('review for the server', tokenReviews, { token: '{{plainToken}}', audiences: [issuer] }),
  asks('review for others', tokenReviews, { token: '{{plainToken}}', audiences: ['others'] }),
  asks('review for others of theirs', tokenReviews, { token: '{{othersToken}}', audiences: ['others', 'more'] }),
  asks('review of theirs', tokenReviews, { token: '{{othersToken}}' }),
  asks('review of a bootstrap token', tokenReviews, { token: 'abcdef.0123456789abcdef' }),
  asks('review of somebody else\'s', tokenReviews, { token: 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL290aGVyIn0.c2ln' }),
  asks('review of ours with a wrong signature', tokenReviews, { token: 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2t1YmVybmV0ZXMuZGVmYXVsdC5zdmMuY2x1c3Rlci5sb2NhbCJ9.c2ln' }),
]

export const reviews: CaseGroup = {
  name: 'reviews',
  golden: true,
  cases: [...world, ...questions, ...impersonation, ...tokens],
}
