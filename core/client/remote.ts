/**
 * Servers that are not ours: webhooks, conversion webhooks, aggregated API servers, reached by URL or by the name of a
 * Service, with a CA bundle of their own. What is said to them is their callers'.
 */
import type { Ctx } from '../lib/ctx.ts'

/** Where a server is, as WebhookClientConfig and APIService say it. */
export interface RemoteTarget {
  readonly url?: string
  readonly service?: { readonly namespace: string; readonly name: string; readonly path?: string; readonly port?: number }
  /** Base64 of PEM, as it stands in objects; undefined: the machine's own authorities. */
  readonly caBundle?: string
  readonly insecureSkipTlsVerify?: boolean
}

export interface RemoteAnswer {
  readonly status: number
  readonly body: Uint8Array
}

/** Whoever calls webhooks is handed one of these. */
export interface Remote {
  /** POSTs JSON. Throws Error that names the cause (no endpoints, TLS, time) in upstream's words; the answer may have any status. */
  post(ctx: Ctx, target: RemoteTarget, body: object, options: { readonly timeoutMs: number; readonly query?: Readonly<Record<string, string>> }): Promise<RemoteAnswer>
}

/** Turns a Service and one of its ports into an address that a connection can be made to: that of a ready endpoint, chosen by chance. */
export interface ServiceResolver {
  /** Throws ApiError (404 for no Service, 503 for no endpoints), as upstream's proxy package does. */
  resolve(namespace: string, name: string, port: number): { readonly host: string; readonly port: number }
}
