/**
 * Which changes of an object may let a waiting pod fit (upstream's framework/events.go). The others, such as what the
 * scheduler itself writes of a pod and what a kubelet says every minute of its node, are no events: nobody is asked.
 */
import { isBeingDeleted } from '../api/meta.ts'
import type { Node, Pod } from '../api/schema/types.ts'
import { equalJson } from '../lib/json.ts'
import { claimOf, sameClaim } from './claim.ts'

/** Of a pod that waits. */
export function waitsOtherwise(pod: Readonly<Pod>, prev: Readonly<Pod>): boolean {
  const read = ({ metadata: { labels, annotations }, spec, status }: Readonly<Pod>): unknown => [labels ?? {}, annotations ?? {}, spec, status?.resourceClaimStatuses ?? [], status?.extendedResourceClaimStatus]
  return pod !== prev && !equalJson(read(pod), read(prev))
}

/** Of a pod that stands on a node. */
export function standsOtherwise(pod: Readonly<Pod>, prev: Readonly<Pod>): boolean {
  return isBeingDeleted(pod) !== isBeingDeleted(prev) || !equalJson(pod.metadata.labels ?? {}, prev.metadata.labels ?? {}) || !sameClaim(claimOf(pod), claimOf(prev))
}

export function offersOtherwise(node: Readonly<Node>, prev: Readonly<Node>): boolean {
  const read = ({ metadata: { labels, annotations }, spec, status }: Readonly<Node>): unknown => {
    const conditions = (status?.conditions ?? []).map(({ type, status: is }) => [type, is])
    return [labels ?? {}, annotations ?? {}, spec?.taints ?? [], spec?.unschedulable === true, status?.allocatable ?? {}, conditions, status?.declaredFeatures ?? []]
  }
  return !equalJson(read(node), read(prev))
}
