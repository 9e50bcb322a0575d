/** What happens in one run, drawn from its seed before it begins: nodes, workloads, what users do when, which faults last how long. */
import type { Node } from '../../core/api/schema/types.ts'
import { hollowNode } from '../../core/fork/hollow.ts'
import type { Random } from '../../core/lib/random.ts'
import { stream, type SimCluster } from './cluster.ts'
import { fair, type Weather } from './faults.ts'
import type { Slowness } from './slowstore.ts'
import type { Act, Workload } from './workload.ts'
import { offers } from './workloads.ts'

export interface Step {
  readonly atMs: number
  readonly name: string
  readonly act?: Act
  /** Something that befalls the cluster. */
  readonly befall?: (cluster: SimCluster) => void | Promise<void>
}

export interface Scenario {
  readonly nodes: readonly Node[]
  readonly workloads: readonly Workload[]
  readonly steps: readonly Step[]
  readonly weather: Weather
  readonly slowness: Slowness
  /** When faults and users stop. */
  readonly endMs: number
}

export function drawScenario(seed: number): Scenario {
  const random = stream(seed, 4)
  const isSmall = random.fraction() < 0.75
  const nodes = drawNodes(random, isSmall ? 2 : 4)
  const workloads = drawWorkloads(random, nodes.length, isSmall ? 2 : Infinity)
  const endMs = isSmall ? 8_000 + random.int(20_000) : 15_000 + random.int(random.fraction() < 0.3 ? 400_000 : 45_000)
  const steps = [...drawActs(random, workloads, endMs), ...drawAccidents(random, nodes, endMs)].toSorted((a, b) => a.atMs - b.atMs)
  return { nodes, workloads, steps, weather: drawWeather(random), slowness: drawSlowness(random), endMs }
}

function drawWorkloads(random: Random, nodes: number, most: number): readonly Workload[] {
  const drawn = offers.flatMap(({ kind, most: ofKind, likelihood }) => Array.from({ length: ofKind }, () => kind).filter(() => random.fraction() < likelihood))
  while (drawn.length > most) drawn.splice(random.int(drawn.length), 1)
  const counts = new Map<string, number>()
  return drawn.map((kind) => {
    const index = counts.get(kind.name) ?? 0
    counts.set(kind.name, index + 1)
    return kind.draw({ random, index, nodes })
  })
}

/** Some clusters are too small for what is asked of them. */
function drawNodes(random: Random, most: number): readonly Node[] {
  const count = 2 + random.int(most - 1)
  const isTight = random.fraction() < 0.25
  return Array.from({ length: count }, (_, i) => {
    const isTainted = i === count - 1 && count > 2 && random.fraction() < 0.3
    return hollowNode(`n${i}`, {
      labels: { zone: i % 2 === 0 ? 'a' : 'b' },
      ...(isTainted ? { taints: [{ key: 'dedicated', value: 'yes', effect: 'NoSchedule' }] } : {}),
      size: isTight ? { cpu: `${300 + random.int(900)}m`, pods: String(3 + random.int(8)) } : { cpu: '4' },
    })
  })
}

function drawActs(random: Random, workloads: readonly Workload[], endMs: number): readonly Step[] {
  return workloads.flatMap(({ acts }) => {
    if (acts.length === 0) return []
    return Array.from({ length: random.int(5) }, (): Step => {
      const act = acts[random.int(acts.length)]?.()
      return { atMs: 1_000 + random.int(endMs - 1_000), name: act?.name ?? '', ...(act === undefined ? {} : { act }) }
    })
  })
}

const accidents: readonly ((random: Random, nodes: readonly Node[], atMs: number, endMs: number) => readonly Step[])[] = [
  function nodeDies(random, nodes, atMs, endMs) {
    const name = nodes[random.int(nodes.length)]?.metadata.name ?? ''
    const backMs = Math.min(endMs, atMs + 2_000 + random.int(endMs))
    return [
      { atMs, name: `node ${name} dies`, befall: (cluster) => cluster.kill(name) },
      { atMs: backMs, name: `node ${name} returns`, befall: (cluster) => cluster.revive(name) },
    ]
  },
  function controllersRestart(_random, _nodes, atMs) {
    return [{ atMs, name: 'controllers begin again', befall: (cluster) => cluster.restartManager() }]
  },
  function schedulerRestarts(_random, _nodes, atMs) {
    return [{ atMs, name: 'scheduler begins again', befall: (cluster) => cluster.restartScheduler() }]
  },
  function watchesEnd(random, _nodes, atMs) {
    const [share, tooOld] = [random.fraction(), random.fraction() < 0.3]
    return [{ atMs, name: `watches end${tooOld ? ', too old' : ''}`, befall: (cluster) => cluster.cutWatches(share, tooOld) }]
  },
  /** Small enough that what waits for the time of day to come again does so within the run. */
  function clockJumps(random, _nodes, atMs) {
    const ms = (random.fraction() < 0.5 ? -1 : 1) * random.int(random.fraction() < 0.3 ? 300_000 : 5_000)
    return [{ atMs, name: `clock jumps by ${ms} ms`, befall: (cluster) => cluster.jump(ms) }]
  },
]

/** Most runs see one or two kinds of accident, so that a failure has few causes. */
function drawAccidents(random: Random, nodes: readonly Node[], endMs: number): readonly Step[] {
  return accidents.flatMap((accident) => {
    if (random.fraction() >= 0.3) return []
    return Array.from({ length: 1 + random.int(3) }, () => accident(random, nodes, 2_000 + random.int(endMs - 2_000), endMs)).flat()
  })
}

function drawWeather(random: Random): Weather {
  const some = (most: number): number => (random.fraction() < 0.3 ? random.fraction() * most : 0)
  if (random.fraction() < 0.3) return fair
  return {
    conflicts: some(0.3), lostWrites: some(0.3), lostAnswers: some(0.2),
    slowCalls: some(0.5), slowMsMax: 1 + random.int(2_000),
    lag: some(0.5), lagMsMax: 1 + random.int(random.fraction() < 0.2 ? 20_000 : 1_000),
  }
}

function drawSlowness(random: Random): Slowness {
  return random.fraction() < 0.2 ? { share: random.fraction(), msMax: 1 + random.int(1_000) } : { share: 0, msMax: 0 }
}
