/**
 * The OpenAPI documents of aggregated API servers: which group-versions they describe in version 3 (the documents
 * themselves are passed on, asked for by the user), and their part of the one document of version 2. Asked for when an
 * APIService comes and every minute, with ETags (kube-aggregator/pkg/controllers/openapi, openapiv3).
 */
import { createHash } from 'node:crypto'
import type { Aggregated, Question, RemoteApi } from '../../client/aggregated.ts'
import type { RemoteAnswer } from '../../client/remote.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { equalJson } from '../../lib/json.ts'
import type { Random } from '../../lib/random.ts'
import { WorkQueue } from '../../lib/workqueue.ts'
import { fromUtf8 } from '../exchange.ts'
import { newer } from './newer.ts'
import { partOf, type Swagger } from './swagger.ts'
import type { Registration, Registrations } from './registrations.ts'

const firstMs = 1_000
const refreshMs = 60_000
const backoff = { firstMs: refreshMs, maxMs: 3_600_000 }
const timeoutMs = 60_000
const asker = { name: 'system:aggregator', groups: [] }

/** `serverRelativeURL` carries the hash of the document. */
interface IndexEntry {
  readonly serverRelativeURL: string
}

interface Known {
  readonly index: Readonly<Record<string, IndexEntry>>
  /** Of version 2, what is under the group-version. */
  readonly swagger: Swagger | undefined
  readonly etag: string
  /** Made of version 2 where the server has no version 3: served here. */
  readonly made?: Made
}

interface Made {
  /** Of the index. */
  readonly path: string
  readonly hash: string
  readonly text: string
}

const nothing: Known = { index: {}, swagger: undefined, etag: '' }

export class RemoteOpenApi {
  readonly #registrations: Registrations
  readonly #aggregated: Aggregated
  readonly #queue: WorkQueue
  /** By APIService. */
  readonly #known = new Map<string, Known>()
  #version = 0

  constructor(ctx: Ctx, registrations: Registrations, aggregated: Aggregated, random: Random) {
    this.#registrations = registrations
    this.#aggregated = aggregated
    this.#queue = new WorkQueue({ clock: ctx.clock, random, backoff })
    const changed = (name: string): void => {
      this.#queue.forget(name)
      this.#queue.after(name, firstMs)
    }
    for (const { name } of registrations.remotes()) changed(name)
    registrations.onChange(changed)
  }

  /** Another number whenever something here is another. */
  get version(): number {
    return this.#version
  }

  /** The entries of version 3 that others describe. */
  index(): ReadonlyMap<string, IndexEntry> {
    return new Map([...this.#known.values()].flatMap(({ index }) => Object.entries(index)))
  }

  /** Who describes this entry (`apis/example.com/v1`). */
  describer(path: string): Registration | undefined {
    for (const [name, { index, made }] of this.#known) if (Object.hasOwn(index, path) && made === undefined) return this.#registrations.named(name)
    return undefined
  }

  /** The entry's document, where it is made here. */
  made(path: string): Made | undefined {
    for (const { made } of this.#known.values()) if (made?.path === path) return made
    return undefined
  }

  /** Those first that stand first in discovery. */
  swaggers(): readonly Swagger[] {
    return this.#registrations.remotes()
      .toSorted((a, b) => b.priority.group - a.priority.group || b.priority.version - a.priority.version || (a.name < b.name ? -1 : 1))
      .map(({ name }) => this.#known.get(name)?.swagger)
      .filter((swagger) => swagger !== undefined)
  }

  async run(ctx: Ctx): Promise<void> {
    await this.#queue.run(ctx, async (turn, name) => await this.#sync(turn, name), {
      workers: 2,
      failed: (name, error) => ctx.log.debug('no OpenAPI of an aggregated server', { name, error }),
    })
  }

  async #sync(ctx: Ctx, name: string): Promise<void> {
    const registration = this.#registrations.named(name)
    if (registration?.remote === undefined) {
      if (this.#known.delete(name)) this.#version++
      return
    }
    if (!registration.available) return // its next change comes here again
    const prev = this.#known.get(name) ?? nothing
    const [index, swagger] = [await this.#index(ctx, registration.remote), await this.#swagger(ctx, registration.remote, prev)]
    const made = index === undefined && swagger.swagger !== undefined ? madeOf(registration.remote, swagger.swagger) : undefined
    const next: Known = {
      index: index ?? (made === undefined ? {} : { [made.path]: { serverRelativeURL: `/openapi/v3/${made.path}?hash=${made.hash}` } }),
      swagger: swagger.swagger, etag: swagger.etag,
      ...(made === undefined ? {} : { made }),
    }
    this.#known.set(name, next)
    if (next.swagger !== prev.swagger || !equalJson(next.index, prev.index)) this.#version++
    this.#queue.after(name, refreshMs)
  }

  /** Undefined: it has version 2 at most. */
  async #index(ctx: Ctx, api: RemoteApi): Promise<Known['index'] | undefined> {
    const answer = await this.#ask(ctx, api, '/openapi/v3')
    if (answer.status === 404) return undefined
    expect200(answer)
    return (JSON.parse(fromUtf8(answer.body)) as { readonly paths?: Known['index'] }).paths ?? {}
  }

  async #swagger(ctx: Ctx, api: RemoteApi, prev: Known): Promise<Pick<Known, 'swagger' | 'etag'>> {
    const answer = await this.#ask(ctx, api, '/openapi/v2', prev.etag)
    if (answer.status === 304) return prev
    if (answer.status === 404) return nothing
    expect200(answer)
    const whole = JSON.parse(fromUtf8(answer.body)) as Swagger
    return { swagger: partOf(whole, `/apis/${api.group}/${api.version}/`), etag: answer.headers['etag'] ?? '' }
  }

  async #ask(ctx: Ctx, api: RemoteApi, path: string, etag = ''): Promise<RemoteAnswer> {
    const question: Question = { user: asker, timeoutMs, ...(etag === '' ? {} : { etag }) }
    return await this.#aggregated.ask(ctx, api, path, question)
  }
}

function madeOf({ group, version }: RemoteApi, swagger: Swagger): Made {
  const text = JSON.stringify(newer(swagger))
  return { path: `apis/${group}/${version}`, hash: createHash('sha512').update(text).digest('hex').toUpperCase(), text }
}

function expect200({ status }: RemoteAnswer): void {
  if (status !== 200) throw new Error(`failed to retrieve openAPI spec, http error: ${status}`)
}
