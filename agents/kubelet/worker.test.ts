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
import { fakeCgroups } from '../host/cgroups.fake.ts'
import { fakeRuntime, type FakeOptions, type FakeRuntime } from '../host/docker.fake.ts'
import { fakeMounts } from '../host/mounts.fake.ts'
import { Backoff } from './backoff.ts'
import type { PodDeps } from './deps.ts'
import { imageManager } from './images.ts'
import { label } from './labels.ts'
import { createObserver } from './observe.ts'
import { createProber } from './probes/prober.ts'
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
  status(): PodStatus
  start(pod: Pod): PodWorker
  /** Waits for virtual time, and for the real files that a pod's start touches. */
  until(done: () => boolean): Promise<void>
  end(): Promise<void>
}

function rig(options: Partial<FakeOptions> = {}): Rig {
  const clock = virtualClock()
  const runtime = fakeRuntime({ clock, ...options })
  runtime.stored.set('i:1', { id: 'sha256:i', tags: ['i:1'], digests: [], sizeBytes: 1, user: '' })
  const controller = new AbortController()
  const group = new Group({ signal: controller.signal, clock, log: silentLog })
  const workers = new Map<string, PodWorker>()
  const [events, deleted] = [[] as string[], [] as string[]]
  const attached = new Map<string, string>()
  let latest: PodStatus = {}
  const poke = (uid: string): void => workers.get(uid)?.poke()
  const observer = createObserver(runtime, 'n', poke)
  const client = { delete: async (_ctx: unknown, _kind: unknown, key: { name: string }) => (deleted.push(key.name), true) } as unknown as Client
  const deps: PodDeps = {
    group, client, runtime, observer,
    mounts: fakeMounts(),
    cgroups: fakeCgroups(),
    network: {
      attach: async (_ctx, { podUid }) => (attached.set(podUid, '10.42.0.2'), { ips: ['10.42.0.2'] }),
      detach: async (_ctx, { podUid }) => void attached.delete(podUid),
      adopt: async () => new Map(),
    },
    adopted: new Map(),
    recorder: { event: (_about, _type, reason, message) => void events.push(`${reason}: ${message}`) },
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
    clock, runtime, deps, events, deleted, attached,
    status: () => latest,
    start(pod) {
      const worker = new PodWorker(deps, pod)
      workers.set(worker.uid, worker)
      group.go('pod', (ctx) => worker.run(ctx))
      return worker
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
