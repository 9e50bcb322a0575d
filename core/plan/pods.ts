/** Where new pods go, and which pods go away and why, by their owners. */
import { isBeingDeleted } from '../api/meta.ts'
import { podCondition } from '../api/core/podstate.ts'
import type { Pod } from '../api/schema/types.ts'
import type { Span } from './effects.ts'
import { idOf, type Family } from './family.ts'
import { byThing, thingText, type GonePods, type PodGroup, type Thing } from './plan.ts'

export interface PodFates {
  readonly placed: readonly PodGroup[]
  readonly gone: readonly GonePods[]
}

export function podFates(span: Span, family: Family): PodFates {
  const placed = new Groups()
  const gone = new Groups()
  const created = new Set<string>()
  const after = podsOf(span.after)
  for (const [uid, pod] of after) {
    const had = podsOf(span.before).get(uid)
    if (had === undefined) created.add(idOf(family.rootOf(pod)))
    if (nodeOf(pod) !== '' && !isBeingDeleted(pod) && (had === undefined || nodeOf(had) === '')) placed.add(family.rootOf(pod), nodeOf(pod))
  }
  const last = lastSeen(span)
  for (const [uid, pod] of podsOf(span.before)) {
    const now = after.get(uid)
    if (isBeingDeleted(pod) || (now !== undefined && !isBeingDeleted(now))) continue
    const owner = family.rootOf(pod)
    gone.add(owner, nodeOf(pod), why(last.get(uid) ?? pod, { owner, replaced: created.has(idOf(owner)), span, family }))
  }
  return { placed: placed.all().map(({ owner, count, nodes }) => ({ owner, count, nodes })), gone: gone.all() }
}

const cache = new WeakMap<Span['after'], ReadonlyMap<string, Readonly<Pod>>>()

/** By uid. */
export function podsOf(world: Span['after']): ReadonlyMap<string, Readonly<Pod>> {
  let found = cache.get(world)
  if (found === undefined) cache.set(world, (found = new Map([...(world.get('pods')?.values() ?? [])].map((pod) => [pod.metadata.uid ?? '', pod as unknown as Readonly<Pod>]))))
  return found
}

export const nodeOf = (pod: Readonly<Pod>): string => pod.spec?.nodeName ?? ''

function lastSeen({ happenings }: Span): ReadonlyMap<string, Readonly<Pod>> {
  return new Map(happenings.filter(({ prefix }) => prefix === 'pods').map(({ object }) => [object.metadata.uid ?? '', object as unknown as Readonly<Pod>]))
}

interface Leaving {
  readonly owner: Thing
  /** Others came in its place. */
  readonly replaced: boolean
  readonly span: Span
  readonly family: Family
}

function why(pod: Readonly<Pod>, { owner, replaced, span, family }: Leaving): string {
  const disrupted = podCondition(pod, 'DisruptionTarget')
  if (disrupted?.reason === 'PreemptionByScheduler') return `preempted for ${preemptors(span, family, nodeOf(pod))}`
  if (disrupted?.status === 'True') return `evicted: ${disrupted.message ?? disrupted.reason ?? ''}`
  if (owner.kind === 'Pod') return span.named(owner) ? 'deleted' : 'deleted with what it belongs to'
  return replaced ? 'replaced' : 'no longer wanted'
}

/** Those that the scheduler kept the room on the node for. */
function preemptors({ happenings }: Span, family: Family, node: string): string {
  const nominated = happenings.filter(({ prefix, object }) => prefix === 'pods' && (object as unknown as Pod).status?.nominatedNodeName === node)
  const owners = [...new Set(nominated.map(({ object }) => thingText(family.rootOf(object))))].toSorted()
  return owners.length === 0 ? 'pods of higher priority' : owners.join(', ')
}

/** Pods of one owner that share a reason. */
class Groups {
  readonly #groups = new Map<string, { owner: Thing; count: number; nodes: Record<string, number>; because: string }>()

  add(owner: Thing, node: string, because = ''): void {
    const id = `${idOf(owner)}|${because}`
    const group = this.#groups.get(id) ?? { owner, count: 0, nodes: {}, because }
    this.#groups.set(id, group)
    group.count++
    if (node !== '') group.nodes[node] = (group.nodes[node] ?? 0) + 1
  }

  all(): readonly GonePods[] {
    return [...this.#groups.values()].map((group) => ({ ...group, nodes: Object.fromEntries(Object.entries(group.nodes).toSorted(([a], [b]) => (a < b ? -1 : 1))) })).toSorted((a, b) => byThing(a.owner, b.owner) || (a.because < b.because ? -1 : 1))
  }
}
