/** PrioritySort: the active queue by priority, then by who has waited longer. */
import type { Plugin } from '../framework.ts'

export const prioritySort: Plugin = {
  name: 'PrioritySort',
  before: (a, b) => (b.pod.spec?.priority ?? 0) - (a.pod.spec?.priority ?? 0) || a.queued - b.queued,
}
