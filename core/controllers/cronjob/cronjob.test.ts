import { afterEach, describe, expect, it } from 'vitest'
import { cronJobs } from '../../api/batch/cronjob.ts'
import { jobs } from '../../api/batch/job.ts'
import { events } from '../../api/core/event.ts'
import { pods } from '../../api/core/pod.ts'
import type { CronJob, CronJobSpec, Job } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import { testCluster, type TestCluster, type TestClusterOptions } from '../../../test/support/controllers.ts'
import { garbageCollector } from '../garbage/garbage.ts'
import { jobController } from '../job/job.ts'
import { jobOrphans } from '../job/orphans.ts'
import { cronJobController } from './cronjob.ts'

let cluster: TestCluster

const cron = (spec: Partial<CronJobSpec>): CronJob => ({
  metadata: { name: 'tick', namespace: 'default' },
  spec: {
    schedule: '*/1 * * * ?',
    jobTemplate: {
      metadata: { labels: { app: 'tick' }, annotations: { note: 'kept' } },
      spec: { template: { spec: { nodeName: 'n1', restartPolicy: 'Never', containers: [{ name: 'c', image: 'a:1' }] } } },
    },
    ...spec,
  },
})

async function start(spec: Partial<CronJobSpec> = {}, options: TestClusterOptions = {}): Promise<void> {
  cluster = await testCluster([cronJobController, jobController, jobOrphans, garbageCollector], { rbac: true, ...options })
  await cluster.create(cronJobs, cron(spec))
  await cluster.settle()
}

afterEach(() => cluster?.stop())

const minutes = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await cluster.settle(59_000)
}
const tick = async (): Promise<Readonly<CronJob>> => (await cluster.get(cronJobs, 'tick')) as Readonly<CronJob>
const runs = async (): Promise<readonly Readonly<Job>[]> => await cluster.list(jobs)
const names = async (): Promise<readonly string[]> => (await runs()).map((job) => job.metadata.name ?? '').toSorted()
const active = async (): Promise<readonly string[]> => ((await tick()).status?.active ?? []).map(({ name }) => name ?? '')
const told = async (): Promise<readonly string[]> => (await cluster.list(events)).filter((e) => e.source?.component === 'cronjob-controller').map((e) => `${e.type} ${e.reason} ${e.message}`)
const change = async (spec: Partial<CronJobSpec>): Promise<void> => void (await cluster.change(cronJobs, 'tick', (mine) => (mine.spec = { ...(mine.spec as CronJobSpec), ...spec })))

/** 2026-01-01T00:00:00Z, in minutes. */
const newYear = 29_453_760
const named = (minute: number): string => `tick-${newYear + minute}`

async function endPods(exitCode: number): Promise<void> {
  for (const pod of await cluster.list(pods)) if (pod.status?.phase === 'Running') await cluster.endPod(pod, exitCode)
  await cluster.settle(3_000)
}

describe('cronjob controller', () => {
  it('starts a Job each time that it is due, under a name that says when', async () => {
    await start()
    expect(await runs()).toEqual([])
    await minutes(1)
    await cluster.settle(1_000)
    expect(await names()).toEqual([named(1)])
    expect((await runs())[0]?.metadata).toMatchObject({
      labels: { app: 'tick' },
      annotations: { note: 'kept', 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:01:00Z' },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'tick', controller: true, blockOwnerDeletion: true }],
    })
    const { status } = await tick()
    expect(status).toMatchObject({ lastScheduleTime: '2026-01-01T00:01:00Z', active: [{ apiVersion: 'batch/v1', kind: 'Job', namespace: 'default', name: named(1) }] })
    await minutes(1)
    expect(await active()).toEqual([named(1), named(2)])
    expect(await told()).toEqual([1, 2].map((minute) => `Normal SuccessfulCreate Created job ${named(minute)}`))
  })

  it('sees Jobs end, and keeps as many as it may', async () => {
    await start({ successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 })
    await minutes(1)
    await cluster.settle(1_000)
    await endPods(0)
    expect((await tick()).status?.active).toBeUndefined()
    expect((await tick()).status?.lastSuccessfulTime).toBe((await runs())[0]?.status?.completionTime)
    expect(await told()).toContain(`Normal SawCompletedJob Saw completed job: ${named(1)}, condition: Complete`)
    await minutes(1)
    await endPods(0)
    expect(await names()).toEqual([named(2)])
    expect(await told()).toContain(`Normal SuccessfulDelete Deleted job ${named(1)}`)
    expect((await told()).some((text) => /MissingJob|UnexpectedJob/.test(text))).toBe(false)
  })

  it('Forbid waits for the Job that runs', async () => {
    await start({ concurrencyPolicy: 'Forbid' })
    await minutes(3)
    expect(await names()).toEqual([named(1)])
    expect(await told()).toContain('Normal JobAlreadyActive Not starting job because prior execution is running and concurrency policy is Forbid')
    await endPods(0)
    await minutes(1)
    expect(await active()).toHaveLength(1)
    expect(await names()).toHaveLength(2)
  })

  it('Replace ends the Job that runs', async () => {
    await start({ concurrencyPolicy: 'Replace' })
    await minutes(1)
    await cluster.settle(1_000)
    await minutes(1)
    await cluster.settle(5_000)
    expect([await names(), await active()]).toEqual([[named(2)], [named(2)]])
    expect((await cluster.list(pods)).map((pod) => pod.metadata.labels?.['batch.kubernetes.io/job-name'])).toEqual([named(2)])
  })

  it('starts nothing while it is suspended, and then only the last that it missed', async () => {
    await start({ suspend: true })
    await minutes(5)
    expect(await runs()).toEqual([])
    await change({ suspend: false })
    await cluster.settle()
    expect(await names()).toEqual([named(5)])
  })

  it('gives up a start that is too late', async () => {
    await start({ suspend: true, schedule: '0 * * * *', startingDeadlineSeconds: 20 })
    await cluster.settle(3_600_000 + 10_000)
    await change({ suspend: false })
    await cluster.settle()
    expect(await names()).toEqual([named(60)])
    await change({ suspend: true })
    await cluster.settle(3_600_000 + 60_000)
    await change({ suspend: false })
    await cluster.settle()
    expect(await names()).toEqual([named(60)])
  })

  it('says so when it has missed very many', async () => {
    await start({ suspend: true })
    await cluster.settle(3 * 3_600_000)
    await change({ suspend: false })
    await cluster.settle()
    expect(await names()).toEqual([named(180)])
    expect(await told()).toContain('Warning TooManyMissedTimes too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew')
  })

  it('another schedule does not start what it would have missed', async () => {
    await start({ schedule: '0 0 1 1 *' })
    await minutes(30)
    await change({ schedule: '*/20 * * * *' })
    await cluster.settle()
    expect(await runs()).toEqual([])
    await minutes(11)
    expect(await names()).toEqual([named(40)])
  })

  it('reads the schedule in its zone', async () => {
    await start({ schedule: '30 9 * * *', timeZone: 'Asia/Tokyo' })
    await cluster.settle(1_800_000)
    expect(await names()).toEqual([named(30)])
    expect((await runs())[0]?.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp']).toBe('2026-01-01T09:30:00+09:00')
  })

  it('reads a schedule without a zone in that of the machine', async () => {
    await start({ schedule: '30 9 * * *' }, { settings: { timeZone: 'Asia/Tokyo' } })
    await cluster.settle(1_800_000)
    expect(await names()).toEqual([named(30)])
  })

  it('never starts what is never due, and says so', async () => {
    await start({ schedule: '0 0 31 2 *' })
    await minutes(2)
    expect(await told()).toEqual(['Warning InvalidSchedule invalid schedule: 0 0 31 2 * : time difference between two schedules is less than 1 second'])
  })

  it('forgets a Job that somebody deleted', async () => {
    await start({ concurrencyPolicy: 'Forbid' })
    await minutes(1)
    await cluster.settle(1_000)
    await cluster.client.delete(cluster.ctx, jobs, { namespace: 'default', name: named(1) }, { propagationPolicy: 'Background' })
    await cluster.settle()
    expect(await active()).toEqual([])
    expect(await told()).toContain(`Normal MissingJob Active job went missing: ${named(1)}`)
  })

  it('starts a Job once, though its status cannot be written at first', async () => {
    let left = 1
    const between = (client: Client): Client => ({
      ...client,
      update: async (ctx, kind, object, options) => {
        if (kind.kind === 'CronJob' && left-- > 0) throw new Error('no answer')
        return await client.update(ctx, kind, object, options)
      },
    })
    await start({}, { between })
    await minutes(1)
    await cluster.settle(1_000)
    expect([await names(), await active()]).toEqual([[named(1)], [named(1)]])
    expect((await told()).filter((text) => text.includes('SuccessfulCreate'))).toHaveLength(1)
  })
})
