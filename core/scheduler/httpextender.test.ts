/** What is said to an extender and understood of its answers, over a real connection. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Node, Pod } from '../api/schema/types.ts'
import type { Client } from '../client/client.ts'
import { remoteServer, type Heard, type RemoteServer, type Said } from '../client/remote.fake.ts'
import { remoteClient } from '../client/remote.ts'
import { virtualClock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import { silentLog } from '../lib/log.ts'
import { seededRandom } from '../lib/random.ts'
import { readSchedulerConfiguration } from './configuration/configuration.ts'
import { profilesOf } from './configuration/profiles.ts'
import { fakeEnv } from './env.fake.ts'
import type { Extender } from './extender.ts'
import { httpExtender } from './httpextender.ts'
import { Scheduler } from './scheduler.ts'
import { World } from './world.ts'

const clock = virtualClock()
const ctx: Ctx = { signal: new AbortController().signal, clock, log: silentLog }
const remote = remoteClient({ agent: 'kube-scheduler', services: { resolve: () => ({ host: '', port: 0 }) } })
let server: RemoteServer
let answers: Record<string, unknown> = {}

beforeAll(async () => {
  server = await remoteServer(['127.0.0.1'], async ({ url }): Promise<Said | 'cut'> => {
    const verb = url.split('/').at(-1) ?? ''
    if (verb === 'slow') await new Promise(() => {})
    return verb in answers ? { body: JSON.stringify(answers[verb]) } : { status: 404, body: 'no' }
  })
})
afterAll(async () => {
  remote.close()
  await server.close()
})
beforeEach(() => {
  answers = {}
})

const pod = (name: string, more: Partial<Pod['spec'] & object> = {}): Pod => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', uid: `uid-${name}` }, spec: { schedulerName: 'default-scheduler', containers: [{ name: 'c' }], ...more },
})
const node = (name: string): Node => ({ kind: 'Node', metadata: { name }, status: { allocatable: { cpu: '2', memory: '4Gi', pods: '110' } } })

const config = (extender: object): ReturnType<typeof readSchedulerConfiguration> =>
  readSchedulerConfiguration(JSON.stringify({ apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration', extenders: [{ urlPrefix: `https://127.0.0.1:${server.port}/ext/`, ...extender }] }))

function extenderOf(written: object): Extender {
  const [first] = config(written).extenders
  if (first === undefined) throw new Error('no extender')
  return httpExtender(first, { url: first.urlPrefix, caBundle: server.caBundle, credentials: { certificate: server.client.certificate.pem, key: server.client.key.pem } }, remote)
}

function worldOf(...pods: readonly Pod[]): World {
  const world = new World()
  for (const name of ['a', 'b', 'c']) world.setNode(node(name))
  for (const each of pods) world.setPod(each)
  return world
}

const asked = (): Heard & { readonly json: Readonly<Record<string, unknown>> } => {
  const last = server.heard.at(-1)
  if (last === undefined) throw new Error('nothing was asked')
  return { ...last, json: JSON.parse(last.body) as Readonly<Record<string, unknown>> }
}

describe('an extender', () => {
  it('is asked with nodes as objects, by one who shows a certificate, and answers with some of them and reasons for others', async () => {
    answers['filter'] = { nodes: { items: [{ metadata: { name: 'b' } }] }, failedNodes: { a: 'too old', c: 'too new' }, FailedAndUnresolvableNodes: { c: 'never' }, Error: '' }
    const nodes = worldOf().nodes()
    const { nodes: kept, refusals } = (await extenderOf({ filterVerb: 'filter' }).filter?.(ctx, pod('p'), nodes)) ?? { nodes: [], refusals: new Map() }
    expect(asked()).toMatchObject({ method: 'POST', url: '/ext/filter', client: 'caller', json: { NodeNames: null, Nodes: { metadata: {}, items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }, { metadata: { name: 'c' } }] }, Pod: { metadata: { name: 'p' } } } })
    expect(Object.keys(asked().json['Pod'] as object)).toEqual(['metadata', 'spec'])
    expect(kept.map(({ name }) => name)).toEqual(['b'])
    expect([...refusals].map(([{ name }, refusal]) => [name, refusal])).toEqual([['a', { reasons: ['too old'], unresolvable: false }], ['c', { reasons: ['never'], unresolvable: true }]])
  })

  it('is asked with names when it knows the nodes', async () => {
    answers['filter'] = { NodeNames: ['c', 'a'] }
    const answer = await extenderOf({ filterVerb: 'filter', nodeCacheCapable: true }).filter?.(ctx, pod('p'), worldOf().nodes())
    expect(asked().json).toMatchObject({ Nodes: null, NodeNames: ['a', 'b', 'c'] })
    expect(answer?.nodes.map(({ name }) => name)).toEqual(['c', 'a'])
  })

  it.each([
    ['an error', { Error: 'out of licences' }, 'out of licences'],
    ['a strange node', { NodeNames: ['x'] }, 'claims a filtered node "x" which is not found in the input node list'],
    ['nonsense', { NodeNames: 'x' }, 'an extender answers "x" where a list is expected'],
    ['a code', undefined, 'failed filter with extender at URL https://127.0.0.1:'],
  ])('that answers with %s has not answered', async (_, answer, message) => {
    if (answer !== undefined) answers['filter'] = answer
    await expect(extenderOf({ filterVerb: 'filter', nodeCacheCapable: true }).filter?.(ctx, pod('p'), worldOf().nodes())).rejects.toThrow(message)
  })

  it('that says nothing is not waited for', async () => {
    const waiting = extenderOf({ filterVerb: 'slow', httpTimeout: '3s' }).filter?.(ctx, pod('p'), worldOf().nodes())
    const failed = expect(waiting).rejects.toThrow(/\/ext\/slow": .*(deadline|timeout|timed out)/i)
    await vi.waitFor(() => expect(server.heard.at(-1)?.url).toBe('/ext/slow'))
    await clock.advance(3_000)
    await failed
  })

  it('gives points on a scale of its own, by its weight', async () => {
    answers['prioritize'] = [{ Host: 'a', Score: 7 }, { host: 'b', score: 1 }]
    expect([...((await extenderOf({ prioritizeVerb: 'prioritize', weight: 3 }).prioritize?.(ctx, pod('p'), worldOf().nodes())) ?? [])]).toEqual([['a', 210], ['b', 30]])
  })

  it('says which evictions it accepts, by uid', async () => {
    const [x, y] = [pod('x', { nodeName: 'a' }), pod('y', { nodeName: 'a' })]
    const world = worldOf(x, y)
    const candidates = ['a', 'b'].map((name) => ({ node: world.node(name) as NonNullable<ReturnType<World['node']>>, victims: name === 'a' ? [x, y] : [], violations: 1 }))
    answers['preempt'] = { NodeNameToMetaVictims: { a: { Pods: [{ UID: 'uid-y' }], NumPDBViolations: 2 } } }
    const accepted = await extenderOf({ preemptVerb: 'preempt' }).preempt?.(ctx, pod('p'), candidates)
    expect(asked().json).toMatchObject({ NodeNameToMetaVictims: null, NodeNameToVictims: { a: { Pods: [{ metadata: { name: 'x' } }, { metadata: { name: 'y' } }], NumPDBViolations: 1 } } })
    expect(accepted?.map(({ node: { name }, victims, violations }) => [name, victims.map(({ metadata }) => metadata.name), violations])).toEqual([['a', ['y'], 2]])

    await extenderOf({ preemptVerb: 'preempt', nodeCacheCapable: true }).preempt?.(ctx, pod('p'), candidates)
    expect(asked().json).toMatchObject({ NodeNameToVictims: null, NodeNameToMetaVictims: { a: { Pods: [{ UID: 'uid-x' }, { UID: 'uid-y' }], NumPDBViolations: 1 } } })

    answers['preempt'] = { NodeNameToMetaVictims: { a: { Pods: [] } } }
    await expect(extenderOf({ preemptVerb: 'preempt' }).preempt?.(ctx, pod('p'), candidates)).rejects.toThrow('expected at least one victim pod on node "a"')
    expect(await extenderOf({ preemptVerb: 'preempt', ignorable: true }).preempt?.(ctx, pod('p'), candidates)).toEqual([])
    answers['preempt'] = { NodeNameToMetaVictims: { a: { Pods: [{ UID: 'uid-y' }], NumPDBViolations: 'many' } } }
    await expect(extenderOf({ preemptVerb: 'preempt' }).preempt?.(ctx, pod('p'), candidates)).rejects.toThrow("an extender's NumPDBViolations is no whole number: \"many\"")
    answers['preempt'] = { NodeNameToMetaVictims: { a: { Pods: [{ UID: 'z' }] } } }
    await expect(extenderOf({ preemptVerb: 'preempt' }).preempt?.(ctx, pod('p'), candidates)).rejects.toThrow('claims to preempt pod (UID: z) on node: a, but the pod is not found on that node')
  })

  it('binds', async () => {
    answers['bind'] = {}
    await extenderOf({ bindVerb: 'bind' }).bind?.(ctx, pod('p'), 'a')
    expect(asked().json).toEqual({ PodName: 'p', PodNamespace: 'default', PodUID: 'uid-p', Node: 'a' })
    answers['bind'] = { Error: 'no' }
    await expect(extenderOf({ bindVerb: 'bind' }).bind?.(ctx, pod('p'), 'a')).rejects.toThrow('no')
  })

  it('wants a say about pods that ask for what it manages, and about all when it manages nothing', () => {
    const gpu = pod('g', { initContainers: [{ name: 'i', resources: { limits: { 'example.com/gpu': '1' } } }] })
    const some = extenderOf({ managedResources: [{ name: 'example.com/gpu' }] })
    expect([some.isInterested(gpu), some.isInterested(pod('p')), extenderOf({}).isInterested(pod('p'))]).toEqual([true, false, true])
    expect([some.filter, some.prioritize, some.preempt, some.bind]).toEqual([undefined, undefined, undefined, undefined])
  })
})

describe('a scheduler with an extender', () => {
  function started(written: object): { readonly scheduler: Scheduler; readonly bound: Map<string, string>; readonly conditions: Map<string, string> } {
    const bound = new Map<string, string>()
    const conditions = new Map<string, string>()
    const client = {
      async post(_ctx: unknown, _kind: unknown, key: { name: string }, _sub: string, body: { target: { name: string } }) {
        bound.set(key.name, body.target.name)
        return {}
      },
      async patch(_ctx: unknown, _kind: unknown, key: { name: string }, _type: string, patch: { status: { conditions: { message: string }[] } }) {
        conditions.set(key.name, patch.status.conditions[0]?.message ?? '')
        return {}
      },
    } as unknown as Client
    const profiles = profilesOf(config(written)).map((make) => make(fakeEnv({ client, clock })))
    const scheduler = new Scheduler(ctx, { client, random: seededRandom(1), profiles, extenders: [extenderOf(written)], event: () => {} })
    for (const name of ['a', 'b', 'c']) scheduler.handleNode(node(name), undefined)
    return { scheduler, bound, conditions }
  }
  const everything = { filterVerb: 'filter', prioritizeVerb: 'prioritize', weight: 100, nodeCacheCapable: true }

  it('goes where the extender lets it, and likes it best', async () => {
    answers = { filter: { NodeNames: ['a', 'b'] }, prioritize: [{ Host: 'b', Score: 10 }] }
    const { scheduler, bound } = started(everything)
    scheduler.handlePod(pod('p'))
    await vi.waitFor(() => expect(bound.get('p')).toBe('b'))
  })

  it('tells why the extender refuses', async () => {
    answers = { filter: { NodeNames: [], FailedNodes: { a: 'no licence', b: 'no licence' }, FailedAndUnresolvableNodes: { c: 'wrong hall' } } }
    const { scheduler, conditions } = started(everything)
    scheduler.handlePod(pod('p'))
    await vi.waitFor(() => expect(conditions.get('p')).toBe('0/3 nodes are available: 1 wrong hall, 2 no licence. no new claims to deallocate, preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.'))
  })

  it('fails the pod when the extender fails, unless it may be passed over', async () => {
    const strict = started(everything)
    strict.scheduler.handlePod(pod('p'))
    await vi.waitFor(() => expect(strict.conditions.get('p')).toMatch(/^failed filter with extender at URL .*, code 404$/))
    const lenient = started({ ...everything, bindVerb: 'bind', ignorable: true })
    lenient.scheduler.handlePod(pod('p'))
    await vi.waitFor(() => expect(lenient.bound.has('p')).toBe(true))
  })

  it('lets the extender bind', async () => {
    answers = { bind: {} }
    const { scheduler, bound } = started({ bindVerb: 'bind' })
    scheduler.handlePod(pod('p'))
    await vi.waitFor(() => expect(scheduler.bound).toBe(1))
    expect([asked().url, bound.size]).toEqual(['/ext/bind', 0])
  })

  it('does not look at what the extender alone sees to', async () => {
    answers = { filter: { NodeNames: ['c'] } }
    const { scheduler, bound } = started({ filterVerb: 'filter', nodeCacheCapable: true, managedResources: [{ name: 'example.com/gpu', ignoredByScheduler: true }] })
    scheduler.handlePod(pod('p', { containers: [{ name: 'c', resources: { requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '1' } } }] }))
    await vi.waitFor(() => expect(bound.get('p')).toBe('c'))
  })
})
