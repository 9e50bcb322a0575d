/** Why a namespace does not go away, why an autoscaler does not scale, and why a disruption budget lets nobody go. */
import { pods } from '../api/core/pod.ts'
import { isPodActive, isPodReady } from '../api/core/podstate.ts'
import { selectorOf } from '../api/selector.ts'
import { since } from '../api/age.ts'
import type { HorizontalPodAutoscaler, Namespace, PodDisruptionBudget } from '../api/schema/types.ts'
import { oneLine } from './crash.ts'
import { crowdOf, causeText } from './crowd.ts'
import { count, section, type Finding } from './finding.ts'
import type { Reader } from './reader.ts'

type Clause = Omit<Finding, 'about'>

const holding = ['NamespaceDeletionDiscoveryFailure', 'NamespaceDeletionGroupVersionParsingFailure', 'NamespaceDeletionContentFailure', 'NamespaceFinalizersRemaining', 'NamespaceContentRemaining'] as const

export function namespaceClause(namespace: Readonly<Namespace>, now: number): Clause | undefined {
  if (namespace.metadata.deletionTimestamp === undefined && namespace.status?.phase !== 'Terminating') return undefined
  const conditions = (namespace.status?.conditions ?? []).filter(({ status }) => status === 'True')
  const first = holding.flatMap((type) => conditions.filter((condition) => condition.type === type))[0]
  const own = (namespace.spec?.finalizers ?? []).filter((name) => name !== 'kubernetes')
  const why = first !== undefined ? oneLine(first.message ?? first.reason ?? '') : own.length > 0 ? `it is held by the finalizer ${own.join(', ')} of its own` : 'what is in it is being deleted'
  return { because: `was deleted ${since(namespace.metadata.deletionTimestamp, now)} ago and is not gone yet: ${why}`, sections: section('conditions', conditions.map(({ type, reason, message }) => `${type} ${reason}: ${message}`)) }
}

export function autoscalerClause({ spec, status }: Readonly<HorizontalPodAutoscaler>): Clause | undefined {
  const conditions = status?.conditions ?? []
  const sections = section('conditions', conditions.map(({ type, status: holds, reason, message }) => `${type} ${holds} ${reason}: ${message}`))
  const of = (type: string) => conditions.find((condition) => condition.type === type)
  const target = `${spec?.scaleTargetRef.kind} ${spec?.scaleTargetRef.name}`
  if (of('AbleToScale')?.status === 'False') return { because: `cannot scale ${target}: ${oneLine(of('AbleToScale')?.message ?? '')}`, sections }
  const active = of('ScalingActive')
  if (active?.reason === 'ScalingDisabled') return { because: `does nothing: ${target} is scaled to zero, which turns autoscaling off`, sections }
  if (active?.status === 'False') {
    const none = /no metrics returned|unable to fetch metrics from resource metrics API|metrics\.k8s\.io/.test(active.message ?? '') ? ' (is a metrics server installed?)' : ''
    return { because: `gets no metrics for ${target}${none}: ${oneLine((active.message ?? '').replace('the HPA was unable to compute the replica count: ', ''))}`, sections }
  }
  if (conditions.length === 0) return { because: 'has not been seen by its controller yet: it was made just now, or no controller runs', sections }
  const limited = of('ScalingLimited')
  if (limited?.status === 'True' && (limited.reason === 'TooManyReplicas')) return { because: `wants more than its maxReplicas of ${spec?.maxReplicas} for ${target}`, sections }
  return undefined
}

/** Why nobody may be evicted whom the budget protects; undefined: somebody may. */
export async function whyBudget(reader: Reader, budget: Readonly<PodDisruptionBudget>): Promise<Clause | undefined> {
  const { status, spec, metadata } = budget
  if ((status?.disruptionsAllowed ?? 0) > 0) return undefined
  const selector = selectorOf(spec?.selector ?? {})
  const all = await reader.list(pods, metadata.namespace ?? '')
  if (all === undefined) return { because: `allows no eviction: ${status?.currentHealthy ?? 0} pods are healthy, and ${status?.desiredHealthy ?? 0} must stay so`, sections: [] }
  const mine = all.filter((pod) => isPodActive(pod) && selector.matches(pod.metadata.labels))
  if (mine.length === 0) return { because: 'protects nothing: its selector matches no pod', sections: [] }
  const rule = spec?.maxUnavailable !== undefined ? `maxUnavailable ${spec.maxUnavailable}` : `minAvailable ${spec?.minAvailable ?? 1}`
  const failing = status?.conditions?.find(({ type, reason }) => type === 'DisruptionAllowed' && reason === 'SyncFailed')
  if (failing !== undefined) return { because: `allows no eviction: ${oneLine(failing.message ?? '')}`, sections: [] }
  const healthy = mine.filter(isPodReady).length
  const [first] = healthy < mine.length ? (await crowdOf(reader, mine)).causes : []
  return { because: `allows no eviction: ${healthy} of ${count(mine.length, 'pod')} ${healthy === 1 ? 'is' : 'are'} healthy, and ${status?.desiredHealthy ?? 0} must stay so (${rule})${first === undefined ? '' : `; ${causeText(first)}`}`, sections: first?.sections ?? [] }
}
