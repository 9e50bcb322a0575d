import { describe, expect, it } from 'vitest'
import type { Node, NodeStatus, Pod } from '../api/schema/types.ts'
import { offersOtherwise, standsOtherwise, waitsOtherwise } from './changes.ts'

const pod = (more: Partial<Pod> = {}): Pod => ({ metadata: { name: 'p' }, spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] }, ...more })
const node = (status: NodeStatus, more: Partial<Node> = {}): Node => ({ metadata: { name: 'n' }, status: { allocatable: { cpu: '1' }, ...status }, ...more })
const ready = (status: string, lastHeartbeatTime: string): NodeStatus => ({ conditions: [{ type: 'Ready', status, lastHeartbeatTime }] })
const inEffect = (cpu: string): Partial<Pod> => ({ status: { containerStatuses: [{ name: 'c', image: 'i', imageID: '', ready: true, restartCount: 0, resources: { requests: { cpu } } }] } })

describe('changes that matter', () => {
  it.each<readonly [string, Node, Node, boolean]>([
    ['a heartbeat', node(ready('True', '1')), node(ready('True', '2')), false],
    ['an image', node({}), node({ images: [{ names: ['i'] }] }), false],
    ['a condition', node(ready('False', '1')), node(ready('True', '1')), true],
    ['more room', node({}), node({ allocatable: { cpu: '2' } }), true],
    ['a taint', node({}), node({}, { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } }), true],
  ])('of a node: %s', (_, prev, next, matters) => expect(offersOtherwise(next, prev)).toBe(matters))

  it.each<readonly [string, Pod, Pod, boolean]>([
    ['what the scheduler says of it', pod(), pod({ status: { conditions: [{ type: 'PodScheduled', status: 'False' }], nominatedNodeName: 'n' } }), false],
    ['its claims', pod(), pod({ status: { resourceClaimStatuses: [{ name: 'c', resourceClaimName: 'x' }] } }), true],
    ['a label', pod(), pod({ metadata: { name: 'p', labels: { a: 'b' } } }), true],
    ['a toleration', pod(), pod({ spec: { containers: [], tolerations: [{ operator: 'Exists' }] } }), true],
  ])('of a pod that waits: %s', (_, prev, next, matters) => expect(waitsOtherwise(next, prev)).toBe(matters))

  it.each<readonly [string, Pod, Pod, boolean]>([
    ['that it runs', pod(), pod({ status: { phase: 'Running' } }), false],
    ['that it is to go', pod(), pod({ metadata: { name: 'p', deletionTimestamp: '2026-01-01T00:00:00Z' } }), true],
    ['that it was made smaller, once it is', pod(inEffect('2')), pod(inEffect('1')), true],
  ])('of a pod that stands on a node: %s', (_, prev, next, matters) => expect(standsOtherwise(next, prev)).toBe(matters))
})
