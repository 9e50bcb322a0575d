/** Pods with claims on the whole way: devices are found, kept, written, waited for and given back, as the API shows it. */
import { describe, expect, it } from 'vitest'
import { testApi, type TestApi } from '../../../test/support/api.ts'
import { nodes } from '../../api/core/node.ts'
import { events } from '../../api/core/event.ts'
import { pods } from '../../api/core/pod.ts'
import { deviceClasses } from '../../api/resource/deviceclass.ts'
import { resourceClaims } from '../../api/resource/resourceclaim.ts'
import { resourceSlices } from '../../api/resource/resourceslice.ts'
import type { AllocationResult, Device, DeviceClass, ExactDeviceRequest, Pod, PodSpec, ResourceClaim, ResourceSlice } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import { defaultProfile } from '../plugins.ts'
import { runScheduler } from '../run.ts'

const driver = 'd.example.com'
const className = 'gpus'

interface Rig extends TestApi {
  /** Lets what can happen happen. */
  settle(ms?: number): Promise<void>
  /** The node of a pod, or why it has none. */
  fate(name: string): Promise<string>
  claim(name: string): Promise<ResourceClaim | undefined>
  [Symbol.asyncDispose](): Promise<void>
}

/** `between` stands between the scheduler and the API. */
async function open(between: (client: Client) => Client = (client) => client): Promise<Rig> {
  const api = await testApi({ rbac: true })
  const client = between(api.clientAs({ name: 'system:kube-scheduler', groups: ['system:authenticated'], agent: 'kube-scheduler' }))
  let ready = false
  const run = runScheduler(api.ctx, { client, random: api.random, profiles: [defaultProfile], ready: () => (ready = true) })
  const ended = run.catch(() => {})
  await api.clock.until(() => ready)
  await api.create(deviceClasses, { metadata: { name: className }, spec: {} })
  return {
    ...api,
    async settle(ms = 0) {
      await api.clock.advance(ms)
      for (let i = 0; i < 8; i++) await api.clock.advance(500)
    },
    async fate(name) {
      const pod = await api.get(pods, name)
      return pod?.spec?.nodeName ?? pod?.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message ?? ''
    },
    claim: async (name) => (await api.get(resourceClaims, name)) as ResourceClaim | undefined,
    async [Symbol.asyncDispose]() {
      await api.stop()
      await ended
    },
  }
}

async function node(rig: Rig, name: string, devices: readonly Device[] = [], allocatable: Record<string, string> = {}): Promise<void> {
  await rig.create(nodes, { metadata: { name, labels: { name } }, status: { allocatable: { cpu: '4', memory: '4Gi', pods: '110', ...allocatable }, capacity: {} } })
  if (devices.length > 0) await rig.create(resourceSlices, slice(name, devices))
}

const slice = (nodeName: string, devices: readonly Device[]): ResourceSlice => ({ metadata: { name: nodeName }, spec: { driver, nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1 }, devices: [...devices] } })

async function claim(rig: Rig, name: string, exactly: Partial<ExactDeviceRequest> = {}): Promise<Readonly<ResourceClaim>> {
  return await rig.create(resourceClaims, { metadata: { name, namespace: 'default' }, spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: className, ...exactly } }] } } })
}

async function pod(rig: Rig, name: string, claims: readonly string[], more: Partial<PodSpec> = {}): Promise<Readonly<Pod>> {
  return await rig.create(pods, { metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i' }], resourceClaims: claims.map((resourceClaimName, i) => ({ name: `c${i}`, resourceClaimName })), ...more } })
}

const allocated = (device: string, pool: string, more: Partial<AllocationResult> = {}): AllocationResult => ({ devices: { results: [{ request: 'r', driver, pool, device }] }, ...more })
const onlyOn = (name: string): AllocationResult['nodeSelector'] => ({ nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }] })
const unhelpful = 'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.'

describe('DynamicResources', () => {
  it('a pod goes where a device is for its claim, which says which one, for whom and from where', async () => {
    await using rig = await open()
    await node(rig, 'a')
    await node(rig, 'b', [{ name: 'x' }])
    await claim(rig, 'card')
    const user = await pod(rig, 'user', ['card'])
    await rig.settle()
    expect(await rig.fate('user')).toBe('b')
    const card = await rig.claim('card')
    expect(card?.metadata.finalizers).toEqual(['resource.kubernetes.io/delete-protection'])
    expect(card?.status?.allocation).toMatchObject(allocated('x', 'b', { nodeSelector: onlyOn('b') as NonNullable<AllocationResult['nodeSelector']> }))
    expect(card?.status?.allocation?.allocationTimestamp).toBeDefined()
    expect(card?.status?.reservedFor).toEqual([{ resource: 'pods', name: 'user', uid: user.metadata.uid }])
  })

  it('a claim that is shared keeps its device, and its pods together', async () => {
    await using rig = await open()
    await node(rig, 'a', [{ name: 'x' }])
    await node(rig, 'b', [{ name: 'x' }])
    await claim(rig, 'card')
    for (const name of ['p', 'q', 'r']) await pod(rig, name, ['card'])
    await rig.settle(15_000)
    const fates = new Set(await Promise.all(['p', 'q', 'r'].map(async (name) => await rig.fate(name))))
    expect(fates.size).toBe(1)
    expect((await rig.claim('card'))?.status?.reservedFor?.map(({ name }) => name).toSorted()).toEqual(['p', 'q', 'r'])
  })

  it('no device is given twice, however fast pods come', async () => {
    await using rig = await open()
    await node(rig, 'a', ['u', 'v', 'w', 'x', 'y'].map((name) => ({ name })))
    for (let i = 0; i < 8; i++) {
      await claim(rig, `c${i}`)
      await pod(rig, `p${i}`, [`c${i}`])
    }
    await rig.settle(15_000)
    const given = (await rig.list(resourceClaims)).flatMap(({ status }) => status?.allocation?.devices?.results?.map(({ device }) => device) ?? [])
    expect(given.toSorted()).toEqual(['u', 'v', 'w', 'x', 'y'])
    const waiting = (await rig.list(pods)).filter(({ spec }) => spec?.nodeName === undefined)
    expect(waiting).toHaveLength(3)
    expect(await rig.fate(waiting[0]?.metadata.name ?? '')).toBe(`0/1 nodes are available: 1 cannot allocate all claims. still not schedulable, ${unhelpful}`)
  })

  it('a pod that waits for a device gets it when another claim gives it back, or a slice brings more', async () => {
    await using rig = await open()
    await node(rig, 'a', [{ name: 'x' }])
    await claim(rig, 'first')
    await pod(rig, 'first', ['first'])
    await rig.settle()
    await claim(rig, 'second')
    await pod(rig, 'second', ['second'])
    await claim(rig, 'third')
    await pod(rig, 'third', ['third'])
    await rig.settle(15_000)
    expect(await rig.fate('second')).toContain('cannot allocate all claims')
    await rig.change(resourceClaims, 'first', (mine) => (mine.status = {}), { subresource: 'status' })
    await rig.settle(15_000)
    const fates = await Promise.all(['second', 'third'].map(async (name) => await rig.fate(name)))
    expect(fates.filter((fate) => fate === 'a')).toHaveLength(1)
    await rig.change(resourceSlices, 'a', (mine) => (mine.spec.devices = [{ name: 'x' }, { name: 'y' }]))
    await rig.settle(15_000)
    expect(await rig.fate('second')).toBe('a')
    expect(await rig.fate('third')).toBe('a')
  })

  it('a pod is not tried before its claims are there, and is as soon as they are', async () => {
    await using rig = await open()
    await node(rig, 'a', [{ name: 'x' }])
    await pod(rig, 'user', ['late'])
    await rig.settle()
    expect(await rig.fate('user')).toBe('')
    await claim(rig, 'late')
    await rig.settle()
    expect(await rig.fate('user')).toBe('a')
  })

  it('a pod is not tried before the claim from its template is told in its status', async () => {
    await using rig = await open()
    await node(rig, 'a', [{ name: 'x' }])
    const user = await pod(rig, 'user', [], { resourceClaims: [{ name: 'card', resourceClaimTemplateName: 't' }] })
    await rig.settle()
    expect(await rig.fate('user')).toBe('')
    await rig.create(resourceClaims, {
      metadata: { name: 'made', namespace: 'default', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'user', uid: user.metadata.uid ?? '', controller: true }] },
      spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: className } }] } },
    })
    await rig.change(pods, 'user', (mine) => ((mine.status ??= {}).resourceClaimStatuses = [{ name: 'card', resourceClaimName: 'made' }]), { subresource: 'status' })
    await rig.settle()
    expect(await rig.fate('user')).toBe('a')
  })

  it('a class that is missing is told, and waited for', async () => {
    await using rig = await open()
    await node(rig, 'a', [{ name: 'x' }])
    await claim(rig, 'card', { deviceClassName: 'later' })
    await pod(rig, 'user', ['card'])
    await rig.settle()
    expect(await rig.fate('user')).toBe(`0/1 nodes are available: request r: device class later does not exist. no new claims to deallocate, ${unhelpful}`)
    await rig.create(deviceClasses, { metadata: { name: 'later' }, spec: {} })
    await rig.settle(15_000)
    expect(await rig.fate('user')).toBe('a')
  })

  it('an expression that fails stops the pod, and says why', async () => {
    await using rig = await open()
    await node(rig, 'a', [{ name: 'x' }])
    await claim(rig, 'card', { selectors: [{ cel: { expression: `device.attributes["${driver}"].size > 1` } }] })
    await pod(rig, 'user', ['card'])
    await rig.settle()
    expect(await rig.fate('user')).toBe('claim default/card: selector #0: CEL runtime error: no such key: size')
  })

  it('a claim that nobody uses goes where the pod can go', async () => {
    await using rig = await open()
    await node(rig, 'a', [{ name: 'x' }])
    await node(rig, 'b', [{ name: 'x' }])
    await claim(rig, 'card')
    await rig.change(resourceClaims, 'card', (mine) => (mine.metadata.finalizers = ['resource.kubernetes.io/delete-protection']))
    await rig.change(resourceClaims, 'card', (mine) => (mine.status = { allocation: { ...allocated('x', 'a'), nodeSelector: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }] } } }), { subresource: 'status' })
    await pod(rig, 'user', ['card'], { nodeSelector: { name: 'b' } })
    await rig.settle(15_000)
    expect(await rig.fate('user')).toBe('b')
    expect((await rig.claim('card'))?.status?.allocation?.devices?.results?.[0]?.pool).toBe('b')
  })

  it('a pod that could not be bound gives its place back, and gets it with the next try', async () => {
    let refusals = 1
    await using rig = await open((client) => ({
      ...client,
      post: async (ctx, kind, key, subresource, body) => {
        if (refusals-- > 0) throw new Error('connection reset')
        return await client.post(ctx, kind, key, subresource, body)
      },
    }))
    await node(rig, 'a', [{ name: 'x' }])
    await claim(rig, 'card')
    const user = await pod(rig, 'user', ['card'])
    await rig.settle()
    await rig.settle(15_000)
    expect(await rig.fate('user')).toBe('a')
    expect((await rig.claim('card'))?.status?.reservedFor).toEqual([{ resource: 'pods', name: 'user', uid: user.metadata.uid }])
  })

  it('a pod waits for devices that have to be made ready', async () => {
    await using rig = await open()
    await node(rig, 'a', [{ name: 'x', bindingConditions: ['ready'], bindingFailureConditions: ['broken'] }])
    await claim(rig, 'card')
    await pod(rig, 'user', ['card'])
    await rig.settle(20_000)
    expect(await rig.fate('user')).toBe('')
    expect((await rig.claim('card'))?.status?.allocation?.devices?.results?.[0]).toMatchObject({ bindingConditions: ['ready'], bindingFailureConditions: ['broken'] })
    expect((await rig.list(events, 'default')).map(({ message }) => message)).toContain('waiting for binding conditions for device on node a')
    await rig.change(resourceClaims, 'card', (mine) => {
      (mine.status ??= {}).devices = [{ driver, pool: 'a', device: 'x', conditions: [{ type: 'ready', status: 'True', reason: 'Done', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }] }]
    }, { subresource: 'status' })
    await rig.settle(10_000)
    expect(await rig.fate('user')).toBe('a')
  })

  it('a device that could not be made ready is given up for another', async () => {
    await using rig = await open()
    await node(rig, 'a', [{ name: 'x', bindingConditions: ['ready'], bindingFailureConditions: ['broken'] }])
    await claim(rig, 'card')
    await pod(rig, 'user', ['card'])
    await rig.settle(10_000)
    await node(rig, 'b', [{ name: 'y' }])
    await rig.change(resourceSlices, 'a', (mine) => (mine.spec.devices = []))
    await rig.change(resourceClaims, 'card', (mine) => {
      (mine.status ??= {}).devices = [{ driver, pool: 'a', device: 'x', conditions: [{ type: 'broken', status: 'True', reason: 'Lost', message: 'no cable', lastTransitionTime: '2026-01-01T00:00:00Z' }] }]
    }, { subresource: 'status' })
    await rig.settle(60_000)
    expect(await rig.fate('user')).toBe('b')
  })

  it('the node of the earlier alternative is the better one', async () => {
    await using rig = await open()
    const fast = (is: boolean): Device => ({ name: 'x', attributes: { fast: { bool: is } } })
    await node(rig, 'a', [fast(false)])
    await node(rig, 'b', [fast(true)])
    await node(rig, 'c', [fast(false)])
    await rig.create(resourceClaims, { metadata: { name: 'card', namespace: 'default' }, spec: { devices: { requests: [{ name: 'r', firstAvailable: [
      { name: 'fast', deviceClassName: className, selectors: [{ cel: { expression: `device.attributes["${driver}"].fast` } }] },
      { name: 'any', deviceClassName: className },
    ] }] } } })
    await pod(rig, 'user', ['card'])
    await rig.settle()
    expect(await rig.fate('user')).toBe('b')
    expect((await rig.claim('card'))?.status?.allocation?.devices?.results?.[0]?.request).toBe('r/fast')
  })
})

describe('extended resources', () => {
  const card: DeviceClass = { metadata: { name: 'cards' }, spec: { extendedResourceName: 'example.com/card' } }
  const asking = (requests: Record<string, string>): Partial<PodSpec> => ({ containers: [{ name: 'c', image: 'i', resources: { requests, limits: requests } }], resourceClaims: [] })

  it('what nodes have as devices is claimed for the pod, and its status says by whom', async () => {
    await using rig = await open()
    await rig.create(deviceClasses, card)
    await node(rig, 'a')
    await node(rig, 'b', [{ name: 'x' }, { name: 'y' }])
    const user = await pod(rig, 'user', [], asking({ 'example.com/card': '2' }))
    await rig.settle()
    expect(await rig.fate('user')).toBe('b')
    const [made] = await rig.list(resourceClaims)
    expect(made).toMatchObject({
      metadata: { generateName: 'user-extended-resources-', annotations: { 'resource.kubernetes.io/extended-resource-claim': 'true' }, ownerReferences: [{ kind: 'Pod', name: 'user', controller: true }] },
      spec: { devices: { requests: [{ name: 'container-0-request-0', exactly: { deviceClassName: 'cards', allocationMode: 'ExactCount', count: 2 } }] } },
      status: { reservedFor: [{ resource: 'pods', name: 'user', uid: user.metadata.uid }] },
    })
    expect((await rig.get(pods, 'user'))?.status?.extendedResourceClaimStatus).toEqual({
      resourceClaimName: made?.metadata.name, requestMappings: [{ containerName: 'c', resourceName: 'example.com/card', requestName: 'container-0-request-0' }],
    })
  })

  it('a pod waits for devices that have to be made ready', async () => {
    await using rig = await open()
    await rig.create(deviceClasses, card)
    await node(rig, 'a', [{ name: 'x', bindingConditions: ['ready'], bindingFailureConditions: ['broken'] }])
    await pod(rig, 'user', [], asking({ 'example.com/card': '1' }))
    await rig.settle(20_000)
    expect(await rig.fate('user')).toBe('')
    const [made] = await rig.list(resourceClaims)
    await rig.change(resourceClaims, made?.metadata.name ?? '', (mine) => {
      (mine.status ??= {}).devices = [{ driver, pool: 'a', device: 'x', conditions: [{ type: 'ready', status: 'True', reason: 'Done', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }] }]
    }, { subresource: 'status' })
    await rig.settle(10_000)
    expect(await rig.fate('user')).toBe('a')
  })

  it('a node that has the resource itself needs no claim', async () => {
    await using rig = await open()
    await rig.create(deviceClasses, card)
    await node(rig, 'a', [], { 'example.com/card': '4' })
    await pod(rig, 'user', [], asking({ 'example.com/card': '2' }))
    await rig.settle()
    expect(await rig.fate('user')).toBe('a')
    expect(await rig.list(resourceClaims)).toEqual([])
  })

  it('every class is a resource by its name; a class that comes wakes who asks for it', async () => {
    await using rig = await open()
    await node(rig, 'a', [{ name: 'x' }])
    await pod(rig, 'user', [], asking({ 'deviceclass.resource.kubernetes.io/cards': '1' }))
    await rig.settle()
    expect(await rig.fate('user')).toContain('1 Insufficient deviceclass.resource.kubernetes.io/cards.')
    await rig.create(deviceClasses, { metadata: { name: 'cards' }, spec: {} })
    await rig.settle(15_000)
    expect(await rig.fate('user')).toBe('a')
  })

  it('the claim of a try that came to nothing goes before the next', async () => {
    let refusals = 1
    await using rig = await open((client) => ({
      ...client,
      post: async (ctx, kind, key, subresource, body) => {
        if (refusals-- > 0) throw new Error('connection reset')
        return await client.post(ctx, kind, key, subresource, body)
      },
    }))
    await rig.create(deviceClasses, card)
    await node(rig, 'a', [{ name: 'x' }])
    await pod(rig, 'user', [], asking({ 'example.com/card': '1' }))
    await rig.settle(15_000)
    await rig.settle(15_000)
    expect(await rig.fate('user')).toBe('a')
    expect(await rig.list(resourceClaims)).toHaveLength(1)
  })
})
