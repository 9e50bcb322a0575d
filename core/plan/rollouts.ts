/** How pods are replaced by others when a template changes: in which steps, how few are ready on the way, and what holds it up. */
import { isPodReady } from '../api/core/podstate.ts'
import { isBeingDeleted, type AnyObject } from '../api/meta.ts'
import { equal } from '../api/patch/value.ts'
import type { Pod } from '../api/schema/types.ts'
import { thingOf, type Span } from './effects.ts'
import { idOf, type Family } from './family.ts'
import { podsOf } from './pods.ts'
import { byThing, type Rollout, type Stuck } from './plan.ts'

const kinds = ['apps/deployments', 'apps/statefulsets', 'apps/daemonsets'] as const
/** What happens within this time is one step. */
const stepMs = 500

interface Workload extends AnyObject {
  readonly spec: {
    readonly replicas?: number
    readonly template?: unknown
    readonly paused?: boolean
    readonly strategy?: { readonly rollingUpdate?: { readonly maxUnavailable?: number | string; readonly maxSurge?: number | string } }
    readonly updateStrategy?: { readonly type?: string }
  }
  readonly status?: Readonly<Record<string, number | string | undefined>>
}

export function rollouts(span: Span, family: Family, stuck: readonly Stuck[]): readonly Rollout[] {
  return kinds.flatMap((prefix) => [...(span.after.get(prefix) ?? [])].flatMap(([key, object]) => {
    const was = span.before.get(prefix)?.get(key) as Workload | undefined
    const is = object as unknown as Workload
    if (was === undefined || was === is || equal(was.spec.template, is.spec.template)) return []
    const { ready, lowest, steps } = followed(span, family, idOf(thingOf(is)))
    if (ready === 0 && steps.length === 0 && isDone(is)) return []
    const heldUpBy = isDone(is) ? undefined : causeOf(is, stuck)
    return [{ owner: thingOf(is), ready, lowest, steps, ...(heldUpBy === undefined ? {} : { heldUpBy }) }]
  })).toSorted((a, b) => byThing(a.owner, b.owner))
}

function followed(span: Span, family: Family, root: string): Pick<Rollout, 'ready' | 'lowest' | 'steps'> {
  const mine = (pod: Readonly<Pod>): boolean => idOf(family.rootOf(pod)) === root
  const serves = (pod: Readonly<Pod>): boolean => isPodReady(pod) && !isBeingDeleted(pod)
  const serving = new Set([...podsOf(span.before).values()].filter((pod) => mine(pod) && serves(pod)).map(({ metadata }) => metadata.uid))
  const ready = serving.size
  const ending = new Set<string>()
  const steps: { created: number; deleted: number; atMs: number }[] = []
  let lowest = ready
  const step = (atMs: number): { created: number; deleted: number; atMs: number } => {
    const last = steps.at(-1)
    if (last !== undefined && atMs - last.atMs < stepMs) return last
    const next = { created: 0, deleted: 0, atMs }
    steps.push(next)
    return next
  }
  for (const { prefix, object, type, atMs } of span.happenings) {
    if (prefix !== 'pods') continue
    const pod = object as unknown as Readonly<Pod>
    if (!mine(pod)) continue
    const uid = pod.metadata.uid ?? ''
    if (type === 'added') step(atMs).created++
    if ((type === 'deleted' || isBeingDeleted(pod)) && !ending.has(uid)) {
      ending.add(uid)
      step(atMs).deleted++
    }
    if (type !== 'deleted' && serves(pod)) serving.add(uid)
    else serving.delete(uid)
    lowest = Math.min(lowest, serving.size)
  }
  return { ready, lowest, steps: steps.map(({ created, deleted }) => ({ created, deleted })) }
}

function isDone({ kind, spec, status = {} }: Workload): boolean {
  const count = (field: string): number => Number(status[field] ?? 0)
  if (kind === 'DaemonSet') return count('updatedNumberScheduled') >= count('desiredNumberScheduled') && count('numberUnavailable') === 0
  const wanted = spec.replicas ?? 1
  return count('updatedReplicas') >= wanted && count('replicas') <= wanted && count('availableReplicas') >= wanted
}

function causeOf(workload: Workload, stuck: readonly Stuck[]): string {
  const { spec, kind = '' } = workload
  if (spec.paused === true) return 'it is paused'
  if (spec.updateStrategy?.type === 'OnDelete') return 'its strategy OnDelete replaces a pod only when somebody deletes it'
  const mine = stuck.filter(({ about }) => idOf(about) === idOf(thingOf(workload)))
  const { maxUnavailable, maxSurge } = spec.strategy?.rollingUpdate ?? {}
  const strict = kind === 'Deployment' && (maxUnavailable === 0 || maxUnavailable === '0%') ? `; maxUnavailable ${maxUnavailable} lets no old pod go before a new one is ready${maxSurge === undefined ? '' : ` (maxSurge ${maxSurge})`}` : ''
  if (mine.length > 0) return `${mine.map(({ because }) => because).join('; ')}${strict}`
  return `not all of its pods become ready${strict}`
}
