/** When all is settled, nothing is left of what is gone: whoever names owners has one. */
import type { Invariant } from '../invariant.ts'

export const everybodyHasAnOwner: Invariant = {
  name: 'no dependant outlives its owners',
  begin: ({ history }) => ({
    end() {
      const prefixes = [...history.prefixes()]
      const uids = new Set(prefixes.flatMap((prefix) => [...history.all(prefix).values()].map(({ metadata }) => metadata.uid)))
      for (const prefix of prefixes) {
        for (const [key, { metadata }] of history.all(prefix)) {
          const owners = metadata.ownerReferences ?? []
          if (owners.length > 0 && !owners.some(({ uid }) => uids.has(uid))) return `${prefix} ${key} is left of ${owners.map(({ kind, name }) => `${kind} ${name}`).join()}`
        }
      }
      return undefined
    },
  }),
}
