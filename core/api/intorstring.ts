/** Numbers that may be given as a share: `3` or `25%` (k8s.io/apimachinery/pkg/util/intstr). */
import type { IntOrString } from './schema/types.ts'

/** The number, or the share of `total` rounded as asked; undefined for text that is no percentage. */
export function scaledValue(value: IntOrString, total: number, round: 'up' | 'down'): number | undefined {
  if (typeof value === 'number') return value
  const share = /^(\d+)%$/.exec(value)?.[1]
  if (share === undefined) return undefined
  const exact = (Number(share) * total) / 100
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact)
}
