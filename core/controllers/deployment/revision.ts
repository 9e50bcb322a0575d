/** Revisions of a Deployment: the annotations on its ReplicaSets that tell which came when, and what `kubectl rollout` reads. Pure. */
import type { Deployment, ReplicaSet } from '../../api/schema/types.ts'
import { maxSurge } from './plan.ts'

export const revisionAnnotation = 'deployment.kubernetes.io/revision'
export const revisionHistoryAnnotation = 'deployment.kubernetes.io/revision-history'
export const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas'
export const maxAnnotation = 'deployment.kubernetes.io/max-replicas'
const historyBytesMax = 2_000

/** Annotations of the Deployment that its ReplicaSets do not take over. */
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration', revisionAnnotation, revisionHistoryAnnotation, desiredAnnotation, maxAnnotation,
  'deprecated.deployment.rollback.to',
])

type Annotations = { readonly [name: string]: string }

/** 0 where none is written; undefined for what is no number. Of 64 bits: an adopted set brings any revision with it. */
export function revisionOf(set: Readonly<ReplicaSet>): bigint | undefined {
  const text = set.metadata.annotations?.[revisionAnnotation]
  if (text === undefined || text === '') return 0n
  return /^\d{1,19}$/.test(text) ? BigInt(text) : undefined
}

export function maxRevision(sets: readonly Readonly<ReplicaSet>[]): bigint {
  return sets.reduce((max, set) => ((revisionOf(set) ?? 0n) > max ? (revisionOf(set) ?? 0n) : max), 0n)
}

export function replicasAnnotations(deployment: Readonly<Deployment>): Annotations {
  const want = deployment.spec?.replicas ?? 1
  return { [desiredAnnotation]: String(want), [maxAnnotation]: String(want + maxSurge(deployment)) }
}

/** Annotations of the ReplicaSet that is the Deployment's newest now. Its old revision goes into the history: someone rolled back to it. */
export function newestAnnotations(deployment: Readonly<Deployment>, set: Readonly<ReplicaSet>, revision: bigint): Annotations {
  const next: Record<string, string> = { ...set.metadata.annotations }
  for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {})) if (!notCopied.has(name)) next[name] = value
  const old = revisionOf(set)
  if (old === undefined || old >= revision) return next
  next[revisionAnnotation] = String(revision)
  if (set.metadata.annotations?.[revisionAnnotation] === undefined) return next
  const history = (next[revisionHistoryAnnotation] ?? '').split(',').filter((r) => r !== '')
  history.push(String(old))
  while (history.length > 1 && history.join(',').length > historyBytesMax) history.shift()
  next[revisionHistoryAnnotation] = history.join(',')
  return next
}
