/** What would not run, and why: pods without a node in the scheduler's words, pods that may not be made in admission's, claims without volumes. */
import { podCondition } from '../api/core/podstate.ts'
import { isBeingDeleted, keyOf, type AnyObject, type Key } from '../api/meta.ts'
import type { Event, Pod } from '../api/schema/types.ts'
import type { Span } from './effects.ts'
import { idOf, type Family } from './family.ts'
import { nodeOf, podsOf } from './pods.ts'
import { byThing, type Stuck, type Thing } from './plan.ts'

export interface StuckFound extends Stuck {
  /** One of the pods. */
  readonly sample?: Key
}

export function stuckThings(span: Span, family: Family): readonly StuckFound[] {
  const found = new Map<string, StuckFound>()
  const add = (about: Thing, because: string, sample?: Key): void => {
    const id = `${idOf(about)}|${because}`
    const one = found.get(id) ?? { about, pods: 0, because, ...(sample === undefined ? {} : { sample }) }
    found.set(id, { ...one, pods: one.pods + (sample === undefined ? 0 : 1) })
  }
  for (const [uid, pod] of podsOf(span.after)) {
    const is = { new: !podsOf(span.before).has(uid), nowhere: nodeOf(pod) === '' && !isBeingDeleted(pod) && pod.status?.phase !== 'Failed' && pod.status?.phase !== 'Succeeded' }
    if (is.nowhere && (is.new || span.waiting === true)) add(family.rootOf(pod), whyNowhere(pod), keyOf(pod))
  }
  // What was said last counts: numbers in it change while others come and go.
  const last = new Map(complaints(span, family).map((one) => [`${idOf(one.about)}|${one.reason}`, one]))
  for (const { about, because } of last.values()) add(about, because)
  return [...found.values()].toSorted((a, b) => byThing(a.about, b.about) || (a.because < b.because ? -1 : 1))
}

function whyNowhere(pod: Readonly<Pod>): string {
  const gates = pod.spec?.schedulingGates ?? []
  if (gates.length > 0) return `held back by scheduling gates: ${gates.map(({ name }) => name).join(', ')}`
  const told = podCondition(pod, 'PodScheduled')
  if (told?.status === 'False') return withoutClaimNames(told.message ?? told.reason ?? '')
  return `no scheduler ${JSON.stringify(pod.spec?.schedulerName ?? '')} has looked at it: the plan runs default-scheduler only`
}

const withoutClaimNames = (message: string): string => message.trim()

interface Complaint {
  readonly about: Thing
  readonly reason: string
  readonly because: string
}

/** Warnings about what is still short of what it wants. */
function complaints(span: Span, family: Family): readonly Complaint[] {
  return span.happenings.flatMap(({ prefix, object }) => {
    if (prefix !== 'events') return []
    const event = object as unknown as Readonly<Event>
    const subject = family.byUid(event.involvedObject.uid ?? '')
    const text = complaintText(event)
    if (subject === undefined || span.known?.has(text) === true) return []
    const now = span.after.get(prefixes[subject.kind ?? ''] ?? '')?.get(`${subject.metadata.namespace ?? ''}/${subject.metadata.name ?? ''}`)
    return now !== undefined && isShort(now as AnyObject, event) ? [{ about: family.rootOf(now), reason: event.reason ?? '', because: text.slice(text.indexOf(' ') + 1) }] : []
  })
}

/** Random ends of names are nobody's business. */
export function complaintText({ reason = '', message = '' }: Readonly<Event>): string {
  return `${reason} ${message.replace('(combined from similar events): ', '').replace(/"([a-z0-9.-]+-)[bcdfghjklmnpqrstvwxz2456789]{5}"/g, '"$1*"').trim()}`
}

const prefixes: Readonly<Record<string, string>> = { ReplicaSet: 'apps/replicasets', StatefulSet: 'apps/statefulsets', DaemonSet: 'apps/daemonsets', Job: 'batch/jobs', ReplicationController: 'replicationcontrollers', PersistentVolumeClaim: 'persistentvolumeclaims' }

interface Counted {
  readonly spec?: { readonly replicas?: number; readonly parallelism?: number; readonly completions?: number }
  readonly status?: Readonly<Record<string, number | string | undefined>>
}

function isShort(object: Readonly<AnyObject>, { reason = '', type }: Readonly<Event>): boolean {
  const { spec = {}, status = {} } = object as unknown as Counted
  const count = (field: string): number => Number(status[field] ?? 0)
  if (object.kind === 'PersistentVolumeClaim') return status['phase'] === 'Pending' && (reason === 'FailedBinding' || reason === 'ProvisioningFailed')
  if (type !== 'Warning') return false
  if (object.kind === 'DaemonSet') return count('currentNumberScheduled') < count('desiredNumberScheduled')
  if (object.kind === 'Job') return count('active') + count('succeeded') < Math.min(spec.parallelism ?? 1, spec.completions ?? spec.parallelism ?? 1)
  return count('replicas') < (spec.replicas ?? 1)
}
