/** An autoscaler's status while it is made: conditions as they are found, the rest at the end. Nothing is written here. */
import { withCondition } from '../../api/conditions.ts'
import type { HorizontalPodAutoscalerCondition, HorizontalPodAutoscalerStatus, MetricStatus } from '../../api/schema/types.ts'
import { formatTime } from '../../api/time.ts'

export type ConditionType = 'AbleToScale' | 'ScalingActive' | 'ScalingLimited' | 'ScaledToZero'

export interface Counts {
  readonly current: number
  readonly desired: number
  readonly metrics: readonly MetricStatus[] | undefined
  readonly rescaled: boolean
}

export class StatusDraft {
  readonly #prev: Readonly<HorizontalPodAutoscalerStatus>
  readonly #nowMs: number
  #conditions: readonly HorizontalPodAutoscalerCondition[]
  #counts: Counts | undefined

  constructor(prev: Readonly<HorizontalPodAutoscalerStatus> | undefined, nowMs: number) {
    this.#prev = prev ?? { desiredReplicas: 0 }
    this.#nowMs = nowMs
    this.#conditions = this.#prev.conditions ?? []
  }

  set(type: ConditionType, status: 'True' | 'False', reason: string, message: string): void {
    this.#conditions = withCondition(this.#conditions, { type, status, reason, message }, this.#nowMs)
  }

  remove(type: ConditionType): void {
    this.#conditions = this.#conditions.filter((c) => c.type !== type)
  }

  /** Without, the counts stay as they are. */
  count(counts: Counts): void {
    this.#counts = counts
  }

  /** The replicas that were wanted before. */
  get desiredBefore(): number {
    return this.#prev.desiredReplicas
  }

  made(): HorizontalPodAutoscalerStatus {
    const { lastScaleTime, currentMetrics, currentReplicas = 0, desiredReplicas } = this.#prev
    const { current, desired, metrics, rescaled } = this.#counts ?? { current: currentReplicas, desired: desiredReplicas, metrics: currentMetrics, rescaled: false }
    const scaleTime = rescaled ? formatTime(this.#nowMs) : lastScaleTime
    return {
      desiredReplicas: desired,
      ...(current === 0 ? {} : { currentReplicas: current }),
      ...(scaleTime === undefined ? {} : { lastScaleTime: scaleTime }),
      ...(metrics === undefined || metrics === null ? {} : { currentMetrics: [...metrics] }),
      conditions: this.#conditions.map((c) => ({ ...c })),
    }
  }
}
