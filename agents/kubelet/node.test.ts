/** What the kubelet writes of its node, and when. */
import { expect, it } from 'vitest'
import type { Node, NodeStatus } from '../../core/api/schema/types.ts'
import type { Client } from '../../core/client/client.ts'
import { Bell } from '../../core/lib/bell.ts'
import { virtualClock } from '../../core/lib/clock.ts'
import { silentLog } from '../../core/lib/log.ts'
import { fakeRuntime } from '../host/docker.fake.ts'
import type { Machine } from './machine.ts'
import { runNodeStatus } from './node.ts'

it('takes back within seconds what the control plane said of it while it was not heard', async () => {
  const clock = virtualClock()
  const controller = new AbortController()
  let node: Node = { metadata: { name: 'n' } }
  let writes = 0
  const client = {
    get: async () => node,
    patch: async (_ctx: unknown, _kind: unknown, _key: unknown, _type: unknown, patch: { status: NodeStatus }) => {
      writes++
      return (node = { ...node, status: patch.status })
    },
  } as unknown as Client
  const machine = { arch: 'amd64', allocatable: {}, capacity: {}, info: {} } as unknown as Machine
  const recorder = { event: () => {} }
  const options = { client, runtime: fakeRuntime({ clock }), recorder, machine, name: 'n', hostname: 'n', addresses: () => [], labels: {}, taints: [], kubeletPort: 1, notReady: () => undefined, current: () => node }
  const run = runNodeStatus({ signal: controller.signal, clock, log: silentLog }, options, new Bell()).catch(() => {})
  const ready = (): string | undefined => node.status?.conditions?.find((c) => c.type === 'Ready')?.status
  await clock.advance(60_000)
  expect([ready(), writes]).toEqual(['True', 1])
  node = { ...node, status: { ...node.status, conditions: (node.status?.conditions ?? []).map((c) => ({ ...c, status: 'Unknown' })) } }
  await clock.advance(15_000)
  expect([ready(), writes]).toEqual(['True', 2])
  controller.abort()
  await run
})
