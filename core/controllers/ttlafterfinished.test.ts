import { afterEach, describe, expect, it } from 'vitest'
import { jobs } from '../api/batch/job.ts'
import { pods } from '../api/core/pod.ts'
import type { JobSpec } from '../api/schema/types.ts'
import { testCluster, type TestCluster } from '../../test/support/controllers.ts'
import { garbageCollector } from './garbage/garbage.ts'
import { jobController } from './job/job.ts'
import { jobOrphans } from './job/orphans.ts'
import { ttlAfterFinished } from './ttlafterfinished.ts'

let cluster: TestCluster

afterEach(() => cluster?.stop())

async function finished(ttlSecondsAfterFinished?: number): Promise<void> {
  cluster = await testCluster([ttlAfterFinished, jobController, jobOrphans, garbageCollector], { rbac: true })
  const template = { spec: { nodeName: 'n1', restartPolicy: 'Never', containers: [{ name: 'c', image: 'a:1' }] } }
  await cluster.create(jobs, { metadata: { name: 'sum', namespace: 'default' }, spec: { template, ...(ttlSecondsAfterFinished === undefined ? {} : { ttlSecondsAfterFinished }) } })
  await cluster.settle(2_000)
  for (const pod of await cluster.list(pods)) await cluster.endPod(pod, 0)
  await cluster.settle(2_000)
}

const left = async (): Promise<readonly number[]> => [(await cluster.list(jobs)).length, (await cluster.list(pods)).length]

describe('ttl after finished', () => {
  it('deletes an ended Job and its pods when its time has come', async () => {
    await finished(60)
    await cluster.settle(50_000)
    expect(await left()).toEqual([1, 1])
    await cluster.settle(15_000)
    expect(await left()).toEqual([0, 0])
  })

  it('keeps to another time that is set later', async () => {
    await finished(60)
    await cluster.change(jobs, 'sum', (mine) => (mine.spec = { ...(mine.spec as JobSpec), ttlSecondsAfterFinished: 600 }))
    await cluster.settle(120_000)
    expect(await left()).toEqual([1, 1])
    await cluster.settle(500_000)
    expect(await left()).toEqual([0, 0])
  })

  it('leaves a Job alone that names no time', async () => {
    await finished()
    await cluster.settle(3_600_000)
    expect(await left()).toEqual([1, 1])
  })
})
