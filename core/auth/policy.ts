/**
 * The roles and bindings that come with a cluster: upstream's (policy/table.ts)
 * and those of Kubun's own parts, as objects, and reconcile(), which brings a
 * cluster up to them at start in as few writes as there are differences
 * (plugin/pkg/auth/authorizer/rbac/bootstrappolicy, component-helpers auth/rbac/reconciliation).
 */
import type { Ctx } from '../lib/ctx.ts'
import { isApiError } from '../api/errors.ts'
import type { KindRef } from '../api/kind.ts'
import { keyOf, keyText, type KubeObject } from '../api/meta.ts'
import { namespaces } from '../api/core/namespace.ts'
import { clusterRoleBindings } from '../api/rbac/clusterrolebinding.ts'
import { clusterRoles } from '../api/rbac/clusterrole.ts'
import { roleBindings } from '../api/rbac/rolebinding.ts'
import { roles } from '../api/rbac/role.ts'
import type { ClusterRole, ClusterRoleBinding, Namespace, PolicyRule, Role, RoleBinding, Subject } from '../api/schema/types.ts'
import type { Client } from '../client/client.ts'
import type { Identity } from '../client/inprocess.ts'
import { aggregate, uncovered } from './authz/rules.ts'
import { upstreamPolicy } from './policy/table.ts'

/** In the same notation as policy/table.ts: the parts of Kubun that upstream has no role for. */
const ownPolicy = `
role system:kubun:proxy
  list watch | networking.k8s.io | networkpolicies servicecidrs
  list watch | core | namespaces nodes pods
role system:kubun:network
  get list watch | core | nodes
  patch | core | nodes/status
role system:kubun:dns
  list watch | core | endpoints namespaces pods services nodes
  list watch | discovery.k8s.io | endpointslices
role system:kubun:local-storage
  create delete get update | core | persistentvolumes
  get update | core | persistentvolumeclaims
  get | core | nodes
  create patch update | core events.k8s.io | events
role system:kubun:why
  get | /kubun/v1/why
bind system:kubun:why ClusterRole/system:kubun:why Group:system:authenticated
bind system:kubun:local-storage ClusterRole/system:kubun:local-storage ServiceAccount:kube-system/local-storage
bind system:kubun:proxy ClusterRole/system:kubun:proxy User:system:kube-proxy
bind system:kubun:network ClusterRole/system:kubun:network User:system:kubun:network
bind system:kubun:dns ClusterRole/system:kubun:dns User:system:kubun:dns
bind system:kubun:node-parts-proxier ClusterRole/system:node-proxier Group:system:nodes
bind system:kubun:node-parts-proxy ClusterRole/system:kubun:proxy Group:system:nodes
bind system:kubun:node-parts-dns ClusterRole/system:kubun:dns Group:system:nodes
bind system:kubun:kubelet-api-admin ClusterRole/system:kubelet-api-admin User:kube-apiserver-kubelet-client
bind system:kubun:node-bootstrapper ClusterRole/system:node-bootstrapper Group:system:bootstrappers
bind system:kubun:node-autoapprove-bootstrap ClusterRole/system:certificates.k8s.io:certificatesigningrequests:nodeclient Group:system:bootstrappers
bind system:kubun:node-autoapprove-renewal ClusterRole/system:certificates.k8s.io:certificatesigningrequests:selfnodeclient Group:system:nodes
`

export interface Policy {
  readonly clusterRoles: readonly ClusterRole[]
  readonly clusterRoleBindings: readonly ClusterRoleBinding[]
  readonly roles: readonly Role[]
  readonly roleBindings: readonly RoleBinding[]
}

export function bootstrapPolicy(): Policy {
  return parsePolicy(upstreamPolicy + ownPolicy)
}

/** The identity of a part that signs in by name: system:kube-scheduler, system:kube-proxy, system:kubun:dns, ... */
export function partIdentity(name: string): Identity {
  return { name, groups: ['system:authenticated'], agent: `kubun/${name.replace(/^system:(kubun:)?/, '')}` }
}

/** What every node may do alike: for the node authorizer. */
export function nodeRules(policy: Policy): readonly PolicyRule[] {
  return policy.clusterRoles.find((r) => r.metadata.name === 'system:node')?.rules ?? []
}

const rbacGroup = 'rbac.authorization.k8s.io'
const autoupdate = 'rbac.authorization.kubernetes.io/autoupdate'
const aggregateLabel = 'rbac.authorization.k8s.io/aggregate-to-'

function parsePolicy(text: string): Policy {
  const policy = { clusterRoles: [] as ClusterRole[], clusterRoleBindings: [] as ClusterRoleBinding[], roles: [] as Role[], roleBindings: [] as RoleBinding[] }
  let rules: PolicyRule[] = []
  for (const line of text.split('\n')) {
    if (line.startsWith('  ')) rules.push(parseRule(line))
    else if (line.startsWith('role ')) {
      rules = []
      const role = parseRole(line, rules)
      if (role.metadata.namespace === undefined) policy.clusterRoles.push(role)
      else policy.roles.push(role)
    } else if (line.startsWith('bind ')) {
      const binding = parseBinding(line)
      if (binding.metadata.namespace === undefined) policy.clusterRoleBindings.push(binding)
      else policy.roleBindings.push(binding)
    }
  }
  // what the aggregation controller would write a moment later: so that admin, edit and view work at once
  for (const role of policy.clusterRoles.filter((r) => r.aggregationRule !== undefined).toReversed()) {
    role.rules = [...aggregate(role, policy.clusterRoles)]
  }
  return policy
}

function parseRule(line: string): PolicyRule {
  const [verbs = [], second = [], resources, names] = line.split('|').map((part) => part.trim().split(' ').filter((word) => word !== ''))
  if (resources === undefined) return { nonResourceURLs: second, verbs }
  const apiGroups = second.map((g) => (g === 'core' ? '' : g))
  return { apiGroups, resources, ...(names === undefined ? {} : { resourceNames: names }), verbs }
}

function parseRole(line: string, rules: PolicyRule[]): ClusterRole {
  const [, name = '', ...marks] = line.split(' ')
  const namespace = marks.find((m) => m.startsWith('@'))?.slice(1)
  const labels = Object.fromEntries(marks.filter((m) => m.startsWith('+')).map((m) => [aggregateLabel + m.slice(1), 'true']))
  const gathers = marks.filter((m) => m.startsWith('=')).map((m) => ({ matchLabels: { [aggregateLabel + m.slice(1)]: 'true' } }))
  return {
    ...(gathers.length === 0 ? {} : { aggregationRule: { clusterRoleSelectors: gathers } }),
    metadata: metadata(name, namespace, labels),
    rules,
  }
}

function parseBinding(line: string): ClusterRoleBinding {
  const words = line.split(' ').slice(1)
  const [name = '', ...rest] = words
  const namespace = rest[0]?.startsWith('@') === true ? rest.shift()?.slice(1) : undefined
  const [ref = '', ...subjects] = rest
  const [kind = '', role = ''] = ref.split(/\/(.*)/s)
  return { metadata: metadata(name, namespace, {}), roleRef: { apiGroup: rbacGroup, kind, name: role }, subjects: subjects.map(parseSubject) }
}

function parseSubject(text: string): Subject {
  const [kind = '', name = ''] = text.split(/:(.*)/s)
  if (kind !== 'ServiceAccount') return { apiGroup: rbacGroup, kind, name }
  const [namespace = '', account = ''] = name.split('/')
  return { kind, name: account, namespace }
}

function metadata(name: string, namespace: string | undefined, labels: Record<string, string>): KubeObject['metadata'] {
  return {
    annotations: { [autoupdate]: 'true' },
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
    name,
    ...(namespace === undefined ? {} : { namespace }),
  }
}

/** Writes under way at once: enough to share the store's transactions, few enough to leave others room. */
const writesAtOnce = 32
/** Tries of one object that somebody else writes too. */
const triesMax = 3

/**
 * Brings the cluster up to `policy`: creates what is missing, adds missing rights, labels and subjects; takes nothing away, and leaves
 * alone what is marked autoupdate "false". The namespaces of roles are made when they are not there. Says how much was written.
 */
export async function reconcile(ctx: Ctx, client: Client, policy: Policy = bootstrapPolicy()): Promise<number> {
  const [haveRoles, haveBindings, haveLocalRoles, haveLocalBindings] = await Promise.all([
    client.list(ctx, clusterRoles), client.list(ctx, clusterRoleBindings), client.list(ctx, roles), client.list(ctx, roleBindings),
  ])
  const spaces = [...new Set([...policy.roles, ...policy.roleBindings].map((o) => o.metadata.namespace ?? ''))]
  const jobs = [
    ...plan(clusterRoles, policy.clusterRoles, haveRoles.items, mergeRole),
    ...plan(clusterRoleBindings, policy.clusterRoleBindings, haveBindings.items, mergeBinding),
    ...plan(roles, policy.roles, haveLocalRoles.items, mergeRole),
    ...plan(roleBindings, policy.roleBindings, haveLocalBindings.items, mergeBinding),
  ]
  if (jobs.length === 0) return 0
  await Promise.all(spaces.map((name) => ensureNamespace(ctx, client, name)))
  let next = 0
  const worker = async (): Promise<void> => {
    for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) await job(ctx, client)
  }
  await Promise.all(Array.from({ length: Math.min(writesAtOnce, jobs.length) }, worker))
  return jobs.length
}

type Job = (ctx: Ctx, client: Client) => Promise<void>
/** What must stand there; undefined when it does already; 'replace' when it has to be made anew. */
type Merge<T> = (have: Readonly<T>, want: Readonly<T>) => T | 'replace' | undefined

function plan<T extends KubeObject>(kind: KindRef<T>, want: readonly T[], have: readonly Readonly<T>[], merge: Merge<T>): readonly Job[] {
  const byKey = new Map(have.map((o) => [idOf(o.metadata), o]))
  return want.flatMap((object) => {
    const found = byKey.get(idOf(object.metadata))
    return found !== undefined && merge(found, object) === undefined ? [] : [(ctx: Ctx, client: Client) => write(ctx, client, kind, object, found, merge)]
  })
}

async function write<T extends KubeObject>(ctx: Ctx, client: Client, kind: KindRef<T>, want: T, first: Readonly<T> | undefined, merge: Merge<T>): Promise<void> {
  let have = first
  for (let tries = 1; ; tries++) {
    try {
      if (have === undefined) return void (await client.create(ctx, kind, want))
      const next = merge(have, want)
      if (next === undefined) return
      if (next !== 'replace') return void (await client.update(ctx, kind, next))
      await client.delete(ctx, kind, keyOf(want))
      have = undefined
    } catch (error) {
      const raced = isApiError(error, 'Conflict') || isApiError(error, 'AlreadyExists') || isApiError(error, 'NotFound')
      if (!raced || tries >= triesMax) throw new Error(`write ${kind.plural} ${keyText(keyOf(want))}`, { cause: error })
      have = await client.get(ctx, kind, keyOf(want))
    }
  }
}

function idOf(meta: KubeObject['metadata']): string {
  return keyText({ namespace: meta.namespace ?? '', name: meta.name ?? '' })
}

async function ensureNamespace(ctx: Ctx, client: Client, name: string): Promise<void> {
  if ((await client.get(ctx, namespaces, { namespace: '', name })) !== undefined) return
  try {
    await client.create(ctx, namespaces, { metadata: { name } } as Namespace)
  } catch (error) {
    if (!isApiError(error, 'AlreadyExists')) throw error
  }
}

function mergeRole<T extends ClusterRole | Role>(have: Readonly<T>, want: Readonly<T>): T | undefined {
  const marks = mergeMarks(have, want)
  if (marks === 'protected') return undefined
  // an aggregated role's rules belong to the aggregation controller
  const aggregated = 'aggregationRule' in want && want.aggregationRule !== undefined
  const missing = aggregated ? [] : uncovered(have.rules ?? [], want.rules ?? [])
  const same = !aggregated || JSON.stringify((have as ClusterRole).aggregationRule) === JSON.stringify(want.aggregationRule)
  if (missing.length === 0 && marks === undefined && same) return undefined
  return {
    ...have,
    metadata: { ...have.metadata, ...marks },
    rules: [...(have.rules ?? []), ...missing],
    ...(same ? {} : { aggregationRule: (want as ClusterRole).aggregationRule }),
  }
}

function mergeBinding<T extends ClusterRoleBinding | RoleBinding>(have: Readonly<T>, want: Readonly<T>): T | 'replace' | undefined {
  const marks = mergeMarks(have, want)
  if (marks === 'protected') return undefined
  if (have.roleRef.kind !== want.roleRef.kind || have.roleRef.name !== want.roleRef.name) return 'replace' // roleRef never changes
  const known = new Set((have.subjects ?? []).map(subjectId))
  const missing = (want.subjects ?? []).filter((s) => !known.has(subjectId(s)))
  if (missing.length === 0 && marks === undefined) return undefined
  return { ...have, metadata: { ...have.metadata, ...marks }, subjects: [...(have.subjects ?? []), ...missing] }
}

function subjectId(s: Subject): string {
  return `${s.kind} ${s.namespace ?? ''}/${s.name}`
}

/** Labels and annotations with what is missing; what others put there wins. */
function mergeMarks(have: Readonly<KubeObject>, want: Readonly<KubeObject>): Pick<KubeObject['metadata'], 'labels' | 'annotations'> | 'protected' | undefined {
  const { labels = {}, annotations = {} } = have.metadata
  if (annotations[autoupdate] === 'false') return 'protected'
  const lacks = (own: Readonly<Record<string, string>>, all: Readonly<Record<string, string>>): boolean => Object.keys(all).some((k) => own[k] === undefined)
  if (!lacks(labels, want.metadata.labels ?? {}) && !lacks(annotations, want.metadata.annotations ?? {})) return undefined
  return { labels: { ...want.metadata.labels, ...labels }, annotations: { ...want.metadata.annotations, ...annotations } }
}
