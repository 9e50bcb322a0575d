import { describe, expect, it } from 'vitest'
import { virtualClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import type { Ctx } from '../lib/ctx.ts'
import { alreadyExists } from '../api/errors.ts'
import { keyOf, type Key, type KubeObject } from '../api/meta.ts'
import type { KindRef } from '../api/kind.ts'
import { namespaces } from '../api/core/namespace.ts'
import { clusterRoleBindings } from '../api/rbac/clusterrolebinding.ts'
import { clusterRoles } from '../api/rbac/clusterrole.ts'
import { roles } from '../api/rbac/role.ts'
import type { Client } from '../client/client.ts'
import { FakeWorld } from './world.fake.ts'
import { bootstrapPolicy, reconcile } from './policy.ts'

const ctx: Ctx = { clock: virtualClock(), log: silentLog, signal: new AbortController().signal }

/** The verbs that reconcile() needs, over a FakeWorld. */
function clientOf(world: FakeWorld): Client {
  const refuse = (): never => { throw new Error('not used') }
  return {
    get: async (_: Ctx, kind: KindRef, key: Key) => world.get(kind, key),
    list: async (_: Ctx, kind: KindRef) => ({ metadata: {}, items: world.list(kind) }),
    async create(_: Ctx, kind: KindRef, object: KubeObject) {
      if (world.get(kind, keyOf(object)) !== undefined) throw alreadyExists({ group: kind.group, resource: kind.plural }, object.metadata.name ?? '')
      world.put(kind, object)
      return object
    },
    update: async (_: Ctx, kind: KindRef, object: KubeObject) => (world.put(kind, object), object),
    delete: async (_: Ctx, kind: KindRef, key: Key) => (world.remove(kind, key), true),
    watch: refuse, patch: refuse, deleteCollection: refuse, post: refuse,
  } as unknown as Client
}

const named = (world: FakeWorld, name: string) => world.get(clusterRoles, { namespace: '', name })

describe('reconcile()', () => {
  it('writes everything to an empty cluster and nothing the next time', async () => {
    const world = new FakeWorld()
    const policy = bootstrapPolicy()
    const all = policy.clusterRoles.length + policy.clusterRoleBindings.length + policy.roles.length + policy.roleBindings.length
    expect(await reconcile(ctx, clientOf(world))).toBe(all)
    expect(world.list(namespaces).map((n) => n.metadata.name ?? '').toSorted()).toEqual(['kube-public', 'kube-system'])
    expect(world.get(roles, { namespace: 'kube-system', name: 'extension-apiserver-authentication-reader' })?.rules).toEqual([
      { apiGroups: [''], resources: ['configmaps'], resourceNames: ['extension-apiserver-authentication'], verbs: ['get', 'list', 'watch'] },
    ])
    expect(await reconcile(ctx, clientOf(world))).toBe(0)
  })

  it('gives back what is missing, keeps what was added, and leaves alone what opted out', async () => {
    const world = new FakeWorld()
    await reconcile(ctx, clientOf(world))
    const own = { apiGroups: ['x'], resources: ['y'], verbs: ['get'] }
    world.put(clusterRoles, { ...named(world, 'system:basic-user'), metadata: { name: 'system:basic-user', labels: { mine: 'yes' } }, rules: [own] })
    world.put(clusterRoles, { metadata: { name: 'system:discovery', annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } }, rules: [] })
    world.put(clusterRoleBindings, { metadata: { name: 'cluster-admin' }, roleRef: { kind: 'ClusterRole', name: 'view' }, subjects: [] })
    expect(await reconcile(ctx, clientOf(world))).toBe(2)
    const role = named(world, 'system:basic-user')
    expect(role?.rules?.[0]).toEqual(own)
    expect(role?.rules).toContainEqual({ apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] })
    expect(role?.metadata.labels).toEqual({ 'kubernetes.io/bootstrapping': 'rbac-defaults', mine: 'yes' })
    expect(named(world, 'system:discovery')?.rules).toEqual([])
    expect(world.get(clusterRoleBindings, { namespace: '', name: 'cluster-admin' })?.roleRef.name).toBe('cluster-admin')
  })
})

it('bootstrapPolicy() is upstream v1.36: roles, aggregation, bindings', () => {
  const policy = bootstrapPolicy()
  const role = (name: string) => policy.clusterRoles.find((r) => r.metadata.name === name)
  expect(policy.clusterRoles.filter((r) => !r.metadata.name?.startsWith('system:kubun')).length).toBe(69)
  expect(role('admin')?.rules).toEqual(expect.arrayContaining([...(role('view')?.rules ?? []), ...(role('system:aggregate-to-admin')?.rules ?? [])]))
  expect(role('cluster-admin')?.rules).toEqual([{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }, { nonResourceURLs: ['*'], verbs: ['*'] }])
  const bound = new Set(policy.clusterRoles.map((r) => r.metadata.name))
  for (const b of policy.clusterRoleBindings) expect(bound).toContain(b.roleRef.name)
})
