/**
 * A small cluster that follows from a seed: nodes, what stands on them, and one to three pods that wait for a node. A
 * case dwells on a few themes, so that each plugin is asked in its share of them, and most have nodes of both sorts:
 * that take the pod and that do not. What is drawn for a theme stands in the file of its name.
 */
import type { Pod, TypedObject } from '../../../core/api/schema/types.ts'
import { Draw } from '../generated/draw.ts'
import { configuration, type Configuration } from './configurations.ts'
import { pendingPod, placedPod } from './pods.ts'
import { drawNode, namespaces } from './nodes.ts'
import { mounted, volumeObjects } from './volumes.ts'
import { budget, workloads } from './workloads.ts'

export interface Case {
  readonly number: number
  /** A KubeSchedulerConfiguration; upstream's defaults where there is none. */
  readonly config?: Configuration
  readonly objects: readonly TypedObject[]
  /** Whom the scheduler is asked about, as namespace/name. */
  readonly pods: readonly string[]
}

/** Twice: what has much to say. */
const themes = [
  'resources', 'preemption', 'nodeAffinity', 'podAffinity', 'spread', 'volumes', 'taints', 'preemption', 'nodeAffinity', 'podAffinity', 'spread', 'volumes',
  'defaultSpread', 'ports', 'images', 'nominated', 'podAffinity', 'gates',
] as const
export type Theme = (typeof themes)[number]

/** What the parts of a case are drawn with. */
export interface Drawing {
  readonly draw: Draw
  readonly nodes: readonly string[]
  /** True where the case dwells on the theme, and now and then elsewhere. */
  about(theme: Theme): boolean
  /** Nodes are alike and full. */
  readonly crowded: boolean
}

const elsewhere = 0.06

export function drawCase(seed: number, number: number): Case {
  const draw = new Draw(seed * 1_000_003 + number)
  const chosen = new Set<Theme>([themes[number % themes.length] ?? 'resources'])
  while (draw.chance(0.5)) chosen.add(draw.one(themes))
  const nodes = Array.from({ length: 3 + draw.int(10) }, (_, i) => `n${i + 1}`)
  const crowded = chosen.has('preemption') && draw.chance(0.75)
  const drawing: Drawing = { draw, nodes, crowded, about: (theme) => (chosen.has(theme) ? draw.chance(0.8) : theme !== 'gates' && theme !== 'nominated' && draw.chance(elsewhere)) }
  const volumes = chosen.has('volumes') ? volumeObjects(drawing) : undefined
  const objects: TypedObject[] = [
    ...namespaces,
    ...nodes.map((name) => drawNode(drawing, name)),
    ...workloads(drawing),
    ...(volumes?.objects ?? []),
  ]
  const placed = withoutClashes(Array.from({ length: crowded ? (4 + draw.int(2)) * nodes.length : draw.int(3 * nodes.length) }, (_, i) => placedPod(drawing, `e${i + 1}`, volumes)))
  const pending = Array.from({ length: 1 + draw.int(3) }, (_, i) => pendingPod(drawing, `p${i + 1}`, volumes))
  if (chosen.has('preemption')) objects.push(...Array.from({ length: draw.int(3) }, (_, i) => budget(drawing, `b${i + 1}`)))
  objects.push(...[...placed, ...pending].flatMap(mounted), ...placed, ...pending)
  const config = draw.chance(0.15) ? { config: configuration(drawing) } : {}
  return { number, ...config, objects, pods: pending.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`) }
}

/** Two pods with one host port never come to stand on one node: the later one goes without its ports. */
function withoutClashes(pods: readonly Pod[]): readonly Pod[] {
  const taken = new Set<string>()
  for (const { spec } of pods) {
    for (const container of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
      const own = (container.ports ?? []).map(({ protocol, hostPort }) => `${spec?.nodeName} ${protocol} ${hostPort}`)
      if (new Set(own).size < own.length || own.some((port) => taken.has(port))) delete container.ports
      else for (const port of own) taken.add(port)
    }
  }
  return pods
}

export function* drawCases(seed: number, count: number): Generator<Case> {
  for (let number = 1; number <= count; number++) yield drawCase(seed, number)
}
