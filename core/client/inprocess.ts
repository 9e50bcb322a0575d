/**
 * How a client in the same process reaches the API server: the same chain as a
 * request over TLS (authorization, admission, registry), but objects stay
 * objects. The API server implements this; loopback.ts is the Client over it.
 */
import type { Ctx } from '../lib/ctx.ts'
import type { KindRef } from '../api/kind.ts'
import type { KubeObject } from '../api/meta.ts'

/** The identity a part of Kubun acts under; its rights come from RBAC like everybody's. */
export interface Identity {
  readonly name: string
  readonly groups: readonly string[]
  /** Of somebody for whom a part asks: what authorizers may look at besides. */
  readonly uid?: string
  readonly extra?: Readonly<Record<string, readonly string[]>>
  /** Shown as User-Agent in audit and field ownership. */
  readonly agent: string
}

export type CallVerb = 'get' | 'list' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

export interface Call {
  readonly verb: CallVerb
  readonly kind: KindRef
  /** '' for cluster scope or all namespaces. */
  readonly namespace: string
  readonly name: string
  readonly subresource: string
  /** Query parameters exactly as in a URL: labelSelector, resourceVersion, dryRun, fieldManager, ... */
  readonly query: Readonly<Record<string, string>>
  /** The object (create, update), DeleteOptions (delete), or the patch document. The callee copies before it changes. */
  readonly body?: unknown
  /** Content type of a patch, e.g. application/merge-patch+json. */
  readonly patchType?: string
}

export interface WatchCall {
  readonly kind: KindRef
  readonly namespace: string
  readonly query: Readonly<Record<string, string>>
}

export interface WatchSink {
  /** Called in order; must not wait. Objects are shared and frozen to the callee's eyes. */
  event(type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR', object: Readonly<KubeObject>): void
  /** The server ended the watch (timeout, fell behind, shutdown). */
  end(): void
}

export interface InProcessApi {
  /** The answer's object, list or Status; throws ApiError. */
  call(ctx: Ctx, who: Identity, call: Call): Promise<unknown>
  /** Starts a watch; resolves once it is accepted. stop() ends it; ctx ending does too. Throws ApiError. */
  watch(ctx: Ctx, who: Identity, call: WatchCall, sink: WatchSink): Promise<{ stop(): void }>
}
