import { afterEach, describe, expect, it } from 'vitest'
import { jobs } from '../../api/batch/job.ts'
import { pods } from '../../api/core/pod.ts'
import type { Job, JobSpec, Pod } from '../../api/schema/types.ts'
import { testCluster, type TestCluster, type TestClusterOptions } from '../../../test/support/controllers.ts'
import { jobController } from './job.ts'
import { jobOrphans } from './orphans.ts'
import { indexOf, isTracked } from './pods.ts'

let cluster: TestCluster

async function start(spec: Partial<JobSpec>, options: TestClusterOptions = {}): Promise<void> {
  cluster = await testCluster([jobController, jobOrphans], { rbac: true, ...options })
  await cluster.create(jobs, {
    metadata: { name: 'sum', namespace: 'default' },
    spec: { completionMode: 'Indexed', template: { spec: { nodeName: 'n1', restartPolicy: 'Never', containers: [{ name: 'c', image: 'a:1' }] } }, ...spec },
  })
  await settle()
}

afterEach(() => cluster?.stop())

/** Pods' changes are looked at once a second. */
const settle = async (ms = 2_000): Promise<void> => await cluster.settle(ms)
const sum = async (): Promise<Readonly<Job>> => (await cluster.get(jobs, 'sum')) as Readonly<Job>
const all = async (): Promise<readonly Readonly<Pod>[]> => await cluster.list(pods)
const active = async (): Promise<readonly Readonly<Pod>[]> => (await all()).filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.phase === 'Running')
const running = async (): Promise<readonly number[]> => (await active()).map((pod) => indexOf(pod) ?? -1).toSorted((a, b) => a - b)
const conditions = async (): Promise<readonly string[]> => ((await sum()).status?.conditions ?? []).map((c) => `${c.type}=${c.status} ${c.reason}: ${c.message}`)
const change = async (spec: Partial<JobSpec>): Promise<void> => {
  await cluster.change(jobs, 'sum', (mine) => (mine.spec = { ...(mine.spec as JobSpec), ...spec }))
  await settle()
}

async function end(exitCode: number, ...indexes: readonly number[]): Promise<void> {
  for (const pod of await active()) if (indexes.includes(indexOf(pod) ?? -1)) await cluster.endPod(pod, exitCode)
  await settle()
}

const policy = (action: string, more: object): Partial<JobSpec> => ({ podFailurePolicy: { rules: [{ action, ...more }] } })
const code42 = { onExitCodes: { operator: 'In', values: [42] } }

describe('job controller, with indexes', () => {
  it('gives each pod its index, and counts an index once', async () => {
    await start({ completions: 4, parallelism: 3 })
    expect(await running()).toEqual([0, 1, 2])
    const [pod] = (await active()).filter((p) => indexOf(p) === 1)
    expect(pod?.metadata.name).toMatch(/^sum-1-[a-z0-9]{5}$/)
    expect(pod?.metadata.labels?.['batch.kubernetes.io/job-completion-index']).toBe('1')
    expect(pod?.spec?.hostname).toBe('sum-1')
    expect(pod?.spec?.containers[0]?.env).toMatchObject([{ name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" } } }])
    await end(0, 0, 2)
    expect(await running()).toEqual([1, 3])
    expect((await sum()).status).toMatchObject({ completedIndexes: '0,2', succeeded: 2 })
    await end(0, 1, 3)
    expect((await sum()).status).toMatchObject({ completedIndexes: '0-3', succeeded: 4 })
    expect((await conditions()).at(-1)).toContain('Complete=True CompletionsReached')
  })

  it('grows and shrinks, and starts what was shrunk away anew', async () => {
    await start({ completions: 2, parallelism: 2 })
    await change({ completions: 4, parallelism: 4 })
    expect(await running()).toEqual([0, 1, 2, 3])
    await end(0, 3)
    await change({ completions: 1, parallelism: 1 })
    expect(await running()).toEqual([0])
    expect((await sum()).status?.succeeded).toBeUndefined()
    await end(0, 0)
    expect((await sum()).status).toMatchObject({ completedIndexes: '0', succeeded: 1 })
    expect((await conditions()).at(-1)).toContain('Complete=True')
  })

  it('gives up an index past its own limit, and fails when the rest is done', async () => {
    await start({ completions: 3, parallelism: 3, backoffLimitPerIndex: 1 })
    await end(1, 1)
    expect((await all()).filter((pod) => indexOf(pod) === 1).map(isTracked)).toEqual([true])
    await settle(10_000)
    const [again] = (await active()).filter((p) => indexOf(p) === 1)
    expect(again?.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count']).toBe('1')
    expect((await sum()).status).toMatchObject({ failed: 1, failedIndexes: '' })
    await end(1, 1)
    expect((await sum()).status).toMatchObject({ failed: 2, failedIndexes: '1' })
    expect(await running()).toEqual([0, 2])
    await end(0, 0, 2)
    expect((await sum()).status).toMatchObject({ completedIndexes: '0,2', failedIndexes: '1', succeeded: 2 })
    expect(await conditions()).toEqual(['FailureTarget', 'Failed'].map((type) => `${type}=True FailedIndexes: Job has failed indexes`))
    expect((await all()).some(isTracked)).toBe(false)
  })

  it('ends all when more indexes failed than may', async () => {
    await start({ completions: 4, parallelism: 4, backoffLimitPerIndex: 0, maxFailedIndexes: 1 })
    await end(1, 0)
    expect(await conditions()).toEqual([])
    await end(1, 3)
    expect((await sum()).status).toMatchObject({ failedIndexes: '0,3', failed: 4 })
    expect((await conditions()).at(-1)).toBe('Failed=True MaxFailedIndexesExceeded: Job has exceeded the specified maximal number of failed indexes')
  })

  it('an index fails at once where the policy says so', async () => {
    await start({ completions: 2, parallelism: 2, backoffLimitPerIndex: 5, ...policy('FailIndex', code42) })
    await end(42, 1)
    expect((await sum()).status).toMatchObject({ failedIndexes: '1', failed: 1 })
    expect(await running()).toEqual([0])
  })

  it('failures that are ignored are counted apart in the pod that follows', async () => {
    await start({ completions: 1, parallelism: 1, backoffLimitPerIndex: 0, ...policy('Ignore', code42) })
    await end(42, 0)
    await settle(10_000)
    const [again] = await active()
    expect(again?.metadata.annotations).toMatchObject({ 'batch.kubernetes.io/job-index-failure-count': '0', 'batch.kubernetes.io/job-index-ignored-failure-count': '1' })
    expect((await sum()).status?.failed).toBeUndefined()
  })

  it('succeeds as soon as enough indexes have, and ends the rest as no failure', async () => {
    await start({ completions: 5, parallelism: 5, successPolicy: { rules: [{ succeededIndexes: '1-3', succeededCount: 2 }] } })
    await end(0, 0, 1)
    expect(await conditions()).toEqual([])
    await end(0, 3)
    expect((await sum()).status).toMatchObject({ completedIndexes: '0,1,3', succeeded: 3, terminating: 0 })
    expect((await sum()).status?.failed).toBeUndefined()
    expect(await conditions()).toEqual(['SuccessCriteriaMet', 'Complete'].map((type) => `${type}=True SuccessPolicy: Matched rules at index 0`))
  })
})

describe('job controller, by its failure policy', () => {
  it('fails the Job for an exit code', async () => {
    await start({ completions: 2, parallelism: 2, ...policy('FailJob', code42) })
    const [pod] = (await active()).filter((p) => indexOf(p) === 0)
    await end(42, 0)
    const message = `PodFailurePolicy: Container c for pod default/${pod?.metadata.name} failed with exit code 42 matching FailJob rule at index 0`
    expect(await conditions()).toEqual([`FailureTarget=True ${message}`, `Failed=True ${message}`])
    expect((await sum()).status).toMatchObject({ failed: 2 })
  })

  it('does not count what the system ended', async () => {
    await start({ completionMode: 'NonIndexed', backoffLimit: 0, ...policy('Ignore', { onPodConditions: [{ type: 'DisruptionTarget' }] }) })
    const [pod] = await active()
    const status = { phase: 'Failed', conditions: [{ type: 'DisruptionTarget', status: 'True' }] }
    await cluster.client.patch(cluster.ctx, pods, { namespace: 'default', name: pod?.metadata.name ?? '' }, 'merge', { status }, { subresource: 'status' })
    await settle(12_000)
    expect(await active()).toHaveLength(1)
    expect((await sum()).status?.failed).toBeUndefined()
    expect(await conditions()).toEqual([])
  })

  it.each([['TerminatingOrFailed', 1], ['Failed', 0]] as const)('with %s, %d pods run beside one that is on its way out', async (podReplacementPolicy, count) => {
    await start({ completionMode: 'NonIndexed', podReplacementPolicy }, { gone: () => false })
    const [pod] = await active()
    await cluster.client.delete(cluster.ctx, pods, { namespace: 'default', name: pod?.metadata.name ?? '' })
    await settle(12_000 + 30_000)
    expect(await active()).toHaveLength(count)
    expect((await sum()).status).toMatchObject({ terminating: 1 })
  })
})
