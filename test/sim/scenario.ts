/** What happens in one run, drawn from its seed before it begins: nodes, workloads, what users do when, which faults last how long. */
import type { Node, Taint } from '../../core/api/schema/types.ts'
import { nodes as nodeKind } from '../../core/api/core/node.ts'
import { localPathMarks } from '../../core/api/storage/localpath.ts'
import { hollowNode } from '../../core/fork/hollow.ts'
import type { Random } from '../../core/lib/random.ts'
import { stream, type SimCluster } from './cluster.ts'
import { fair, type Weather } from './faults.ts'
import type { Slowness } from './slowstore.ts'
import { pick, type Act, type Workload } from './workload.ts'
import { offers } from './workloads.ts'
import { evictAll } from './workloads/pods.ts'

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

/** How late a part may hear of something, and do what it decided then, in this weather. */
export function lateMsOf({ weather, slowness }: Pick<Scenario, 'weather' | 'slowness'>): number {
  return 2_000 + (weather.lag > 0 ? weather.lagMsMax : 0) + (weather.slowCalls > 0 ? 4 * weather.slowMsMax : 0) + 4 * slowness.msMax
}

export function drawScenario(seed: number): Scenario {
  const random = stream(seed, 4)
  const isSmall = random.fraction() < 0.9
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
    const node = hollowNode(`n${i}`, {
      labels: { zone: i % 2 === 0 ? 'a' : 'b' },
      ...(isTainted ? { taints: [{ key: 'dedicated', value: 'yes', effect: 'NoSchedule' }] } : {}),
      size: isTight ? { cpu: `${300 + random.int(900)}m`, pods: String(3 + random.int(8)) } : { cpu: '4' },
    })
    return { ...node, metadata: { ...node.metadata, annotations: { [localPathMarks.root]: '/volumes' } } }
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
  /** Somebody works on a node: it is cordoned, and its pods are asked to go. */
  function nodeIsDrained(random, nodes, atMs, endMs) {
    const name = nodes[random.int(nodes.length)]?.metadata.name ?? ''
    const cordon = (holds: boolean): Act => ({ name: `${holds ? 'cordon' : 'uncordon'} ${name}`, run: (user) => user.change(nodeKind, name, (mine) => void (mine.spec = { ...mine.spec, unschedulable: holds })) })
    return [
      step(atMs, cordon(true)),
      ...[0, 2_000, 6_000].map((laterMs) => step(Math.min(endMs, atMs + laterMs), evictAll(name))),
      step(Math.min(endMs, atMs + 1_000 + random.int(endMs)), cordon(false)),
    ]
  },
  function nodeIsTainted(random, nodes, atMs, endMs) {
    const name = nodes[random.int(nodes.length)]?.metadata.name ?? ''
    const taint = { key: `taint-${atMs}`, effect: pick(random, ['NoSchedule', 'NoSchedule', 'NoExecute']) }
    const change = (what: string, taints: (old: readonly Taint[]) => Taint[]): Act => ({ name: `${what} ${name}`, run: (user) => user.change(nodeKind, name, (mine) => void (mine.spec = { ...mine.spec, taints: taints(mine.spec?.taints ?? []) })) })
    return [
      step(atMs, change('taint', (old) => [...old, taint])),
      step(Math.min(endMs, atMs + 1_000 + random.int(endMs)), change('untaint', (old) => old.filter(({ key }) => key !== taint.key))),
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

function step(atMs: number, act: Act): Step {
  return { atMs, name: act.name, act }
}

/** Most runs see one or two kinds of accident, so that a failure has few causes. */
function drawAccidents(random: Random, nodes: readonly Node[], endMs: number): readonly Step[] {
  return accidents.flatMap((accident) => {
    if (random.fraction() >= 0.25) return []
    return Array.from({ length: 1 + random.int(2) }, () => accident(random, nodes, 2_000 + random.int(endMs - 2_000), endMs)).flat()
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
