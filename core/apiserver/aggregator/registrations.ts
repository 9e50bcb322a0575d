/**
 * The APIServices as routing and discovery read them: which group-versions others serve, whether they are available,
 * and where each wants to stand. Follows the registry's own cache, so that what was acknowledged counts for the next
 * request.
 */
import { apiServices } from '../../api/apiregistration/apiservice.ts'
import { isAvailable } from '../../api/apiregistration/conditions.ts'
import type { Placed } from '../../api/apiregistration/priorities.ts'
import type { APIService } from '../../api/schema/types.ts'
import type { Change, Changes } from '../../auth/lookup.ts'
import { remoteApiOf, type RemoteApi } from '../../client/aggregated.ts'
import { equalJson } from '../../lib/json.ts'

export interface Registration extends Placed {
  /** Of the APIService. */
  readonly name: string
  /** Undefined: served here, or nowhere. */
  readonly remote: RemoteApi | undefined
  readonly available: boolean
}

/** Groups that are never somebody else's: the core group, by which this server itself lives, and the one of APIServices. */
const ownGroups: ReadonlySet<string> = new Set(['', 'apiregistration.k8s.io'])

export class Registrations {
  readonly #byName = new Map<string, Registration>()
  /** group/version -> who serves it, where that is not this server. */
  readonly #remotes = new Map<string, Registration>()
  readonly #listeners: ((name: string) => void)[] = []
  #version = 0

  constructor(changes: Changes) {
    changes.follow(apiServices, (change) => this.#apply(change))
  }

  /** Another number whenever group-versions, their places or servers are others. */
  get version(): number {
    return this.#version
  }

  all(): readonly Registration[] {
    return [...this.#byName.values()]
  }

  /** By the APIService's name. */
  named(name: string): Registration | undefined {
    return this.#byName.get(name)
  }

  remotes(): readonly Registration[] {
    return [...this.#remotes.values()]
  }

  /** Who else serves the group-version. */
  remote(group: string, version: string): Registration | undefined {
    return this.#remotes.size === 0 ? undefined : this.#remotes.get(`${group}/${version}`)
  }

  /** The remote that a path leads to: `/apis/GROUP/VERSION` and all below. */
  ofPath(path: string): Registration | undefined {
    if (this.#remotes.size === 0 || !path.startsWith('/apis/')) return undefined
    const [, , group = '', version = ''] = path.split('/', 4)
    return this.#remotes.get(`${group}/${version}`)
  }

  /** Called with the name of every APIService that came, changed or went. */
  onChange(tell: (name: string) => void): void {
    this.#listeners.push(tell)
  }

  #apply({ type, object }: Change<APIService>): void {
    const name = object.metadata.name ?? ''
    const prev = this.#byName.get(name)
    const next = type === 'delete' ? undefined : registrationOf(object)
    if (prev !== undefined) this.#remotes.delete(`${prev.group}/${prev.version}`)
    if (next === undefined) this.#byName.delete(name)
    else this.#byName.set(name, next)
    if (next?.remote !== undefined) this.#remotes.set(`${next.group}/${next.version}`, next)
    if (equalJson(prev, next)) return
    this.#version++
    for (const tell of this.#listeners) tell(name)
  }
}

function registrationOf(object: Readonly<APIService>): Registration {
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0 } = object.spec ?? {}
  return {
    name: object.metadata.name ?? '',
    group,
    version,
    priority: { group: groupPriorityMinimum, version: versionPriority },
    remote: ownGroups.has(group) ? undefined : remoteApiOf(object),
    available: isAvailable(object),
  }
}
