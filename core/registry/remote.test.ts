import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { customKind } from '../api/custom.fake.ts'
import { ApiError, isApiError } from '../api/errors.ts'
import type { Kind, RemoteConversion } from '../api/kind.ts'
import type { AnyObject } from '../api/meta.ts'
import { virtualClock, type VirtualClock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import { silentLog } from '../lib/log.ts'
import { seededRandom } from '../lib/random.ts'
import { openMemory } from '../store/drivers/memory.ts'
import { openRegistry, type OpenRegistry } from './open.ts'
import type { Item, WatchQuery, WatchSink, WriteOptions } from './registry.ts'

let clock: VirtualClock
let ctx: Ctx
let registry: OpenRegistry
let v1: Kind
let v2: Kind
/** How many objects each question was about. */
let asked: number[]
let slowMs: number
let refusing: boolean

/** v1 has spec.hostPort "h:p", v2 has spec.host and spec.port. */
const convert: RemoteConversion = async (objects, apiVersion) => {
  asked.push(objects.length)
  const mine = slowMs
  if (mine > 0) await clock.sleep(mine)
  if (refusing) throw new ApiError({ code: 500, reason: '', message: 'conversion webhook for stable.example.com/v1, Kind=CronTab failed: no' })
  expect(objects.every((object) => object.metadata.resourceVersion === undefined)).toBe(true)
  return objects.map((object): AnyObject => {
    const spec = object['spec'] as Record<string, string>
    if (apiVersion.endsWith('/v1')) return { ...object, apiVersion, spec: { hostPort: `${spec['host']}:${spec['port']}` } }
    const [host = '', port = ''] = (spec['hostPort'] ?? '').split(':')
    return { ...object, apiVersion, spec: { host, port } }
  })
}

beforeEach(async () => {
  clock = virtualClock()
  ctx = { signal: new AbortController().signal, clock, log: silentLog }
  ;[asked, slowMs, refusing] = [[], 0, false]
  const shapes = { conversion: { toStored: (object: AnyObject) => object, fromStored: (object: Readonly<AnyObject>) => object as AnyObject }, remote: convert }
  v1 = customKind('v1', shapes)
  v2 = customKind('v2', shapes)
  registry = await openRegistry(ctx, { store: openMemory(), kinds: [], random: seededRandom(1) })
  registry.addKind(v1)
  registry.addKind(v2)
})
afterEach(() => registry.close())

const write = (): WriteOptions => ({
  env: { now: clock.now(), user: 'admin' }, subresource: '', dryRun: false,
  admission: { mutate: async () => {}, validate: async () => {} }, warn: () => {},
})
const make = (kind: Kind, name: string, spec: object, labels: Record<string, string> = {}): Promise<Item> =>
  registry.create(ctx, kind, 'default', { metadata: { name, labels }, spec } as unknown as AnyObject, write())
const at = (name: string) => ({ namespace: 'default', name })
const specs = (items: readonly Item[]) => items.map((item) => item.object['spec'])

function follower(): WatchSink & { readonly seen: string[] } {
  const seen: string[] = []
  return {
    seen,
    event: (type, { object, revision }) => void seen.push(`${type} ${object.apiVersion} ${object.metadata.name} ${JSON.stringify(object['spec'])} ${object.metadata.resourceVersion === String(revision)}`),
    bookmark: (_revision, initialEnd) => void seen.push(initialEnd ? 'all told' : 'bookmark'),
    end: (error) => void seen.push(`end ${error?.message ?? ''}`),
  }
}
const query = (more: Partial<WatchQuery> = {}): WatchQuery => ({ namespace: '', allowBookmarks: true, sendInitialEvents: undefined, ...more })

describe('kinds that a webhook converts', () => {
  it('are stored in the storage version and shown in that of the request, each asked for once', async () => {
    const made = await make(v2, 'a', { host: 'h', port: '1' })
    expect([made.object.apiVersion, made.object['spec'], made.object.metadata.resourceVersion]).toEqual(['stable.example.com/v2', { host: 'h', port: '1' }, '1'])
    expect(asked).toEqual([1, 1])
    expect((await registry.get(ctx, v1, at('a'))).object['spec']).toEqual({ hostPort: 'h:1' })
    expect((await registry.get(ctx, v2, at('a'))).object['spec']).toEqual({ host: 'h', port: '1' })
    expect(asked).toEqual([1, 1])
  })

  it('cost one question for a list, and none in the storage version', async () => {
    for (const name of ['a', 'b', 'c']) await make(v1, name, { hostPort: `${name}:1` }, { first: String(name === 'a') })
    expect(asked).toEqual([])
    expect(specs((await registry.list(ctx, v1, { namespace: '' })).items)).toEqual([{ hostPort: 'a:1' }, { hostPort: 'b:1' }, { hostPort: 'c:1' }])
    const page = await registry.list(ctx, v2, { namespace: '', limit: 2 })
    expect([specs(page.items), page.remainingItemCount, asked]).toEqual([[{ host: 'a', port: '1' }, { host: 'b', port: '1' }], 1, [2]])
    const rest = await registry.list(ctx, v2, { namespace: '', limit: 2, continue: page.continue ?? '' })
    expect([specs(rest.items), asked]).toEqual([[{ host: 'c', port: '1' }], [2, 1]])
    expect(specs((await registry.list(ctx, v2, { namespace: '', labelSelector: 'first=true' })).items)).toEqual([{ host: 'a', port: '1' }])
  })

  it('are changed and deleted through either version', async () => {
    await make(v1, 'a', { hostPort: 'h:1' })
    const { item } = await registry.update(ctx, v2, at('a'), (current) => ({ ...(current as AnyObject), spec: { host: 'x', port: '2' } }) as AnyObject, write())
    expect([item.object['spec'], item.object.metadata.generation]).toEqual([{ host: 'x', port: '2' }, 2])
    expect((await registry.get(ctx, v1, at('a'))).object['spec']).toEqual({ hostPort: 'x:2' })
    const gone = await registry.delete(ctx, v2, at('a'), {}, write())
    expect([gone.deleted, gone.item.object['spec']]).toEqual([true, { host: 'x', port: '2' }])
  })

  it('are watched in order, however long a conversion takes', async () => {
    await make(v1, 'old', { hostPort: 'o:1' })
    const sink = follower()
    slowMs = 500
    await registry.watch(ctx, v2, query({ sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }), sink)
    slowMs = 100
    await make(v1, 'a', { hostPort: 'a:1' })
    slowMs = 10
    await make(v1, 'b', { hostPort: 'b:1' })
    await registry.delete(ctx, v1, at('a'), {}, write())
    expect(sink.seen).toEqual([])
    await clock.advance(1_000)
    expect(sink.seen).toEqual([
      'ADDED stable.example.com/v2 old {"host":"o","port":"1"} true',
      'all told',
      'ADDED stable.example.com/v2 a {"host":"a","port":"1"} true',
      'ADDED stable.example.com/v2 b {"host":"b","port":"1"} true',
      'DELETED stable.example.com/v2 a {"host":"a","port":"1"} true',
    ])
    expect(asked).toEqual([1, 1, 1])
  })

  it('share an answer among all who watch, and tell who left a selection', async () => {
    const sinks = [follower(), follower()]
    for (const sink of sinks) await registry.watch(ctx, v2, query({ labelSelector: 'on=yes', allowBookmarks: false }), sink)
    slowMs = 50
    await make(v1, 'a', { hostPort: 'a:1' }, { on: 'yes' })
    await registry.update(ctx, v1, at('a'), (current) => ({ ...(current as AnyObject), metadata: { ...current?.metadata, labels: {} } }) as AnyObject, write())
    await clock.advance(500)
    for (const { seen } of sinks) expect(seen.map((each) => each.split(' ', 1)[0])).toEqual(['ADDED', 'DELETED'])
    expect(asked).toEqual([1, 1])
  })

  it('say what the webhook said when it refuses, and end watches', async () => {
    await make(v1, 'a', { hostPort: 'a:1' })
    const sink = follower()
    refusing = true
    await registry.watch(ctx, v2, query(), sink)
    await clock.advance(1)
    expect(sink.seen).toEqual(['end conversion webhook for stable.example.com/v1, Kind=CronTab failed: no'])
    for (const refused of [registry.get(ctx, v2, at('a')), registry.list(ctx, v2, { namespace: '' }), make(v2, 'b', {}), registry.delete(ctx, v2, at('a'), {}, write())]) {
      const error: unknown = await refused.catch((reason: unknown) => reason)
      expect(isApiError(error) && error.code).toBe(500)
    }
    refusing = false
    expect((await registry.get(ctx, v2, at('a'))).object['spec']).toEqual({ host: 'a', port: '1' })
  })
})
