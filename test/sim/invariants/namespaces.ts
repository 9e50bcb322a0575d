/** When all is settled, what is in a namespace has a namespace, and none is still on its way out. */
import type { Invariant } from '../invariant.ts'

export const goneNamespacesAreEmpty: Invariant = {
  name: 'nothing is left of a namespace that is gone',
  begin: ({ history }) => ({
    end() {
      const there = history.all('namespaces')
      for (const [key, { metadata }] of there) if (metadata.deletionTimestamp !== undefined) return `${key} is still going`
      for (const prefix of history.prefixes()) {
        for (const [key, { metadata }] of history.all(prefix)) {
          const { namespace = '' } = metadata
          if (namespace !== '' && !there.has(`/${namespace}`)) return `${prefix} ${key} is left`
        }
      }
      return undefined
    },
  }),
}
