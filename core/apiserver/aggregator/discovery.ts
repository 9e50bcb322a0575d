/**
 * What aggregated API servers serve, kept for our own aggregated discovery: fetched when an APIService comes or changes
 * and every minute, in the aggregated form where the server has it, else in the old one; with its ETag; marked Stale and
 * empty while it cannot be had (kube-aggregator's discovery manager).
 */
import { apiVersionOf } from '../../api/meta.ts'
import type { APIResource, APIVersionDiscovery } from '../../api/schema/types.ts'
import { rootOf, type Aggregated, type Question, type RemoteApi } from '../../client/aggregated.ts'
import type { RemoteAnswer } from '../../client/remote.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { equalJson } from '../../lib/json.ts'
import type { Random } from '../../lib/random.ts'
import { WorkQueue } from '../../lib/workqueue.ts'
import { fromUtf8 } from '../exchange.ts'
import type { Registration, Registrations } from './registrations.ts'
import { resourcesOf } from './legacy.ts'

const refreshMs = 60_000
const timeoutMs = 5_000
const backoff = { firstMs: 500, maxMs: refreshMs }
const asker = { name: 'system:kube-aggregator', groups: ['system:masters'] }
const aggregatedAs = 'as=APIGroupDiscoveryList'
const acceptAggregated = ['v2', 'v2beta1'].map((v) => `application/json;g=apidiscovery.k8s.io;v=${v};${aggregatedAs}`).join(',')

/** What a server said of all its group-versions. */
interface Answer {
  readonly versions: ReadonlyMap<string, APIVersionDiscovery>
  readonly etag: string
  /** When it was asked for. */
  readonly at: number
}

export class RemoteDiscovery {
  readonly #registrations: Registrations
  readonly #aggregated: Aggregated
  readonly #queue: WorkQueue
  /** By APIService. */
  readonly #entries = new Map<string, APIVersionDiscovery>()
  /** When an APIService was last changed or fell due: answers asked for before do not count for it. */
  readonly #dirty = new Map<string, number>()
  /** By Service: one server may serve many group-versions. */
  readonly #answers = new Map<string, Answer>()
  readonly #listeners: (() => void)[] = []
  #version = 0

  constructor(ctx: Ctx, registrations: Registrations, aggregated: Aggregated, random: Random) {
    this.#registrations = registrations
    this.#aggregated = aggregated
    this.#queue = new WorkQueue({ clock: ctx.clock, random, backoff })
    const changed = (name: string): void => {
      this.#dirty.set(name, ctx.clock.monotonic())
      this.#queue.forget(name)
      this.#queue.add(name)
    }
    for (const { name } of registrations.remotes()) changed(name)
    registrations.onChange(changed)
  }

  /** Another number whenever an entry is another. */
  get version(): number {
    return this.#version
  }

  /** Called whenever an entry is another. */
  onChange(tell: () => void): void {
    this.#listeners.push(tell)
  }

  /** Undefined: it was not asked yet. */
  entry(name: string): APIVersionDiscovery | undefined {
    return this.#entries.get(name)
  }

  async run(ctx: Ctx): Promise<void> {
    await this.#queue.run(ctx, async (turn, name) => await this.#sync(turn, name), {
      workers: 2,
      failed: (name, error) => ctx.log.debug('no discovery of an aggregated server', { name, error }),
    })
  }

  async #sync(ctx: Ctx, name: string): Promise<void> {
    const registration = this.#registrations.named(name)
    if (registration?.remote === undefined) return this.#forget(name)
    const { version } = registration
    try {
      const found = (await this.#fetch(ctx, registration, registration.remote)).versions.get(apiVersionOf(registration))
      this.#set(name, { ...(found ?? { version }), version, freshness: 'Current' })
    } catch (error) {
      this.#set(name, { version, freshness: 'Stale' })
      throw error
    }
    this.#dirty.set(name, ctx.clock.monotonic() + refreshMs)
    this.#queue.after(name, refreshMs)
  }

  #set(name: string, entry: APIVersionDiscovery): void {
    if (equalJson(this.#entries.get(name), entry)) return
    this.#entries.set(name, entry)
    this.#changed()
  }

  #changed(): void {
    this.#version++
    for (const tell of this.#listeners) tell()
  }

  #forget(name: string): void {
    this.#dirty.delete(name)
    if (this.#entries.delete(name)) this.#changed()
    const used = new Set(this.#registrations.remotes().map(({ remote }) => (remote === undefined ? '' : serviceKey(remote))))
    for (const key of this.#answers.keys()) if (!used.has(key)) this.#answers.delete(key)
  }

  async #fetch(ctx: Ctx, { available, name }: Registration, api: RemoteApi): Promise<Answer> {
    const key = serviceKey(api)
    const known = this.#answers.get(key)
    if (known !== undefined && known.at > (this.#dirty.get(name) ?? 0)) return known
    if (!available) throw new Error(`service ${key} is not available`)
    const at = ctx.clock.monotonic()
    const question: Question = { user: asker, accept: acceptAggregated, timeoutMs, ...(known === undefined ? {} : { etag: known.etag }) }
    const answer = await this.#aggregated.ask(ctx, api, '/apis', question)
    if (answer.status === 304 && known !== undefined) return this.#keep(key, { ...known, at })
    if (answer.status === 503) throw new Error(`service ${key} returned non-success response code: 503`)
    if (answer.status === 200 && isAggregated(answer)) return this.#keep(key, { versions: versionsOf(answer), etag: answer.headers['etag'] ?? '', at })
    // The old form speaks of one group-version, so it is nobody else's answer.
    return { versions: new Map([[apiVersionOf(api), await this.#legacy(ctx, api)]]), etag: '', at }
  }

  async #legacy(ctx: Ctx, api: RemoteApi): Promise<APIVersionDiscovery> {
    const path = rootOf(api)
    const { status, body } = await this.#aggregated.ask(ctx, api, path, { user: asker, timeoutMs })
    if (status !== 200) throw new Error(`failed to download legacy discovery for ${path}: ${status}`)
    const { resources = [] } = JSON.parse(fromUtf8(body)) as { readonly resources?: readonly APIResource[] }
    return { version: api.version, resources: resourcesOf(resources) }
  }

  #keep(key: string, answer: Answer): Answer {
    this.#answers.set(key, answer)
    return answer
  }
}

function serviceKey({ service }: RemoteApi): string {
  return `${service.namespace}/${service.name}:${service.port}`
}

function isAggregated({ headers }: RemoteAnswer): boolean {
  const type = (headers['content-type'] ?? '').replaceAll(' ', '')
  return type.includes('g=apidiscovery.k8s.io') && type.includes(aggregatedAs)
}

interface Group {
  readonly metadata?: { readonly name?: string }
  readonly versions?: readonly APIVersionDiscovery[]
}

function versionsOf({ body }: RemoteAnswer): ReadonlyMap<string, APIVersionDiscovery> {
  const { items } = JSON.parse(fromUtf8(body)) as { readonly items?: readonly Group[] | null }
  const all = (items ?? []).flatMap(({ metadata, versions }) => (versions ?? []).map((of) => [apiVersionOf({ group: metadata?.name ?? '', version: of.version ?? '' }), filled(of)] as const))
  return new Map(all)
}

/** Old clients stumble over resources without a kind. */
function filled(of: APIVersionDiscovery): APIVersionDiscovery {
  const none = { group: '', version: '', kind: '' }
  return {
    ...of,
    resources: (of.resources ?? []).map((resource) => ({
      ...resource,
      responseKind: resource.responseKind ?? none,
      ...(resource.subresources === undefined ? {} : { subresources: resource.subresources.map((sub) => ({ ...sub, responseKind: sub.responseKind ?? none })) }),
    })),
  }
}
