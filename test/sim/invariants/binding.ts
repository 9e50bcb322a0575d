/** The moment in which a pod is bound. */
import type { Pod } from '../../../core/api/schema/types.ts'
import type { Happened } from '../history.ts'

export const nodeOf = (pod: Readonly<Pod> | undefined): string => pod?.spec?.nodeName ?? ''

export function isBinding({ prefix, type, object, prev }: Happened): boolean {
  return prefix === 'pods' && type === 'changed' && nodeOf(prev as Pod) === '' && nodeOf(object as Pod) !== ''
}
