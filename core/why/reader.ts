/**
 * Reads the cluster with the rights of who asks, each thing once. What may not be read is noted and is 'unreadable'; it is
 * never taken for absent. Decides nothing.
 */
import { isApiError } from '../api/errors.ts'
import { events } from '../api/core/event.ts'
import { isBeingDeleted, type KubeObject } from '../api/meta.ts'
import type { KindRef } from '../api/kind.ts'
import type { Event } from '../api/schema/types.ts'
import type { Client } from '../client/client.ts'
import type { Ctx } from '../lib/ctx.ts'
import { defaultProfile, type ProfileMaker } from '../scheduler/plugins.ts'

export interface LogPlace {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  /** Of the container that ran before this one. */
  readonly previous: boolean
  readonly lines: number
}

export interface ReaderOptions {
  /** Of the cluster's scheduler; the one that it has by default, where nothing is said. */
  readonly profiles?: readonly ProfileMaker[]
  /** The last lines of a container. Throws ApiError. */
  readonly logs?: (ctx: Ctx, place: LogPlace) => Promise<string>
}

export type Read<T> = Readonly<T> | 'absent' | 'unreadable'

/** Logs of one question: what many pods crash with, a few show. */
const logsMax = 4

export class Reader {
  readonly ctx: Ctx
  readonly client: Client
  readonly profiles: readonly ProfileMaker[]
  readonly unread = new Set<string>()
  readonly #logs: ReaderOptions['logs']
  #logsLeft = logsMax
  readonly #lists = new Map<string, Promise<readonly Readonly<KubeObject>[] | undefined>>()
  readonly #objects = new Map<string, Promise<Read<KubeObject>>>()

  constructor(ctx: Ctx, client: Client, options: ReaderOptions = {}) {
    this.ctx = ctx
    this.client = client
    this.#logs = options.logs
    this.profiles = options.profiles ?? [defaultProfile]
  }

  get now(): number {
    return this.ctx.clock.now()
  }

  async get<T extends KubeObject>(kind: KindRef<T>, name: string, namespace = ''): Promise<Read<T>> {
    const id = `${kind.group}/${kind.plural}/${namespace}/${name}`
    const known = this.#objects.get(id) ?? this.#ask(`${kind.plural} ${namespace === '' ? '' : `in ${namespace}`}`, async () => (await this.client.get(this.ctx, kind, { namespace, name })) ?? 'absent')
    this.#objects.set(id, known as Promise<Read<KubeObject>>)
    return (await known) as Read<T>
  }

  /** Undefined: it may not be read. '' is all namespaces. */
  async list<T extends KubeObject>(kind: KindRef<T>, namespace = '', fieldSelector = ''): Promise<readonly Readonly<T>[] | undefined> {
    const id = `${kind.group}/${kind.plural}/${namespace}/${fieldSelector}`
    const where = !kind.namespaced ? '' : namespace === '' ? 'of all namespaces' : `in ${namespace}`
    const known = this.#lists.get(id) ?? this.#ask(`${kind.plural} ${where}`, async () => (await this.client.list(this.ctx, kind, { namespace, ...(fieldSelector === '' ? {} : { fieldSelector }) })).items).then((items) => (typeof items === 'string' ? undefined : items))
    this.#lists.set(id, known)
    return (await known) as readonly Readonly<T>[] | undefined
  }

  /** What was told about the object lately, the latest first. */
  async eventsOf(object: Readonly<KubeObject>): Promise<readonly Readonly<Event>[]> {
    const { uid = '', namespace = '', name = '' } = object.metadata
    // Who tells of a node gives its name for a uid, or the uid.
    const selector = namespace === '' ? `involvedObject.name=${name}` : `involvedObject.uid=${uid}`
    const found = (await this.list(events, namespace, selector)) ?? []
    return found.toSorted((a, b) => timeOf(b) - timeOf(a) || (b.count ?? 0) - (a.count ?? 0))
  }

  /** Undefined: there are none, or nobody can or may give them. */
  async log(place: LogPlace): Promise<readonly string[] | undefined> {
    if (this.#logs === undefined || this.#logsLeft <= 0) return undefined
    this.#logsLeft--
    const text = await this.#ask(`logs of pods in ${place.namespace}`, () => this.#logs?.(this.ctx, place) ?? Promise.resolve('')).catch(() => {
      this.#logsLeft = 0 // a node that does not answer is not asked again and again
      return ''
    })
    const lines = text === 'unreadable' ? [] : text.split('\n').filter((line) => line.trim() !== '')
    return lines.length === 0 ? undefined : lines.slice(-place.lines)
  }

  async #ask<T>(what: string, read: () => Promise<T>): Promise<T | 'unreadable'> {
    try {
      return await read()
    } catch (error) {
      if (!isApiError(error, 'Forbidden')) throw error
      this.unread.add(what.trim())
      return 'unreadable'
    }
  }
}

export function timeOf(event: Readonly<Event>): number {
  const at = event.lastTimestamp ?? event.series?.lastObservedTime ?? event.eventTime ?? event.firstTimestamp ?? event.metadata.creationTimestamp
  return at === undefined || at === null ? 0 : Date.parse(at)
}

/** There and meant to stay. */
export function isThere<T extends KubeObject>(read: Read<T>): read is Readonly<T> {
  return typeof read !== 'string' && !isBeingDeleted(read)
}
