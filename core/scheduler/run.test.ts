/** Several profiles at work over a real API: whose pods are whose, and who is named in events. */
import { expect, it } from 'vitest'
import { testApi } from '../../test/support/api.ts'
import { events } from '../api/core/event.ts'
import { nodes } from '../api/core/node.ts'
import { pods } from '../api/core/pod.ts'
import type { Pod, PodSpec } from '../api/schema/types.ts'
import { readSchedulerConfiguration } from './configuration/configuration.ts'
import { profilesOf } from './configuration/profiles.ts'
import { runScheduler } from './run.ts'

const two = readSchedulerConfiguration(`
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: default-scheduler
- schedulerName: careful
  plugins: {postFilter: {disabled: [{name: DefaultPreemption}]}}
`)

const pod = (name: string, cpu: string, more: Partial<PodSpec> = {}): Pod => ({ metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu } } }], ...more } })

it('each profile takes its own pods, and tells of them in its own name', async () => {
  const api = await testApi()
  await api.create(nodes, { metadata: { name: 'a' } })
  await api.change(nodes, 'a', (mine) => void (mine.status = { allocatable: { cpu: '2', memory: '4Gi', pods: '110' } }), { subresource: 'status' })
  const stop = new AbortController()
  const running = runScheduler({ ...api.ctx, signal: stop.signal }, { client: api.client, random: api.random, profiles: profilesOf(two) }).catch(() => {})
  await api.clock.advance(1_000)

  await api.create(pods, pod('low', '2', { schedulerName: 'careful' }))
  await api.create(pods, pod('strange', '1', { schedulerName: 'nobody' }))
  await api.clock.advance(2_000)
  await api.create(pods, pod('patient', '1', { schedulerName: 'careful', priority: 1_000 }))
  await api.clock.advance(2_000)
  expect((await api.get(pods, 'low', 'default'))?.metadata.deletionTimestamp).toBeUndefined()
  await api.create(pods, pod('pushy', '1', { priority: 1_000 }))
  await api.clock.advance(5_000)

  const told = (await api.list(events, 'default')).map(({ involvedObject, reason, reportingComponent, source }) => `${involvedObject.name} ${reason} ${reportingComponent} ${source?.component}`)
  expect([...new Set(told)].toSorted()).toEqual([
    'low Preempted default-scheduler default-scheduler', // by whom it was evicted, not whose it is
    'low Scheduled careful careful',
    'patient FailedScheduling careful careful',
    'pushy FailedScheduling default-scheduler default-scheduler',
  ])
  expect((await api.get(pods, 'strange', 'default'))?.status?.conditions).toBeUndefined()
  stop.abort()
  await running
  await api.stop()
})
