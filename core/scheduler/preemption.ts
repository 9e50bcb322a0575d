/**
 * DefaultPreemption: when nothing fits, looks for the node where taking away pods of lower priority makes room at the
 * least cost. Pure: says which pods to evict; the scheduler does it. Upstream's order of cost: the fewest broken
 * disruption budgets, the lowest highest-priority victim, the smallest sum of priorities, the fewest victims, the latest
 * start (k8s.io/kubernetes/pkg/scheduler/framework/preemption/preemption.go).
 */
import { podCondition } from '../api/core/podstate.ts'
import { isBeingDeleted } from '../api/meta.ts'
import type { Pod, PodDisruptionBudget } from '../api/schema/types.ts'
import { selectorOf } from '../api/selector.ts'
import type { Random } from '../lib/random.ts'
import { countReasons, promisedTo, sentence, suppose, type Questions } from './evaluate.ts'
import type { PreemptionLimits, Refusal } from './framework.ts'
import type { NodeInfo, World } from './world.ts'

export interface Preemption {
  /** '' when evictions do not help. */
  readonly nodeName: string
  readonly victims: readonly Readonly<Pod>[]
  /** What upstream adds to the pod's condition; '' when victims were found. */
  readonly message: string
  /** Whether the node that the pod was promised is no longer kept for it. */
  readonly clears: boolean
}

export interface Candidate {
  readonly node: NodeInfo
  /** The most important first. */
  readonly victims: readonly Readonly<Pod>[]
  /** Victims whose going breaks a disruption budget. */
  readonly violations: number
}

export interface PreemptionOptions {
  readonly limits: PreemptionLimits
  readonly budgets: readonly Readonly<PodDisruptionBudget>[]
  readonly random: Random
}

const unhelpful: Refusal = { reasons: ['Preemption is not helpful for scheduling'], unresolvable: true }
const victimless: Refusal = { reasons: ['No preemption victims found for incoming pod'], unresolvable: true }

export const noPreemption: Preemption = { nodeName: '', victims: [], message: '', clears: false }

export function preempt(questions: Questions, world: World, refusals: ReadonlyMap<NodeInfo, Refusal>, options: PreemptionOptions): Preemption {
  return cheapest(candidatesFor(questions, world, refusals, options))
}

/** What evictions could do, before the choice; `otherwise` is the outcome where nothing is chosen. */
export interface Candidates {
  readonly candidates: readonly Candidate[]
  readonly otherwise: Preemption
}

/** Equal pods that fit nowhere share their refusals while nothing changes, and with them that no evictions help. */
const unhelped = new WeakMap<ReadonlyMap<NodeInfo, Refusal>, Candidates>()

export function candidatesFor(questions: Questions, world: World, refusals: ReadonlyMap<NodeInfo, Refusal>, options: PreemptionOptions): Candidates {
  const { pod } = questions
  const none = (message: string): Candidates => ({ candidates: [], otherwise: { ...noPreemption, message } })
  if (pod.spec?.preemptionPolicy === 'Never') return none('preemption: not eligible due to preemptionPolicy=Never.')
  if (awaitsVictims(pod, world, refusals)) return none('preemption: not eligible due to a terminating pod on the nominated node.')
  const known = unhelped.get(refusals)
  if (known !== undefined) return known
  const { candidates, reasons } = look(questions, world, refusals, options)
  const all = world.nodes()
  const counts = countReasons(all.map((node) => reasons.get(node) ?? unhelpful))
  const found: Candidates = { candidates, otherwise: { ...noPreemption, message: `preemption: ${sentence(all.length, counts)}`, clears: true } }
  if (candidates.length === 0) unhelped.set(refusals, found)
  return found
}

/** A node where nobody must go would have been chosen without evictions. */
export function cheapest({ candidates, otherwise }: Candidates): Preemption {
  const chosen = candidates.filter(({ victims }) => victims.length > 0).reduce<Candidate | undefined>((best, next) => (best === undefined || costs(next, best) < 0 ? next : best), undefined)
  return chosen === undefined ? otherwise : { nodeName: chosen.node.name, victims: chosen.victims, message: '', clears: false }
}

const priorityOf = (pod: Readonly<Pod>): number => pod.spec?.priority ?? 0

/** Victims chosen for this pod earlier are still on their way out: it does not ask for more. */
function awaitsVictims(pod: Readonly<Pod>, world: World, refusals: ReadonlyMap<NodeInfo, Refusal>): boolean {
  const node = world.node(world.nominationOf(pod.metadata.uid ?? ''))
  if (node === undefined || refusals.get(node)?.unresolvable === true) return false
  return [...node.pods.values()].some((p) => isBeingDeleted(p) && priorityOf(p) < priorityOf(pod) && podCondition(p, 'DisruptionTarget')?.reason === 'PreemptionByScheduler')
}

/** Looks round the nodes where evictions may help, from a random one, until there are enough candidates. */
function look(
  questions: Questions, world: World, refusals: ReadonlyMap<NodeInfo, Refusal>, { limits, budgets, random }: PreemptionOptions,
): { readonly candidates: readonly Candidate[]; readonly reasons: ReadonlyMap<NodeInfo, Refusal> } {
  const hopeful = [...refusals].filter(([, refusal]) => !refusal.unresolvable).map(([node]) => node)
  const wanted = Math.max(limits.minCandidateNodesAbsolute, Math.floor((hopeful.length * limits.minCandidateNodesPercentage) / 100))
  const offset = hopeful.length === 0 ? 0 : random.int(hopeful.length)
  const gentle: Candidate[] = []
  const harsh: Candidate[] = []
  const reasons = new Map<NodeInfo, Refusal>()
  for (let i = 0; i < hopeful.length; i++) {
    const node = hopeful[(offset + i) % hopeful.length] as NodeInfo
    const found = victimsOn(questions, node, world, budgets)
    if ('reasons' in found) reasons.set(node, found)
    else (found.violations === 0 ? gentle : harsh).push(found)
    if (gentle.length > 0 && gentle.length + harsh.length >= wanted) break
  }
  return { candidates: [...gentle, ...harsh], reasons }
}

/**
 * The fewest pods of lower priority whose going makes room: all go, then as many as can come back, those first whose
 * going would break a budget, and the most important of them first.
 */
export function victimsOn(questions: Questions, node: NodeInfo, world: World, budgets: readonly Readonly<PodDisruptionBudget>[]): Candidate | Refusal {
  const lower = lowerOn(node, priorityOf(questions.pod))
  if (lower.length === 0) return victimless
  const trial = suppose(questions, node)
  const promised = promisedTo(questions.pod, node, world)
  const fits = (): Refusal | undefined => {
    if (promised.length === 0) return trial.ask()?.refusal
    promised.forEach((pod) => trial.put(pod))
    const refused = trial.ask()
    promised.forEach((pod) => trial.take(pod))
    return (refused ?? trial.ask())?.refusal
  }
  for (const victim of lower) trial.take(victim)
  const refusal = fits()
  if (refusal !== undefined) return refusal
  const [protectedPods, others] = byBudget(lower.toSorted(byImportance), budgets)
  const victims: Readonly<Pod>[] = []
  const spare = (pod: Readonly<Pod>): boolean => {
    trial.put(pod)
    if (fits() === undefined) return true
    trial.take(pod)
    victims.push(pod)
    return false
  }
  const violations = protectedPods.filter((pod) => !spare(pod)).length
  others.forEach(spare)
  return { node, victims: victims.toSorted(byImportance), violations }
}

/** In a loop of its own: every node is asked for every pod that fits nowhere. */
function lowerOn(node: NodeInfo, priority: number): readonly Readonly<Pod>[] {
  const lower: Readonly<Pod>[] = []
  for (const pod of node.pods.values()) if (priorityOf(pod) < priority) lower.push(pod)
  return lower
}

/** Higher priority first, then who has run longer (MoreImportantPod). */
function byImportance(a: Readonly<Pod>, b: Readonly<Pod>): number {
  return priorityOf(b) - priorityOf(a) || (startOf(a) < startOf(b) ? -1 : startOf(a) > startOf(b) ? 1 : 0)
}

/** A pod that has not started is as if it started last. */
const startOf = (pod: Readonly<Pod>): string => pod.status?.startTime ?? '9999'

/** Splits pods into those whose going breaks a budget, counted in this order, and the others. */
function byBudget(pods: readonly Readonly<Pod>[], budgets: readonly Readonly<PodDisruptionBudget>[]): readonly [readonly Readonly<Pod>[], readonly Readonly<Pod>[]] {
  const left = budgets.map((budget) => ({ budget, allowed: budget.status?.disruptionsAllowed ?? 0, selector: selectorOf(budget.spec?.selector ?? {}) }))
  const breaking: Readonly<Pod>[] = []
  const others: Readonly<Pod>[] = []
  for (const pod of pods) {
    let breaks = false
    for (const entry of left) {
      const { budget, selector } = entry
      if (budget.metadata.namespace !== pod.metadata.namespace || selector.empty || Object.keys(pod.metadata.labels ?? {}).length === 0) continue
      if (!selector.matches(pod.metadata.labels) || budget.status?.disruptedPods?.[pod.metadata.name ?? ''] !== undefined) continue
      if (--entry.allowed < 0) breaks = true
    }
    ;(breaks ? breaking : others).push(pod)
  }
  return [breaking, others]
}

function costs(a: Candidate, b: Candidate): number {
  const highest = ({ victims }: Candidate): number => Math.max(...victims.map(priorityOf))
  const sum = ({ victims }: Candidate): number => victims.reduce((total, p) => total + priorityOf(p) + 2 ** 31, 0)
  return a.violations - b.violations || highest(a) - highest(b) || sum(a) - sum(b) || a.victims.length - b.victims.length || latest(a, b)
}

/** Where the longest running of the most important victims started later. */
function latest(a: Candidate, b: Candidate): number {
  const [x, y] = [earliestStart(a), earliestStart(b)]
  return x > y ? -1 : x < y ? 1 : 0
}

function earliestStart({ victims }: Candidate): string {
  const highest = Math.max(...victims.map(priorityOf))
  return victims.filter((pod) => priorityOf(pod) === highest).map(startOf).reduce((a, b) => (a < b ? a : b), '9999')
}
