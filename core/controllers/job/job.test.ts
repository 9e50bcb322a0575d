import { afterEach, describe, expect, it } from 'vitest'
import { jobs } from '../../api/batch/job.ts'
import { events } from '../../api/core/event.ts'
import { pods } from '../../api/core/pod.ts'
import type { Job, JobSpec, Pod } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import { testCluster, type TestCluster, type TestClusterOptions } from '../../../test/support/controllers.ts'
import { jobController } from './job.ts'
import { jobOrphans } from './orphans.ts'
import { isTracked } from './pods.ts'

let cluster: TestCluster

async function start(spec: Partial<JobSpec> = {}, options: TestClusterOptions = {}): Promise<void> {
  cluster = await testCluster([jobController, jobOrphans], { rbac: true, ...options })
  await cluster.create(jobs, job(spec))
  await settle()
}

afterEach(() => cluster?.stop())

const job = (spec: Partial<JobSpec>, restartPolicy = 'Never'): Job => ({
  metadata: { name: 'sum', namespace: 'default' },
  spec: { template: { spec: { nodeName: 'n1', restartPolicy, containers: [{ name: 'c', image: 'a:1' }] } }, ...spec },
})

/** Pods' changes are looked at once a second. */
const settle = async (ms = 2_000): Promise<void> => await cluster.settle(ms)
const sum = async (): Promise<Readonly<Job>> => (await cluster.get(jobs, 'sum')) as Readonly<Job>
const all = async (): Promise<readonly Readonly<Pod>[]> => await cluster.list(pods)
const active = async (): Promise<readonly Readonly<Pod>[]> => (await all()).filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.phase === 'Running')
const conditions = async (): Promise<readonly string[]> => ((await sum()).status?.conditions ?? []).map((c) => `${c.type}=${c.status} ${c.reason}: ${c.message}`)
const told = async (): Promise<readonly string[]> => (await cluster.list(events)).map((e) => `${e.source?.component} ${e.type} ${e.reason} ${e.message}`)

async function end(chosen: readonly Readonly<Pod>[], exitCode: number): Promise<void> {
  for (const pod of chosen) await cluster.endPod(pod, exitCode)
  await settle()
}

describe('job controller', () => {
  it('runs as many pods as asked until enough have succeeded, and says so as upstream does', async () => {
    await start({ parallelism: 2, completions: 3 })
    expect(await active()).toHaveLength(2)
    expect((await sum()).status).toMatchObject({ active: 2, ready: 2, terminating: 0, startTime: '2026-01-01T00:00:00Z', uncountedTerminatedPods: {} })
    expect((await all())[0]?.metadata).toMatchObject({ finalizers: ['batch.kubernetes.io/job-tracking'], ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'sum', controller: true }] })
    await end(await active(), 0)
    expect((await sum()).status).toMatchObject({ active: 1, succeeded: 2 })
    await end(await active(), 0)
    const { status } = await sum()
    expect(status).toMatchObject({ succeeded: 3, ready: 0, terminating: 0, uncountedTerminatedPods: {}, completionTime: expect.any(String) as string })
    expect(status?.active).toBeUndefined()
    expect(await conditions()).toEqual(['SuccessCriteriaMet', 'Complete'].map((type) => `${type}=True CompletionsReached: Reached expected number of succeeded pods`))
    expect((await all()).some(isTracked)).toBe(false)
    expect(await told()).toContain('job-controller Normal Completed Job completed')
    await cluster.writes()
    await settle(1_500_000)
    expect(await cluster.writes()).toBe(0)
  })

  it('replaces failed pods after 10 s, 20 s, ... and gives up past the limit', async () => {
    await start({ backoffLimit: 2 })
    await end(await active(), 1)
    expect(await active()).toHaveLength(0)
    expect((await sum()).status).toMatchObject({ failed: 1, ready: 0 })
    await settle(8_000)
    expect(await active()).toHaveLength(1)
    await end(await active(), 1)
    await settle(14_000)
    expect(await active()).toHaveLength(0)
    await settle(8_000)
    await end(await active(), 1)
    expect((await sum()).status).toMatchObject({ failed: 3 })
    expect(await conditions()).toEqual(['FailureTarget', 'Failed'].map((type) => `${type}=True BackoffLimitExceeded: Job has reached the specified backoff limit`))
    expect(await told()).toContain('job-controller Warning BackoffLimitExceeded Job has reached the specified backoff limit')
  })

  it.each([
    ['the status is written', 1, 'before'],
    ['the finalizer is gone', 1, 'after'],
    ['the counters are written', 2, 'before'],
  ] as const)('counts a pod once, though it is stopped after %s', async (_, write, when) => {
    let writes = -Infinity
    const stop = async <T>(answer: () => Promise<T>): Promise<T> => {
      const stops = ++writes === write
      if (stops && when === 'before') throw new Error('stopped')
      const done = await answer()
      if (stops) throw new Error('stopped')
      return done
    }
    const between = (client: Client): Client => ({
      ...client,
      update: async (ctx, kind, object, options) => await (options?.subresource === 'status' && writes > 0 ? stop(() => client.update(ctx, kind, object, options)) : client.update(ctx, kind, object, options)),
      patch: async (ctx, kind, key, type, patch, options) => await stop(() => client.patch(ctx, kind, key, type, patch, options)),
    })
    await start({ backoffLimit: 5 }, { between })
    const [pod] = await active()
    writes = 0
    await end([pod as Pod], 1)
    await settle(5_000)
    expect(writes).toBeGreaterThan(1)
    expect((await sum()).status).toMatchObject({ failed: 1, uncountedTerminatedPods: {} })
    expect((await all()).some(isTracked)).toBe(false)
  })

  it('fails what runs when its time is up, and waits until it is gone', async () => {
    let goes = false
    await start({ parallelism: 2, activeDeadlineSeconds: 30 }, { gone: () => goes })
    await settle(30_000)
    expect(await conditions()).toEqual(['FailureTarget=True DeadlineExceeded: Job was active longer than specified deadline'])
    expect((await sum()).status).toMatchObject({ failed: 2, terminating: 2, ready: 0 })
    goes = true
    for (const { metadata } of await all()) await cluster.client.delete(cluster.ctx, pods, { namespace: 'default', name: metadata.name ?? '' }, { gracePeriodSeconds: 0 })
    await settle()
    expect((await conditions()).at(-1)).toBe('Failed=True DeadlineExceeded: Job was active longer than specified deadline')
    expect((await sum()).status).toMatchObject({ failed: 2, terminating: 0 })
  })

  it('rests while it is suspended, without failures, and begins its time anew', async () => {
    await start({ parallelism: 2, completions: 4 })
    await end((await active()).slice(0, 1), 0)
    await cluster.change(jobs, 'sum', (mine) => (mine.spec = { ...(mine.spec as JobSpec), suspend: true }))
    await settle()
    expect(await active()).toHaveLength(0)
    const { status } = await sum()
    expect(status).toMatchObject({ succeeded: 1, ready: 0 })
    expect([status?.active, status?.failed, status?.startTime]).toEqual([undefined, undefined, undefined])
    expect(await conditions()).toEqual(['Suspended=True JobSuspended: Job suspended'])
    await cluster.change(jobs, 'sum', (mine) => (mine.spec = { ...(mine.spec as JobSpec), suspend: false }))
    await settle()
    expect(await active()).toHaveLength(2)
    expect((await sum()).status?.startTime).not.toBe('2026-01-01T00:00:00Z')
    expect(await conditions()).toEqual(['Suspended=False JobResumed: Job resumed'])
    expect((await told()).filter((text) => /Suspended|Resumed/.test(text))).toEqual(['job-controller Normal Suspended Job suspended', 'job-controller Normal Resumed Job resumed'])
  })

  it('counts restarts in place against the limit', async () => {
    cluster = await testCluster([jobController, jobOrphans], { rbac: true })
    await cluster.create(jobs, job({ backoffLimit: 2 }, 'OnFailure'))
    await settle()
    const status = { containerStatuses: [{ name: 'c', image: 'a:1', imageID: '', ready: true, restartCount: 2, state: { running: {} } }] }
    const [pod] = await active()
    await cluster.client.patch(cluster.ctx, pods, { namespace: 'default', name: pod?.metadata.name ?? '' }, 'merge', { status }, { subresource: 'status' })
    await settle()
    expect((await conditions()).at(-1)).toContain('Failed=True BackoffLimitExceeded')
  })

  it('leaves a Job alone that another controller manages', async () => {
    await start({ managedBy: 'example.com/queue' })
    expect([await all(), (await sum()).status]).toEqual([[], {}])
  })

  it('adopts pods that match, lets go of those that do not match any more', async () => {
    await start({ parallelism: 1 })
    const [pod] = await active()
    await cluster.change(pods, pod?.metadata.name ?? '', (mine) => (mine.metadata.labels = {}))
    await settle()
    const freed = await cluster.get(pods, pod?.metadata.name ?? '')
    expect([freed?.metadata.ownerReferences, freed?.metadata.finalizers]).toEqual([undefined, undefined])
    expect((await active()).length).toBe(2)
    const [other] = (await active()).filter((p) => p.metadata.name !== pod?.metadata.name)
    await cluster.client.delete(cluster.ctx, pods, { namespace: 'default', name: other?.metadata.name ?? '' })
    await cluster.change(pods, pod?.metadata.name ?? '', (mine) => (mine.metadata.labels = { ...other?.metadata.labels }))
    await settle()
    const adopted = await cluster.get(pods, pod?.metadata.name ?? '')
    expect(adopted?.metadata.ownerReferences).toMatchObject([{ kind: 'Job', name: 'sum', controller: true }])
    expect(isTracked(adopted as Pod)).toBe(true)
  })

  it('frees the pods of a Job that is deleted', async () => {
    await start({ parallelism: 2 })
    await cluster.client.delete(cluster.ctx, jobs, { namespace: 'default', name: 'sum' }, { propagationPolicy: 'Background' })
    await settle()
    expect(await active()).toHaveLength(2)
    expect((await all()).some(isTracked)).toBe(false)
  })

  it('makes room when less is asked, with no failure', async () => {
    await start({ parallelism: 4, completions: 8 })
    await cluster.change(jobs, 'sum', (mine) => (mine.spec = { ...(mine.spec as JobSpec), parallelism: 1 }))
    await settle()
    expect(await active()).toHaveLength(1)
    expect((await sum()).status).toMatchObject({ active: 1, ready: 1, terminating: 0 })
    expect((await sum()).status?.failed).toBeUndefined()
  })

  it('a work queue is done when one has succeeded and the others have ended', async () => {
    await start({ parallelism: 2 })
    const [first, second] = await active()
    await end([first as Pod], 0)
    expect(await active()).toHaveLength(1)
    expect(await conditions()).toEqual([])
    await end([second as Pod], 0)
    expect((await sum()).status).toMatchObject({ succeeded: 2 })
    expect((await conditions()).at(-1)).toContain('Complete=True')
  })
})
