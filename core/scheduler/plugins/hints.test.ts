/** Queueing hints: which events have a pod tried again that the plugin refused. */
import { describe, expect, it } from 'vitest'
import { deviceClasses } from '../../api/resource/deviceclass.ts'
import type { Node, Pod, PodSpec } from '../../api/schema/types.ts'
import { fakeEnv } from '../env.fake.ts'
import type { ClusterEvent } from '../framework.ts'
import { defaultProfile } from '../plugins.ts'
import { World } from '../world.ts'

const { plugins } = defaultProfile(fakeEnv())
const pod = (spec: Partial<PodSpec> = {}, labels: Readonly<Record<string, string>> = {}): Pod => ({ metadata: { name: 'p', namespace: 'd', uid: 'p', labels }, spec: { containers: [{ name: 'c', resources: { requests: { cpu: '2' } } }], ...spec } })
const node = (cpu = '4', more: Partial<Node['spec'] & object> = {}, labels: Readonly<Record<string, string>> = { zone: 'a' }): Node => ({ metadata: { name: 'n', labels }, spec: more, status: { allocatable: { cpu, memory: '1Gi', pods: '9' } } })
const other = (labels: Readonly<Record<string, string>> = {}, spec: Partial<PodSpec> = {}): Pod => ({ metadata: { name: 'o', namespace: 'd', uid: 'o', labels }, spec: { nodeName: 'n', containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }], ...spec } })

const added = (it: Node): ClusterEvent => ({ type: 'node added', node: it })
const changed = (prev: Node, next: Node): ClusterEvent => ({ type: 'node changed', prev, node: next })
const gone = (it: Pod): ClusterEvent => ({ type: 'pod gone', pod: it })
const placed = (it: Pod): ClusterEvent => ({ type: 'pod placed', pod: it })
const shifted = (prev: Pod, next: Pod): ClusterEvent => ({ type: 'placed pod changed', prev, pod: next })
const edited = (prev: Pod, next: Pod): ClusterEvent => ({ type: 'pod changed', prev, pod: next })

const taint = { key: 'x', effect: 'NoSchedule' }
const tolerant = pod({ tolerations: [{ key: 'x', operator: 'Exists' }] })
const cordonProof = pod({ tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] })
const selective = pod({ nodeSelector: { zone: 'b' } })
const hostPort = (port: number): Partial<PodSpec> => ({ containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: port }] }] })
const of = (app: string): { readonly topologyKey: string; readonly labelSelector: { readonly matchLabels: Readonly<Record<string, string>> } } => ({ topologyKey: 'zone', labelSelector: { matchLabels: { app } } })
const wants = pod({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [of('a')] } } })
const minds = pod({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [of('a'), of('b')] } } }, { app: 'p' })
const spread = pod({ topologySpreadConstraints: [{ ...of('a'), maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule', nodeTaintsPolicy: 'Honor' }] })
const gpu = pod({ containers: [{ name: 'c', resources: { requests: { 'deviceclass.resource.kubernetes.io/gpu': '1' } } }] })
const gpuClass = { metadata: { name: 'gpu' }, spec: {} }

describe('wakes()', () => {
  it.each<readonly [plugin: string, what: string, pod: Pod, event: ClusterEvent, wakes: boolean]>([
    ['NodeResourcesFit', 'a node that is large enough', pod(), added(node()), true],
    ['NodeResourcesFit', 'a node that is too small, empty as it is', pod(), added(node('1')), false],
    ['NodeResourcesFit', 'a node that grew', pod(), changed(node('3'), node('4')), true],
    ['NodeResourcesFit', 'a node that grew, and not enough', pod(), changed(node('1'), node('1500m')), false],
    ['NodeResourcesFit', 'a node that shrank', pod(), changed(node('4'), node('3')), false],
    ['NodeResourcesFit', 'a pod that goes', pod(), gone(other()), true],
    ['NodeResourcesFit', 'a placed pod that asks for less', pod(), shifted(other({}, { containers: [{ name: 'c', resources: { requests: { cpu: '2' } } }] }), other()), true],
    ['NodeResourcesFit', 'a placed pod with another label', pod(), shifted(other(), other({ a: 'b' })), false],
    ['NodeResourcesFit', 'its own label', pod(), edited(pod(), pod({}, { a: 'b' })), false],
    ['NodeResourcesFit', 'a class for what it asks for', gpu, { type: 'object', kind: deviceClasses, object: gpuClass, prev: undefined }, true],
    ['NodeResourcesFit', 'a class for what it does not ask for', pod(), { type: 'object', kind: deviceClasses, object: gpuClass, prev: undefined }, false],
    ['NodePorts', 'a pod with its port that goes', pod(hostPort(80)), gone(other({}, hostPort(80))), true],
    ['NodePorts', 'a pod with another port that goes', pod(hostPort(80)), gone(other({}, hostPort(81))), false],
    ['NodePorts', 'a node', pod(hostPort(80)), added(node()), true],
    ['NodePorts', 'a node that changes', pod(hostPort(80)), changed(node('3'), node('4')), false],
    ['NodeUnschedulable', 'a node that is open again', pod(), changed(node('4', { unschedulable: true }), node()), true],
    ['NodeUnschedulable', 'a node that is not', pod(), added(node('4', { unschedulable: true })), false],
    ['NodeUnschedulable', 'a toleration of just that', cordonProof, edited(pod(), cordonProof), true],
    ['NodeUnschedulable', 'another toleration', tolerant, edited(pod(), tolerant), false],
    ['TaintToleration', 'a taint that went', pod(), changed(node('4', { taints: [taint] }), node()), true],
    ['TaintToleration', 'a tainted node', pod(), added(node('4', { taints: [taint] })), false],
    ['TaintToleration', 'a toleration', tolerant, edited(pod(), tolerant), true],
    ['TaintToleration', 'its own label', pod(), edited(pod(), pod({}, { a: 'b' })), false],
    ['NodeAffinity', 'a node that it wants', selective, added(node('4', {}, { zone: 'b' })), true],
    ['NodeAffinity', 'a node that became so', selective, changed(node(), node('4', {}, { zone: 'b' })), true],
    ['NodeAffinity', 'a node that was so', selective, changed(node('4', {}, { zone: 'b' }), node('4', {}, { zone: 'b', more: 'x' })), false],
    ['NodeAffinity', 'another node', selective, added(node()), false],
    ['NodeAffinity', 'its own label', selective, edited(pod(), selective), false],
    ['NodeName', 'its node', pod({ nodeName: 'n' }), added(node()), true],
    ['InterPodAffinity', 'a pod that it wants', wants, placed(other({ app: 'a' })), true],
    ['InterPodAffinity', 'a pod that it does not want', wants, placed(other({ app: 'b' })), false],
    ['InterPodAffinity', 'a pod that becomes one that it wants', wants, shifted(other(), other({ app: 'a' })), true],
    ['InterPodAffinity', 'one that goes of several against which it stands', minds, gone(other({ app: 'a' })), true],
    ['InterPodAffinity', 'one that it does not mind any more', minds, shifted(other({ app: 'b' }), other()), true],
    ['InterPodAffinity', 'one that it minds for another reason', minds, shifted(other({ app: 'b' }), other({ app: 'b', more: 'x' })), false],
    ['InterPodAffinity', 'a pod that goes and minds it', minds, gone(other({}, { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [of('x'), of('p')] } } })), true],
    ['InterPodAffinity', 'somebody else that goes', minds, gone(other({ app: 'c' })), false],
    ['InterPodAffinity', 'a label that the node has now', wants, changed(node('4', {}, {}), node()), true],
    ['PodTopologySpread', 'a pod that counts and goes', spread, gone(other({ app: 'a' })), true],
    ['PodTopologySpread', 'a pod that does not count', spread, gone(other({ app: 'b' })), false],
    ['PodTopologySpread', 'a pod that counts no more', spread, shifted(other({ app: 'a' }), other()), true],
    ['PodTopologySpread', 'a node with the key', spread, added(node()), true],
    ['PodTopologySpread', 'a node without it', spread, added(node('4', {}, {})), false],
    ['PodTopologySpread', 'a toleration, where taints count', spread, edited(spread, pod({ ...spread.spec, ...tolerant.spec })), true],
    ['PodTopologySpread', 'its own label that does not count', spread, edited(spread, pod(spread.spec, { a: 'b' })), false],
  ])('%s: %s', (name, _what, waiting, event, wakes) => {
    const found = plugins.find(({ plugin }) => plugin.name === name)?.plugin
    expect(found?.wakes?.(waiting, event, new World())).toBe(wakes)
  })
})
