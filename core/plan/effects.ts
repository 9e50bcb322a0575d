/** What came of it: two states of a fork and what happened between them, put into words' raw material. Each part is a file of its own; nothing is asked or written. */
import type { AnyObject } from '../api/meta.ts'
import { isBeingDeleted } from '../api/meta.ts'
import type { Happening, World } from '../fork/journal.ts'
import { claimFates } from './claims.ts'
import { fieldChanges } from './fields.ts'
import { Family } from './family.ts'
import { byThing, type Consequence, type Effects, type Thing } from './plan.ts'
import { podFates } from './pods.ts'
import { rollouts } from './rollouts.ts'
import { desertedServices, breachedBudgets, quotaUses } from './sums.ts'
import { stuckThings, type StuckFound } from './stuck.ts'

export interface Span {
  readonly before: World
  readonly after: World
  readonly happenings: readonly Happening[]
  /** Said of by name already. */
  readonly named: (thing: Thing) => boolean
  /** Prefixes of kinds of which only a part is known, or nothing. */
  readonly unread: ReadonlySet<string>
  /** Tells of pods that waited before, too. */
  readonly waiting?: boolean
  /** `reason message` of complaints that were heard before. */
  readonly known?: ReadonlySet<string>
}

export interface EffectsFound extends Effects {
  readonly stuck: readonly StuckFound[]
}

export function effectsOf(span: Span): EffectsFound {
  const family = new Family(span)
  const fates = podFates(span, family)
  const stuck = stuckThings(span, family)
  return {
    objects: consequences(span),
    placed: fates.placed,
    gone: fates.gone,
    rollouts: rollouts(span, family, stuck),
    stuck,
    claims: claimFates(span),
    deserted: desertedServices(span),
    quotas: quotaUses(span),
    breached: breachedBudgets(span),
  }
}

/** Nothing that anybody would want to know. */
export function isNothing({ objects, placed, gone, stuck, rollouts: rolls }: Effects): boolean {
  return objects.length + placed.length + gone.length + stuck.length + rolls.length === 0
}

/** Told of elsewhere, or made and kept by controllers for their own use. */
const untold: ReadonlySet<string> = new Set([
  'pods', 'events', 'coordination.k8s.io/leases', 'endpoints', 'discovery.k8s.io/endpointslices', 'apps/replicasets', 'apps/controllerrevisions', 'networking.k8s.io/ipaddresses',
  'apiregistration.k8s.io/apiservices', 'persistentvolumes', 'storage.k8s.io/volumeattachments', 'storage.k8s.io/csinodes', 'certificates.k8s.io/certificatesigningrequests',
])

function consequences(span: Span): readonly Consequence[] {
  const found: Consequence[] = []
  for (const prefix of new Set([...span.before.keys(), ...span.after.keys()])) {
    if (untold.has(prefix) || span.unread.has(prefix)) continue
    const [was, is] = [span.before.get(prefix) ?? none, span.after.get(prefix) ?? none]
    for (const [key, object] of was) {
      const now = is.get(key)
      if (now === object) continue
      const thing = thingOf(object as AnyObject)
      if (now === undefined || (isBeingDeleted(now) && !isBeingDeleted(object))) {
        if (!span.named(thing)) found.push({ ...thing, verb: 'delete', changes: [] })
        continue
      }
      if (span.named(thing)) continue
      const changes = fieldChanges(object as AnyObject, now as AnyObject).filter(({ path }) => !path.startsWith('metadata.finalizers') && !path.startsWith('metadata.annotations'))
      if (changes.length > 0) found.push({ ...thing, verb: 'change', changes })
    }
    for (const [key, object] of is) {
      const thing = thingOf(object as AnyObject)
      if (!was.has(key) && !span.named(thing) && !isFurniture(span, thing) && prefix !== 'persistentvolumeclaims') found.push({ ...thing, verb: 'create', changes: [] })
    }
  }
  return found.toSorted(byThing)
}

const none: ReadonlyMap<string, AnyObject> = new Map()

export function thingOf({ kind = '', metadata }: Readonly<Pick<AnyObject, 'kind' | 'metadata'>>): Thing {
  return { kind, namespace: metadata.namespace ?? '', name: metadata.name ?? '' }
}

/** What every namespace gets. */
function isFurniture(_span: Span, { kind, name }: Thing): boolean {
  return (kind === 'ServiceAccount' && name === 'default') || (kind === 'ConfigMap' && name === 'kube-root-ca.crt')
}
