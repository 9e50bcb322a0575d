/** A pod's life on a runtime in memory and a virtual clock: what the API is told, and what is left on the node. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { virtualClock, type VirtualClock } from '../../core/lib/clock.ts'
import { Group } from '../../core/lib/group.ts'
import { silentLog } from '../../core/lib/log.ts'
import type { Client } from '../../core/client/client.ts'
import type { Container, Pod, PodStatus } from '../../core/api/schema/types.ts'
import { fakeCgroups, type FakeCgroups } from '../host/cgroups.fake.ts'
import { fakeRuntime, type FakeOptions, type FakeRuntime } from '../host/docker.fake.ts'
import { fakeMounts } from '../host/mounts.fake.ts'
import type { Rejection } from './admission.ts'
import { Backoff } from './backoff.ts'
import type { PodDeps } from './deps.ts'
import { imageManager } from './images.ts'
import { label } from './labels.ts'
import { createObserver } from './observe.ts'
import { createProber } from './probes/prober.ts'
import { openRecords, recordsIn } from './resize/records.ts'
import { podResizes } from './resize/resizes.ts'
import { PodWorker } from './worker.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubun-worker-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

interface Rig {
  readonly clock: VirtualClock
  readonly runtime: FakeRuntime
  readonly deps: PodDeps
  readonly events: string[]
  readonly deleted: string[]
  readonly attached: Map<string, string>
  readonly cgroups: FakeCgroups
  status(): PodStatus
  start(pod: Pod): PodWorker
  /** As the kubelet does when the API has another pod. */
  update(worker: PodWorker, pod: Pod): void
  /** Waits for virtual time, and for the real files that a pod's start touches. */
  until(done: () => boolean): Promise<void>
  end(): Promise<void>
}

function rig(options: Partial<FakeOptions> & { readonly refusal?: () => Rejection | undefined } = {}): Rig {
  const clock = virtualClock()
  const runtime = fakeRuntime({ clock, ...options })
  runtime.stored.set('i:1', { id: 'sha256:i', tags: ['i:1'], digests: [], sizeBytes: 1, user: '' })
  const controller = new AbortController()
  const group = new Group({ signal: controller.signal, clock, log: silentLog })
  const workers = new Map<string, PodWorker>()
  const [events, deleted, unpacked] = [[] as string[], [] as string[], [] as string[]]
  const attached = new Map<string, string>()
  let latest: PodStatus = {}
  const poke = (uid: string): void => workers.get(uid)?.poke()
  const observer = createObserver(runtime, 'n', poke)
  const client = { delete: async (_ctx: unknown, _kind: unknown, key: { name: string }) => (deleted.push(key.name), true) } as unknown as Client
  const recorder = { event: (_about: unknown, _type: string, reason: string, message: string) => void events.push(`${reason}: ${message}`) }
  const records = recordsIn(group, dir)
  const desired = new Map<string, Pod>()
  const resizes = podResizes({ clock, records, recorder, pod: (uid) => desired.get(uid), refusal: () => options.refusal?.(), changed: (uid) => workers.get(uid)?.resized() })
  resizes.begin()
  const cgroups = fakeCgroups()
  const deps: PodDeps = {
    group, client, runtime, observer, records, resizes, cgroups,
    mounts: fakeMounts(),
    unpack: async (_ctx, _tar, into) => void unpacked.push(into),
    network: {
      attach: async (_ctx, { podUid }) => (attached.set(podUid, '10.42.0.2'), { ips: ['10.42.0.2'] }),
      detach: async (_ctx, { podUid }) => void attached.delete(podUid),
      adopt: async () => new Map(),
    },
    adopted: new Map(),
    recorder,
    images: imageManager(runtime),
    objects: { get: async () => undefined, release: () => {} },
    tokens: { get: async () => ({ token: 't', refreshMs: Infinity }), release: () => {} },
    prober: createProber(group, runtime, poke),
    statuses: { get: (pod) => (latest.phase === undefined ? (pod.status ?? {}) : latest), set: (_pod, status) => void (latest = status), written: async () => {}, forget: () => {} },
    restarts: new Backoff(10_000, 300_000),
    services: () => [],
    node: { name: 'n', hostIPs: ['192.0.2.1'], allocatable: {}, machineBytes: 2 ** 30, cgroupDriver: 'cgroupfs' },
    podsDir: dir, seccompDir: dir, cgroupRoot: 'kubepods',
    dns: { addresses: ['10.43.0.10'], domain: 'cluster.local' },
    resolvConf: '/nonexistent',
  }
  group.go('observer', (ctx) => observer.run(ctx))
  return {
    clock, runtime, deps, events, deleted, attached, cgroups,
    status: () => latest,
    start(pod) {
      desired.set(pod.metadata.uid ?? '', pod)
      resizes.admitted(pod)
      const worker = new PodWorker(deps, pod)
      workers.set(worker.uid, worker)
      group.go('pod', (ctx) => worker.run(ctx))
      return worker
    },
    update(worker, pod) {
      desired.set(worker.uid, pod)
      worker.update(pod)
      resizes.look(pod)
    },
    async until(done) {
      for (let i = 0; i < 20_000 && !done(); i++) {
        await clock.settle()
        await stat(dir) // real files take real time: one more trip to the disk is as long as theirs
        if (!done() && i % 100 === 99) await clock.advance(500)
      }
      expect(done(), JSON.stringify({ events, status: latest })).toBe(true)
    },
    async end() {
      controller.abort()
      await clock.settle()
      await group.wait().catch(() => undefined)
    },
  }
}

const mebi = 2 ** 20
const podOf = (spec: Partial<NonNullable<Pod['spec']>> = {}, container: Partial<Container> = {}): Pod => ({
  metadata: { name: 'p', namespace: 'default', uid: 'u', resourceVersion: '1' },
  spec: { containers: [{ name: 'a', image: 'i:1', ...container }], restartPolicy: 'Always', terminationGracePeriodSeconds: 30, ...spec },
  status: { phase: 'Pending' },
})
const app = (status: PodStatus) => status.containerStatuses?.[0]
const isReady = (status: PodStatus): boolean => status.conditions?.find((c) => c.type === 'Ready')?.status === 'True'

describe('a pod', () => {
  it('runs, is ready, and leaves nothing behind when it is deleted', async () => {
    const r = rig()
    const worker = r.start(podOf())
    await r.until(() => isReady(r.status()))
    expect([r.status().phase, r.status().podIP, r.status().hostIP, app(r.status())?.restartCount]).toEqual(['Running', '10.42.0.2', '192.0.2.1', 0])
    expect(r.runtime.running()).toEqual(['k8s_POD_p_default_u_0', 'k8s_a_p_default_u_0'])
    worker.update({ ...podOf(), metadata: { ...podOf().metadata, deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 } })
    await r.until(() => r.deleted.length > 0)
    expect([r.deleted, [...r.runtime.all.keys()], [...r.attached.keys()], readdirSync(dir)]).toEqual([['p'], [], [], []])
    expect(r.events).toContain('Killing: Stopping container a')
    await r.end()
  })

  it('that crashes is started again at once, then waits in CrashLoopBackOff', async () => {
    const r = rig({ script: (spec) => (spec.image === 'i:1' ? { endsAfterMs: 100, exitCode: 3 } : {}) })
    r.start(podOf())
    await r.until(() => app(r.status())?.state?.waiting?.reason === 'CrashLoopBackOff')
    expect(app(r.status())).toMatchObject({ restartCount: 1, ready: false, lastState: { terminated: { exitCode: 3, reason: 'Error' } }, state: { waiting: { message: 'back-off 10s restarting failed container=a pod=p_default(u)' } } })
    expect(r.status().phase).toBe('Running')
    await r.until(() => app(r.status())?.restartCount === 2)
    await r.end()
  })

  it('that finishes has Succeeded, keeps its container for the logs, and frees its address', async () => {
    const r = rig({ script: (spec) => (spec.image === 'i:1' ? { endsAfterMs: 100 } : {}) })
    r.start(podOf({ restartPolicy: 'Never' }))
    await r.until(() => r.status().phase === 'Succeeded' && r.attached.size === 0 && r.runtime.running().length === 0)
    expect(app(r.status())?.state?.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' })
    expect([...r.runtime.all.values()].map((c) => c.name)).toContain('k8s_a_p_default_u_0')
    await r.end()
  })

  it('whose container ends while others are still started never says so without its last words', async () => {
    const told: PodStatus[] = []
    const r = rig({ exec: (id) => (end(id), { code: 0 }) })
    const end = (id: string): void => {
      writeFileSync(r.runtime.all.get(id)?.labels[label.logName] ?? '', 'OK')
      r.runtime.die(id, 0)
    }
    const { set } = r.deps.statuses
    r.deps.statuses.set = (pod, status) => (told.push(status), set(pod, status))
    r.start(podOf({ restartPolicy: 'Never' }, { lifecycle: { postStart: { exec: { command: ['end'] } } } }))
    await r.until(() => r.status().phase === 'Succeeded' && r.attached.size === 0)
    const ends = told.map((status) => app(status)?.state?.terminated).filter((state) => state !== undefined)
    expect(new Set(ends.map((state) => state.message))).toEqual(new Set(['OK']))
    await r.end()
  })

  it('whose image cannot be pulled says so, backs off, and starts when it can', async () => {
    const registry: string[] = []
    const r = rig({ registry })
    r.start(podOf({}, { image: 'far:1' }))
    await r.until(() => app(r.status())?.state?.waiting?.reason === 'ErrImagePull')
    await r.until(() => app(r.status())?.state?.waiting?.reason === 'ImagePullBackOff' || r.clock.now() > Date.UTC(2026, 0, 1) + 9_000)
    registry.push('far:1')
    await r.until(() => isReady(r.status()))
    expect(r.events).toContain('Failed: Error: ErrImagePull')
    await r.end()
  })

  it('is not ready before its readiness probe says so, and is restarted by its liveness probe', async () => {
    const answers = { readiness: 1, liveness: 0 }
    const r = rig({ exec: (_id, command) => ({ code: command[0] === 'ready' ? answers.readiness : answers.liveness, output: 'no' }) })
    const probe = (name: string) => ({ exec: { command: [name] }, periodSeconds: 1, failureThreshold: 2 })
    r.start(podOf({}, { readinessProbe: probe('ready'), livenessProbe: probe('live') }))
    await r.until(() => app(r.status())?.started === true && r.events.includes('Unhealthy: Readiness probe failed: no'))
    expect(isReady(r.status())).toBe(false)
    answers.readiness = 0
    await r.until(() => isReady(r.status()))
    answers.liveness = 1
    await r.until(() => app(r.status())?.restartCount === 1)
    expect(r.events).toContain('Killing: Container a failed liveness probe, will be restarted')
    await r.end()
  })

  it('past its deadline fails', async () => {
    const r = rig()
    r.start(podOf({ activeDeadlineSeconds: 5 }))
    await r.until(() => r.status().phase === 'Failed')
    expect([r.status().reason, r.status().message]).toEqual(['DeadlineExceeded', 'Pod was active on the node longer than the specified deadline'])
    await r.until(() => r.runtime.running().length === 0)
    await r.end()
  })

  it('with a volume that this node does not know waits, and says why', async () => {
    const r = rig()
    r.start(podOf({ volumes: [{ name: 'v', nfs: { server: 's', path: '/x' } }] }))
    await r.until(() => r.events.some((e) => e.startsWith('FailedMount: MountVolume.SetUp failed for volume "v" : ')))
    expect([r.status().phase, r.runtime.all.size]).toEqual(['Pending', 0])
    await r.end()
  })

  it('whose claims have devices waits for their driver, and says so', async () => {
    const r = rig()
    const claim = { metadata: { name: 'card' }, status: { allocation: { devices: { results: [{ driver: 'd.example.com' }] } }, reservedFor: [{ uid: 'u' }] } }
    Object.assign(r.deps.client, { get: () => Promise.resolve(claim) })
    r.start(podOf({ resourceClaims: [{ name: 'c', resourceClaimName: 'card' }] }))
    await r.until(() => r.events.includes('FailedPrepareDynamicResources: Failed to prepare dynamic resources: prepare dynamic resources: DRA driver d.example.com is not registered'))
    expect([r.status().phase, r.runtime.all.size]).toEqual(['Pending', 0])
    await r.end()
  })

  it('of which a deletion was made shorter ends sooner', async () => {
    const r = rig({ script: () => ({ stubborn: true }) })
    const worker = r.start(podOf())
    await r.until(() => isReady(r.status()))
    const deleting = (s: number): Pod => ({ ...podOf(), metadata: { ...podOf().metadata, resourceVersion: `d${s}`, deletionTimestamp: '2026-01-01T01:00:00Z', deletionGracePeriodSeconds: s } })
    const began = r.clock.now()
    worker.update(deleting(3600))
    await r.until(() => r.events.includes('Killing: Stopping container a'))
    worker.update(deleting(0))
    await r.until(() => r.deleted.length > 0)
    expect(r.clock.now() - began).toBeLessThan(1_800_000) // the disk takes what it takes; an hour was asked for first
    await r.end()
  })

  const sized = (resources: Container['resources'], more: Partial<Container> = {}, generation = 1): Pod => {
    const pod = podOf({}, { ...(resources === undefined ? {} : { resources }), ...more })
    return { ...pod, metadata: { ...pod.metadata, generation, resourceVersion: String(generation) } }
  }
  const amounts = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } })
  const resizing = (status: PodStatus) => (status.conditions ?? []).filter((c) => c.type.startsWith('PodResize')).map((c) => [c.type, c.reason ?? '', c.message ?? ''])
  const inForce = (r: Rig) => [...r.runtime.all.values()].find((c) => c.labels[label.container] === 'a' && c.state === 'running')?.resources

  it('is given more where it runs, its control group first', async () => {
    const order: string[] = []
    const r = rig({ updates: (_spec, to) => void order.push(`a ${to.memoryBytes / mebi} ${to.cpuQuotaUs}, group ${[...r.cgroups.groups.values()].map((g) => `${g.memoryBytes / mebi} ${g.cpuQuotaUs}`).join()}`) })
    const worker = r.start(sized(amounts('100m', '64Mi')))
    await r.until(() => isReady(r.status()))
    const { containerID } = app(r.status()) ?? {}
    r.update(worker, sized(amounts('200m', '128Mi'), {}, 2))
    await r.until(() => r.events.some((e) => e.startsWith('ResizeCompleted')) && r.status().observedGeneration === 2)
    expect(order).toEqual(['a 128 10000, group 128 10000', 'a 128 20000, group 128 20000'])
    expect(app(r.status())).toMatchObject({ containerID, restartCount: 0, allocatedResources: { cpu: '200m', memory: '128Mi' }, resources: amounts('200m', '128Mi') })
    expect([resizing(r.status()), r.status().allocatedResources, r.status().resources]).toEqual([[], { cpu: '200m', memory: '128Mi' }, amounts('200m', '128Mi')])
    const told = JSON.stringify({ containers: [{ name: 'a', resources: { limits: { cpu: '200m', memory: '128Mi' }, requests: { cpu: '200m', memory: '128Mi' } } }], generation: 2 })
    expect(r.events.filter((e) => e.startsWith('Resize'))).toEqual([`ResizeStarted: Pod resize started: ${told}`, `ResizeCompleted: Pod resize completed: ${told}`])
    await r.end()
  })

  it('is given less where it runs, its control group last', async () => {
    const order: string[] = []
    const r = rig({ updates: (_spec, to) => void order.push(`a ${to.memoryBytes / mebi} ${to.cpuShares}, group ${[...r.cgroups.groups.values()].map((g) => `${g.memoryBytes / mebi} ${g.cpuShares}`).join()}`) })
    const worker = r.start(sized(amounts('200m', '128Mi')))
    await r.until(() => isReady(r.status()))
    r.update(worker, sized(amounts('100m', '64Mi'), {}, 2))
    await r.until(() => r.events.some((e) => e.startsWith('ResizeCompleted')))
    expect(order).toEqual(['a 64 204, group 128 204', 'a 64 102, group 64 204'])
    expect([...r.cgroups.groups.values()]).toEqual([{ cpuShares: 102, cpuQuotaUs: 10_000, cpuPeriodUs: 100_000, memoryBytes: 64 * mebi }])
    await r.end()
  })

  it('keeps what it uses: less memory than that waits, and says why', async () => {
    const r = rig()
    const worker = r.start(sized(amounts('100m', '128Mi')))
    await r.until(() => isReady(r.status()))
    Object.assign(r.cgroups.use, { podBytes: 101 * mebi, processBytes: 100 * mebi })
    r.update(worker, sized(amounts('100m', '64Mi'), {}, 2))
    const why = `cannot decrease memory limits: [attempting to set pod memory limit (${64 * mebi}) below current usage (${101 * mebi}), attempting to set container "a" memory limit (${64 * mebi}) below current usage (${100 * mebi})]`
    await r.until(() => resizing(r.status()).length > 0 && resizing(r.status())[0]?.[1] === 'Error')
    expect(resizing(r.status())).toEqual([['PodResizeInProgress', 'Error', why]])
    expect([inForce(r)?.memoryBytes, app(r.status())?.resources?.limits?.['memory'], app(r.status())?.allocatedResources?.['memory']]).toEqual([128 * mebi, '128Mi', '64Mi'])
    Object.assign(r.cgroups.use, { podBytes: mebi, processBytes: mebi })
    await r.until(() => inForce(r)?.memoryBytes === 64 * mebi && resizing(r.status()).length === 0)
    expect(r.events.filter((e) => e.startsWith('ResizeError')).length).toBe(1)
    await r.end()
  })

  it('is started anew for a resize where its policy wants that, even when it ends well and runs but once', async () => {
    const r = rig()
    const resizePolicy = [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }, { resourceName: 'memory', restartPolicy: 'RestartContainer' }]
    const at = (memory: string, generation: number): Pod => {
      const pod = sized(amounts('100m', memory), { resizePolicy }, generation)
      return { ...pod, spec: { ...pod.spec, containers: pod.spec?.containers ?? [], restartPolicy: 'OnFailure' } }
    }
    const stop = r.runtime.stop.bind(r.runtime)
    r.runtime.stop = async (ctx, id, graceS) => (r.runtime.die(id, 0), stop(ctx, id, graceS))
    const phases = new Set<string>()
    const { set } = r.deps.statuses
    r.deps.statuses.set = (pod, status) => (phases.add(status.phase ?? ''), set(pod, status))
    const worker = r.start(at('64Mi', 1))
    await r.until(() => isReady(r.status()))
    r.update(worker, at('128Mi', 2))
    await r.until(() => app(r.status())?.restartCount === 1 && isReady(r.status()))
    expect([inForce(r)?.memoryBytes, [...r.cgroups.groups.values()][0]?.memoryBytes, resizing(r.status())]).toEqual([128 * mebi, 128 * mebi, []])
    expect([...phases].toSorted()).toEqual(['Pending', 'Running'])
    expect(r.events).toContain('Killing: Container a resize requires restart')
    await r.end()
  })

  it('for which there is no room yet runs on as it is, and is resized when there is', async () => {
    let room = false
    const message = "Node didn't have enough resource: cpu, requested: 4000, used: 0, capacity: 2000"
    const r = rig({ refusal: () => (room ? undefined : { reason: 'OutOfcpu', message }) })
    const worker = r.start(sized(amounts('1', '64Mi')))
    await r.until(() => isReady(r.status()))
    r.update(worker, sized(amounts('4', '64Mi'), {}, 2))
    await r.until(() => resizing(r.status()).length > 0)
    expect([resizing(r.status()), app(r.status())?.allocatedResources?.['cpu'], r.status().observedGeneration]).toEqual([[['PodResizePending', 'Deferred', message]], '1', 2])
    room = true
    r.deps.resizes.look()
    await r.until(() => inForce(r)?.cpuQuotaUs === 400_000 && resizing(r.status()).length === 0)
    expect(r.events.filter((e) => e.startsWith('Resize')).map((e) => e.split(':')[0])).toEqual(['ResizeDeferred', 'ResizeStarted', 'ResizeCompleted'])
    await r.end()
  })

  it('whose resize was taken back waits no more', async () => {
    const r = rig({ refusal: () => ({ reason: 'OutOfcpu', message: 'full' }) })
    const worker = r.start(sized(amounts('1', '64Mi')))
    await r.until(() => isReady(r.status()))
    r.update(worker, sized(amounts('4', '64Mi'), {}, 2))
    await r.until(() => resizing(r.status()).length > 0)
    r.update(worker, sized(amounts('1', '64Mi'), {}, 3))
    await r.until(() => resizing(r.status()).length === 0 && r.status().observedGeneration === 3)
    await r.end()
  })

  it('that a new kubelet finds has what it was granted, not what it asks for', async () => {
    const first = rig({ refusal: () => ({ reason: 'OutOfcpu', message: 'full' }) })
    const worker = first.start(sized(amounts('1', '64Mi')))
    await first.until(() => isReady(first.status()))
    first.update(worker, sized(amounts('4', '64Mi'), {}, 2))
    await first.until(() => resizing(first.status()).length > 0)
    const status = first.status()
    await first.deps.records.settled('u')
    await first.end()
    const records = await openRecords(first.deps.group, dir)
    const resizes = podResizes({ clock: first.clock, records, recorder: first.deps.recorder, pod: () => undefined, refusal: () => ({ reason: 'OutOfcpu', message: 'full' }), changed: () => {} })
    const pod = { ...sized(amounts('4', '64Mi'), {}, 2), status }
    resizes.admitted(pod)
    expect([resizes.allocated(pod).spec?.containers[0]?.resources, resizes.conditions('u').map((c) => c.reason)]).toEqual([amounts('1', '64Mi'), ['Deferred']])
    expect(records.get('u')).toMatchObject({ group: { cpuQuotaUs: 100_000, memoryBytes: 64 * mebi }, inForce: { a: { memoryRequest: '64Mi', resources: { cpuQuotaUs: 100_000 } } } })
  })

  it('that ran before this Kubun did is adopted, not restarted', async () => {
    const first = rig()
    first.start(podOf())
    await first.until(() => isReady(first.status()))
    const before = first.status()
    await first.end()
    expect(first.runtime.running().length).toBe(2)
    const again = rig()
    for (const [id, c] of first.runtime.all) again.runtime.all.set(id, c)
    again.deps.adopted.set('u', ['10.42.0.2'])
    await again.deps.observer.synced
    for (const id of first.runtime.all.keys()) await again.deps.observer.refresh(again.deps.group.ctx, id)
    again.start({ ...podOf(), status: before })
    await again.until(() => isReady(again.status()))
    expect(app(again.status())).toMatchObject({ containerID: app(before)?.containerID, restartCount: 0, ready: true })
    expect([again.attached.size, again.events]).toEqual([0, []])
    await again.end()
  })
})
