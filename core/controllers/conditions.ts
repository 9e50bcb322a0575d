/** Lists of conditions in a status: setting, removing, with the times as upstream keeps them. Pure. */

export interface Condition {
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
  lastUpdateTime?: string
}

export function conditionOf<C extends Condition>(conditions: readonly C[] | undefined, type: string): C | undefined {
  return conditions?.find((c) => c.type === type)
}

/** Status and reason as they are: nothing changes, not even the message. Otherwise it goes to the end of the list. */
export function setCondition<C extends Condition>(conditions: readonly C[] | undefined, next: C): C[] {
  const now = conditionOf(conditions, next.type)
  if (now !== undefined && now.status === next.status && now.reason === next.reason) return [...(conditions ?? [])]
  const kept = now?.status === next.status && now.lastTransitionTime !== undefined ? { ...next, lastTransitionTime: now.lastTransitionTime } : next
  return [...removeCondition(conditions, next.type), kept]
}

export function removeCondition<C extends Condition>(conditions: readonly C[] | undefined, type: string): C[] {
  return (conditions ?? []).filter((c) => c.type !== type)
}
