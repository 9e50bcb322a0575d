/**
 * Who owns the claims of a StatefulSet's pods, so that they go when the retention policy says: nobody, the set (they go
 * with it), or a pod that was scaled away (they go with that). Claims that others manage, or an earlier set or pod of the
 * same name, are left alone. Pure (upstream's stateful_set_utils.go).
 */
import { statefulSets } from '../../api/apps/statefulset.ts'
import { pods } from '../../api/core/pod.ts'
import type { KindRef } from '../../api/kind.ts'
import { apiVersionOf, controllerRef, type KubeObject } from '../../api/meta.ts'
import type { OwnerReference, PersistentVolumeClaim, Pod, StatefulSet } from '../../api/schema/types.ts'
import { inRange } from './identity.ts'

/** A set and one of its pods: the two that may own the pod's claims. */
export interface Holders {
  readonly set: Readonly<StatefulSet>
  readonly pod: Readonly<Pod>
}

type Claim = Readonly<PersistentVolumeClaim>

const refsOf = (claim: Claim): readonly OwnerReference[] => claim.metadata.ownerReferences ?? []
const owns = (claim: Claim, owner: Readonly<KubeObject>): boolean => refsOf(claim).some(({ uid }) => uid === owner.metadata.uid)

/** By kind and name: an earlier object may have had the same. */
function names(ref: Readonly<OwnerReference>, object: Readonly<KubeObject>, kind: KindRef): boolean {
  return ref.apiVersion === apiVersionOf(kind) && ref.kind === kind.kind && ref.name === object.metadata.name
}

const namesHolder = (ref: Readonly<OwnerReference>, { set, pod }: Holders): boolean => names(ref, set, statefulSets) || names(ref, pod, pods)

function isStale(claim: Claim, object: Readonly<KubeObject>, kind: KindRef): boolean {
  const ref = refsOf(claim).find((candidate) => names(candidate, object, kind))
  return ref !== undefined && ref.uid !== object.metadata.uid
}

function policyOf({ set }: Holders): { readonly withSet: boolean; readonly withScale: boolean } {
  const { whenDeleted, whenScaled } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {}
  return { withSet: whenDeleted === 'Delete', withScale: whenScaled === 'Delete' }
}

/** A claim that goes with an earlier pod of this name: the new pod has to wait for it to be gone. */
export function goesWithEarlierPod(claim: Claim, holders: Holders): boolean {
  return policyOf(holders).withScale && isStale(claim, holders.pod, pods)
}

/** Somebody else manages the claim, although the policy asks the set to. */
export function isManagedByOther(claim: Claim, holders: Holders): boolean {
  const { withSet, withScale } = policyOf(holders)
  if (!withSet && !withScale) return false
  const mine = new Set([holders.set.metadata.uid, holders.pod.metadata.uid])
  return refsOf(claim).some((ref) => (namesHolder(ref, holders) ? !mine.has(ref.uid) : ref.controller === true))
}

interface Wanted {
  readonly set: boolean
  readonly pod: boolean
}

function wantedOwners(holders: Holders): Wanted {
  const { withSet, withScale } = policyOf(holders)
  const scaledAway = withScale && !inRange(holders.set, holders.pod)
  return { set: withSet && !scaledAway, pod: scaledAway }
}

/** The owners that the claim should have; undefined when it has them. */
export function ownersOf(claim: Claim, holders: Holders): OwnerReference[] | undefined {
  const { set, pod } = holders
  if (isStale(claim, set, statefulSets) || isStale(claim, pod, pods)) return undefined
  const others = refsOf(claim).filter((ref) => !namesHolder(ref, holders))
  const [bySet, byPod] = [owns(claim, set), owns(claim, pod)]
  if (isManagedByOther(claim, holders)) return bySet || byPod ? others : undefined
  const wanted = wantedOwners(holders)
  const managed = refsOf(claim).every(({ uid, controller }) => (uid !== set.metadata.uid && uid !== pod.metadata.uid) || controller === true)
  if (managed && bySet === wanted.set && byPod === wanted.pod) return undefined
  return [...others, ...(wanted.pod ? [controllerRef(pod, pods)] : []), ...(wanted.set ? [controllerRef(set, statefulSets)] : [])]
}
