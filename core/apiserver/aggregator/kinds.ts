/** What aggregated API servers serve, as this server's own parts see it: kinds of those that answer, and the names of those that do not. */
import { defineKind, type Kind, type Verb } from '../../api/kind.ts'
import { apiVersionOf } from '../../api/meta.ts'
import type { APIResourceDiscovery } from '../../api/schema/types.ts'
import type { RemoteDiscovery } from './discovery.ts'
import type { Registration, Registrations } from './registrations.ts'

export class RemoteKinds {
  readonly #registrations: Registrations
  readonly #discovery: RemoteDiscovery
  #version = -1
  #kinds: readonly Kind[] = []

  constructor(registrations: Registrations, discovery: RemoteDiscovery) {
    this.#registrations = registrations
    this.#discovery = discovery
  }

  /** The same list as long as nothing is another. */
  kinds(): readonly Kind[] {
    const version = this.#registrations.version + this.#discovery.version
    if (version === this.#version) return this.#kinds
    this.#version = version
    this.#kinds = this.#registrations.remotes().flatMap((of) => (this.#isStale(of) ? [] : (this.#discovery.entry(of.name)?.resources ?? []).map((resource) => kindOf(of, resource))))
    return this.#kinds
  }

  /** Group-versions of which nobody can say now what is in them. */
  stale(): readonly string[] {
    return this.#registrations.remotes().filter((of) => this.#isStale(of)).map(apiVersionOf)
  }

  #isStale({ name }: Registration): boolean {
    return this.#discovery.entry(name)?.freshness !== 'Current'
  }
}

function kindOf({ group, version }: Registration, { resource, responseKind, scope, singularResource, verbs }: APIResourceDiscovery): Kind {
  return defineKind({
    group,
    version,
    kind: responseKind?.kind ?? '',
    plural: resource,
    singular: singularResource,
    namespaced: scope === 'Namespaced',
    verbs: verbs as readonly Verb[],
  })
}
