import { describe, expect, it } from 'vitest'
import { virtualClock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import { silentLog } from '../lib/log.ts'
import { seededRandom } from '../lib/random.ts'
import type { ApiError } from '../api/errors.ts'
import type { Kind } from '../api/kind.ts'
import type { AnyObject, KubeObject } from '../api/meta.ts'
import { kinds } from '../api/kinds.ts'
import { limitRanges } from '../api/core/limitrange.ts'
import { namespaces } from '../api/core/namespace.ts'
import { nodes } from '../api/core/node.ts'
import { pods } from '../api/core/pod.ts'
import { serviceAccounts } from '../api/core/serviceaccount.ts'
import { clusterRoleBindings } from '../api/rbac/clusterrolebinding.ts'
import { clusterRoles } from '../api/rbac/clusterrole.ts'
import { ingressClasses } from '../api/networking/ingressclass.ts'
import { priorityClasses } from '../api/scheduling/priorityclass.ts'
import { runtimeClasses } from '../api/node/runtimeclass.ts'
import { storageClasses } from '../api/storage/storageclass.ts'
import { createRequest } from '../pki/request.ts'
import type { Client } from '../client/client.ts'
import type { Remote } from '../client/remote.ts'
import { resourceQuotas } from '../api/core/resourcequota.ts'
import { privileged, unionAuthorizer } from '../auth/authz/authorizers.ts'
import { rbac } from '../auth/authz/rbac.ts'
import type { Pod } from '../api/schema/types.ts'
import type { User } from '../auth/user.ts'
import { FakeWorld } from '../auth/world.fake.ts'
import { admissionChain, runMutate, runValidate } from './chain.ts'
import type { AdmissionRequest } from './plugin.ts'

const admin: User = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }
const jane: User = { name: 'jane', groups: ['system:authenticated'] }
const node: User = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }

function world(): FakeWorld {
  return new FakeWorld()
    .put(namespaces, { metadata: { name: 'ns' }, status: { phase: 'Active' } }, { metadata: { name: 'going' }, status: { phase: 'Terminating' } }, { metadata: { name: 'kube-node-lease' } })
    .put(serviceAccounts, { metadata: { namespace: 'ns', name: 'default' }, imagePullSecrets: [{ name: 'pull' }] })
}

/** Charging a quota is one conditional status write, claiming an address one object that is made. */
function worldClient(w: FakeWorld): Client {
  const put = async (_: Ctx, kind: Kind, object: KubeObject): Promise<KubeObject> => (w.put(kind, object), object)
  return { update: put, create: put } as unknown as Client
}

/** Nobody is called here. */
const noRemote: Remote = { post: () => Promise.reject(new Error('no remote')), send: () => Promise.reject(new Error('no remote')) }

interface Ask {
  readonly kind: Kind | string
  readonly object?: object
  readonly old?: object
  readonly operation?: AdmissionRequest['operation']
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
  readonly user?: User
}

async function admit(w: FakeWorld, ask: Ask): Promise<{ object: AnyObject; error: ApiError | undefined; warnings: string[] }> {
  const clock = virtualClock()
  const ctx: Ctx = { clock, log: silentLog, signal: new AbortController().signal }
  const authz = rbac(w)
  const chain = admissionChain({ lookup: w, changes: w, kinds: () => kinds, remote: noRemote, rbac: authz, authorizer: unionAuthorizer([privileged, authz]), random: seededRandom(1), client: () => worldClient(w), services: { ranges: { serviceCidr: '10.43.0.0/16', nodePorts: { from: 30_000, to: 32_767 } }, changes: w } })
  const kind = typeof ask.kind === 'string' ? kinds.find((k) => k.plural === ask.kind) : ask.kind
  if (kind === undefined) throw new Error(`no kind ${String(ask.kind)}`)
  const warnings: string[] = []
  const object = structuredClone(ask.object) as AnyObject
  const request: AdmissionRequest = {
    kind, object, oldObject: ask.old as AnyObject | undefined, operation: ask.operation ?? 'CREATE', subresource: ask.subresource ?? '',
    namespace: ask.namespace ?? (kind.namespaced ? 'ns' : ''), name: ask.name ?? (ask.object as KubeObject | undefined)?.metadata?.name ?? '',
    options: {}, dryRun: false, user: ask.user ?? admin, warn: (text) => void warnings.push(text),
  }
  const going = (async () => (await runMutate(ctx, chain, request)) ?? (await runValidate(ctx, chain, request)))()
  let error: ApiError | undefined
  let done = false
  void going.then((e) => { error = e; done = true })
  await clock.until(() => done, 10_000)
  await going
  return { object, error, warnings }
}

const pod = (spec: object = {}, metadata: object = {}): Pod =>
  ({ metadata: { namespace: 'ns', name: 'p', ...metadata }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } })

const claim = (storage: string, storageClassName: string, phase = ''): object =>
  ({ metadata: { name: 'c' }, spec: { storageClassName, resources: { requests: { storage } } }, status: { phase } })

describe('a plain pod', () => {
  it('gets account, token, CA and namespace, pull secrets, priority and tolerations as upstream gives them', async () => {
    const { object, error } = await admit(world(), { kind: pods, object: pod() })
    expect(error).toBeUndefined()
    const name = /^kube-api-access-[a-z0-9]{5}$/
    expect(object['spec']).toEqual({
      containers: [{ name: 'c', image: 'i', volumeMounts: [{ name: expect.stringMatching(name), readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }] }],
      imagePullSecrets: [{ name: 'pull' }],
      preemptionPolicy: 'PreemptLowerPriority',
      priority: 0,
      serviceAccountName: 'default',
      serviceAccount: 'default',
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
        { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      ],
      volumes: [{ name: expect.stringMatching(name), projected: { defaultMode: 420, sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ] } }],
    })
  })

  it('waits for the default account that a controller is making', async () => {
    const { error } = await admit(world(), { kind: pods, namespace: 'kube-node-lease', object: pod() })
    expect(error?.message).toBe('pods "p" is forbidden: error looking up service account kube-node-lease/default: serviceaccount "default" not found')
  })
})

describe('refusals', () => {
  const w = world()
    .put(priorityClasses, { metadata: { name: 'high' }, value: 1000, preemptionPolicy: 'Never' }, { metadata: { name: 'std' }, value: 5, globalDefault: true })
    .put(runtimeClasses, { metadata: { name: 'vm' }, handler: 'vm', overhead: { podFixed: { cpu: '250m' } } })
    .put(nodes, { metadata: { name: 'n1', uid: 'u1' } })
    .put(pods, { metadata: { namespace: 'ns', name: 'mine', uid: 'x' }, spec: { nodeName: 'n1', containers: [] } }, { metadata: { namespace: 'ns', name: 'other', uid: 'y' }, spec: { nodeName: 'n2', containers: [] } })
    .put(clusterRoles, { metadata: { name: 'writer' }, rules: [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'], verbs: ['create', 'update'] }] }, { metadata: { name: 'reader' }, rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }] })
    .put(clusterRoleBindings, { metadata: { name: 'b' }, roleRef: { kind: 'ClusterRole', name: 'writer' }, subjects: [{ kind: 'User', name: 'jane' }] })
  const mirror = (own: object): object => pod({ nodeName: 'n1', ...own }, { annotations: { 'kubernetes.io/config.mirror': 'h' }, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'u1', controller: true }] })
  const n = (metadata: object = {}, spec: object = {}): object => ({ metadata: { name: 'n1', ...metadata }, spec })
  const local = (own: object = {}): object => ({
    metadata: { name: 'v', labels: { 'kubun.io/node': 'n1' }, annotations: { 'pv.kubernetes.io/provisioned-by': 'kubun.io/local-path' }, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['other', 'kubun.io/local-path'], ...own },
    spec: { local: { path: '/x' }, persistentVolumeReclaimPolicy: 'Delete' }, status: { phase: 'Released' },
  })
  const token = (ref: object | undefined, audiences: string[] = []): object => ({ metadata: {}, spec: { audiences, boundObjectRef: ref } })

  it.each<[string, Ask, string | undefined]>([
    ['no namespace', { kind: 'configmaps', namespace: 'nowhere', object: { metadata: { name: 'a' } } }, 'namespaces "nowhere" not found'],
    ['a namespace that goes', { kind: 'configmaps', namespace: 'going', object: { metadata: { name: 'a' } } }, 'configmaps "a" is forbidden: unable to create new content in namespace going because it is being terminated'],
    ['delete in it', { kind: 'configmaps', namespace: 'going', name: 'a', operation: 'DELETE' }, undefined],
    ['the system', { kind: namespaces, name: 'kube-system', operation: 'DELETE' }, 'namespaces "kube-system" is forbidden: this namespace may not be deleted'],
    ['unknown account', { kind: pods, object: pod({ serviceAccountName: 'x' }) }, 'pods "p" is forbidden: error looking up service account ns/x: serviceaccount "x" not found'],
    ['unknown priority', { kind: pods, object: pod({ priorityClassName: 'x' }) }, 'pods "p" is forbidden: no PriorityClass with name x was found'],
    ['own priority', { kind: pods, object: pod({ priorityClassName: 'high', priority: 7 }) }, 'pods "p" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 1000 from the given PriorityClass name'],
    ['two defaults', { kind: priorityClasses, object: { metadata: { name: 'b' }, value: 1, globalDefault: true } }, 'priorityclasses.scheduling.k8s.io "b" is forbidden: PriorityClass std is already marked as default. Only one default can exist'],
    ['unknown runtime', { kind: pods, object: pod({ runtimeClassName: 'x' }) }, 'pods "p" is forbidden: pod rejected: RuntimeClass "x" not found'],
    ['own overhead', { kind: pods, object: pod({ overhead: { cpu: '1' } }) }, 'pods "p" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead'],
    ['node: real pod', { kind: pods, user: node, object: pod({ nodeName: 'n1' }) }, 'pods "p" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods'],
    ['node: mirror pod', { kind: pods, user: node, object: mirror({}) }, undefined],
    ['node: mirror with secret', { kind: pods, user: node, object: mirror({ volumes: [{ name: 's', secret: { secretName: 'x' } }] }) }, 'pods "p" is forbidden: a mirror pod may not reference secrets'],
    ['node: mirror with claim', { kind: pods, user: node, object: mirror({ volumes: [{ name: 's', persistentVolumeClaim: { claimName: 'x' } }] }) }, 'pods "p" is forbidden: node "n1" can not create pods that reference persistentvolumeclaims'],
    ['node: other pod', { kind: pods, user: node, name: 'other', operation: 'DELETE' }, 'pods "other" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself'],
    ['node: own pod', { kind: pods, user: node, name: 'mine', operation: 'DELETE' }, undefined],
    ['node: other node', { kind: nodes, user: node, object: { metadata: { name: 'n2' } } }, 'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"'],
    ['node: labels', { kind: nodes, user: node, object: n({ labels: { 'kubernetes.io/hostname': 'n1', 'node-restriction.kubernetes.io/x': '', 'k8s.io/y': '', 'mine/z': '' } }) }, 'nodes "n1" is forbidden: node "n1" is not allowed to set the following labels: k8s.io/y, node-restriction.kubernetes.io/x'],
    ['node: taints', { kind: nodes, user: node, operation: 'UPDATE', old: n({}, { taints: [{ key: 'a', effect: 'NoSchedule' }] }), object: n() }, 'nodes "n1" is forbidden: node "n1" is not allowed to modify taints'],
    ['node: data removed', { kind: 'persistentvolumes', user: node, operation: 'UPDATE', old: local(), object: local({ finalizers: ['other'] }) }, undefined],
    ['node: more than data removed', { kind: 'persistentvolumes', user: node, operation: 'UPDATE', old: local(), object: local({ finalizers: [] }) }, 'persistentvolumes "v" is forbidden: node "n1" is not allowed to update fields other than the finalizer kubun.io/local-path'],
    ['node: moved volume', { kind: 'persistentvolumes', user: node, operation: 'UPDATE', old: local(), object: local({ finalizers: ['other'], labels: { 'kubun.io/node': 'n2' } }) }, 'persistentvolumes "v" is forbidden: node "n1" is not allowed to update fields other than the finalizer kubun.io/local-path'],
    ['node: volume that lives', { kind: 'persistentvolumes', user: node, operation: 'UPDATE', old: local({ deletionTimestamp: undefined }), object: local({ finalizers: ['other'] }) }, 'persistentvolumes "v" is forbidden: node "n1" may only update volumes of its own whose data it has to remove'],
    ["node: other's volume", { kind: 'persistentvolumes', user: node, operation: 'UPDATE', old: local({ labels: { 'kubun.io/node': 'n2' } }), object: local({ finalizers: ['other'] }) }, 'persistentvolumes "v" is forbidden: node "n1" may only update volumes of its own whose data it has to remove'],
    ['node: new volume', { kind: 'persistentvolumes', user: node, object: local() }, 'persistentvolumes "v" is forbidden: unexpected operation "CREATE"'],
    ['node: lease', { kind: 'leases', user: node, namespace: 'kube-node-lease', object: { metadata: { name: 'n2' } } }, 'leases.coordination.k8s.io "n2" is forbidden: can only access node lease with the same name as the requesting node'],
    ['node: token', { kind: serviceAccounts, user: node, subresource: 'token', name: 'default', object: token(undefined) }, 'serviceaccounts "default" is forbidden: node requested token not bound to a pod'],
    ['node: other token', { kind: serviceAccounts, user: node, subresource: 'token', name: 'default', object: token({ apiVersion: 'v1', kind: 'Pod', name: 'other', uid: 'y' }) }, 'serviceaccounts "default" is forbidden: node requested token bound to a pod scheduled on a different node'],
    ['node: audience', { kind: serviceAccounts, user: node, subresource: 'token', name: 'default', object: token({ apiVersion: 'v1', kind: 'Pod', name: 'mine', uid: 'x' }, ['vault']) }, 'serviceaccounts "default" is forbidden: audience "vault" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience'],
    ['escalation', { kind: clusterRoles, user: jane, object: { metadata: { name: 'r' }, rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }] } }, 'clusterroles.rbac.authorization.k8s.io "r" is forbidden: user "jane" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'],
    ['aggregation', { kind: clusterRoles, user: jane, object: { metadata: { name: 'r' }, aggregationRule: { clusterRoleSelectors: [{}] } } }, 'clusterroles.rbac.authorization.k8s.io "r" is forbidden: must have cluster-admin privileges to use the aggregationRule'],
    ['held', { kind: clusterRoles, user: jane, object: { metadata: { name: 'r' }, rules: [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'], verbs: ['create'] }] } }, undefined],
    ['binding', { kind: 'rolebindings', user: jane, object: { metadata: { name: 'r' }, roleRef: { kind: 'ClusterRole', name: 'reader' } } }, 'rolebindings.rbac.authorization.k8s.io "r" is forbidden: user "jane" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'],
    ['collection', { kind: clusterRoles, user: jane, operation: 'UPDATE', old: { metadata: { name: 'reader', finalizers: ['a'] }, rules: [] }, object: { metadata: { name: 'reader' }, rules: [] } }, undefined],
    ['approval', { kind: 'certificatesigningrequests', user: jane, operation: 'UPDATE', subresource: 'approval', old: { metadata: { name: 'c' }, spec: { signerName: 'a.b/c' } }, object: { metadata: { name: 'c' } } }, 'certificatesigningrequests.certificates.k8s.io "c" is forbidden: user not permitted to approve requests with signerName "a.b/c"'],
  ])('%s', async (_, ask, want) => {
    const { error } = await admit(w, ask)
    expect(error?.message).toBe(want)
  })

  it.each<[string, Ask, string | undefined]>([
    ['unbound', { kind: 'persistentvolumeclaims', operation: 'UPDATE', old: claim('1Gi', 'fast', 'Pending'), object: claim('2Gi', 'fast') }, 'persistentvolumeclaims "c" is forbidden: Only bound persistent volume claims can be expanded'],
    ['fixed', { kind: 'persistentvolumeclaims', operation: 'UPDATE', old: claim('1Gi', 'slow', 'Bound'), object: claim('2Gi', 'slow') }, 'persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize'],
    ['expandable', { kind: 'persistentvolumeclaims', operation: 'UPDATE', old: claim('1Gi', 'fast', 'Bound'), object: claim('2Gi', 'fast') }, undefined],
  ])('a claim grows: %s', async (_, ask, want) => {
    const classes = world().put(storageClasses, { metadata: { name: 'fast' }, provisioner: 'p', allowVolumeExpansion: true }, { metadata: { name: 'slow' }, provisioner: 'p' })
    expect((await admit(classes, ask)).error?.message).toBe(want)
  })

  const sized = (cpu: string, memory: string, nodeName = 'n') => ({ metadata: { namespace: 'ns', name: 'p' }, spec: { nodeName, containers: [{ name: 'c', image: 'i', resources: { requests: { cpu, memory } } }] } })
  it.each<[string, object, object, string | undefined, string?]>([
    ['fits', sized('1', '1Gi'), sized('2', '2Gi'), undefined],
    ['is the same', sized('9', '1Gi'), sized('9', '1Gi'), undefined],
    ['is nowhere yet', sized('1', '1Gi', ''), sized('9', '1Gi', ''), undefined],
    ['asks for too much', sized('1', '1Gi'), sized('2500m', '3Gi'), "node didn't have enough allocatable resources: cpu, requested: 2500, allocatable: 2000; memory, requested: 3221225472, allocatable: 2147483648", 'NodeCapacity'],
    ['lost its node', sized('1', '1Gi', 'x'), sized('2', '1Gi', 'x'), 'node "x" not found'],
    ['is elsewhere', sized('1', '1Gi', 'w'), sized('2', '1Gi', 'w'), 'pod resize is only supported on linux nodes, node "w" is "windows"', 'UnsupportedPlatform'],
  ])('a pod is resized that %s', async (_, old, object, want, cause) => {
    const sizes = world().put(nodes, { metadata: { name: 'n' }, status: { allocatable: { cpu: '2', memory: '2Gi' } } }, { metadata: { name: 'w', labels: { 'kubernetes.io/os': 'windows' } } })
    const { error } = await admit(sizes, { kind: pods, operation: 'UPDATE', subresource: 'resize', old, object })
    expect([error?.message, error?.details?.causes?.[0]?.reason]).toEqual([want === undefined ? undefined : `pods "p" is forbidden: ${want}`, cause])
  })

  it('a terminating namespace is named as the cause', async () => {
    const { error } = await admit(w, { kind: 'configmaps', namespace: 'going', object: { metadata: { name: 'a' } } })
    expect(error?.details?.causes).toEqual([{ reason: 'NamespaceTerminating', message: 'namespace going is being terminated', field: 'metadata.namespace' }])
  })

  it('nobody becomes a master by a certificate request', async () => {
    const { pem } = await createRequest({ commonName: 'x', organizations: ['system:masters'] })
    const object = { metadata: { name: 'c' }, spec: { request: Buffer.from(pem).toString('base64'), signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] } }
    expect((await admit(w, { kind: 'certificatesigningrequests', object })).error?.message)
      .toContain('use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed')
  })
})

describe('defaults', () => {
  const w = world()
    .put(nodes, { metadata: { name: 'n', labels: { 'topology.kubernetes.io/zone': 'z', other: 'x' } } })
    .put(storageClasses, { metadata: { name: 'old', creationTimestamp: '2026-01-01T00:00:00Z', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }, provisioner: 'p' },
      { metadata: { name: 'new', creationTimestamp: '2026-02-01T00:00:00Z', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }, provisioner: 'p' })
    .put(ingressClasses, { metadata: { name: 'web', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } } })
    .put(runtimeClasses, { metadata: { name: 'vm' }, handler: 'vm', overhead: { podFixed: { cpu: '250m' } }, scheduling: { nodeSelector: { vm: 'yes' } } })
    .put(limitRanges, { metadata: { namespace: 'ns', name: 'l' }, spec: { limits: [
      { type: 'Container', default: { cpu: '500m' }, defaultRequest: { cpu: '100m' }, max: { cpu: '1' }, min: { cpu: '50m' }, maxLimitRequestRatio: { cpu: '10' } },
      { type: 'PersistentVolumeClaim', max: { storage: '1Gi' } },
    ] } })
  const cpu = (requests: string, limits: string): object => pod({ containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: requests }, limits: { cpu: limits } } }] })
  it.each<[string, Ask, object]>([
    ['class and finalizer of a claim', { kind: 'persistentvolumeclaims', object: { metadata: { name: 'c' }, spec: { resources: { requests: { storage: '1Gi' } } } } }, { metadata: { finalizers: ['kubernetes.io/pvc-protection'] }, spec: { storageClassName: 'new' } }],
    ['a claim without class stays so', { kind: 'persistentvolumeclaims', object: { metadata: { name: 'c' }, spec: { storageClassName: '', resources: { requests: { storage: '1Gi' } } } } }, { spec: { storageClassName: '' } }],
    ['class of an ingress', { kind: 'ingresses', object: { metadata: { name: 'i' }, spec: {} } }, { spec: { ingressClassName: 'web' } }],
    ['taint of a node', { kind: nodes, object: { metadata: { name: 'n' } } }, { spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] } }],
    ['zone of a bound pod', { kind: pods, subresource: 'binding', name: 'p', object: { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } } }, { metadata: { labels: { 'topology.kubernetes.io/zone': 'z' } } }],
    ['runtime class of a pod', { kind: pods, object: pod({ runtimeClassName: 'vm' }) }, { spec: { overhead: { cpu: '250m' }, nodeSelector: { vm: 'yes' } } }],
    ['limits of a container', { kind: pods, object: pod() }, {
      metadata: { annotations: { 'kubernetes.io/limit-ranger': 'LimitRanger plugin set: cpu request for container c; cpu limit for container c' } },
      spec: { containers: [{ resources: { requests: { cpu: '100m' }, limits: { cpu: '500m' } } }] },
    }],
  ])('%s', async (_, ask, want) => {
    const { object, error } = await admit(w, ask)
    expect(error).toBeUndefined()
    expect(object).toMatchObject(want)
  })

  it.each<[Ask, string]>([
    [{ kind: pods, object: cpu('500m', '2000m') }, 'pods "p" is forbidden: maximum cpu usage per Container is 1, but limit is 2'],
    [{ kind: pods, object: cpu('10m', '50m') }, 'pods "p" is forbidden: minimum cpu usage per Container is 50m, but request is 10m'],
    [{ kind: pods, object: cpu('50m', '1') }, 'pods "p" is forbidden: cpu max limit to request ratio per Container is 10, but provided ratio is 20.000000'],
    [{ kind: 'persistentvolumeclaims', object: { metadata: { name: 'c' }, spec: { resources: { requests: { storage: '2Gi' } } } } }, 'persistentvolumeclaims "c" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi'],
  ])('LimitRanger refuses %#', async (ask, want) => {
    expect((await admit(w, ask)).error?.message).toBe(want)
  })
})

describe('PodSecurity', () => {
  const labelled = (labels: Record<string, string>): FakeWorld => world().put(namespaces, { metadata: { name: 'ns', labels } })
  const enforce = (level: string, version?: string): FakeWorld =>
    labelled({ 'pod-security.kubernetes.io/enforce': level, ...(version === undefined ? {} : { 'pod-security.kubernetes.io/enforce-version': version }) })
  const safe = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }
  const secure = (own: object = {}, spec: object = {}): object => pod({ containers: [{ name: 'c', image: 'i', securityContext: { ...safe, ...own } }], ...spec })

  it.each<[string, object, string | undefined]>([
    ['restricted', secure(), undefined],
    ['restricted', pod(), 'pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'],
    ['restricted', secure({}, { volumes: [{ name: 'v', nfs: { server: 's', path: '/' } }] }), 'pods "p" is forbidden: violates PodSecurity "restricted:latest": restricted volume types (volume "v" uses restricted volume type "nfs")'],
    ['restricted', secure({ runAsUser: 0 }), 'pods "p" is forbidden: violates PodSecurity "restricted:latest": runAsUser=0 (container "c" must not set runAsUser=0)'],
    ['baseline', pod(), undefined],
    ['baseline', pod({ hostNetwork: true, hostPID: true, volumes: [{ name: 'h', hostPath: { path: '/' } }], containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80, hostPort: 80 }], securityContext: { privileged: true, capabilities: { add: ['NET_ADMIN'] } } }] }),
      'pods "p" is forbidden: violates PodSecurity "baseline:latest": non-default capabilities (container "c" must not include "NET_ADMIN" in securityContext.capabilities.add), host namespaces (hostNetwork=true, hostPID=true), hostPath volumes (volume "h"), hostPort (container "c" uses hostPort 80), privileged (container "c" must not set securityContext.privileged=true)'],
    ['baseline', pod({ securityContext: { sysctls: [{ name: 'kernel.x', value: '1' }] } }), 'pods "p" is forbidden: violates PodSecurity "baseline:latest": forbidden sysctls (kernel.x)'],
    ['privileged', pod({ hostPID: true }), undefined],
    ['nonsense', secure(), undefined],
  ])('%s: pod %#', async (level, object, want) => {
    expect((await admit(enforce(level), { kind: pods, object })).error?.message).toBe(want)
  })

  it('looks at the version asked for', async () => {
    const tcp = pod({ securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1' }] } })
    expect((await admit(enforce('baseline', 'v1.31'), { kind: pods, object: tcp })).error?.message).toContain('violates PodSecurity "baseline:v1.31": forbidden sysctls')
    expect((await admit(enforce('baseline', 'v1.32'), { kind: pods, object: tcp })).error).toBeUndefined()
  })

  it('warns of templates that would make refused pods', async () => {
    const { error, warnings } = await admit(enforce('baseline'), { kind: 'deployments', object: { metadata: { name: 'd' }, spec: { template: pod({ hostPID: true }) } } })
    expect(error).toBeUndefined()
    expect(warnings).toEqual(['would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)'])
  })

  it('warns of existing pods when the level rises, and refuses unreadable labels', async () => {
    const raise = (level: string): Promise<{ error: ApiError | undefined; warnings: string[] }> => admit(world().put(pods, pod({ hostPID: true }), pod({ hostPID: true }, { name: 'a' })), {
      kind: namespaces, operation: 'UPDATE', old: { metadata: { name: 'ns' } }, object: { metadata: { name: 'ns', labels: { 'pod-security.kubernetes.io/enforce': level } } },
    })
    expect((await raise('baseline')).warnings).toEqual(['existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"', 'a (and 1 other pod): host namespaces'])
    expect((await raise('x')).error?.message).toBe('Namespace "ns" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "x": must be one of privileged, baseline, restricted')
  })
})

describe('ResourceQuota', () => {
  const quota = (hard: Record<string, string>, used: Record<string, string>, spec: object = {}): FakeWorld =>
    world().put(resourceQuotas, { metadata: { namespace: 'ns', name: 'q' }, spec: { hard, ...spec }, status: { hard, used } })
  const sized = (cpu: string, spec: object = {}): object => pod({ containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }], ...spec })
  const used = (w: FakeWorld): unknown => w.get(resourceQuotas, { namespace: 'ns', name: 'q' })?.status?.used

  it('charges what it admits, and refuses what would exceed', async () => {
    const w = quota({ 'requests.cpu': '1', pods: '5' }, { 'requests.cpu': '500m', pods: '1' })
    expect((await admit(w, { kind: pods, object: sized('400m') })).error).toBeUndefined()
    expect(used(w)).toEqual({ 'requests.cpu': '900m', pods: '2' })
    expect((await admit(w, { kind: pods, object: sized('200m') })).error?.message)
      .toBe('pods "p" is forbidden: exceeded quota: q, requested: requests.cpu=200m, used: requests.cpu=900m, limited: requests.cpu=1')
    expect(used(w)).toEqual({ 'requests.cpu': '900m', pods: '2' })
  })

  it.each<[string, FakeWorld, Ask, string | undefined]>([
    ['silent containers', quota({ cpu: '1' }, { cpu: '0' }), { kind: pods, object: pod() }, 'pods "p" is forbidden: failed quota: q: must specify cpu for: c'],
    ['unknown use', quota({ pods: '1' }, {}), { kind: pods, object: pod() }, 'pods "p" is forbidden: status unknown for quota: q, resources: pods'],
    ['counts', quota({ 'count/deployments.apps': '1' }, { 'count/deployments.apps': '1' }), { kind: 'deployments', object: { metadata: { name: 'd' }, spec: {} } }, 'deployments.apps "d" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: count/deployments.apps=1'],
    ['other scopes', quota({ pods: '0' }, { pods: '0' }, { scopes: ['NotBestEffort'] }), { kind: pods, object: pod() }, undefined],
    ['own scopes', quota({ pods: '0' }, { pods: '0' }, { scopes: ['BestEffort'] }), { kind: pods, object: pod() }, 'pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0'],
    ['node ports', quota({ 'services.nodeports': '1' }, { 'services.nodeports': '0' }), { kind: 'services', object: { metadata: { name: 's' }, spec: { type: 'NodePort', ports: [{ port: 1 }, { port: 2 }] } } }, 'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1'],
    ['a service that stays', quota({ services: '1' }, { services: '1' }), { kind: 'services', operation: 'UPDATE', old: { metadata: { name: 's' }, spec: {} }, object: { metadata: { name: 's' }, spec: {} } }, undefined],
    ['storage of a class', quota({ 'fast.storageclass.storage.k8s.io/requests.storage': '1Gi' }, { 'fast.storageclass.storage.k8s.io/requests.storage': '0' }), { kind: 'persistentvolumeclaims', object: { metadata: { name: 'c' }, spec: { storageClassName: 'fast', resources: { requests: { storage: '2Gi' } } } } }, 'persistentvolumeclaims "c" is forbidden: exceeded quota: q, requested: fast.storageclass.storage.k8s.io/requests.storage=2Gi, used: fast.storageclass.storage.k8s.io/requests.storage=0, limited: fast.storageclass.storage.k8s.io/requests.storage=1Gi'],
  ])('%s', async (_, w, ask, want) => {
    expect((await admit(w, ask)).error?.message).toBe(want)
  })
})
