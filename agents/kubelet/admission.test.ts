import { expect, it } from 'vitest'
import type { Node, Pod, PodSpec } from '../../core/api/schema/types.ts'
import { rejectionOf } from './admission.ts'

const node: Node = {
  metadata: { name: 'n', labels: { disk: 'ssd' } },
  status: { allocatable: { cpu: '2', memory: '1Gi', pods: '3' } },
}
const pod = (spec: Partial<PodSpec>, requests: Record<string, string> = {}): Pod => ({
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', resources: { requests } }], ...spec },
})
const onPort = (hostPort: number, hostIP?: string): Pod => pod({ containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort, ...(hostIP === undefined ? {} : { hostIP }) }] }] })

it.each<[string, Pod, Node, readonly Pod[], string | undefined]>([
  ['what fits', pod({}, { cpu: '1' }), node, [pod({}, { cpu: '1' })], undefined],
  ['no cpu', pod({}, { cpu: '1500m' }), node, [pod({}, { cpu: '1' })], "OutOfcpu: Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000"],
  ['no memory', pod({}, { memory: '2Gi' }), node, [], "OutOfmemory: Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: 1073741824"],
  ['too many pods', pod({}), node, [pod({}), pod({}), pod({})], "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3"],
  ['a resource that the node does not know', pod({}, { 'example.com/gpu': '1' }), node, [], undefined],
  ['a port that is taken', onPort(80), node, [onPort(80, '10.0.0.1')], "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"],
  ['the port at another address', onPort(80, '10.0.0.2'), node, [onPort(80, '10.0.0.1')], undefined],
  ['a node it does not want', pod({ nodeSelector: { disk: 'hdd' } }), node, [], "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"],
  ['a taint that would drive it away', pod({}), { ...node, spec: { taints: [{ key: 'x', effect: 'NoExecute' }] } }, [], "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"],
  ['a taint that only keeps schedulers off', pod({}), { ...node, spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } }, [], undefined],
  ['another system', pod({ os: { name: 'windows' } }), node, [], "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS"],
])('%s', (_, asked, at, others, want) => {
  const rejection = rejectionOf(asked, at, others)
  expect(rejection && `${rejection.reason}: ${rejection.message}`).toBe(want)
})
