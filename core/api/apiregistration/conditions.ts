/** What an APIService says of itself: whether it is served here or elsewhere, and its condition Available (apiregistration/v1/helper). */
import type { APIService, APIServiceCondition, APIServiceStatus, ApiregistrationV1ServiceReference } from '../schema/types.ts'
import { formatTime } from '../time.ts'

const available = 'Available'

/** Undefined: this server itself serves the group-version. */
export function serviceOf(object: Readonly<APIService>): Readonly<ApiregistrationV1ServiceReference> | undefined {
  return object.spec?.service ?? undefined
}

export function availability(object: Readonly<APIService>): Readonly<APIServiceCondition> | undefined {
  return object.status?.conditions?.find((condition) => condition.type === available)
}

export function isAvailable(object: Readonly<APIService>): boolean {
  return availability(object)?.status === 'True'
}

export function condition(status: 'True' | 'False' | 'Unknown', reason: string, message: string, now: number): APIServiceCondition {
  return { type: available, status, lastTransitionTime: formatTime(now), reason, message }
}

export function localCondition(now: number): APIServiceCondition {
  return condition('True', 'Local', 'Local APIServices are always available', now)
}

/** The time of a condition is that of its last other status. */
export function withCondition(status: Readonly<APIServiceStatus> | undefined, next: Readonly<APIServiceCondition>): APIServiceStatus {
  const have = status?.conditions ?? []
  if (!have.some(({ type }) => type === next.type)) return { ...status, conditions: [...have, { ...next }] }
  return { ...status, conditions: have.map((prev) => (prev.type === next.type ? overlay(prev, next) : prev)) }
}

function overlay(prev: Readonly<APIServiceCondition>, next: Readonly<APIServiceCondition>): APIServiceCondition {
  if (prev.status !== next.status || prev.lastTransitionTime === undefined) return { ...next }
  return { ...next, lastTransitionTime: prev.lastTransitionTime }
}
