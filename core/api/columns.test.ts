import { describe, expect, it } from 'vitest'
import { humanDuration } from './age.ts'
import { formatSelector, listWithMore } from './columns.ts'
import { pods } from './core/pod.ts'
import { services } from './core/service.ts'
import { nodes } from './core/node.ts'
import type { Kind } from './kind.ts'
import type { KubeObject } from './meta.ts'
import type { ContainerStatus, Node, Pod, Service } from './schema/types.ts'

const now = Date.UTC(2026, 0, 2)
const cells = <T extends KubeObject>(kind: Kind<T>, object: T): unknown[] =>
  kind.columns.filter((c) => c.priority !== 1).map((c) => c.value(object, now))

const status = (over: Partial<ContainerStatus>): ContainerStatus => ({ name: 'c', image: 'i', imageID: '', ready: false, restartCount: 0, ...over })
const pod = (over: Partial<Pod>): Pod => ({
  metadata: { name: 'p', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { containers: [{ name: 'c' }] },
  ...over,
})

describe('kubectl get', () => {
  it.each([
    ['a running pod', pod({ status: { phase: 'Running', containerStatuses: [status({ ready: true, state: { running: {} } })] } }), '1/1', 'Running', '0'],
    [
      'a pod in a crash loop',
      pod({
        status: {
          phase: 'Running',
          containerStatuses: [
            status({ restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T23:55:00Z' } } }),
          ],
        },
      }),
      '0/1', 'CrashLoopBackOff', '3 (5m ago)',
    ],
    ['a pod whose init container failed', pod({ spec: { containers: [{ name: 'c' }], initContainers: [{ name: 'i' }] }, status: { phase: 'Pending', initContainerStatuses: [status({ name: 'i', state: { terminated: { exitCode: 2 } } })] } }), '0/1', 'Init:ExitCode:2', '0'],
    ['a finished pod', pod({ status: { phase: 'Succeeded', containerStatuses: [status({ state: { terminated: { exitCode: 0, reason: 'Completed' } } })] } }), '0/1', 'Completed', '0'],
    ['a pod that goes away', pod({ metadata: { name: 'p', creationTimestamp: '2026-01-01T00:00:00Z', deletionTimestamp: '2026-01-01T00:00:00Z' }, status: { phase: 'Running' } }), '0/1', 'Terminating', '0'],
    ['a gated pod', pod({ status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] } }), '0/1', 'SchedulingGated', '0'],
  ])('shows %s', (_, object, ready, word, restarts) => {
    expect(cells(pods, object)).toEqual(['p', ready, word, restarts, '24h'])
  })

  it('shows a service and a node', () => {
    const service: Service = { metadata: { name: 'web' }, spec: { type: 'NodePort', clusterIPs: ['10.43.0.7'], ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }] } }
    expect(cells(services, service)).toEqual(['web', 'NodePort', '10.43.0.7', '<none>', '80:30080/TCP', '<unknown>'])
    const node: Node = { metadata: { name: 'n', labels: { 'node-role.kubernetes.io/control-plane': '' } }, spec: { unschedulable: true }, status: { conditions: [{ type: 'Ready', status: 'True' }] } }
    expect(cells(nodes, node)).toEqual(['n', 'Ready,SchedulingDisabled', 'control-plane', '<unknown>', ''])
  })

  it.each([[45, '45s'], [119, '119s'], [120, '2m'], [372, '6m12s'], [3_600, '60m'], [10_800, '3h'], [11_000, '3h3m'], [90_000, '25h'], [200_000, '2d7h'], [800_000, '9d'], [70_000_000, '2y80d'], [-5, '<invalid>']])(
    'an age of %i seconds is %s', (seconds, shown) => expect(humanDuration(seconds * 1_000)).toBe(shown),
  )

  it('formats selectors and long lists', () => {
    expect(formatSelector({ matchLabels: { b: '1' }, matchExpressions: [{ key: 'a', operator: 'In', values: ['y', 'x'] }, { key: 'c', operator: 'DoesNotExist' }] })).toBe('a in (x,y),b=1,!c')
    expect(listWithMore(['a', 'b', 'c', 'd'], 3, '')).toBe('a,b,c + 1 more...')
  })
})
