import { describe, expect, it } from 'vitest'
import type { Node, Pod } from '../api/schema/types.ts'
import { type Random, seededRandom } from '../lib/random.ts'
import type { Tally } from './tally.ts'
import { type NodeInfo, World } from './world.ts'

const zones = ['a', 'b', undefined] as const
const phases = ['Pending', 'Running', 'Running', 'Succeeded'] as const

function drawNode(random: Random, name: string): Node {
  const zone = zones[random.int(zones.length)]
  return { metadata: { name, labels: { 'kubernetes.io/hostname': name, ...(zone === undefined ? {} : { zone }) } }, status: { allocatable: { cpu: '8', memory: '8Gi', pods: '110', gpu: '4' } } }
}

/** A version of the pod: its name says what cannot change, chance the rest. */
function drawPod(random: Random, i: number): Pod {
  const rule = { topologyKey: 'zone', labelSelector: { matchLabels: { app: `a${i % 3}` } } }
  const cpu = `${100 * (1 + random.int(3))}m`
  return {
    metadata: { name: `p${i}`, namespace: `ns${i % 2}`, uid: `u${i}`, labels: { app: `a${random.int(3)}` }, ...(random.int(8) === 0 ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: {
      containers: [{ name: 'c', resources: { requests: { cpu, memory: '1Mi', ...(i % 5 === 0 ? { gpu: '1' } : {}) } }, ...(i % 4 === 0 ? { ports: [{ containerPort: 80, hostPort: 8000 + (i % 3) }] } : {}) }],
      ...(i % 3 === 0 ? { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [rule] } } } : {}),
    },
    status: { phase: phases[random.int(phases.length)] ?? 'Running' },
  }
}

const on = (pod: Pod, nodeName: string): Pod => ({ ...pod, spec: { ...pod.spec, nodeName } as Pod['spec'] }) as Pod

/** What a world says that has been told everything just once. */
function recount(nodes: ReadonlyMap<string, Node>, placed: ReadonlyMap<string, readonly [Pod, string]>): World {
  const world = new World()
  for (const node of nodes.values()) world.setNode(node)
  for (const [pod, nodeName] of placed.values()) world.setPod(on(pod, nodeName))
  return world
}

const sorted = (entries: Iterable<readonly [string, unknown]>): readonly (readonly [string, unknown])[] => [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1))

function shownTally(tally: Tally): unknown {
  return [tally.total, sorted([...tally.nodes()].map(([node, count]): [string, number] => [node.name, count])), sorted(tally.by('zone')), sorted(tally.by('kubernetes.io/hostname'))]
}

function shownNode(node: NodeInfo): unknown {
  const { usedCpuMilli, usedMemoryBytes, usedOthers, scoredCpuMilli, scoredMemoryBytes, pods, ports, cpuMilli } = node
  const used = Object.entries(usedOthers).filter(([, amount]) => amount !== 0)
  return { usedCpuMilli, usedMemoryBytes, used, scoredCpuMilli, scoredMemoryBytes, cpuMilli, pods: [...pods.keys()].toSorted(), ports: ports.map(({ hostPort = 0 }) => hostPort).toSorted((a, b) => a - b) }
}

function shown(world: World): unknown {
  const terms = [...world.terms.of('antiAffinity')].map(({ term, holders }): [string, unknown] => [term.id, shownTally(holders)])
  const tallies = ['a0', 'a1', 'a2'].map((app) => shownTally(world.tally(app, (pod) => pod.metadata.labels?.['app'] === app && pod.metadata.deletionTimestamp === undefined)))
  return { nodes: sorted(world.nodes().map((node): [string, unknown] => [node.name, shownNode(node)])), terms: sorted(terms), tallies, zones: sorted(world.domains('zone')) }
}

/** Does something at random to the world, and writes down what then is. */
function step(random: Random, world: World, nodes: Map<string, Node>, placed: Map<string, readonly [Pod, string]>): void {
  const [name, i] = [`n${random.int(6)}`, random.int(40)]
  const [pod, uid] = [drawPod(random, i), `u${i}`]
  const settle = (nodeName: string): void => void (pod.status?.phase === 'Succeeded' ? placed.delete(uid) : placed.set(uid, [pod, nodeName]))
  const at = placed.get(uid)?.[1]
  switch (random.int(8)) {
    case 0:
      nodes.set(name, drawNode(random, name))
      return world.setNode(nodes.get(name) as Node)
    case 1:
      nodes.delete(name)
      return world.removeNode(name)
    case 2:
      if (at !== undefined) return
      world.assume(pod, name)
      return settle(name)
    case 3:
      if (world.isAssumed(uid)) placed.delete(uid)
      return world.forget(uid)
    case 4:
      placed.delete(uid)
      return world.removePod(uid)
    default:
      world.setPod(on(pod, at ?? name))
      return settle(at ?? name)
  }
}

describe('World', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('counts, after a thousand changes, as one that was told only how it ended (seed %i)', (seed) => {
    const [random, world] = [seededRandom(seed), new World()]
    const [nodes, placed] = [new Map<string, Node>(), new Map<string, readonly [Pod, string]>()]
    for (let i = 0; i < 1_000; i++) {
      step(random, world, nodes, placed)
      if (i % 20 === 0) expect(shown(world)).toEqual(shown(recount(nodes, placed)))
    }
  })

  it('a host port is free again when its pod is gone, however often its status changed', () => {
    const world = new World()
    world.setNode({ metadata: { name: 'n' } })
    const pod = (phase: string): Pod => on({ metadata: { name: 'p', uid: 'u' }, spec: { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] }, status: { phase } }, 'n')
    for (const phase of ['Pending', 'Running']) world.setPod(pod(phase))
    expect(world.node('n')?.ports).toHaveLength(1)
    world.removePod('u')
    expect(world.node('n')?.ports).toEqual([])
  })
})
