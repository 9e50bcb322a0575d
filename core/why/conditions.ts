/** What an object of a kind without a file of its own says of itself: the first condition that should hold and does not. */
import type { AnyObject } from '../api/meta.ts'
import { oneLine } from './crash.ts'
import { section, type Finding } from './finding.ts'

interface Condition {
  readonly type?: string
  readonly status?: string
  readonly reason?: string
  readonly message?: string
}

/** Of definitions, APIServices and ranges of addresses. */
const good: ReadonlySet<string> = new Set(['NamesAccepted', 'Established', 'Available', 'Ready'])

export function conditionClause(object: Readonly<AnyObject>): Omit<Finding, 'about'> | undefined {
  const { conditions = [] } = (object['status'] ?? {}) as { readonly conditions?: readonly Condition[] }
  const failing = conditions.find(({ type = '', status }) => good.has(type) && status !== 'True')
  if (failing === undefined) return undefined
  const { type, reason = '', message = '' } = failing
  return { because: `is not ${type === 'NamesAccepted' ? 'served: its names are not accepted' : type?.toLowerCase()}: ${oneLine(message === '' ? reason : message)}`, sections: section('conditions', conditions.map((one) => `${one.type} ${one.status} ${one.reason}: ${one.message}`)) }
}
