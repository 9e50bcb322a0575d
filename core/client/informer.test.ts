import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configMaps } from '../api/core/configmap.ts'
import { events } from '../api/core/event.ts'
import { expired } from '../api/errors.ts'
import type { ConfigMap } from '../api/schema/types.ts'
import { testApi, type TestApi } from '../../test/support/api.ts'
import type { Client, WatchEvent } from './client.ts'
import { Informers } from './informers.ts'
import { EventRecorder } from './recorder.ts'

let api: TestApi
let running: Promise<void> | undefined
beforeEach(async () => {
  api = await testApi()
  running = undefined
})
afterEach(async () => {
  await api.stop()
  await running
})

const map = (name: string, label = ''): ConfigMap => ({ metadata: { name, namespace: 'default', labels: { label } } })

/** The real client, whose watches the test can break, and which counts lists. */
function breakable(): { client: Client; breakWith: (error?: unknown) => void; lists: () => number } {
  let lists = 0
  let cut: ((error?: unknown) => void) | undefined
  async function* watch(...args: Parameters<Client['watch']>): AsyncGenerator<WatchEvent<never>> {
    const inner = api.client.watch(...args)[Symbol.asyncIterator]()
    const broken = new Promise<{ error: unknown }>((resolve) => (cut = (error) => resolve({ error })))
    for (;;) {
      const next = await Promise.race([inner.next(), broken])
      if ('error' in next) {
        if (next.error !== undefined) throw next.error
        return
      }
      if (next.done === true) return
      yield next.value as WatchEvent<never>
    }
  }
  const client = {
    ...api.client,
    watch: watch as Client['watch'],
    list: ((...args: Parameters<Client['list']>) => {
      lists++
      return api.client.list(...args)
    }) as Client['list'],
  }
  return { client, breakWith: (error) => cut?.(error), lists: () => lists }
}

async function start(client: Client = api.client) {
  const informers = new Informers({ client, random: api.random, freeze: true })
  const informer = informers.of(configMaps)
  const told: string[] = []
  informer.addIndex('label', (o) => [o.metadata.labels?.['label'] ?? ''])
  informer.on({
    added: (o, initial) => told.push(`${initial ? 'initial' : 'added'} ${o.metadata.name}`),
    updated: (o) => told.push(`updated ${o.metadata.name}`),
    deleted: (o) => told.push(`deleted ${o.metadata.name}`),
  })
  running = informers.run(api.ctx)
  await api.clock.settle()
  return { informers, informer, told }
}

describe('informer', () => {
  it('tells what is there, what comes, changes and goes, and keeps its indexes', async () => {
    await api.create(configMaps, map('a', 'x'))
    const { informers, informer, told } = await start()
    await api.create(configMaps, map('b', 'x'))
    await api.change(configMaps, 'a', (mine) => (mine.metadata.labels = { label: 'y' }))
    await api.client.delete(api.ctx, configMaps, { namespace: 'default', name: 'b' })
    await api.clock.settle()
    expect(told).toEqual(['initial a', 'added b', 'updated a', 'deleted b'])
    expect([informer.lister.by('label', 'x').length, informer.lister.by('label', 'y').map((o) => o.metadata.name)]).toEqual([0, ['a']])
    expect(informer.revision).toBe(api.registry.revision())
    expect(informers.of(configMaps)).toBe(informer)
    expect(() => Object.assign(informer.lister.list()[0]?.metadata.labels ?? {}, { label: 'z' })).toThrow()
  })

  it('goes on where it was when a watch ends, without listing again', async () => {
    const { client, breakWith, lists } = breakable()
    const { told } = await start(client)
    breakWith()
    await api.create(configMaps, map('a'))
    await api.clock.advance(1_000)
    expect([told, lists()]).toEqual([['added a'], 1])
  })

  it('lists again when it is too far behind, and tells the difference', async () => {
    await api.create(configMaps, map('old'))
    const { client, breakWith, lists } = breakable()
    const { told } = await start(client)
    breakWith(expired('too old resource version'))
    await api.create(configMaps, map('new'))
    await api.client.delete(api.ctx, configMaps, { namespace: 'default', name: 'old' })
    await api.clock.advance(1_000)
    expect([told, lists()]).toEqual([['initial old', 'added new', 'deleted old'], 2])
  })

  it('tells a late handler what is there', async () => {
    await api.create(configMaps, map('a'))
    const { informer } = await start()
    const told: string[] = []
    informer.on({ added: (o, initial) => told.push(`${initial} ${o.metadata.name}`) })
    expect(told).toEqual(['true a'])
  })
})

describe('recorder', () => {
  it('counts the same up on one event, combines many alike, and cuts off a flood', async () => {
    const recorder = new EventRecorder(api.ctx, api.client, { component: 'test', host: 'h' }, api.random)
    running = recorder.run(api.ctx)
    const a = await api.create(configMaps, map('a'))
    const b = await api.create(configMaps, map('b'))
    for (let i = 0; i < 3; i++) recorder.event(configMaps, a, 'Normal', 'Same', 'same words')
    for (let i = 0; i < 40; i++) recorder.event(configMaps, b, 'Warning', 'Many', `words ${i}`)
    await api.clock.settle()
    const all = await api.list(events, 'default')
    const same = all.filter((e) => e.reason === 'Same')
    expect(same).toMatchObject([{ count: 3, message: 'same words', type: 'Normal', involvedObject: { kind: 'ConfigMap', name: 'a', uid: a.metadata.uid }, source: { component: 'test', host: 'h' } }])
    const many = all.filter((e) => e.reason === 'Many')
    expect([many.length, many.reduce((n, e) => n + (e.count ?? 0), 0)]).toEqual([10, 25])
    expect(many.find((e) => (e.count ?? 0) > 1)?.message).toBe('(combined from similar events): words 24')
  })
})
