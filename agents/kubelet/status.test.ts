import { describe, expect, it } from 'vitest'
import type { Pod } from '../../core/api/schema/types.ts'
import type { RuntimeContainer } from '../host/runtime.ts'
import { label } from './labels.ts'
import { statusOf } from './status.ts'

const pod: Pod = {
  metadata: { name: 'p', namespace: 'd', uid: 'u' },
  spec: { restartPolicy: 'Never', initContainers: [{ name: 'first', image: 'i' }], containers: [{ name: 'main', image: 'i' }] },
}

function made(name: string, more: Partial<RuntimeContainer>): RuntimeContainer {
  return {
    id: name, labels: { [label.container]: name, [label.podUid]: 'u' }, image: 'i', imageId: 'i', state: 'created',
    createdMs: 1_000, startedMs: 0, finishedMs: 0, exitCode: 0, oomKilled: false, resources: { cpuShares: 2, cpuQuotaUs: 0, cpuPeriodUs: 100_000, memoryBytes: 0 }, startFailed: false, error: '', ...more,
  } as RuntimeContainer
}

const statusWith = (containers: RuntimeContainer[]) =>
  statusOf({
    pod, prev: {}, observed: { uid: 'u', namespace: 'd', name: 'p', sandboxes: [], containers, holders: [] }, nowMs: 5_000, hostIPs: [], podIPs: [], reasons: new Map(),
    messages: new Map(), imageRef: (id) => id, started: () => true, ready: () => true, terminal: false,
  })

describe('statusOf', () => {
  it('says PodInitializing for what has not run yet in a pod with init containers, made already or not', () => {
    const status = statusWith([made('first', {})])
    expect(status.initContainerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'PodInitializing' } })
    expect(status.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'PodInitializing' } })
  })
})
