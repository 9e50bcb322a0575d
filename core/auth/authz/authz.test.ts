import { describe, expect, it } from 'vitest'
import { pods } from '../../api/core/pod.ts'
import { resourceSlices } from '../../api/resource/resourceslice.ts'
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { clusterRoleBindings } from '../../api/rbac/clusterrolebinding.ts'
import { clusterRoles } from '../../api/rbac/clusterrole.ts'
import { roleBindings } from '../../api/rbac/rolebinding.ts'
import { roles } from '../../api/rbac/role.ts'
import type { PersistentVolume, PolicyRule } from '../../api/schema/types.ts'
import { bootstrapPolicy, nodeRules, type Policy } from '../policy.ts'
import type { Attributes, Decision, User } from '../user.ts'
import { FakeWorld } from '../world.fake.ts'
import { joinedRules, nodeRulesOf, privileged, rbacRules, refused, unionAuthorizer } from './authorizers.ts'
import { nodeGraph } from './graph.ts'
import { nodeAuthorizer } from './node.ts'
import { rbac } from './rbac.ts'
import { aggregate, compact, ruleText, uncovered } from './rules.ts'

const policy = bootstrapPolicy()

function withPolicy(p: Policy = policy): FakeWorld {
  return new FakeWorld().put(clusterRoles, ...p.clusterRoles).put(clusterRoleBindings, ...p.clusterRoleBindings).put(roles, ...p.roles).put(roleBindings, ...p.roleBindings)
}

const user = (name: string, ...groups: string[]): User => ({ name, groups: [...groups, 'system:authenticated'] })
const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
/** The service account that upstream's role of that name is bound to. */
const controller = (name: string): User => user(`system:serviceaccount:kube-system:${name}`, 'system:serviceaccounts', 'system:serviceaccounts:kube-system')

/** `verb group/resource[/sub] namespace/name`, or `verb /path`; namespace - for none. */
function ask(who: User, text: string): Attributes {
  const [verb = '', what = '', where = '-/'] = text.split(' ')
  if (what.startsWith('/')) return { type: 'path', user: who, verb, path: what }
  const [group = '', resource = '', subresource = ''] = what.split('/')
  const [namespace = '', name = ''] = where.split('/')
  const [fieldSelector, labelSelector] = text.split(' ').slice(3)
  return {
    type: 'resource', user: who, verb, group: group === 'core' ? '' : group, version: 'v1', resource, subresource,
    namespace: namespace === '-' ? '' : namespace, name, ...(fieldSelector === undefined ? {} : { fieldSelector }), ...(labelSelector === undefined ? {} : { labelSelector }),
  }
}

describe('rbac() with the bootstrap policy', () => {
  const authorizer = unionAuthorizer([privileged, rbac(withPolicy().put(roleBindings, {
    metadata: { namespace: 'a', name: 'jane-admin' }, roleRef: { kind: 'ClusterRole', name: 'admin' }, subjects: [{ kind: 'User', name: 'jane' }],
  }))])
  const cases: [User, string, boolean][] = [
    [user('root', 'system:masters'), 'delete core/nodes -/a', true],
    [user('jane'), 'create apps/deployments/scale a/x', true],
    [user('jane'), 'create rbac.authorization.k8s.io/rolebindings a/', true],
    [user('jane'), 'list core/pods b/', false],
    [user('jane'), 'list core/pods', false],
    [user('jane'), 'update core/resourcequotas a/q', false],
    [anonymous, 'get /healthz', true],
    [anonymous, 'get /version', true],
    [anonymous, 'get /apis', false],
    [user('x'), 'get /apis/apps/v1', true],
    [user('x'), 'create authorization.k8s.io/selfsubjectaccessreviews', true],
    [user('system:kube-scheduler'), 'create core/pods/binding a/p', true],
    [user('system:kube-scheduler'), 'delete core/nodes -/n', false],
    [user('system:kube-controller-manager'), 'approve certificates.k8s.io/signers -/x', false],
    [user('system:node:a', 'system:nodes'), 'create certificates.k8s.io/certificatesigningrequests/selfnodeclient -/', true],
      [controller('deployment-controller'), 'create apps/replicasets a/', true],
    [controller('deployment-controller'), 'delete core/nodes -/n', false],
    [user('system:kubun:dns'), 'watch discovery.k8s.io/endpointslices', true],
  ]
  it.each(cases.map(([who, text, want]) => [who.name, text, want, who] as const))('%s: %s is %s', (_, text, want, who) => {
    const decision = authorizer.authorize(ask(who, text)) as Decision
    expect(decision.answer === 'allow').toBe(want)
    expect(authorizer.authorize(ask(who, text))).toEqual(decision)
  })
})

describe('rbac()', () => {
  const read: PolicyRule = { apiGroups: [''], resources: ['pods'], verbs: ['get'] }
  it('follows changes at once, and says by what it allows or why it could not look', () => {
    const world = new FakeWorld()
    const authorizer = rbac(world)
    const asked = ask(user('system:serviceaccount:ns:bot'), 'get core/pods ns/p')
    expect(authorizer.authorize(asked)).toEqual({ answer: 'no opinion', reason: '' })
    world.put(roleBindings, { metadata: { namespace: 'ns', name: 'b' }, roleRef: { kind: 'Role', name: 'r' }, subjects: [{ kind: 'ServiceAccount', name: 'bot' }] })
    expect(authorizer.authorize(asked).reason).toBe('RBAC: role.rbac.authorization.k8s.io "r" not found')
    world.put(roles, { metadata: { namespace: 'ns', name: 'r' }, rules: [{ ...read, resourceNames: ['p'] }] })
    expect(authorizer.authorize(asked)).toEqual({ answer: 'allow', reason: 'RBAC: allowed by RoleBinding "b/ns" of Role "r" to ServiceAccount "bot/ns"' })
    expect(authorizer.authorize(ask(asked.user, 'get core/pods ns/q')).answer).toBe('no opinion')
    world.put(clusterRoleBindings, { metadata: { name: 'all' }, roleRef: { kind: 'ClusterRole', name: 'c' }, subjects: [{ kind: 'Group', name: 'system:authenticated' }] })
    world.put(clusterRoles, { metadata: { name: 'c' }, rules: [read] })
    expect(authorizer.authorize(ask(asked.user, 'get core/pods ns/q')).reason).toBe('RBAC: allowed by ClusterRoleBinding "all" of ClusterRole "c" to Group "system:authenticated"')
    world.remove(clusterRoleBindings, { namespace: '', name: 'all' }).remove(roleBindings, { namespace: 'ns', name: 'b' })
    expect(authorizer.authorize(asked).answer).toBe('no opinion')
  })

  it('remembers what is asked often, and not what strangers write at length', () => {
    const world = new FakeWorld().put(roleBindings, { metadata: { namespace: 'ns', name: 'b' }, roleRef: { kind: 'ClusterRole', name: 'c' }, subjects: [{ kind: 'User', name: 'u' }] }).put(clusterRoles, { metadata: { name: 'c' }, rules: [read] })
    const authorizer = rbac(world)
    const twice = (text: string): boolean => authorizer.authorize(ask(user('u'), text)) === authorizer.authorize(ask(user('u'), text))
    expect([twice('get /healthz'), twice('get core/pods ns/p'), twice(`get /${'x'.repeat(1_000)}`), twice(`get core/pods ${'x'.repeat(1_000)}/p`)]).toEqual([true, true, false, false])
    expect(authorizer.authorize(ask(user('u'), 'get core/pods ns/p')).answer).toBe('allow')
    expect(authorizer.authorize(ask(user('u'), 'get core/pods nowhere/p')).answer).toBe('no opinion')
    world.remove(roleBindings, { namespace: 'ns', name: 'b' })
    expect(authorizer.authorize(ask(user('u'), 'get core/pods ns/p')).answer).toBe('no opinion')
  })

  it('escalation() names what the user lacks, as upstream does', () => {
    const world = new FakeWorld().put(clusterRoles, { metadata: { name: 'c' }, rules: [read] })
      .put(clusterRoleBindings, { metadata: { name: 'b' }, roleRef: { kind: 'ClusterRole', name: 'c' }, subjects: [{ kind: 'User', name: 'u' }] })
    const authorizer = rbac(world)
    const wanted = [{ apiGroups: [''], resources: ['pods', 'secrets'], verbs: ['get', 'list'] }, { nonResourceURLs: ['/x'], verbs: ['get'] }]
    expect(authorizer.escalation(user('u'), 'ns', [read])).toBeUndefined()
    expect(authorizer.escalation(user('u'), 'ns', wanted)).toBe(
      'user "u" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
      '{APIGroups:[""], Resources:["pods"], Verbs:["list"]}\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}\n{NonResourceURLs:["/x"], Verbs:["get"]}')
  })

  it('joinedRules() lists rules, and says when a node makes the list incomplete', () => {
    const status = joinedRules([nodeRulesOf, rbacRules(rbac(withPolicy()))])({ name: 'system:node:n', groups: ['system:nodes', 'system:authenticated'] }, 'a')
    expect(status).toMatchObject({ incomplete: true, evaluationError: 'node authorizer does not support user rule resolution' })
    expect(status.resourceRules).toContainEqual({ verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'] })
  })
})

describe('uncovered()', () => {
  const rule = (text: string): PolicyRule => {
    const [verbs = '', resources = '', names] = text.split(' ')
    return { apiGroups: [''], resources: resources.split(','), verbs: verbs.split(','), ...(names === undefined ? {} : { resourceNames: names.split(',') }) }
  }
  it.each([
    ['* *', 'get pods', []],
    ['get pods', 'get,list pods', ['{APIGroups:[""], Resources:["pods"], Verbs:["list"]}']],
    ['get pods a', 'get pods', ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}']],
    ['get pods', 'get pods a', []],
    ['get */status', 'get pods/status', []],
    ['get pods', 'get pods/status', ['{APIGroups:[""], Resources:["pods/status"], Verbs:["get"]}']],
  ])('%s held, %s wanted', (held, wanted, want) => {
    expect(compact(uncovered([rule(held)], [rule(wanted)])).map(ruleText)).toEqual(want)
  })
})

it('aggregate() gathers the rules of the roles that its selectors pick', () => {
  const one = { apiGroups: ['x'], resources: ['as'], verbs: ['get'] }
  const all = [{ metadata: { name: 'b', labels: { agg: 'true' } }, rules: [one] }, { metadata: { name: 'c', labels: { agg: 'true' } }, rules: [one] }, { metadata: { name: 'd' }, rules: [read2] }]
  expect(aggregate({ metadata: { name: 'a' }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { agg: 'true' } }] } }, all)).toEqual([one])
})
const read2 = { apiGroups: [''], resources: ['pods'], verbs: ['get'] }

/** One that Kubun has made on this node. */
function localVolume(name: string, node: string): PersistentVolume {
  return { metadata: { name, labels: { 'kubun.io/node': node }, annotations: { 'pv.kubernetes.io/provisioned-by': 'kubun.io/local-path' } }, spec: { local: { path: '/x' } } }
}

describe('nodeAuthorizer()', () => {
  const world = new FakeWorld()
    .put(pods, {
      metadata: { namespace: 'ns', name: 'p' },
      spec: {
        nodeName: 'n1', serviceAccountName: 'sa',
        containers: [{ name: 'c', image: 'i', env: [{ name: 'e', valueFrom: { secretKeyRef: { name: 'env', key: 'k' } } }], envFrom: [{ configMapRef: { name: 'cm' } }] }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'pvc' } }, { name: 's', secret: { secretName: 'vol' } }],
      },
      status: { extendedResourceClaimStatus: { resourceClaimName: 'extended', requestMappings: [] } },
    }, { metadata: { namespace: 'ns', name: 'mirror', annotations: { 'kubernetes.io/config.mirror': 'x' } }, spec: { nodeName: 'n1', containers: [], volumes: [{ name: 's', secret: { secretName: 'stolen' } }] } })
    .put(resourceSlices, { metadata: { name: 'mine' }, spec: { driver: 'd', nodeName: 'n1', pool: { name: 'p', generation: 1, resourceSliceCount: 1 } } }, { metadata: { name: 'other' }, spec: { driver: 'd', nodeName: 'n2', pool: { name: 'p', generation: 1, resourceSliceCount: 1 } } })
    .put(persistentVolumes, { metadata: { name: 'pv' }, spec: { claimRef: { namespace: 'ns', name: 'pvc' }, csi: { driver: 'd', volumeHandle: 'h', nodeStageSecretRef: { namespace: 'infra', name: 'stage' } } } }, localVolume('local', 'n1'), localVolume('far', 'n2'))
  const authorizer = nodeAuthorizer(nodeGraph(world), nodeRules(policy))
  const node = (name: string): User => ({ name: `system:node:${name}`, groups: ['system:nodes', 'system:authenticated'] })
  it.each([
    ['get core/secrets ns/env', 'allow'],
    ['watch core/secrets ns/vol', 'allow'],
    ['get core/configmaps ns/cm', 'allow'],
    ['get core/persistentvolumeclaims ns/pvc', 'allow'],
    ['get core/persistentvolumes -/pv', 'allow'],
    ['get core/secrets infra/stage', 'allow'],
    ['patch core/persistentvolumes -/local', 'allow'],
    ['get core/persistentvolumes -/local', 'allow'],
    ['get core/persistentvolumes -/far', `no relationship found between node 'n1' and this object`],
    ['list core/persistentvolumes -/ - kubun.io/node=n1', 'allow'],
    ['watch core/persistentvolumes -/ - kubun.io/node=n1', 'allow'],
    ['patch core/persistentvolumes -/far', `no relationship found between node 'n1' and this object`],
    ['patch core/persistentvolumes -/pv', `no relationship found between node 'n1' and this object`],
    ['patch core/persistentvolumes/status -/local', 'can only get individual resources of this type'],
    ['update core/persistentvolumes -/local', 'can only get individual resources of this type'],
    ['delete core/persistentvolumes -/local', 'can only get individual resources of this type'],
    ['list core/persistentvolumes', 'can only get individual resources of this type'],
    ['list core/persistentvolumes -/ - kubun.io/node=n2', 'can only get individual resources of this type'],
    ['list core/persistentvolumes -/ - kubun.io/node!=n1', 'can only get individual resources of this type'],
    ['create core/serviceaccounts/token ns/sa', 'allow'],
    ['list core/pods -/ spec.nodeName=n1', 'allow'],
    ['get core/nodes -/n1', 'allow'],
    ['patch core/nodes/status -/n2', 'allow'],
    ['update coordination.k8s.io/leases kube-node-lease/n1', 'allow'],
    ['list core/services', 'allow'],
    ['delete resource.k8s.io/resourceslices -/mine', 'allow'],
    ['list resource.k8s.io/resourceslices -/ spec.nodeName=n1', 'allow'],
    ['get resource.k8s.io/resourceclaims ns/extended', 'allow'],
    ['get resource.k8s.io/resourceslices -/other', `no relationship found between node 'n1' and this object`],
    ['create certificates.k8s.io/podcertificaterequests ns/x', ''],
    ['get core/secrets ns/stolen', `no relationship found between node 'n1' and this object`],
    ['list core/secrets ns/', 'No Object name found'],
    ['update core/secrets ns/env', 'can only read resources of this type'],
    ['list core/pods -/ spec.nodeName==n1', 'allow'],
    ['list core/pods -/ spec.nodeName!=n1', 'can only list/watch pods with spec.nodeName field selector'],
    [`list core/pods -/ ${'\t'.repeat(30_000)}`, 'can only list/watch pods with spec.nodeName field selector'],
    ['list core/pods -/ spec.nodeName=n2', 'can only list/watch pods with spec.nodeName field selector'],
    ['list core/nodes', `node 'n1' cannot read all nodes, only its own Node object`],
    ['get core/nodes -/n2', `node 'n1' cannot read 'n2', only its own Node object`],
    ['update coordination.k8s.io/leases kube-node-lease/n2', 'can only access node lease with the same name as the requesting node'],
    ['update coordination.k8s.io/leases ns/n1', 'can only access leases in the "kube-node-lease" system namespace'],
    ['delete core/namespaces -/ns', ''],
  ])('%s: %s', (text, want) => {
    const decision = authorizer.authorize(ask(node('n1'), text)) as Decision
    expect(decision.answer === 'allow' ? 'allow' : decision.reason).toBe(want)
  })
  it('takes rights away with the last pod that gave them', () => {
    expect((authorizer.authorize(ask(node('n2'), 'get core/secrets ns/env')) as Decision).answer).toBe('no opinion')
    world.remove(pods, { namespace: 'ns', name: 'p' })
    for (const secret of ['ns/env', 'infra/stage']) expect((authorizer.authorize(ask(node('n1'), `get core/secrets ${secret}`)) as Decision).answer).toBe('no opinion')
  })
})

it('refused() says it as upstream does', () => {
  expect(refused(ask(user('u'), 'list core/pods ns/'), '').message).toBe('pods is forbidden: User "u" cannot list resource "pods" in API group "" in the namespace "ns"')
  expect(refused(ask(user('u'), 'get apps/deployments/scale -/x'), 'why').message)
    .toBe('deployments.apps "x" is forbidden: User "u" cannot get resource "deployments/scale" in API group "apps" at the cluster scope: why')
  expect(refused(ask(anonymous, 'get /metrics'), '').message).toBe('forbidden: User "system:anonymous" cannot get path "/metrics"')
})
