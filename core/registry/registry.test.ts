import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configMaps } from '../api/core/configmap.ts'
import { namespaces } from '../api/core/namespace.ts'
import { pods } from '../api/core/pod.ts'
import { events } from '../api/core/event.ts'
import { eventsV1Events } from '../api/events/event.ts'
import { deployments } from '../api/apps/deployment.ts'
import { isApiError, type ApiError } from '../api/errors.ts'
import type { Kind } from '../api/kind.ts'
import type { AnyObject } from '../api/meta.ts'
import { virtualClock, type VirtualClock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import { cloneJson } from '../lib/json.ts'
import { silentLog } from '../lib/log.ts'
import { seededRandom } from '../lib/random.ts'
import { openMemory } from '../store/drivers/memory.ts'
import type { Store } from '../store/store.ts'
import { openRegistry, type OpenRegistry } from './open.ts'
import type { Item, WatchQuery, WriteOptions } from './registry.ts'

const kinds = [configMaps, namespaces, pods, events, eventsV1Events, deployments]

let clock: VirtualClock
let ctx: Ctx
let store: Store
let registry: OpenRegistry

beforeEach(async () => {
  clock = virtualClock()
  ctx = { signal: new AbortController().signal, clock, log: silentLog }
  store = openMemory()
  registry = await openRegistry(ctx, { store, kinds, random: seededRandom(1) })
})
afterEach(async () => {
  await registry.close()
  await store.close()
})

const write = (more: Partial<WriteOptions> = {}): WriteOptions => ({
  env: { now: clock.now(), user: 'admin' },
  subresource: '',
  dryRun: false,
  admission: { mutate: async () => {}, validate: async () => {} },
  warn: () => {},
  ...more,
})
const configMap = (name: string, data: Record<string, string> = {}, meta: object = {}): AnyObject => ({ metadata: { name, ...meta }, data })
const make = (object: AnyObject, kind: Kind = configMaps, namespace = 'default'): Promise<Item> => registry.create(ctx, kind, namespace, object, write())
const key = (name: string, namespace = 'default'): { namespace: string; name: string } => ({ namespace, name })
const change = (name: string, by: (object: AnyObject) => void, kind: Kind = configMaps, more: Partial<WriteOptions> = {}) =>
  registry.update(ctx, kind, key(name, kind.namespaced ? 'default' : ''), (current) => {
    by(current as AnyObject)
    return current as AnyObject
  }, write(more))
const refusal = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
  } catch (error) {
    if (isApiError(error)) return `${error.code} ${error.reason} ${error.message}`
    throw error
  }
  return 'no refusal'
}
const names = (items: readonly Item[]): string => items.map((item) => item.object.metadata.name).join(' ')
const fresh = (bytes: Uint8Array): AnyObject => JSON.parse(new TextDecoder().decode(bytes)) as AnyObject

describe('create', () => {
  it('fills in what the system says and shares the bytes', async () => {
    const item = await make(configMap('a', { k: 'v' }, { uid: 'mine', creationTimestamp: '1999-01-01T00:00:00Z', generation: 7 }))
    expect(item.object).toMatchObject({
      kind: 'ConfigMap', apiVersion: 'v1', data: { k: 'v' },
      metadata: { name: 'a', namespace: 'default', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
    })
    expect(item.object.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
    expect(fresh(item.bytes)).toEqual(item.object)
    expect(await registry.get(ctx, configMaps, key('a'))).toBe(item)
  })

  it('gives generation 1 to kinds that count what is wanted', async () => {
    const item = await make(deployment(), deployments)
    expect(item.object.metadata.generation).toBe(1)
  })

  it('makes up names, again when one is taken', async () => {
    const item = await make({ metadata: { generateName: `${'x'.repeat(70)}-` } })
    expect(item.object.metadata.name).toMatch(/^x{58}[a-z0-9]{5}$/)
    const all = await Promise.all(Array.from({ length: 50 }, () => make({ metadata: { generateName: 'a-' } })))
    expect(new Set(all.map((i) => i.object.metadata.name)).size).toBe(50)
  })

  it.each([
    ['a taken name', configMap('a'), '409 AlreadyExists configmaps "a" already exists'],
    ['no name', { metadata: {} }, '422 Invalid ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'],
    ['another namespace', configMap('b', {}, { namespace: 'other' }), '400 BadRequest the namespace of the provided object does not match the namespace sent on the request'],
    ['a resourceVersion', configMap('b', {}, { resourceVersion: '1' }), '500  resourceVersion should not be set on objects to be created'],
    ['a bad label', configMap('b', {}, { labels: { a: 'b c' } }),
      '422 Invalid ConfigMap "b" is invalid: metadata.labels: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric characters, ' +
      "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', " +
      "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"],
    ['a half owner', configMap('b', {}, { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '' }] }),
      '422 Invalid ConfigMap "b" is invalid: metadata.ownerReferences.uid: Invalid value: "": must not be empty'],
    ['both of the collector’s finalizers', configMap('b', {}, { finalizers: ['orphan', 'foregroundDeletion'] }),
      '422 Invalid ConfigMap "b" is invalid: metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set'],
  ])('refuses %s', async (_, object, want) => {
    await make(configMap('a'))
    expect(await refusal(make(object as AnyObject))).toBe(want)
  })

  it('writes nothing in a dry run', async () => {
    const item = await registry.create(ctx, configMaps, 'default', configMap('a'), write({ dryRun: true }))
    expect(item.object.metadata.name).toBe('a')
    expect(await refusal(registry.get(ctx, configMaps, key('a')))).toBe('404 NotFound configmaps "a" not found')
  })

  it('minds a resourceVersion after everything else, and not in a dry run', async () => {
    const versioned = (labels: object): AnyObject => configMap('a', {}, { resourceVersion: '1', labels })
    expect(await refusal(make(versioned({ a: 'b c' })))).toMatch(/^422 Invalid/)
    const item = await registry.create(ctx, configMaps, 'default', versioned({}), write({ dryRun: true }))
    expect(item.object.metadata.name).toBe('a')
  })
})

describe('update', () => {
  it('changes, keeps identity, and writes nothing when nothing changes', async () => {
    const made = await make(configMap('a', { k: '1' }))
    const { item } = await change('a', (o) => {
      o['data'] = { k: '2' }
      o.metadata.creationTimestamp = '1999-01-01T00:00:00Z'
      delete o.metadata.uid
    })
    expect(item.object.metadata).toEqual({ ...made.object.metadata, resourceVersion: '2' })
    const again = await change('a', (o) => {
      o['data'] = { k: '2' }
    })
    expect(again.item).toBe(item)
    expect(registry.revision()).toBe(2)
  })

  it('refuses an old version, and takes none for the latest', async () => {
    await make(configMap('a'))
    await change('a', (o) => void (o['data'] = { k: '2' }))
    expect(await refusal(change('a', (o) => void (o.metadata.resourceVersion = '1')))).toBe(
      '409 Conflict Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    )
    expect(await refusal(change('a', (o) => void (o.metadata.uid = 'other')))).toMatch(/Precondition failed: UID in precondition: other, UID in object meta: /)
    await change('a', (o) => {
      delete o.metadata.resourceVersion
      o['data'] = { k: '3' }
    })
    expect((await registry.get(ctx, configMaps, key('a'))).object['data']).toEqual({ k: '3' })
  })

  it('loses no increment when many race', async () => {
    await make(configMap('a', { n: '0' }))
    await Promise.all(Array.from({ length: 30 }, () => change('a', (o) => {
      const data = o['data'] as { n: string }
      data.n = String(Number(data.n) + 1)
    })))
    expect((await registry.get(ctx, configMaps, key('a'))).object['data']).toEqual({ n: '30' })
  })

  it('raises generation for what is wanted, not for status or labels', async () => {
    await make(deployment(), deployments)
    const generation = async (by: (o: AnyObject) => void, subresource = ''): Promise<unknown> =>
      (await change('web', by, deployments, { subresource })).item.object.metadata.generation
    expect(await generation((o) => void (o.metadata.labels = { a: 'b' }))).toBe(1)
    expect(await generation((o) => void ((o['spec'] as { replicas: number }).replicas = 3))).toBe(2)
    expect(await generation((o) => void (o['status'] = { replicas: 3 }), 'status')).toBe(2)
    expect(await generation((o) => void ((o['spec'] as { replicas: number }).replicas = 9), 'status')).toBe(2)
    const { object } = await registry.get(ctx, deployments, key('web'))
    expect([(object['spec'] as { replicas: number }).replicas, object['status']]).toMatchObject([3, { replicas: 3 }])
  })

  it('lets status be set through /status only', async () => {
    const made = await make({ ...deployment(), status: { replicas: 7 } }, deployments)
    expect(made.object['status']).toEqual({})
    await change('web', (o) => void (o['status'] = { replicas: 5 }), deployments)
    expect((await registry.get(ctx, deployments, key('web'))).object['status']).toEqual({})
    await change('web', (o) => {
      o['status'] = { replicas: 5 }
      o.metadata.labels = { not: 'here' }
      o.metadata.annotations = { but: 'here' }
    }, deployments, { subresource: 'status' })
    const { object } = await registry.get(ctx, deployments, key('web'))
    expect([object['status'], object.metadata.labels, object.metadata.annotations]).toEqual([{ replicas: 5 }, undefined, { but: 'here' }])
  })

  it('creates what is absent only when it may', async () => {
    const put = (more: object) => registry.update(ctx, configMaps, key('a'), () => configMap('a', { k: 'v' }), { ...write(), ...more })
    expect(await refusal(put({}))).toBe('404 NotFound configmaps "a" not found')
    expect(await put({ createIfAbsent: { admission: write().admission } })).toMatchObject({ created: true })
    expect(await put({ createIfAbsent: { admission: write().admission } })).toMatchObject({ created: false })
  })

  it('ends an object that is being deleted with its last finalizer', async () => {
    await make(configMap('a', {}, { finalizers: ['x.io/f'] }))
    const kept = await registry.delete(ctx, configMaps, key('a'), {}, write())
    expect(kept.deleted).toBe(false)
    expect(kept.item.object.metadata).toMatchObject({ deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 })
    await registry.delete(ctx, configMaps, key('a'), {}, write())
    expect(registry.revision()).toBe(2)
    expect(await refusal(change('a', (o) => void o.metadata.finalizers?.push('y.io/g')))).toBe(
      '422 Invalid ConfigMap "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"y.io/g"}',
    )
    expect(await refusal(make(configMap('a')))).toBe('409 AlreadyExists object is being deleted: configmaps "a" already exists')
    await change('a', (o) => void delete o.metadata.finalizers)
    expect(await refusal(registry.get(ctx, configMaps, key('a')))).toMatch(/^404/)
  })

  it('shows admission both objects and lets it change the next', async () => {
    const seen: string[] = []
    const admission = {
      async mutate(object: AnyObject | undefined, old: Readonly<AnyObject> | undefined) {
        seen.push(`mutate ${old?.metadata.name} ${object?.metadata.uid === undefined}`)
        if (object !== undefined) object['data'] = { by: 'plugin' }
      },
      async validate(object: Readonly<AnyObject> | undefined) {
        seen.push(`validate ${object?.metadata.uid === undefined}`)
      },
    }
    const item = await registry.create(ctx, configMaps, 'default', configMap('a'), write({ admission }))
    expect(item.object['data']).toEqual({ by: 'plugin' })
    expect(seen).toEqual(['mutate undefined true', 'validate false'])
  })
})

describe('delete', () => {
  it.each([
    ['nothing', {}, 'removed'],
    ['Background', { propagationPolicy: 'Background' }, 'removed'],
    ['Foreground', { propagationPolicy: 'Foreground' }, 'foregroundDeletion'],
    ['Orphan', { propagationPolicy: 'Orphan' }, 'orphan'],
    ['orphanDependents', { orphanDependents: true }, 'orphan'],
    ['an old uid', { preconditions: { uid: 'other' } }, '409'],
    ['an old resourceVersion', { preconditions: { resourceVersion: '99' } }, '409'],
    ['a policy there is not', { propagationPolicy: 'Nowhere' }, '422'],
  ])('asked for %s', async (_, options, want) => {
    await make(configMap('a'))
    const done = await registry.delete(ctx, configMaps, key('a'), options, write()).catch((error: ApiError) => String(error.code))
    const shown = typeof done === 'string' ? done : done.deleted ? 'removed' : done.item.object.metadata.finalizers?.join(' ')
    expect(shown).toBe(want)
  })

  it('gives a kind its grace, which may only become shorter', async () => {
    const graceful: Kind = { ...configMaps, graceS: (_, asked) => asked ?? 30 }
    await make(configMap('a'), graceful)
    const del = async (gracePeriodSeconds?: number): Promise<unknown> => {
      const { item, deleted } = await registry.delete(ctx, graceful, key('a'), gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }, write())
      return [deleted, item.object.metadata.deletionTimestamp?.slice(11, 19), item.object.metadata.deletionGracePeriodSeconds]
    }
    expect(await del()).toEqual([false, '00:00:30', 30])
    expect(await del(60)).toEqual([false, '00:00:30', 30])
    expect(await del(10)).toEqual([false, '00:00:10', 10])
    expect(await del(0)).toEqual([true, '00:00:00', 0])
  })

  it('keeps a namespace until its own finalizers are gone', async () => {
    await make({ metadata: { name: 'n' }, spec: { finalizers: ['kubernetes'] } }, namespaces, '')
    const at = key('n', '')
    const { item, deleted } = await registry.delete(ctx, namespaces, at, {}, write())
    expect([deleted, item.object['status']]).toEqual([false, { phase: 'Terminating' }])
    expect((await registry.delete(ctx, namespaces, at, {}, write())).deleted).toBe(false)
    await registry.update(ctx, namespaces, at, (o) => ({ ...(o as AnyObject), spec: {} }), write({ subresource: 'finalize' }))
    expect(await refusal(registry.get(ctx, namespaces, at))).toBe('404 NotFound namespaces "n" not found')
  })

  it('deletes a collection by its selectors', async () => {
    for (let i = 0; i < 10; i++) await make(configMap(`c${i}`, {}, { labels: { odd: String(i % 2) } }))
    await registry.deleteCollection(ctx, configMaps, { namespace: 'default', labelSelector: 'odd=1' }, {}, () => write())
    expect(names((await registry.list(ctx, configMaps, { namespace: '' })).items)).toBe('c0 c2 c4 c6 c8')
  })
})

describe('list', () => {
  beforeEach(async () => {
    for (const [name, namespace] of [['b', 'default'], ['a', 'default'], ['c', 'default'], ['a', 'kube'], ['z', 'alpha']] as const) {
      await make(configMap(name, {}, { labels: { name } }), configMaps, namespace)
    }
  })
  const list = (query: object) => registry.list(ctx, configMaps, { namespace: '', ...query })

  it('orders by namespace and name, within a namespace or over all', async () => {
    expect(names((await list({})).items)).toBe('z a b c a')
    expect(names((await list({ namespace: 'default' })).items)).toBe('a b c')
    expect(names((await list({ namespace: 'def' })).items)).toBe('')
  })

  it.each([
    [{ labelSelector: 'name in (a,z)' }, 'z a a'],
    [{ labelSelector: 'name!=a', namespace: 'default' }, 'b c'],
    [{ labelSelector: 'nothere' }, ''],
    [{ fieldSelector: 'metadata.name=a' }, 'a a'],
    [{ fieldSelector: 'metadata.name=a,metadata.namespace!=kube' }, 'a'],
    [{ fieldSelector: 'metadata.namespace=alpha' }, 'z'],
    [{ name: 'b', namespace: 'default' }, 'b'],
  ])('selects %j', async (query, want) => {
    expect(names((await list(query)).items)).toBe(want)
  })

  it.each([
    [{ fieldSelector: 'spec.x=y' }, '400 BadRequest "spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"'],
    [{ labelSelector: 'a b' }, "400 BadRequest unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    [{ continue: '!!' }, '400 BadRequest invalid continue token: continue key is not valid: illegal base64 data at input byte 0'],
    [{ resourceVersionMatch: 'Exact' }, '422 Invalid ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided'],
  ])('refuses %j', async (query, want) => {
    expect(await refusal(list(query))).toBe(want)
  })

  it('goes on from page to page as of one moment', async () => {
    const first = await list({ limit: 2 })
    expect([names(first.items), first.remainingItemCount]).toEqual(['z a', 3])
    await registry.delete(ctx, configMaps, key('b'), {}, write())
    await make(configMap('bb'))
    const second = await list({ limit: 2, continue: first.continue })
    expect([names(second.items), second.resourceVersion]).toEqual(['b c', first.resourceVersion])
    const third = await list({ limit: 2, continue: second.continue })
    expect([names(third.items), third.continue]).toEqual(['a', undefined])
  })

  it('says Expired with a way on when the moment is forgotten', async () => {
    const first = await list({ limit: 2 })
    for (let i = 0; i < 4_200; i++) await change('a', (o) => void (o['data'] = { i: String(i) }))
    await store.compact(ctx, store.revision())
    const error = await list({ limit: 2, continue: first.continue }).catch((e: ApiError) => e)
    expect(error).toMatchObject({ code: 410, reason: 'Expired' })
    const rest = await list({ continue: (error as ApiError).status().metadata.continue })
    expect(names(rest.items)).toBe('b c a')
  })

  it('says Expired of what was more than a few minutes ago, though the store remembers', async () => {
    const first = await list({ limit: 2 })
    await make(configMap('bb'))
    await clock.advance(300_000)
    expect(names((await list({ limit: 2, continue: first.continue })).items)).toBe('b c')
    await clock.advance(60_000)
    const error = await list({ limit: 2, continue: first.continue }).catch((e: ApiError) => e)
    expect(error).toMatchObject({ code: 410, reason: 'Expired' })
    expect(names((await list({ continue: (error as ApiError).status().metadata.continue })).items)).toBe('b bb c a')
    expect(await refusal(list({ resourceVersion: first.resourceVersion, resourceVersionMatch: 'Exact' }))).toBe(
      '410 Expired The resourceVersion for the provided list is too old.',
    )
    expect(store.compacted()).toBe(0)
  })

  it('shows the state at a revision', async () => {
    const exact = { resourceVersion: '2', resourceVersionMatch: 'Exact' }
    await registry.delete(ctx, configMaps, key('b'), {}, write())
    expect(names((await list(exact)).items)).toBe('a b')
    const far = list({ resourceVersion: '900' })
    const said = refusal(far)
    await clock.advance(3_000)
    expect(await said).toBe('504 Timeout Timeout: Too large resource version: 900, current: 6')
  })
})

describe('watch', () => {
  const open = async (query: Partial<WatchQuery> = {}, kind: Kind = configMaps) => {
    const lines: string[] = []
    const ended: Error[] = []
    const handle = await registry.watch(ctx, kind, { namespace: '', allowBookmarks: false, sendInitialEvents: undefined, ...query }, {
      event: (type, item) => lines.push(`${type} ${item.object.metadata.name}@${fresh(item.bytes).metadata.resourceVersion}`),
      bookmark: (revision, initialEnd) => lines.push(`BOOKMARK ${revision}${initialEnd ? ' end' : ''}`),
      end: (error) => void (error === undefined || ended.push(error)),
    })
    return { lines, ended, handle }
  }

  it('begins with what there is, or after a version', async () => {
    await make(configMap('a'))
    await make(configMap('b'))
    const all = await open()
    const later = await open({ resourceVersion: '1' })
    await change('a', (o) => void (o['data'] = { k: 'v' }))
    await registry.delete(ctx, configMaps, key('b'), {}, write())
    expect(all.lines).toEqual(['ADDED a@1', 'ADDED b@2', 'MODIFIED a@3', 'DELETED b@4'])
    expect(later.lines).toEqual(['ADDED b@2', 'MODIFIED a@3', 'DELETED b@4'])
    all.handle.stop()
    await make(configMap('c'))
    expect(all.lines).toHaveLength(4)
  })

  it('marks the end of what there was, and how far it has come', async () => {
    await make(configMap('a'))
    const w = await open({ sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowBookmarks: true })
    await make(configMap('b'))
    await clock.advance(60_000)
    expect(w.lines).toEqual(['ADDED a@1', 'BOOKMARK 1 end', 'ADDED b@2', 'BOOKMARK 2'])
  })

  it('says of no version that it has come so far while events before it are still to come', async () => {
    await make(configMap('a'))
    const at = 'configmaps/default/a'
    const bytes = (await store.get(ctx, at))?.value as Uint8Array
    for (let revision = 1; revision <= 10_000; revision++) await store.put(ctx, at, bytes, revision)
    await clock.advance(59_999)
    const w = await open({ resourceVersion: '1', allowBookmarks: true })
    await clock.advance(1)
    await expect.poll(() => w.lines.filter((line) => line.startsWith('MODIFIED')).length).toBe(10_000)
    const marks = w.lines.map((line, i) => ({ line, i })).filter(({ line }) => line.startsWith('BOOKMARK'))
    for (const { i } of marks) expect(w.lines.slice(i + 1)).toEqual([])
    await clock.advance(60_000)
    expect(w.lines.at(-1)).toBe('BOOKMARK 10001')
  })

  it('ends the watch of one who cannot take an event, and of nobody else', async () => {
    const ended: (Error | undefined)[] = []
    const broken = { event: () => { throw new Error('no columns') }, bookmark: () => {}, end: (error?: Error) => void ended.push(error) }
    await registry.watch(ctx, configMaps, { namespace: '', allowBookmarks: false, sendInitialEvents: undefined }, broken)
    const w = await open()
    await make(configMap('a'))
    await make(configMap('b'))
    expect(w.lines).toEqual(['ADDED a@1', 'ADDED b@2'])
    expect(ended.map(String)).toEqual(['ApiError: Internal error occurred: no columns'])
  })

  it('shows objects that come to match as added and those that cease to as deleted', async () => {
    await make(configMap('a', {}, { labels: { on: 'no' } }))
    const w = await open({ labelSelector: 'on=yes' })
    const n = await open({ fieldSelector: 'metadata.name=a', namespace: 'default' })
    await change('a', (o) => void (o.metadata.labels = { on: 'yes' }))
    await change('a', (o) => void (o['data'] = { k: 'v' }))
    await change('a', (o) => void (o.metadata.labels = {}))
    await make(configMap('ab'))
    expect(w.lines).toEqual(['ADDED a@2', 'MODIFIED a@3', 'DELETED a@4'])
    expect(n.lines).toEqual(['ADDED a@1', 'MODIFIED a@2', 'MODIFIED a@3', 'MODIFIED a@4'])
  })

  it('reads what has left the window from the store, and says Expired below that', async () => {
    await make(configMap('a'))
    for (let i = 0; i < 5_000; i++) await change('a', (o) => void (o['data'] = { i: String(i) }))
    const w = await open({ resourceVersion: '1' })
    await clock.settle()
    await make(configMap('b'))
    await clock.settle()
    expect([w.lines.length, w.lines[0], w.lines.at(-1)]).toEqual([5_001, 'MODIFIED a@2', 'ADDED b@5002'])
    await store.compact(ctx, 3_000)
    expect(await refusal(open({ resourceVersion: '2999' }))).toBe('410 Expired too old resource version: 2999 (3000)')
  })

  it('tells what memory holds however old it is, and says Expired of what the store alone remembers', async () => {
    await make(configMap('a'))
    await clock.advance(600_000)
    const w = await open({ resourceVersion: '1' })
    for (let i = 0; i < 5_000; i++) await change('a', (o) => void (o['data'] = { i: String(i) }))
    expect([w.lines.length, store.compacted()]).toEqual([5_000, 0])
    await clock.advance(360_000)
    expect(await refusal(open({ resourceVersion: '1' }))).toBe('410 Expired too old resource version: 1 (5001)')
  })

  it('ends with its kind', async () => {
    const w = await open()
    registry.removeKind(configMaps)
    await make(configMap('a'))
    expect([w.lines, registry.kind('', 'v1', 'configmaps')]).toEqual([[], undefined])
  })

  it('comes as far as the store with what is no object', async () => {
    const w = await open({ allowBookmarks: true })
    await store.put(ctx, 'pulse', new Uint8Array([1]), 'absent')
    expect([registry.revision(), w.lines]).toEqual([1, []])
    const again = await openRegistry(ctx, { store, kinds, random: seededRandom(1) })
    expect(again.revision()).toBe(1)
    await again.close()
  })

  it('ends with the registry', async () => {
    const w = await open()
    await registry.close()
    expect(w.ended).toHaveLength(1)
  })
})

describe('kinds that share', () => {
  it('shows one event in both versions', async () => {
    const at = { metadata: { name: 'e' }, involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' }, reason: 'Started', message: 'hello', type: 'Normal' }
    const made = await make(at as unknown as AnyObject, events)
    const other = await registry.get(ctx, eventsV1Events, key('e'))
    expect(other.object).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'hello', regarding: { name: 'p' }, metadata: { resourceVersion: '1' } })
    expect(await registry.get(ctx, eventsV1Events, key('e'))).toBe(other)
    expect(made.object['message']).toBe('hello')
  })

  it('ends events when their time is over, unless they are written again', async () => {
    const ending: Kind = { ...events, ttlMs: 3_600_000 }
    registry.addKind(ending)
    const at = { involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' }, reason: 'r', message: 'm', type: 'Normal' }
    for (const name of ['old', 'kept']) await make({ metadata: { name }, ...cloneJson(at) } as unknown as AnyObject, ending)
    await clock.advance(1_800_000)
    await change('kept', (o) => void (o['count'] = 2), ending)
    await clock.advance(1_900_000)
    expect(names((await registry.list(ctx, ending, { namespace: '' })).items)).toBe('kept')
    await clock.advance(1_900_000)
    expect(names((await registry.list(ctx, ending, { namespace: '' })).items)).toBe('')
  })
})

describe('ownership', () => {
  it('writes down who set which field, and no write when only the time is new', async () => {
    const manager = { name: 'kubectl', operation: 'Update' as const }
    const item = await registry.create(ctx, configMaps, 'default', configMap('a', { k: 'v' }), write({ manager }))
    expect(item.object.metadata.managedFields).toMatchObject([{ manager: 'kubectl', operation: 'Update', apiVersion: 'v1', fieldsV1: { 'f:data': { 'f:k': {} } } }])
    await clock.advance(5_000)
    const same = await change('a', () => {}, configMaps, { manager })
    expect(same.item).toBe(item)
  })
})

function deployment(): AnyObject {
  return {
    metadata: { name: 'web' },
    spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } },
  }
}
