/** A namespace goes when it is empty, and not before; when all is settled, none is on its way out. */
import type { Invariant } from '../invariant.ts'

export const goneNamespacesAreEmpty: Invariant = {
  name: 'nothing is left of a namespace that is gone',
  begin: ({ history }) => ({
    after({ prefix, type, object }) {
      const { name = '' } = object.metadata
      if (prefix !== 'namespaces' || type !== 'deleted') return undefined
      for (const of of history.prefixes()) {
        // What happened to what was in it may be told until the end.
        if (of === 'events' || of === 'events.k8s.io/events') continue
        for (const [key, { metadata }] of history.all(of)) if (metadata.namespace === name) return `${of} ${key} is there, and ${name} goes`
      }
      return undefined
    },
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
