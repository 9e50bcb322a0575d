/**
 * Taints and tolerations: which pods a node refuses. Shared by the scheduler, the
 * DaemonSet and taint-eviction controllers and the kubelet
 * (k8s.io/component-helpers/scheduling/corev1, k8s.io/api/core/v1/toleration.go).
 */
import type { Node, Taint, Toleration } from '../schema/types.ts'

/** Whether this toleration covers this taint. */
export function tolerates(toleration: Readonly<Toleration>, taint: Readonly<Taint>): boolean {
  if (toleration.effect !== undefined && toleration.effect !== '' && toleration.effect !== taint.effect) return false
  if (toleration.key !== undefined && toleration.key !== '' && toleration.key !== taint.key) return false
  switch (toleration.operator ?? '') {
    case '':
    case 'Equal':
      return (toleration.value ?? '') === (taint.value ?? '')
    case 'Exists':
      return true
    case 'Lt':
      return compares(toleration, taint, (want, have) => have < want)
    case 'Gt':
      return compares(toleration, taint, (want, have) => have > want)
    default:
      return false
  }
}

function compares(toleration: Readonly<Toleration>, taint: Readonly<Taint>, holds: (want: number, have: number) => boolean): boolean {
  const number = /^(0|-?[1-9]\d*)$/
  const [want, have] = [toleration.value ?? '', taint.value ?? '']
  return number.test(want) && number.test(have) && holds(Number(want), Number(have))
}

export function isTolerated(tolerations: readonly Readonly<Toleration>[] | undefined, taint: Readonly<Taint>): boolean {
  return tolerations?.some((toleration) => tolerates(toleration, taint)) ?? false
}

/** The first taint with one of these effects that no toleration covers. */
export function untolerated(
  taints: readonly Readonly<Taint>[] | undefined,
  tolerations: readonly Readonly<Toleration>[] | undefined,
  effects: readonly string[],
): Readonly<Taint> | undefined {
  return taints?.find((taint) => effects.includes(taint.effect) && !isTolerated(tolerations, taint))
}

/** Keys of the taints that the node controllers set (k8s.io/api/core/v1/well_known_taints.go). */
export const taintKeys = {
  notReady: 'node.kubernetes.io/not-ready',
  unreachable: 'node.kubernetes.io/unreachable',
  unschedulable: 'node.kubernetes.io/unschedulable',
  memoryPressure: 'node.kubernetes.io/memory-pressure',
  diskPressure: 'node.kubernetes.io/disk-pressure',
  pidPressure: 'node.kubernetes.io/pid-pressure',
  networkUnavailable: 'node.kubernetes.io/network-unavailable',
  outOfService: 'node.kubernetes.io/out-of-service',
} as const

/** Seconds that a pod may stay under these NoExecute taints: 0 not at all, undefined for ever. */
export function tolerationS(taints: readonly Readonly<Taint>[], tolerations: readonly Readonly<Toleration>[] | undefined): number | undefined {
  const used: Readonly<Toleration>[] = []
  for (const taint of taints) {
    const matching = (tolerations ?? []).filter((t) => tolerates(t, taint))
    if (matching.length === 0) return 0
    used.push(...matching)
  }
  const limits = used.map((t) => t.tolerationSeconds).filter((s): s is number => s !== undefined && s !== null)
  return limits.length === 0 ? undefined : Math.max(0, Math.min(...limits))
}

export function noExecuteTaints(node: Readonly<Node>): readonly Readonly<Taint>[] {
  return (node.spec?.taints ?? []).filter((t) => t.effect === 'NoExecute')
}

/** Same key and effect: what makes two taints the same one. */
export function sameTaint(a: Readonly<Taint>, b: Readonly<Taint>): boolean {
  return a.key === b.key && a.effect === b.effect
}
