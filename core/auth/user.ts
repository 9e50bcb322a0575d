/** Who asks, what is asked, and the two questions put about it. The answers are given in authn/ and authz/. */
import type { Ctx } from '../lib/ctx.ts'

export interface User {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** What a request shows of its sender. Certificates come verified: their chain and validity were checked against the client CA. */
export interface Credentials {
  /** Subject of the verified client certificate. */
  readonly certificate?: { readonly commonName: string; readonly organizations: readonly string[]; readonly fingerprint: string }
  readonly bearerToken?: string
  /** There when the connection is a front proxy's. */
  readonly frontProxy?: FrontProxyClaim
  /** There when the request carries cookies. */
  readonly browser?: BrowserRequest
}

/** Whom a front proxy speaks for. Its certificate was checked against the request-header CA. */
export interface FrontProxyClaim {
  /** Common name of its certificate. */
  readonly proxy: string
  /** Undefined: it names nobody. */
  readonly user: User | undefined
}

/** What tells a request of the dashboard from one that another site caused; web/sessions.ts judges it. */
export interface BrowserRequest {
  /** The Cookie header. */
  readonly cookie: string
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Sec-Fetch-Site. */
  readonly site?: string | undefined
  /** x-kubun-ui. */
  readonly marker?: string | undefined
}

export interface Authenticator {
  /** undefined: this way of signing in was not used; 'invalid': it was, and does not hold. */
  authenticate(ctx: Ctx, credentials: Credentials): Promise<User | 'invalid' | undefined>
}

/** The question that authorization answers (authorization.k8s.io ResourceAttributes and NonResourceAttributes). */
export type Attributes = ResourceAttributes | PathAttributes

export interface ResourceAttributes {
  readonly type: 'resource'
  readonly user: User
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  /** Raw selectors of list, watch and deletecollection, which the node authorizer reads. */
  readonly fieldSelector?: string
  readonly labelSelector?: string
}

export interface PathAttributes {
  readonly type: 'path'
  readonly user: User
  readonly verb: string
  readonly path: string
}

export interface Decision {
  readonly answer: 'allow' | 'deny' | 'no opinion'
  readonly reason: string
  /** What went wrong on the way; stands beside any answer. */
  readonly error?: string
}

export interface Authorizer {
  authorize(attributes: Attributes): Decision | Promise<Decision>
}
