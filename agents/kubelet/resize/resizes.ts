/**
 * Resizes of the node's pods: grants what fits beside the others, lets the rest wait in line, and says how far each is, in
 * conditions and events. Decides nothing about containers (steps.ts). Start reading at look().
 */
import type { Clock } from '../../../core/lib/clock.ts'
import { isPodTerminal } from '../../../core/api/core/podstate.ts'
import { isBeingDeleted } from '../../../core/api/meta.ts'
import type { Pod, PodCondition } from '../../../core/api/schema/types.ts'
import type { Rejection } from '../admission.ts'
import { refOf, type EventRecorder } from '../ports.ts'
import { allocationOf, inLine, isAllocated, withAllocation, type Waiting } from './allocation.ts'
import { resizeCondition, resizeConditionTypes, type ResizeConditionType } from './conditions.ts'
import type { Records } from './records.ts'
import { resizeMessage } from './summary.ts'

export interface ResizesOptions {
  readonly clock: Clock
  readonly records: Records
  readonly recorder: EventRecorder
  /** What this node knows the pod as; undefined: nothing of it runs here any more. */
  readonly pod: (uid: string) => Readonly<Pod> | undefined
  /** Why the pod, as the API wants it, has no place beside the others; undefined: it has. */
  readonly refusal: (pod: Readonly<Pod>) => Rejection | undefined
  /** A pod has another allocation or other conditions. */
  readonly changed: (uid: string) => void
}

export interface Resizes {
  /** The pod as it is run here. */
  allocated(pod: Readonly<Pod>): Readonly<Pod>
  /** A pod that was taken: it has what it asks for, or what it had before this kubelet started. */
  admitted(pod: Readonly<Pod>): void
  /** Something about the node's pods changed: those that wait are looked at, this one too. */
  look(pod?: Readonly<Pod>): void
  /** From now on resizes are granted: every pod of the node is known. */
  begin(): void
  conditions(uid: string): readonly PodCondition[]
  /** What was granted is not in force yet. `error`: why. */
  inProgress(pod: Readonly<Pod>, error?: string): void
  /** What was granted is in force. */
  completed(pod: Readonly<Pod>): void
  forget(uid: string): void
}

export function podResizes(options: ResizesOptions): Resizes {
  const { clock, records, recorder } = options
  const conditions = new Map<string, Map<ResizeConditionType, PodCondition>>()
  const waiting = new Set<string>()
  let begun = false

  const get = (uid: string, type: ResizeConditionType): PodCondition | undefined => conditions.get(uid)?.get(type)
  const put = (uid: string, type: ResizeConditionType, condition: PodCondition | undefined): void => {
    const of = conditions.get(uid) ?? new Map<ResizeConditionType, PodCondition>()
    if (condition === undefined) of.delete(type)
    else of.set(type, condition)
    conditions.set(uid, of)
  }
  const set = (uid: string, type: ResizeConditionType, state: Parameters<typeof resizeCondition>[2]): boolean => {
    const before = get(uid, type)
    const next = resizeCondition(type, before, state, clock.now())
    put(uid, type, next)
    return next !== before
  }
  const tell = (pod: Readonly<Pod>, type: 'Normal' | 'Warning', reason: string, message: string): void => recorder.event(refOf(pod, 'Pod'), type, reason, message)

  const grant = (uid: string, pod: Readonly<Pod>): void => {
    const { generation } = pod.metadata
    records.set(uid, { allocation: allocationOf(pod) })
    put(uid, 'PodResizePending', undefined)
    put(uid, 'PodResizeInProgress', undefined)
    set(uid, 'PodResizeInProgress', { reason: '', message: '', generation })
    tell(pod, 'Normal', 'ResizeStarted', resizeMessage('Pod resize started', pod, generation))
  }
  const defer = (uid: string, pod: Readonly<Pod>, { message }: Rejection): boolean => {
    const { generation } = pod.metadata
    const before = get(uid, 'PodResizePending')
    const changed = set(uid, 'PodResizePending', { reason: 'Deferred', message, generation })
    if (before?.reason !== 'Deferred' || before.observedGeneration !== generation) tell(pod, 'Warning', 'ResizeDeferred', resizeMessage('Pod resize Deferred', pod, generation, message))
    return changed
  }
  /** True when something about the pod changed. */
  const consider = ({ pod, allocation }: Waiting): boolean => {
    const uid = pod.metadata.uid ?? ''
    if (isAllocated(pod, allocation)) {
      waiting.delete(uid)
      const had = get(uid, 'PodResizePending') !== undefined
      put(uid, 'PodResizePending', undefined)
      return had
    }
    const refused = options.refusal(pod)
    if (refused !== undefined) return defer(uid, pod, refused)
    waiting.delete(uid)
    grant(uid, pod)
    return true
  }
  const line = (): readonly Waiting[] =>
    inLine(
      [...waiting].flatMap((uid) => {
        const [pod, record] = [options.pod(uid), records.get(uid)]
        const since = get(uid, 'PodResizePending')?.lastTransitionTime
        if (pod !== undefined && record !== undefined && !isPodTerminal(pod) && !isBeingDeleted(pod)) return [{ pod, allocation: record.allocation, sinceMs: since === undefined ? undefined : Date.parse(since) }]
        waiting.delete(uid)
        return []
      }),
    )
  const lookAll = (): void => {
    if (!begun || waiting.size === 0) return
    for (const one of line()) if (consider(one)) options.changed(one.pod.metadata.uid ?? '')
  }
  return {
    allocated: (pod) => withAllocation(pod, records.get(pod.metadata.uid ?? '')?.allocation),
    admitted(pod) {
      const { uid = '' } = pod.metadata
      if (records.get(uid) === undefined) records.set(uid, { allocation: allocationOf(pod) })
      else waiting.add(uid)
      for (const type of resizeConditionTypes) {
        const shown = pod.status?.conditions?.find((c) => c.type === type)
        if (shown !== undefined && get(uid, type) === undefined) put(uid, type, shown)
      }
    },
    look(pod) {
      const uid = pod?.metadata.uid ?? ''
      if (pod !== undefined && records.get(uid) !== undefined) waiting.add(uid)
      lookAll()
    },
    begin() {
      begun = true
      lookAll()
    },
    conditions: (uid) => resizeConditionTypes.flatMap((type) => get(uid, type) ?? []),
    inProgress(pod, error) {
      const { uid = '', generation } = pod.metadata
      const before = get(uid, 'PodResizeInProgress')
      const state = { reason: error === undefined ? (before?.reason ?? '') : 'Error', message: error ?? before?.message ?? '', generation: before === undefined ? generation : before.observedGeneration }
      if (set(uid, 'PodResizeInProgress', state) && error !== undefined) tell(pod, 'Warning', 'ResizeError', resizeMessage('Pod resize error', pod, state.generation, error))
    },
    completed(pod) {
      const { uid = '' } = pod.metadata
      const before = get(uid, 'PodResizeInProgress')
      if (before === undefined) return
      put(uid, 'PodResizeInProgress', undefined)
      tell(pod, 'Normal', 'ResizeCompleted', resizeMessage('Pod resize completed', pod, before.observedGeneration))
    },
    forget(uid) {
      conditions.delete(uid)
      waiting.delete(uid)
      records.forget(uid)
    },
  }
}
