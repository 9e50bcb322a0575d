/**
 * The client over TLS: HTTP/2 to one server whose authority is pinned, signed in by a client certificate or a bearer
 * token. One connection carries all requests and watches; it is made when needed and anew when it broke or when
 * reload() says that credentials changed. What bytes go over it is connection.ts.
 */
import { ApiError, isApiError, type Status } from '../api/errors.ts'
import { apiVersionOf, keyOf, type AnyObject, type Key, type KubeObject } from '../api/meta.ts'
import type { KindRef } from '../api/kind.ts'
import type { DeleteOptions } from '../api/schema/types.ts'
import type { Ctx } from '../lib/ctx.ts'
import { withTimeout } from '../lib/ctx.ts'
import type { Client, List, ListOptions, PatchOptions, PatchType, Place, WatchEvent, WatchOptions, WriteOptions } from './client.ts'
import { Connection, Disconnected, type Answer, type ConnectionOptions, type Request } from './connection.ts'
import { lines, textOf } from './lines.ts'
import { listQuery, patchTypes, pathOf, watchQuery, withoutEmpty, writeQuery, type Query } from './query.ts'

/** A request that is not a stream ends after so long. */
const requestMs = 30_000
/** How often a request that was refused as too many (429 with Retry-After) is sent again. */
const refusedRetriesMax = 10

export interface RestClient extends Client {
  /** Any request; the answer's body is a stream. Throws ApiError for a status of 400 and above. */
  raw(ctx: Ctx, request: Request): Promise<Answer>
  /** New requests go over a new connection with fresh credentials; the old one ends when its requests have. */
  reload(): void
  close(): void
}

export function restClient(options: ConnectionOptions): RestClient {
  const connection = new Connection(options)
  const raw = (ctx: Ctx, request: Request): Promise<Answer> => send(ctx, connection, request)
  const json = <R>(ctx: Ctx, request: Request): Promise<R> =>
    withTimeout(ctx, requestMs, async (timed) => {
      const answer = await raw(timed, request)
      return JSON.parse(await textOf(answer.body)) as R
    })
  const write = <R>(ctx: Ctx, method: string, path: string, body: unknown, contentType = 'application/json'): Promise<R> =>
    json<R>(ctx, { method, path, headers: { 'content-type': contentType }, body: JSON.stringify(body) })

  return {
    raw,
    reload: () => connection.reload(),
    close: () => connection.close(),
    async get<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, key: Key, o: { readonly subresource?: string } = {}) {
      try {
        return await json<Readonly<T>>(ctx, { method: 'GET', path: pathOf(kind, { ...key, ...o }) })
      } catch (error) {
        if (isApiError(error, 'NotFound')) return undefined
        throw error
      }
    },
    ask<R>(ctx: Ctx, kind: KindRef, place: Place) {
      return json<R>(ctx, { method: 'GET', path: pathOf(kind, place, withoutEmpty(place.query ?? {})) })
    },
    async list<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, o: ListOptions = {}) {
      const list = await json<List<T>>(ctx, { method: 'GET', path: pathOf(kind, o.namespace === undefined ? {} : { namespace: o.namespace }, listQuery(o)) })
      const apiVersion = apiVersionOf(kind)
      // A list does not say the kind of its items; whoever reads an item should not need to know where it came from.
      return { ...list, items: (list.items ?? []).map((item) => ({ ...item, apiVersion, kind: kind.kind })) }
    },
    watch<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, o: WatchOptions = {}) {
      return watch<T>(ctx, raw, kind, o)
    },
    create<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, object: Readonly<T>, o: WriteOptions = {}) {
      const { namespace, name } = keyOf(object as T)
      const at = o.subresource === undefined ? { namespace } : { namespace, name, subresource: o.subresource }
      return write<Readonly<T>>(ctx, 'POST', pathOf(kind, at, writeQuery(o)), named(kind, object as T))
    },
    update<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, object: Readonly<T>, o: WriteOptions = {}) {
      return write<Readonly<T>>(ctx, 'PUT', pathOf(kind, at(keyOf(object as T), o), writeQuery(o)), named(kind, object as T))
    },
    patch<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, key: Key, type: PatchType, patch: unknown, o: PatchOptions = {}) {
      return write<Readonly<T>>(ctx, 'PATCH', pathOf(kind, at(key, o), writeQuery(o)), patch, patchTypes[type])
    },
    async delete(ctx: Ctx, kind: KindRef, key: Key, o: DeleteOptions = {}) {
      try {
        await write(ctx, 'DELETE', pathOf(kind, key), { kind: 'DeleteOptions', apiVersion: 'v1', ...o })
        return true
      } catch (error) {
        if (isApiError(error, 'NotFound')) return false
        throw error
      }
    },
    async deleteCollection(ctx: Ctx, kind: KindRef, o: ListOptions, deleteOptions: DeleteOptions = {}) {
      const path = pathOf(kind, o.namespace === undefined ? {} : { namespace: o.namespace }, listQuery(o))
      await write(ctx, 'DELETE', path, { kind: 'DeleteOptions', apiVersion: 'v1', ...deleteOptions })
    },
    post<R extends KubeObject = AnyObject>(ctx: Ctx, kind: KindRef, key: Key, subresource: string, body: Readonly<KubeObject>) {
      return write<Readonly<R>>(ctx, 'POST', pathOf(kind, { ...key, subresource }), body)
    },
  }
}

const at = (key: Key, o: WriteOptions): Key & { readonly subresource?: string } => (o.subresource === undefined ? key : { ...key, subresource: o.subresource })

function named(kind: KindRef, object: KubeObject): KubeObject {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object }
}

/** Sends; reads once more over a new connection when the old one broke under a read, and waits where the server asks to. */
async function send(ctx: Ctx, connection: Connection, request: Request): Promise<Answer> {
  for (let refused = 0, broken = 0; ; ) {
    ctx.signal.throwIfAborted()
    try {
      const answer = await connection.request(ctx, request)
      if (answer.status < 400) return answer
      const error = errorOf(answer.status, await textOf(answer.body), request)
      const waitS = Number(answer.headers['retry-after'] ?? error.details?.retryAfterSeconds ?? Number.NaN)
      if (answer.status !== 429 || Number.isNaN(waitS) || ++refused > refusedRetriesMax) throw error
      await ctx.clock.sleep(waitS * 1_000, ctx.signal)
    } catch (error) {
      if (!(error instanceof Disconnected) || !error.unsent && request.method !== 'GET' || ++broken > 1) throw error
    }
  }
}

/** The Status that the server sent, or one made of whatever stands there instead. */
function errorOf(code: number, body: string, request: Request): ApiError {
  try {
    const status = JSON.parse(body) as Partial<Status>
    if (status.kind === 'Status') return ApiError.from({ code, ...status })
  } catch {
    // Not JSON: a proxy's or a stream's own words.
  }
  const reason = code === 404 ? 'NotFound' : code === 401 ? 'Unauthorized' : code === 403 ? 'Forbidden' : code === 410 ? 'Gone' : code === 503 ? 'ServiceUnavailable' : ''
  return new ApiError({ code, reason, message: body.trim() === '' ? `${request.method} ${request.path}: answered ${code}` : body.trim().slice(0, 1_000) })
}

async function* watch<T extends KubeObject>(
  ctx: Ctx, raw: (ctx: Ctx, request: Request) => Promise<Answer>, kind: KindRef<T>, options: WatchOptions,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const query: Query = { watch: 'true', ...watchQuery(options) }
  const answer = await raw(ctx, { method: 'GET', path: pathOf(kind, options.namespace === undefined ? {} : { namespace: options.namespace }, query) })
  try {
    for await (const line of lines(answer.body)) yield JSON.parse(line) as WatchEvent<T>
  } catch (error) {
    if (!ctx.signal.aborted) throw error
  } finally {
    answer.cancel()
  }
}
