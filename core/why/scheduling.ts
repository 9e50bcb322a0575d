/**
 * Why a pod has no node: gates, no scheduler, or none of the nodes takes it. Asks the scheduler's own plugins, all of
 * them about every node, and tries what would help. A pod that names a node with every right to it is not its business.
 */
import type { Pod } from '../api/schema/types.ts'
import { podCondition } from '../api/core/podstate.ts'
import { since } from '../api/age.ts'
import { candidatesFor, cheapest } from '../scheduler/preemption.ts'
import { keyOf, keyText } from '../api/meta.ts'
import type { NodeInfo } from '../scheduler/world.ts'
import { clusterFor, readCluster, type Cluster, type ReadCluster } from './cluster.ts'
import { count, few, listed, section, type Finding, type Section } from './finding.ts'
import { grouped, type NodeGroup } from './obstacles.ts'
import type { Reader } from './reader.ts'
import { refusalsOf, remediesFor } from './remedies.ts'
import { verdictsOn, type Verdicts } from './trial.ts'

type Clause = Omit<Finding, 'about'>

/** A scheduler that runs has looked at a new pod by then. */
const noticedMs = 10_000
const clusters = new WeakMap<Reader, Promise<ReadCluster | undefined>>()

/** By reader; pods alike in all that plugins look at are asked about once. */
const asked = new WeakMap<Reader, Map<string, Promise<Clause>>>()

export async function unscheduled(reader: Reader, pod: Readonly<Pod>): Promise<Clause> {
  const known = asked.get(reader) ?? new Map<string, Promise<Clause>>()
  asked.set(reader, known)
  const { labels, namespace, creationTimestamp } = pod.metadata
  // Volumes of service account tokens have names of their own.
  const id = JSON.stringify([namespace, labels, creationTimestamp, pod.spec, podCondition(pod, 'PodScheduled')?.message]).replaceAll(/kube-api-access-[a-z0-9]+/g, '')
  const clause = known.get(id) ?? judge(reader, pod)
  known.set(id, clause)
  return await clause
}

async function judge(reader: Reader, pod: Readonly<Pod>): Promise<Clause> {
  const known = clusters.get(reader) ?? readCluster(reader)
  clusters.set(reader, known)
  const read = await known
  const wanted = pod.spec?.schedulerName ?? 'default-scheduler'
  const cluster = read === undefined ? undefined : clusterFor(read, wanted)
  const told = podCondition(pod, 'PodScheduled')
  if (cluster === undefined) return { because: toldText(pod) ?? 'has no node yet, and you may not read the nodes and pods that would say why', sections: schedulerSays(pod) }
  const gates = (pod.spec?.schedulingGates ?? []).map(({ name }) => name)
  const verdicts = await verdictsOn(cluster, pod)
  const groups = groupsOf(pod, verdicts)
  const details = [...evidence(cluster, pod, verdicts, groups), ...schedulerSays(pod)]
  if (gates.length > 0) {
    const help = `${gates.length === 1 ? 'it is' : 'they are'} taken away by whoever set ${gates.length === 1 ? 'it' : 'them'}; ${verdicts.fits.length > 0 ? `then it would fit on ${few(names(verdicts.fits))}` : `then it still would not fit: ${nowhereText(cluster, verdicts, groups)}`}`
    return { because: `is held back by the scheduling gate${gates.length === 1 ? '' : 's'} ${listed(gates)}`, sections: [...section('what would help', [help]), ...details] }
  }
  if (wanted !== cluster.profile.schedulerName && told === undefined) {
    const own = cluster.profile.schedulerName
    const where = verdicts.fits.length > 0 ? `${own} would put it on ${few(names(verdicts.fits))}` : `${own} would not place it either: ${nowhereText(cluster, verdicts, groups)}`
    return { because: `waits for the scheduler ${JSON.stringify(wanted)}, and nobody of that name has looked at it`, sections: [...section('what would help', [`run a scheduler named ${wanted}, or make the pod again without spec.schedulerName; ${where}`]), ...details] }
  }
  const remedies = verdicts.fits.length > 0 ? [] : remediesFor(cluster, pod, verdicts, groups)
  const sections = [...section('what would help (the smallest change first; each was tried with the scheduler\'s plugins)', remedies), ...details]
  if (verdicts.fits.length === 0) return { because: nowhereText(cluster, verdicts, groups), sections }
  const room = `would fit on ${count(verdicts.fits.length, 'node')} (${few(names(verdicts.fits))})`
  if (told !== undefined) return { because: `${room} now, and the scheduler has not tried it again yet`, sections }
  const young = reader.now - Date.parse(pod.metadata.creationTimestamp ?? '') < noticedMs
  if (young) return { because: `was made just now and waits for its turn; it ${room}`, sections }
  return { because: `${room}, and no scheduler has looked at it for ${since(pod.metadata.creationTimestamp, reader.now)}: none runs, or it hangs`, sections: [...section('what would help', ['look whether the scheduler runs: a server can be started without it (--disable scheduler)']), ...sections] }
}

/** Of a pod that may go to some nodes only (those of DaemonSets name theirs), the others are not worth a word. */
function groupsOf(pod: Readonly<Pod>, { nodes, questions }: Verdicts): readonly NodeGroup[] {
  const only = questions.only?.names
  const hopeful = only === undefined ? [] : [...nodes].filter(([{ name }]) => only.has(name))
  return grouped(pod, hopeful.length === 0 ? nodes : new Map(hopeful))
}

const names = (nodes: readonly NodeInfo[]): readonly string[] => nodes.map(({ name }) => name)

function toldText(pod: Readonly<Pod>): string | undefined {
  const told = podCondition(pod, 'PodScheduled')
  return told?.status === 'False' ? `is not scheduled: ${told.message ?? told.reason ?? ''}` : undefined
}

function schedulerSays(pod: Readonly<Pod>): readonly Section[] {
  const told = podCondition(pod, 'PodScheduled')
  return section('what the scheduler said last', told?.status === 'False' ? [`${told.reason}: ${told.message}`] : [])
}

/** `fits on none of 3 nodes: 2 lack 500m cpu, 1 has the taint x`. */
function nowhereText({ world }: Cluster, { questions, everywhere }: Verdicts, groups: readonly NodeGroup[]): string {
  const all = world.nodes()
  const whole = questions.refused ?? everywhere[0]
  if (all.length === 0) return 'has no node to go to: the cluster has none'
  if (whole !== undefined && questions.only === undefined) return `fits nowhere: ${whole.refusal.reasons.join(', ')}`
  const [only] = groups
  const meant = groups.reduce((sum, { nodes }) => sum + nodes.length, 0)
  const words = groups.map(({ nodes, text }) => `${nodes.length} ${text}`).join(', ')
  if (questions.only !== undefined && meant < all.length && only !== undefined) return meant === 1 ? `may go to node ${only.nodes[0]?.name} only: it ${only.text}` : `may go to ${meant} of ${all.length} nodes only: ${words}`
  if (all.length === 1 && only !== undefined) return `does not fit on the only node, ${only.nodes[0]?.name}: it ${only.text}`
  return `fits on none of ${all.length} nodes: ${words}`
}

function evidence(cluster: Cluster, pod: Readonly<Pod>, verdicts: Verdicts, groups: readonly NodeGroup[]): readonly Section[] {
  const lines = groups.map(({ nodes, text }) => `${few(names(nodes))}: ${text} (${pluginsOf(nodes[0], verdicts)})`)
  const fitting = verdicts.fits.length === 0 ? [] : [`${few(names(verdicts.fits))}: every plugin takes it`]
  const passing = cluster.profile.plugins.filter(({ plugin }) => plugin.filter !== undefined && ![...verdicts.nodes.values()].some((said) => said.some((of) => of.plugin === plugin.name)) && !verdicts.everywhere.some((of) => of.plugin === plugin.name))
  return [
    ...section('whatever the node', verdicts.everywhere.map(({ plugin, refusal }) => `${plugin}: ${refusal.reasons.join(', ')}`)),
    ...section('nodes', [...lines, ...fitting]),
    ...section('no objection anywhere', passing.length === 0 ? [] : [passing.map(({ plugin }) => plugin.name).join(', ')]),
    ...section('preemption', [preemptionText(cluster, pod, verdicts)]),
  ]
}

function pluginsOf(node: NodeInfo | undefined, { nodes }: Verdicts): string {
  return (node === undefined ? [] : (nodes.get(node) ?? [])).map(({ plugin, refusal }) => `${plugin}: ${refusal.reasons.join(', ')}`).join('; ')
}

function preemptionText(cluster: Cluster, pod: Readonly<Pod>, verdicts: Verdicts): string {
  const { world, profile, budgets, random } = cluster
  const mine = `its priority is ${pod.spec?.priority ?? 0}${(pod.spec?.priorityClassName ?? '') === '' ? '' : ` (${pod.spec?.priorityClassName})`}`
  if (verdicts.fits.length > 0) return `nobody has to go; ${mine}`
  if (profile.preemption === undefined || verdicts.questions.refused?.refusal.unresolvable === true) return `evictions would not help; ${mine}`
  const chosen = cheapest(candidatesFor(verdicts.questions, world, refusalsOf(verdicts), { limits: profile.preemption, budgets, random }))
  if (chosen.nodeName === '') return `nobody is evicted for it; ${mine}; ${chosen.message}`
  return `${few(chosen.victims.map((victim) => keyText(keyOf(victim as Pod))))} may be evicted for it on node ${chosen.nodeName}; ${mine}`
}
