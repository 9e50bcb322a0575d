import { describe, expect, it } from 'vitest'
import { virtualClock } from '../lib/clock.ts'
import { inProcess } from './inprocess.ts'
import { admin, openRig, type Rig } from './rig.fake.ts'
import { backlogBytesMax } from './verbs/watch.ts'

const cms = '/api/v1/namespaces/default/configmaps'

async function open(): Promise<Rig> {
  const rig = await openRig()
  await rig.ask('POST', '/api/v1/namespaces', { metadata: { name: 'default' } })
  return rig
}

describe('watch', () => {
  it('sends what there is and what comes, and everybody gets the same bytes', async () => {
    const rig = await open()
    await rig.ask('POST', cms, { metadata: { name: 'a' } })
    const one = rig.open(`${cms}?watch=1`)
    const two = rig.open(`${cms}?watch=1`)
    await Promise.all([one.done, two.done])
    await rig.ask('POST', cms, { metadata: { name: 'b' } })
    await rig.ask('DELETE', `${cms}/a`)
    expect(one.events().map((event) => [event.type, event.object.metadata.name])).toEqual([['ADDED', 'a'], ['ADDED', 'b'], ['DELETED', 'a']])
    expect(two.chunks[1]).toBe(one.chunks[1])
    await rig.close()
  })

  it('marks the end of the initial events when asked to send them', async () => {
    const rig = await open()
    await rig.ask('POST', cms, { metadata: { name: 'a' } })
    const stream = rig.open(`${cms}?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan`)
    await stream.done
    expect(stream.events().map((event) => event.type)).toEqual(['ADDED', 'BOOKMARK'])
    expect(stream.events()[1].object).toMatchObject({ kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } })
    await rig.close()
  })

  it('names the columns of a table once', async () => {
    const rig = await open()
    const stream = rig.open(`${cms}?watch=1`, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })
    await stream.done
    for (const name of ['a', 'b']) await rig.ask('POST', cms, { metadata: { name } })
    expect(stream.events().map((event) => [event.object.kind, event.object.columnDefinitions?.length ?? 0, event.object.rows[0].cells[0]])).toEqual([['Table', 3, 'a'], ['Table', 0, 'b']])
    await rig.close()
  })

  it('ends cleanly after its time', async () => {
    const rig = await open()
    const stream = rig.open(`${cms}?watch=1&timeoutSeconds=5`)
    await stream.done
    await rig.clock.advance(5_001)
    expect([stream.ended, stream.broken]).toEqual([true, undefined])
    await rig.close()
  })

  it('refuses a version that is none', async () => {
    const rig = await open()
    const answer = await rig.ask('GET', `${cms}?watch=1&resourceVersion=x`)
    expect(answer.json).toMatchObject({ code: 500, message: 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax' })
    await rig.close()
  })

  it('cuts off who does not read, by time and by bytes', async () => {
    const rig = await open()
    const [slow, greedy] = [rig.open(`${cms}?watch=1`), rig.open(`${cms}?watch=1`)]
    await Promise.all([slow.done, greedy.done])
    slow.full = greedy.full = true
    const data = { k: 'x'.repeat(1_000_000) }
    for (let i = 0; i * 1_000_000 < backlogBytesMax + 2_000_000; i++) await rig.ask('POST', cms, { metadata: { name: `big-${i}` }, data })
    expect(greedy.broken?.message).toContain('bytes behind')
    const stuck = rig.open(`${cms}?watch=1&resourceVersion=${rig.registry.revision()}`)
    await stuck.done
    stuck.full = true
    await rig.ask('POST', cms, { metadata: { name: 'small' } })
    await rig.clock.advance(15_001)
    expect(stuck.broken?.message).toContain('stuck')
    await rig.close()
  })

  it('goes on with what waited when the stream flows again', async () => {
    const rig = await open()
    const stream = rig.open(`${cms}?watch=1`)
    await stream.done
    stream.full = true
    for (const name of ['a', 'b', 'c']) await rig.ask('POST', cms, { metadata: { name } })
    expect(stream.chunks).toHaveLength(1)
    stream.drain()
    expect(stream.events().map((event) => event.object.metadata.name)).toEqual(['a', 'b', 'c'])
    await rig.close()
  })
})

describe('in process', () => {
  it('passes the same chain: rights, validation, answers as objects', async () => {
    const rig = await openRig({}, virtualClock())
    const api = inProcess(rig.deps)
    const at = { kind: rig.kind('configmaps'), namespace: 'default', name: '', subresource: '', query: {} }
    await api.call(rig.ctx, admin, { ...at, kind: rig.kind('namespaces'), namespace: '', verb: 'create', body: { metadata: { name: 'default' } } })
    const body = { metadata: { name: 'a' }, data: { k: 'v' } }
    const seen: unknown[] = []
    const watch = await api.watch(rig.ctx, admin, at, { event: (type, object) => void seen.push([type, object.metadata.name]), end: () => void seen.push('end') })
    const made = await api.call(rig.ctx, admin, { ...at, verb: 'create', body })
    expect(made).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'a', managedFields: [{ manager: 'test' }] } })
    expect(body).toEqual({ metadata: { name: 'a' }, data: { k: 'v' } })
    const got = await api.call(rig.ctx, admin, { ...at, verb: 'get', name: 'a' })
    expect(got).toBe(await api.call(rig.ctx, admin, { ...at, verb: 'get', name: 'a' }))
    const eve = { name: 'eve', groups: [], agent: 'x' }
    await expect(api.call(rig.ctx, eve, { ...at, verb: 'list' })).rejects.toMatchObject({ code: 403, message: /User "eve" cannot list resource "configmaps"/ })
    await expect(api.call(rig.ctx, admin, { ...at, verb: 'create', body })).rejects.toMatchObject({ reason: 'AlreadyExists' })
    watch.stop()
    await api.call(rig.ctx, admin, { ...at, verb: 'delete', name: 'a' })
    expect(seen).toEqual([['ADDED', 'a']])
    await rig.close()
  })
})
