/**
 * What upstream says of a pod beside what our scheduler says, part by part: each filter and each score by itself, gates,
 * the refusals when all are asked in turn, the decision with its message, and preemption. A part that rests on plugins
 * that are not there yet is not compared where they have a say.
 */
import type { Pod } from '../../../core/api/schema/types.ts'
import type { Case } from './cluster.ts'
import type { Answer, Verdict } from './golden.ts'
import { Ours } from './ours.ts'

export interface Difference {
  readonly part: string
  readonly number: number
  readonly pod: string
  readonly theirs: unknown
  readonly ours: unknown
}

export interface Comparison {
  readonly part: string
  /** Undefined: agrees. */
  readonly difference?: Difference
}

const filters = ['NodeUnschedulable', 'NodeName', 'TaintToleration', 'NodeAffinity', 'NodePorts', 'NodeResourcesFit', 'VolumeRestrictions', 'NodeVolumeLimits', 'VolumeBinding', 'VolumeZone', 'PodTopologySpread', 'InterPodAffinity'] as const
const scores = ['TaintToleration', 'NodeAffinity', 'NodeResourcesFit', 'NodeResourcesBalancedAllocation', 'PodTopologySpread', 'InterPodAffinity', 'ImageLocality'] as const
const whole = ['gates', 'refusals', 'decision', 'preemption'] as const

/** `NodeAffinity` is its filter, `NodeAffinity score` its score. */
export const parts: readonly string[] = [...filters, ...scores.map((name) => `${name} score`), ...whole]

export function compare(drawn: Case, answers: readonly Answer[], part: (name: string) => boolean): readonly Comparison[] {
  const ours = new Ours(drawn)
  return answers.flatMap((theirs) => comparePod(drawn, theirs, ours, part))
}

function comparePod(drawn: Case, theirs: Answer, ours: Ours, wanted: (name: string) => boolean): readonly Comparison[] {
  const pod = ours.pod(theirs.pod)
  const made: Comparison[] = []
  const held = (part: string, want: unknown, have: () => unknown): void => {
    if (!wanted(part)) return
    const mine = tried(have)
    made.push(same(want, mine) ? { part } : { part, difference: { part, number: drawn.number, pod: theirs.pod, theirs: want, ours: mine } })
  }
  held('gates', theirs.gate ?? '', () => ours.gate(pod))
  if (theirs.gate !== undefined) return made
  for (const name of filters) if (ours.has(name)) held(name, filtered(theirs.filters?.[name]), () => filtered(ours.filter(name, pod)))
  for (const name of scores) {
    const { fits = [] } = theirs
    if (fits.length > 0 && ours.scores(name)) held(`${name} score`, byNode(fits, theirs.scores?.[name]), () => byNode(fits, ours.score(name, pod, fits)))
  }
  if (theirs.error !== undefined || !ours.knowsAll(theirs)) return made
  held('refusals', refusedInTurn(theirs), () => ours.refusals(pod))
  const best = bestOf(theirs, pod)
  const good = best === undefined ? { message: theirs.message } : { takes: best }
  held('decision', good, () => {
    const mine = ours.decision(pod)
    return 'takes' in mine && best?.includes(mine.takes) === true ? good : mine
  })
  if (theirs.message === undefined) return made
  const { preemption } = theirs
  held('preemption', preemption ?? {}, () => {
    const mine = ours.preemption(pod)
    if (mine === undefined) return {}
    return mine.chosen.every((node) => preemption?.chosen.includes(node)) ? { ...mine, chosen: preemption?.chosen } : mine
  })
  return made
}

/** Nodes that were not looked at are no plugin's own. */
function refusedInTurn({ refused = {} }: Answer): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(refused).filter(([, by]) => by !== ''))
}

/** The nodes of which one takes the pod: that which it was promised, or all with the highest sum. */
function bestOf({ fits, scores: added = {} }: Answer, pod: Readonly<Pod>): readonly string[] | undefined {
  const promised = pod.status?.nominatedNodeName
  if (fits === undefined || (promised !== undefined && fits.includes(promised))) return fits?.filter((name) => name === promised)
  const totals = fits.map((_, i) => Object.values(added).reduce((sum, each) => sum + (each[i] ?? 0), 0))
  return fits.filter((_, i) => totals[i] === Math.max(...totals))
}

/** Where the plugin cannot say for one node, what it says of others hangs on the order; the order of reasons is none. */
function filtered(refusals: Readonly<Record<string, Verdict>> = {}): unknown {
  if (Object.values(refusals).some(([code]) => code === 'E')) return 'cannot say'
  return Object.fromEntries(Object.entries(refusals).map(([node, [code, ...reasons]]) => [node, [code, ...reasons.toSorted()]]))
}

/** A plugin that has no say adds as much as one that says zero. */
function byNode(nodes: readonly string[], added: readonly number[] | undefined): Readonly<Record<string, number>> {
  return Object.fromEntries(nodes.map((name, i) => [name, added?.[i] ?? 0]))
}

function tried(ask: () => unknown): unknown {
  try {
    return ask()
  } catch (error) {
    return `throws ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  }
}

/** Equal as JSON; the order of keys is none. */
function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, sorted(each)]))
}
