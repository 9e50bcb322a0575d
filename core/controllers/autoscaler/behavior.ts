/**
 * How fast and how far replicas may follow a recommendation: stabilisation windows, policies, least and most replicas
 * (pkg/controller/podautoscaler/horizontal.go, normalizeDesiredReplicas and what it calls). Pure.
 */
import type { HorizontalPodAutoscalerBehavior, HPAScalingPolicy, HPAScalingRules } from '../../api/schema/types.ts'
import { changeWithin, type History, recorded } from './history.ts'

/** Without another window a count goes down only when nothing more was asked for so long. */
const downWindowMs = 300_000
/** Without a behavior a count at most doubles, or becomes this. */
const leapFactor = 2
const leapReplicas = 4

export interface Wish {
  readonly behavior: Readonly<HorizontalPodAutoscalerBehavior> | undefined
  readonly current: number
  readonly desired: number
  readonly min: number
  readonly max: number
}

export interface Said {
  readonly type: 'AbleToScale' | 'ScalingLimited'
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

export interface Norm {
  readonly replicas: number
  readonly conditions: readonly Said[]
  readonly history: History
}

interface Bound {
  readonly replicas: number
  readonly reason: string
  readonly message: string
}

const within = { reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' }
const tooMany = { reason: 'TooManyReplicas', message: 'the desired replica count is more than the maximum replica count' }
const tooFew = { reason: 'TooFewReplicas', message: 'the desired replica count is less than the minimum replica count' }
const upTooFast = { reason: 'ScaleUpLimit', message: 'the desired replica count is increasing faster than the maximum scale rate' }
const downTooFast = { reason: 'ScaleDownLimit', message: 'the desired replica count is decreasing faster than the maximum scale rate' }
const upStabilized = { reason: 'ScaleUpStabilized', message: 'recent recommendations were lower than current one, applying the lowest recent recommendation' }
const downStabilized = { reason: 'ScaleDownStabilized', message: 'recent recommendations were higher than current one, applying the highest recent recommendation' }
const ready = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' }

export function normalize(wish: Wish, history: History, nowMs: number): Norm {
  const stable = stabilized(wish, history, nowMs)
  const bound = wish.behavior === undefined ? leapBound(wish, stable.replicas) : rateBound({ ...wish, desired: stable.replicas }, wish.behavior, history, nowMs)
  const able = stable.replicas === wish.desired ? ready : wish.behavior !== undefined && wish.desired >= wish.current ? upStabilized : downStabilized
  const { reason, message } = bound
  return {
    replicas: bound.replicas,
    conditions: [
      { type: 'AbleToScale', status: 'True', ...able },
      { type: 'ScalingLimited', status: bound.replicas === stable.replicas ? 'False' : 'True', reason, message },
    ],
    history: { ...history, recommendations: stable.recommendations },
  }
}

interface Stable {
  readonly replicas: number
  readonly recommendations: History['recommendations']
}

/** No higher than the lowest recommendation of the window for going up, no lower than the highest of that for going down. */
function stabilized({ behavior, current, desired }: Wish, { recommendations }: History, nowMs: number): Stable {
  const mine = { replicas: desired, atMs: nowMs }
  if (behavior === undefined) {
    const cutoff = nowMs - downWindowMs
    const replicas = Math.max(desired, ...recommendations.filter(({ atMs }) => atMs >= cutoff).map((r) => r.replicas))
    return { replicas, recommendations: recorded(recommendations, mine, ({ atMs }) => atMs < cutoff) }
  }
  const upCutoff = nowMs - windowMs(behavior.scaleUp, 0)
  const downCutoff = nowMs - windowMs(behavior.scaleDown, downWindowMs)
  const lowest = Math.min(desired, ...recommendations.filter(({ atMs }) => atMs > upCutoff).map((r) => r.replicas))
  const highest = Math.max(desired, ...recommendations.filter(({ atMs }) => atMs > downCutoff).map((r) => r.replicas))
  return {
    replicas: Math.min(Math.max(current, lowest), highest),
    recommendations: recorded(recommendations, mine, ({ atMs }) => atMs < upCutoff && atMs < downCutoff),
  }
}

function windowMs(rules: Readonly<HPAScalingRules> | undefined, otherwiseMs: number): number {
  const windowS = rules?.stabilizationWindowSeconds
  return windowS === undefined ? otherwiseMs : windowS * 1_000
}

function leapBound({ current, min, max }: Wish, desired: number): Bound {
  const leap = Math.max(leapFactor * current, leapReplicas)
  if (desired < min) return { replicas: min, ...tooFew }
  const most = max > leap ? { replicas: leap, ...upTooFast } : { replicas: max, ...tooMany }
  return desired > most.replicas ? most : { replicas: desired, ...within }
}

function rateBound({ current, desired, min, max }: Wish, behavior: Readonly<HorizontalPodAutoscalerBehavior>, history: History, nowMs: number): Bound {
  const begun = (periodS: number): number => current - changeWithin(history.ups, periodS * 1_000, nowMs) + changeWithin(history.downs, periodS * 1_000, nowMs)
  if (desired > current) {
    const limit = Math.max(current, limitOf(behavior.scaleUp, current, begun, higher))
    const most = max > limit ? { replicas: limit, ...upTooFast } : { replicas: max, ...tooMany }
    if (desired > most.replicas) return most
  } else if (desired < current) {
    const limit = Math.min(current, limitOf(behavior.scaleDown, current, begun, lower))
    const least = min < limit ? { replicas: limit, ...downTooFast } : { replicas: min, ...tooFew }
    if (desired < least.replicas) return least
  }
  return { replicas: desired, ...within }
}

/** What a policy makes of the count at the begin of its period, and which of two is the larger change. */
interface Direction {
  readonly apply: (begun: number, policy: Readonly<HPAScalingPolicy>) => number
  readonly most: (a: number, b: number) => number
  readonly least: (a: number, b: number) => number
}

const higher: Direction = {
  // Rounded up, or a small count would never grow.
  apply: (begun, { type, value }) => (type === 'Pods' ? begun + value : Math.ceil(begun * (1 + value / 100))),
  most: Math.max,
  least: Math.min,
}

const lower: Direction = {
  apply: (begun, { type, value }) => (type === 'Pods' ? begun - value : Math.trunc(begun * (1 - value / 100))),
  most: Math.min,
  least: Math.max,
}

function limitOf(rules: Readonly<HPAScalingRules> | undefined, current: number, begun: (periodS: number) => number, { apply, most, least }: Direction): number {
  if (rules?.selectPolicy === 'Disabled') return current
  const limits = (rules?.policies ?? []).map((policy) => apply(begun(policy.periodSeconds), policy))
  const select = rules?.selectPolicy === 'Min' ? least : most
  return limits.length === 0 ? current : limits.reduce((a, b) => select(a, b))
}

/** The history with a change that was made. Without a behavior nobody will ask. */
export function withChange(history: History, behavior: Wish['behavior'], change: { readonly from: number; readonly to: number }, nowMs: number): History {
  if (behavior === undefined) return history
  const goesUp = change.to > change.from
  const rules = goesUp ? behavior.scaleUp : behavior.scaleDown
  const keptMs = Math.max(0, ...(rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds)) * 1_000
  const event = { change: Math.abs(change.to - change.from), atMs: nowMs }
  const isOld = ({ atMs }: { readonly atMs: number }): boolean => atMs < nowMs - keptMs
  return goesUp ? { ...history, ups: recorded(history.ups, event, isOld) } : { ...history, downs: recorded(history.downs, event, isOld) }
}
