/**
 * What the scheduler tells the API about pods that it could not place: condition and event, the node that is being made
 * free, and the evictions that do it. A steady refusal is written once.
 */
import { isApiError } from '../api/errors.ts'
import { isBeingDeleted, keyOf, keyText } from '../api/meta.ts'
import { pods } from '../api/core/pod.ts'
import type { Pod, PodCondition } from '../api/schema/types.ts'
import { formatTime } from '../api/time.ts'
import type { Client } from '../client/client.ts'
import { errorPath } from '../lib/log.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Preemption } from './preemption.ts'

/** `by`: the scheduler that says so, when it is not the pod's own. */
export type RecordEvent = (pod: Readonly<Pod>, type: 'Normal' | 'Warning', reason: string, message: string, by?: string) => void

export interface Verdict {
  readonly reason: 'Unschedulable' | 'SchedulerError'
  readonly message: string
}

/** Longest message of an event (upstream's truncateMessage). */
const eventMessageMax = 1_024

export class Telling {
  readonly #ctx: Ctx
  readonly #client: Client
  readonly #event: RecordEvent
  /** Messages as last written, by pod uid. */
  readonly #told = new Map<string, string>()

  constructor(ctx: Ctx, client: Client, event: RecordEvent) {
    this.#ctx = ctx
    this.#client = client
    this.#event = event
  }

  forget(uid: string): void {
    this.#told.delete(uid)
  }

  scheduled(pod: Readonly<Pod>, nodeName: string): void {
    this.forget(pod.metadata.uid ?? '')
    this.#event(pod, 'Normal', 'Scheduled', `Successfully assigned ${keyText(keyOf(pod))} to ${nodeName}`)
  }

  /** Writes PodScheduled=False, then evicts what preemption chose. Never throws: what could not be written is written the next time; false then. */
  async refused(pod: Readonly<Pod>, verdict: Verdict, preemption: Preemption): Promise<boolean> {
    try {
      await this.#write(pod, verdict, preemption)
      await Promise.all(preemption.victims.map((victim) => this.#evict(pod, victim, preemption.nodeName)))
      return true
    } catch (error) {
      this.forget(pod.metadata.uid ?? '')
      if (!this.#ctx.signal.aborted && !isApiError(error, 'NotFound')) this.#ctx.log.warn('telling why a pod waits', { pod: keyText(keyOf(pod)), error: errorPath(error) })
      return false
    }
  }

  /** The pod will be bound to this node, but not at once: others may want to know. Never throws. */
  async expected(pod: Readonly<Pod>, nodeName: string): Promise<void> {
    if (pod.status?.nominatedNodeName === nodeName) return
    try {
      await this.#client.patch(this.#ctx, pods, keyOf(pod), 'strategic', { metadata: { uid: pod.metadata.uid }, status: { nominatedNodeName: nodeName } }, { subresource: 'status' })
    } catch (error) {
      this.#ctx.log.debug('the expected node was not told', { pod: keyText(keyOf(pod)), error: errorPath(error) })
    }
  }

  /** The node is promised to somebody more important: this pod is to look elsewhere. */
  async renounce(pod: Readonly<Pod>): Promise<void> {
    await this.#client.patch(this.#ctx, pods, keyOf(pod), 'strategic', { metadata: { uid: pod.metadata.uid }, status: { nominatedNodeName: null } }, { subresource: 'status' })
  }

  async #write(pod: Readonly<Pod>, { reason, message }: Verdict, { nodeName, clears }: Preemption): Promise<void> {
    const uid = pod.metadata.uid ?? ''
    const nominated = nodeName !== '' ? { nominatedNodeName: nodeName } : clears && (pod.status?.nominatedNodeName ?? '') !== '' ? { nominatedNodeName: null } : {}
    if (this.#told.get(uid) === message && Object.keys(nominated).length === 0) return
    this.#told.set(uid, message)
    this.#event(pod, 'Warning', 'FailedScheduling', message.length > eventMessageMax ? `${message.slice(0, eventMessageMax - 4)} ...` : message)
    const old = pod.status?.conditions?.find((c) => c.type === 'PodScheduled')
    const { generation } = pod.metadata
    const condition: PodCondition = {
      type: 'PodScheduled',
      status: 'False',
      reason,
      message,
      lastTransitionTime: old?.status === 'False' && old.lastTransitionTime !== undefined ? old.lastTransitionTime : formatTime(this.#ctx.clock.now()),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    }
    await this.#client.patch(this.#ctx, pods, keyOf(pod), 'strategic', { metadata: { uid }, status: { conditions: [condition], ...nominated } }, { subresource: 'status' })
  }

  async #evict(pod: Readonly<Pod>, victim: Readonly<Pod>, nodeName: string): Promise<void> {
    if (isBeingDeleted(victim)) return
    const { uid, generation } = victim.metadata
    const condition: PodCondition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${pod.spec?.schedulerName ?? ''}: preempting to accommodate a higher priority pod`,
      lastTransitionTime: formatTime(this.#ctx.clock.now()),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    }
    // Pods of sets come again under their names: the one that was judged goes, or none. First it is told why.
    try {
      await this.#client.patch(this.#ctx, pods, keyOf(victim), 'strategic', { ...(uid === undefined ? {} : { metadata: { uid } }), status: { conditions: [condition] } }, { subresource: 'status' })
      await this.#client.delete(this.#ctx, pods, keyOf(victim), uid === undefined ? {} : { preconditions: { uid } })
    } catch (error) {
      if (isApiError(error, 'Conflict') || isApiError(error, 'NotFound')) return
      throw error
    }
    this.#event(victim, 'Normal', 'Preempted', `Preempted by pod ${pod.metadata.uid} on node ${nodeName}`, pod.spec?.schedulerName)
  }
}
