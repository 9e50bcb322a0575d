/**
 * Resource quotas, counted again: what objects of a namespace use of each quota, as status says it. Admission charges a
 * quota before a write; here it is given back when objects go or change, and mended when it was wrong
 * (pkg/controller/resourcequota). What uses how much is core/api/core/quota.ts.
 */
import { addAll, onlyNames, resourcesOfKind, scopesSelect, usageOf, type Quantities } from '../api/core/quota.ts'
import { resourceQuotas } from '../api/core/resourcequota.ts'
import { kindId, type Kind } from '../api/kind.ts'
import type { AnyObject } from '../api/meta.ts'
import { canonicalText, compareQuantities } from '../api/quantity.ts'
import type { ResourceQuota } from '../api/schema/types.ts'
import type { Informer } from '../client/informer.ts'
import { equalJson } from '../lib/json.ts'
import type { Controller, Env } from './controller.ts'
import { itself } from './run.ts'

/** All is counted again so often: time alone ends the charge of a pod that should have gone. */
const resyncMs = 300_000
/** A quota that was charged a moment ago may be charged for an object that no lister shows yet: nothing is given back so soon. */
const settleMs = 500
/** A charge for an object that never came to be is given back after so long. */
const leftoverMs = 10_000

export const resourceQuotaController: Controller = {
  name: 'resourcequota-controller',
  workers: 5,
  setUp(env) {
    const lister = env.read(resourceQuotas)
    const count = (quotas: readonly Readonly<ResourceQuota>[]): void => quotas.flatMap(itself).forEach((key) => env.queue.add(key))
    env.informers.of(resourceQuotas).on({
      added: (quota) => count([quota]),
      updated: (quota) => (same(quota.spec?.hard ?? {}, quota.status?.hard) ? itself(quota).forEach((key) => env.queue.after(key, leftoverMs)) : count([quota])),
      deleted: (quota) => count([quota]),
    })
    const counted = new Counted(env, (namespace) => count(lister.list(namespace)))
    env.settings.onKinds?.(() => count(lister.list()))
    const seen = new Map<string, { readonly version: string | undefined; readonly at: number }>()
    return async (ctx, key, client) => {
      const quota = lister.at(key)
      if (quota === undefined) return void seen.delete(key)
      const version = quota.metadata.resourceVersion
      if (seen.get(key)?.version !== version) seen.set(key, { version, at: env.clock.now() })
      const names = Object.keys(quota.spec?.hard ?? {})
      const followed = counted.follow(names)
      if (followed.some(({ informer }) => !informer.hasSynced)) return env.queue.after(key, settleMs)
      const used = usedOf(quota, followed, env.clock.now())
      const ageMs = env.clock.now() - (seen.get(key)?.at ?? 0)
      if (ageMs < settleMs && givesBack(quota.status?.used ?? {}, used)) return env.queue.after(key, settleMs - ageMs)
      const status = { hard: { ...quota.spec?.hard }, used }
      env.queue.after(key, resyncMs)
      if (same(status.hard, quota.status?.hard) && same(used, quota.status?.used)) return
      await client.update(ctx, resourceQuotas, { ...quota, status }, { subresource: 'status' })
    }
  },
}

interface Followed {
  readonly kind: Kind
  readonly informer: Informer<AnyObject>
}

/** The kinds that some quota limits, each followed from when the first one did. */
class Counted {
  readonly #env: Env
  readonly #changed: (namespace: string) => void
  readonly #followed = new Map<string, Followed>()

  constructor(env: Env, changed: (namespace: string) => void) {
    this.#env = env
    this.#changed = changed
  }

  follow(names: readonly string[]): readonly Followed[] {
    const found: Followed[] = []
    const prefixes = new Set<string>() // versions of one kind are counted once
    for (const kind of this.#env.settings.kinds()) {
      if (!kind.namespaced || !kind.stored || prefixes.has(kind.prefix) || resourcesOfKind(kind, names).length === 0) continue
      prefixes.add(kind.prefix)
      found.push(this.#of(kind))
    }
    return found
  }

  #of(kind: Kind): Followed {
    const known = this.#followed.get(kindId(kind))
    const informer = this.#env.informers.of<AnyObject>(kind)
    if (known?.informer === informer) return known // a custom kind may have gone and come again
    const followed = { kind, informer }
    this.#followed.set(kindId(kind), followed)
    const usage = (object: Readonly<AnyObject>): Quantities => usageOf(kind, object, this.#env.clock.now())
    informer.on({
      updated: (next, prev) => (mayChangeUsage(kind) && !equalJson(usage(next), usage(prev)) ? this.#changed(next.metadata.namespace ?? '') : undefined),
      deleted: (object) => this.#changed(object.metadata.namespace ?? ''),
    })
    return followed
  }
}

/** Everything else counts as one from its first to its last day. */
function mayChangeUsage(kind: Kind): boolean {
  return kind.group === '' && ['pods', 'services', 'persistentvolumeclaims'].includes(kind.plural)
}

function usedOf(quota: Readonly<ResourceQuota>, followed: readonly Followed[], now: number): Record<string, string> {
  const names = Object.keys(quota.spec?.hard ?? {})
  let used: Quantities = {}
  for (const { kind, informer } of followed) {
    const own = resourcesOfKind(kind, names)
    used = addAll(used, Object.fromEntries(own.map((name) => [name, '0'])))
    for (const object of informer.lister.list(quota.metadata.namespace)) {
      if (scopesSelect(quota, kind, object)) used = addAll(used, onlyNames(usageOf(kind, object, now), own))
    }
  }
  return Object.fromEntries(Object.entries(used).map(([name, quantity]) => [name, canonicalText(quantity)]))
}

function givesBack(was: Quantities, used: Quantities): boolean {
  return Object.entries(used).some(([name, quantity]) => was[name] !== undefined && compareQuantities(quantity, was[name]) < 0)
}

function same(a: Quantities, b: Quantities | undefined): boolean {
  const names = Object.keys(a)
  return b !== undefined && names.length === Object.keys(b).length && names.every((name) => b[name] !== undefined && compareQuantities(a[name] ?? 0, b[name]) === 0)
}

