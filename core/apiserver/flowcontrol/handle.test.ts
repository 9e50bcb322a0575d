/** Flow control as clients see it. */
import { afterEach, describe, expect, it } from 'vitest'
import { suggestedLevels, suggestedSchemas } from '../../api/flowcontrol/bootstrap.ts'
import { virtualClock } from '../../lib/clock.ts'
import { createMetrics } from '../../lib/metrics.ts'
import { openRig, type Rig } from '../rig.fake.ts'
import { FlowControl } from './flowcontrol.ts'

const bob = { authorization: 'Bearer bob' }
const cms = '/api/v1/namespaces/default/configmaps'

let rig: Rig
let flow: FlowControl
async function open(): Promise<void> {
  const clock = virtualClock()
  const metrics = createMetrics()
  flow = new FlowControl({ clock, metrics })
  flow.configure(
    suggestedLevels.map((level) => ({ ...level, metadata: { ...level.metadata, uid: `level-${level.metadata.name}` } })),
    suggestedSchemas.map((schema) => ({ ...schema, metadata: { ...schema.metadata, uid: `schema-${schema.metadata.name}` } })),
  )
  rig = await openRig({ flow, metrics, authorizer: { authorize: () => ({ answer: 'allow', reason: '' }) } }, clock)
}
afterEach(() => rig.close())

describe('an answer', () => {
  it('names schema and level by their uids, whatever it answers', async () => {
    await open()
    const named = { 'x-kubernetes-pf-flowschema-uid': 'schema-global-default', 'x-kubernetes-pf-prioritylevel-uid': 'level-global-default' }
    for (const url of [cms, `${cms}/none`, '/version', '/apis', '/api/v1/foos']) expect((await rig.ask('GET', url, undefined, bob)).headers).toMatchObject(named)
    expect((await rig.ask('GET', cms, undefined, { authorization: 'Bearer bad' })).headers).not.toHaveProperty('x-kubernetes-pf-flowschema-uid')
    expect(flow.running).toBe(0)
  })

  it('says to come back later where there is no room', async () => {
    await open()
    flow.configure([], [])
    const level = flow.levels.get('catch-all')
    if (level === undefined) throw new Error('no level')
    level.limit = 0
    const watch = rig.open(`${cms}?watch=1`, bob) // wider than the level, and alone: it may
    await watch.done
    const never = rig.ask('GET', `${cms}/a`, undefined, bob)
    expect((await never).code).toBe(404) // the watch has begun, and is not counted any more
    const busy = flow.enter({ ...flowInfo }, { name: 'x', groups: ['system:authenticated'] }, 0)
    const answer = await rig.ask('GET', cms, undefined, bob)
    expect(answer).toMatchObject({ code: 429, text: 'Too many requests, please try again later.\n', headers: { 'retry-after': '1', 'content-type': 'text/plain; charset=utf-8' } })
    flow.leave(busy, 0)
    expect((await rig.ask('GET', cms, undefined, bob)).code).toBe(200)
  })

  it('is 429 when a quarter of its time was spent waiting', async () => {
    await open()
    const level = flow.levels.get('global-default')
    if (level === undefined) throw new Error('no level')
    level.limit = 0
    const waiting = rig.open(`${cms}?timeout=8s`, bob)
    await rig.clock.settle()
    expect(level.waiting).toBe(1)
    await rig.clock.advance(1_000)
    expect(waiting.started).toBe(false)
    await rig.clock.advance(2_000)
    await waiting.done
    expect(waiting.code).toBe(429)
    expect(level).toMatchObject({ waiting: 0, timedOut: 1 })
  })

  it('is nothing for who has left while he waited', async () => {
    await open()
    const level = flow.levels.get('global-default')
    if (level === undefined) throw new Error('no level')
    level.limit = 0
    const waiting = rig.open(cms, bob)
    await rig.clock.settle()
    waiting.close()
    await waiting.done
    expect(level).toMatchObject({ waiting: 0, cancelled: 1 })
  })
})

const flowInfo = { method: 'GET', path: '/x', query: { raw: '', params: new URLSearchParams(), get: () => undefined, all: () => [], flag: () => false } as never, isResource: false, verb: 'get', group: '', version: '', resource: '', subresource: '', namespace: '', name: '', rest: '' } as const

it('connections do not count, and a watch until it has begun', async () => {
  await open()
  await rig.open(`${cms}?watch=1`, bob).done
  expect(flow.watches.interested({ group: '', resource: 'configmaps', namespace: 'default', name: 'a' })).toBe(1)
  expect(flow.running).toBe(0)
  const answer = await rig.ask('GET', '/api/v1/namespaces/default/pods/a/log', undefined, bob)
  expect(answer.headers).not.toHaveProperty('x-kubernetes-pf-flowschema-uid')
})
