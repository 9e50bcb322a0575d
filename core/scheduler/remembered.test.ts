import { describe, expect, it } from 'vitest'
import type { Node, Pod, PodSpec } from '../api/schema/types.ts'
import { type Random, seededRandom } from '../lib/random.ts'
import { decide, feasibleNodes } from './decide.ts'
import { fakeEnv } from './env.fake.ts'
import { defaultProfile } from './plugins.ts'
import { preempt } from './preemption.ts'
import { Remembered } from './remembered.ts'
import { World } from './world.ts'

const gigabyte = 1_000_000_000
const pod = (name: string, spec: Partial<PodSpec>): Pod => ({ metadata: { name, namespace: 'd', uid: name }, spec: { containers: [{ name: 'c', image: 'x' }], ...spec } })

describe('Remembered', () => {
  it.each<readonly [string, Partial<PodSpec>, Partial<PodSpec>]>([
    ['image', { containers: [{ name: 'c', image: 'model-a' }] }, { containers: [{ name: 'c', image: 'model-b' }] }],
    ['volume that is an image', { volumes: [{ name: 'm', image: { reference: 'model-a' } }] }, { volumes: [{ name: 'm', image: { reference: 'model-b' } }] }],
    ['selector', { nodeSelector: { is: 'a' } }, { nodeSelector: { is: 'b' } }],
    ['toleration', { tolerations: [{ key: 'of', value: 'a' }] }, { tolerations: [{ key: 'of', value: 'b' }] }],
  ])('what is said of a pod is not taken for one with another %s', (_, first, second) => {
    const [world, remembered] = [new World(), new Remembered()]
    for (const name of ['a', 'b']) {
      const images = [{ names: [`model-${name}:latest`], sizeBytes: gigabyte }]
      world.setNode({ metadata: { name, labels: { is: name } }, spec: { taints: [{ key: 'of', value: name, effect: 'PreferNoSchedule' }] }, status: { allocatable: { cpu: '4', memory: '4Gi', pods: '9' }, images } })
    }
    const profile = defaultProfile(fakeEnv())
    const where = [pod('p', first), pod('q', second)].map((each) => decide(each, world, profile, { random: seededRandom(1), start: 0, looked: () => {}, remembered }))
    expect(where).toEqual([{ fits: true, nodeName: 'a' }, { fits: true, nodeName: 'b' }])
  })
  it.each([1, 2, 3, 4])('says, after any change, what is said where nothing is remembered (seed %i)', (seed) => {
    const [random, world, remembered] = [seededRandom(seed), new World(), new Remembered()]
    const profile = defaultProfile(fakeEnv())
    const said = (waiting: Pod, memory: Remembered): unknown => {
      const { nodes, message, refusedBy, refusals, questions } = feasibleNodes(waiting, world, profile, { random: seededRandom(1), start: 0, looked: () => {}, remembered: memory })
      const { nodeName, victims, message: why } = preempt(questions, world, refusals, { limits: { minCandidateNodesPercentage: 100, minCandidateNodesAbsolute: 100 }, budgets: [], random: seededRandom(1) })
      return { nodes: nodes.map(({ name }) => name), message, refusedBy: refusedBy.map(({ name }) => name).toSorted(), nodeName, victims: victims.map(({ metadata }) => metadata.name), why }
    }
    for (let i = 0; i < 250; i++) {
      change(random, world)
      for (let tries = 0; tries < 3; tries++) {
        const waiting = drawPod(random, `w${i}-${tries}`)
        expect(said(waiting, remembered)).toEqual(said(waiting, new Remembered()))
      }
    }
  })
})

const drawNode = (random: Random, name: string): Node => ({
  metadata: { name, labels: { is: random.int(2) === 0 ? 'a' : 'b' } },
  spec: { unschedulable: random.int(6) === 0, ...(random.int(4) === 0 ? { taints: [{ key: 'of', value: 'a', effect: 'NoSchedule' }] } : {}) },
  status: { allocatable: { cpu: String(1 + random.int(3)), memory: '4Gi', pods: '4' } },
})

function drawPod(random: Random, name: string): Pod {
  const spec: Partial<PodSpec>[] = [{}, { nodeSelector: { is: 'a' } }, { tolerations: [{ key: 'of', operator: 'Exists' }] }, { preemptionPolicy: 'Never' }]
  const container = { name: 'c', resources: { requests: { cpu: String(1 + random.int(3)) } }, ...(random.int(4) === 0 ? { ports: [{ containerPort: 80, hostPort: 80 }] } : {}) }
  return pod(name, { priority: random.int(2), containers: [container], ...spec[random.int(spec.length)] })
}

function change(random: Random, world: World): void {
  const name = `n${random.int(5)}`
  const [placed] = world.nodes().flatMap((info) => [...info.pods.values()]).slice(-1 - random.int(3))
  switch (random.int(6)) {
    case 0:
      return world.setNode(drawNode(random, name))
    case 1:
      return world.removeNode(name)
    case 2:
      return world.removePod(placed?.metadata.uid ?? '')
    case 3:
      return world.nominate(drawPod(random, 'promised'), random.int(4) === 0 ? name : '')
    default:
      return world.assume(drawPod(random, `p${random.int(30)}`), name)
  }
}
