/** The client of parts that run in the server's own process: calls into the same chain as every request, under its own identity. */
import { isApiError } from '../api/errors.ts'
import type { KindRef } from '../api/kind.ts'
import { keyOf, type AnyObject, type Key, type KubeObject } from '../api/meta.ts'
import type { DeleteOptions } from '../api/schema/types.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Client, List, ListOptions, PatchOptions, PatchType, Place, WatchEvent, WatchOptions, WriteOptions } from './client.ts'
import type { Call, Identity, InProcessApi } from './inprocess.ts'
import { listQuery, patchTypes, watchQuery, withoutEmpty, writeQuery } from './query.ts'
import { EventStream } from './stream.ts'

export function loopbackClient(api: InProcessApi, who: Identity): Client {
  const call = async <R>(ctx: Ctx, init: Pick<Call, 'verb' | 'kind'> & Partial<Call>): Promise<R> => {
    ctx.signal.throwIfAborted()
    return (await api.call(ctx, who, { namespace: '', name: '', subresource: '', query: {}, ...init })) as R
  }
  const place = (kind: KindRef, key: Key): Pick<Call, 'namespace' | 'name'> => ({ namespace: kind.namespaced ? key.namespace : '', name: key.name })

  return {
    async get<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, key: Key, options: { readonly subresource?: string } = {}) {
      try {
        return await call<Readonly<T>>(ctx, { verb: 'get', kind, ...place(kind, key), subresource: options.subresource ?? '' })
      } catch (error) {
        if (isApiError(error, 'NotFound')) return undefined
        throw error
      }
    },
    ask<R>(ctx: Ctx, kind: KindRef, { name = '', namespace = '', subresource = '', query = {} }: Place) {
      return call<R>(ctx, { verb: name === '' ? 'list' : 'get', kind, namespace, name, subresource, query: withoutEmpty(query) })
    },
    list<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, options: ListOptions = {}) {
      return call<List<T>>(ctx, { verb: 'list', kind, namespace: options.namespace ?? '', query: listQuery(options) })
    },
    watch<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, options: WatchOptions = {}) {
      return watch<T>(ctx, api, who, kind, options)
    },
    create<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, object: Readonly<T>, options: WriteOptions = {}) {
      const namespace = kind.namespaced ? (object.metadata.namespace ?? '') : ''
      const name = options.subresource === undefined ? '' : (object.metadata.name ?? '')
      return call<Readonly<T>>(ctx, { verb: 'create', kind, namespace, name, subresource: options.subresource ?? '', query: writeQuery(options), body: object })
    },
    update<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, object: Readonly<T>, options: WriteOptions = {}) {
      return call<Readonly<T>>(ctx, { verb: 'update', kind, ...place(kind, keyOf(object as T)), subresource: options.subresource ?? '', query: writeQuery(options), body: object })
    },
    patch<T extends KubeObject>(ctx: Ctx, kind: KindRef<T>, key: Key, type: PatchType, patch: unknown, options: PatchOptions = {}) {
      const query = writeQuery(options)
      return call<Readonly<T>>(ctx, {
        verb: 'patch', kind, ...place(kind, key), subresource: options.subresource ?? '', query, body: patch, patchType: patchTypes[type],
      })
    },
    async delete(ctx: Ctx, kind: KindRef, key: Key, options: DeleteOptions = {}) {
      try {
        await call(ctx, { verb: 'delete', kind, ...place(kind, key), body: options })
        return true
      } catch (error) {
        if (isApiError(error, 'NotFound')) return false
        throw error
      }
    },
    async deleteCollection(ctx: Ctx, kind: KindRef, options: ListOptions, deleteOptions: DeleteOptions = {}) {
      await call(ctx, { verb: 'deletecollection', kind, namespace: options.namespace ?? '', query: listQuery(options), body: deleteOptions })
    },
    post<R extends KubeObject = AnyObject>(ctx: Ctx, kind: KindRef, key: Key, subresource: string, body: Readonly<KubeObject>) {
      return call<Readonly<R>>(ctx, { verb: 'create', kind, ...place(kind, key), subresource, body })
    },
  }
}

async function* watch<T extends KubeObject>(
  ctx: Ctx, api: InProcessApi, who: Identity, kind: KindRef<T>, options: WatchOptions,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const stream = new EventStream<WatchEvent<T>>()
  const stop = (): void => stream.end()
  ctx.signal.addEventListener('abort', stop, { once: true })
  try {
    ctx.signal.throwIfAborted()
    const call = { kind, namespace: options.namespace ?? '', query: { watch: 'true', ...watchQuery(options) } }
    const handle = await api.watch(ctx, who, call, {
      event: (type, object) => stream.push({ type, object: object as Readonly<T> }),
      end: stop,
    })
    try {
      yield* stream
    } finally {
      handle.stop()
    }
  } finally {
    ctx.signal.removeEventListener('abort', stop)
  }
}
