/**
 * How far each ReplicaSet of a Deployment may grow or shrink now: rolling, recreating, and spreading a change of size
 * over sets that are on their way (upstream's deployment/rolling.go, sync.go and util). Pure: the sets come in, sizes go out.
 */
import { scaledValue } from '../../api/intorstring.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import type { Deployment, ReplicaSet } from '../../api/schema/types.ts'
import { desiredAnnotation, maxAnnotation, revisionOf } from './revision.ts'

export interface Scaling {
  readonly set: Readonly<ReplicaSet>
  readonly to: number
}

export const sizeOf = (set: Readonly<ReplicaSet>): number => set.spec?.replicas ?? 1
export const wantedOf = (deployment: Readonly<Deployment>): number => deployment.spec?.replicas ?? 1
const availableOf = (set: Readonly<ReplicaSet>): number => set.status?.availableReplicas ?? 0
const total = (sets: readonly Readonly<ReplicaSet>[], of: (set: Readonly<ReplicaSet>) => number): number => sets.reduce((sum, set) => sum + of(set), 0)
const active = (sets: readonly Readonly<ReplicaSet>[]): Readonly<ReplicaSet>[] => sets.filter((set) => sizeOf(set) > 0)

export const isRolling = (deployment: Readonly<Deployment>): boolean => (deployment.spec?.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate'

/** Surge and unavailability as numbers; both 0 after rounding would stand still, so then one may be unavailable. */
function fenceposts(deployment: Readonly<Deployment>): { readonly surge: number; readonly unavailable: number } {
  const { maxSurge: s, maxUnavailable: u } = deployment.spec?.strategy?.rollingUpdate ?? {}
  const surge = scaledValue(s ?? 0, wantedOf(deployment), 'up') ?? 0
  const unavailable = scaledValue(u ?? 0, wantedOf(deployment), 'down') ?? 0
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable }
}

export function maxSurge(deployment: Readonly<Deployment>): number {
  return isRolling(deployment) ? fenceposts(deployment).surge : 0
}

export function maxUnavailable(deployment: Readonly<Deployment>): number {
  if (!isRolling(deployment) || wantedOf(deployment) === 0) return 0
  return Math.min(fenceposts(deployment).unavailable, wantedOf(deployment))
}

/** Size of the newest set: as much as surge leaves room for beside the old ones. */
export function newestSize(deployment: Readonly<Deployment>, newest: Readonly<ReplicaSet>, old: readonly Readonly<ReplicaSet>[]): number {
  const want = wantedOf(deployment)
  if (!isRolling(deployment)) return want
  const room = want + maxSurge(deployment) - total([...old, newest], sizeOf)
  return room <= 0 ? sizeOf(newest) : sizeOf(newest) + Math.min(room, want - sizeOf(newest))
}

/** Next step of a rolling update: the newest set first, and when that may not move, the old ones. */
export function planRolling(deployment: Readonly<Deployment>, newest: Readonly<ReplicaSet>, old: readonly Readonly<ReplicaSet>[]): readonly Scaling[] {
  const want = wantedOf(deployment)
  if (sizeOf(newest) > want) return [{ set: newest, to: want }]
  const to = sizeOf(newest) === want ? want : newestSize(deployment, newest, old)
  return to === sizeOf(newest) ? shrinkOld(deployment, newest, active(old)) : [{ set: newest, to }]
}

/** Old replicas that are not available go first, as they serve nobody; of the others as many as availability allows. */
function shrinkOld(deployment: Readonly<Deployment>, newest: Readonly<ReplicaSet>, old: readonly Readonly<ReplicaSet>[]): readonly Scaling[] {
  const minAvailable = wantedOf(deployment) - maxUnavailable(deployment)
  const coming = sizeOf(newest) - availableOf(newest)
  let mayGo = total([...old, newest], sizeOf) - minAvailable - coming
  if (mayGo <= 0) return []
  const byAge = old.toSorted(byCreation)
  const size = new Map(byAge.map((set) => [set, sizeOf(set)]))
  for (const set of byAge) {
    const unhealthy = Math.min(mayGo, sizeOf(set) - availableOf(set))
    if (mayGo <= 0) break
    if (unhealthy <= 0) continue
    size.set(set, sizeOf(set) - unhealthy)
    mayGo -= unhealthy
  }
  let spare = total([...old, newest], availableOf) - minAvailable
  for (const set of byAge) {
    if (spare <= 0) break
    const left = size.get(set) ?? 0
    const go = Math.min(left, spare)
    size.set(set, left - go)
    spare -= go
  }
  return byAge.map((set) => ({ set, to: size.get(set) ?? 0 })).filter(({ set, to }) => to !== sizeOf(set))
}

export function byCreation(a: Readonly<ReplicaSet>, b: Readonly<ReplicaSet>): number {
  const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  if (x !== y) return x < y ? -1 : 1
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}

/** Recreate: all old ones to nothing. */
export function planRecreate(old: readonly Readonly<ReplicaSet>[]): readonly Scaling[] {
  return active(old).map((set) => ({ set, to: 0 }))
}

/** Whether the Deployment's size is another than its sets were last told: a change of size, not of template. */
export function isScalingEvent(deployment: Readonly<Deployment>, sets: readonly Readonly<ReplicaSet>[]): boolean {
  return active(sets).some((set) => {
    const desired = numberIn(set, desiredAnnotation)
    return desired !== undefined && desired !== wantedOf(deployment)
  })
}

function numberIn(set: Readonly<ReplicaSet>, annotation: string): number | undefined {
  const text = set.metadata.annotations?.[annotation]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** A change of size, or a paused Deployment: sizes change in proportion, so that the rollout is neither hastened nor undone. */
export function planScale(deployment: Readonly<Deployment>, newest: Readonly<ReplicaSet> | undefined, old: readonly Readonly<ReplicaSet>[]): readonly (Scaling & { readonly force?: boolean })[] {
  const want = wantedOf(deployment)
  const all = newest === undefined ? [...old] : [...old, newest]
  const living = active(all)
  if (living.length <= 1) {
    const only = living[0] ?? newest ?? old.toSorted(byCreation).at(-1)
    return only === undefined || sizeOf(only) === want ? [] : [{ set: only, to: want }]
  }
  if (newest !== undefined && sizeOf(newest) === want && numberIn(newest, desiredAnnotation) === want && availableOf(newest) === want) {
    return active(old).map((set) => ({ set, to: 0 }))
  }
  return isRolling(deployment) ? inProportion(deployment, living) : []
}

function inProportion(deployment: Readonly<Deployment>, living: readonly Readonly<ReplicaSet>[]): readonly (Scaling & { readonly force: boolean })[] {
  const want = wantedOf(deployment)
  const allowed = want > 0 ? want + maxSurge(deployment) : 0
  const toAdd = allowed - total(living, sizeOf)
  // Growth goes to the largest and newest first, loss to the largest and oldest.
  const sorted = living.toSorted((a, b) => sizeOf(b) - sizeOf(a) || (toAdd > 0 ? byCreation(b, a) : byCreation(a, b)))
  let added = 0
  const sizes = sorted.map((set) => {
    const share = toAdd === 0 || toAdd === added ? 0 : shareOf(deployment, set, toAdd - added)
    added += share
    return sizeOf(set) + share
  })
  if (toAdd !== 0) sizes[0] = Math.max(0, (sizes[0] ?? 0) + toAdd - added)
  return sorted.map((set, i) => ({ set, to: sizes[i] ?? 0, force: true }))
}

function shareOf(deployment: Readonly<Deployment>, set: Readonly<ReplicaSet>, allowed: number): number {
  const want = wantedOf(deployment)
  const size = sizeOf(set)
  let share = -size
  if (want > 0) {
    const before = numberIn(set, maxAnnotation) || (deployment.status?.replicas ?? 0)
    share = before === 0 ? 0 : Math.round((size * (want + maxSurge(deployment))) / before) - size
  }
  return allowed > 0 ? Math.min(share, allowed) : Math.max(share, allowed)
}

/** Old sets beyond the limit of history that have nothing left to do, the oldest revisions first. */
export function planCleanup(deployment: Readonly<Deployment>, old: readonly Readonly<ReplicaSet>[]): readonly Readonly<ReplicaSet>[] {
  const limit = deployment.spec?.revisionHistoryLimit
  if (limit === undefined || limit === 2_147_483_647) return []
  const living = old.filter((set) => !isBeingDeleted(set))
  const surplus = living.length - limit
  if (surplus <= 0) return []
  const byRevision = living.toSorted((a, b) => Number((revisionOf(a) ?? 0n) - (revisionOf(b) ?? 0n)) || byCreation(a, b))
  return byRevision.slice(0, surplus).filter((set) => (set.status?.replicas ?? 0) === 0 && sizeOf(set) === 0 && (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0))
}
