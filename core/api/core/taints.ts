/**
 * Taints and tolerations: which pods a node refuses. Shared by the scheduler, the
 * DaemonSet and taint-eviction controllers and the kubelet
 * (k8s.io/component-helpers/scheduling/corev1, k8s.io/api/core/v1/toleration.go).
 */
import type { Taint, Toleration } from '../schema/types.ts'

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
