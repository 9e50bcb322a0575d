/**
 * What the API server is built from, handed in by the composition root (core/server.ts), and the value of a request
 * on its way through: who asks, for what, and how the body is read. Transport is server.ts and exchange.ts.
 */
import type { Ctx } from '../lib/ctx.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Random } from '../lib/random.ts'
import type { CustomRules, Kind } from '../api/kind.ts'
import type { AnyObject } from '../api/meta.ts'
import type { Item, ListResult, Registry } from '../registry/registry.ts'
import type { Authenticator, Authorizer, User } from '../auth/user.ts'
import type { Descriptions } from '../api/schema/descriptions.ts'
import type { BearerTokens } from '../auth/authn/bearer.ts'
import type { ServiceAccountTokens } from '../auth/authn/serviceaccount.ts'
import type { RulesStatus } from '../auth/authz/authorizers.ts'
import type { AdmissionRequest } from '../admission/plugin.ts'
import type { Aggregator } from './aggregator/aggregator.ts'
import type { Audit } from './audit/audit.ts'
import type { FlowControl } from './flowcontrol/flowcontrol.ts'
import type { RequestInfo } from './request.ts'

/** Every admission plugin as one: throws ApiError to refuse. */
export interface AdmissionChain {
  mutate(ctx: Ctx, request: AdmissionRequest): Promise<void>
  validate(ctx: Ctx, request: AdmissionRequest): Promise<void>
}

/** What a user may do in a namespace (SelfSubjectRulesReview). */
export interface RulesFor {
  rulesFor(user: User, namespace: string): RulesStatus
}

/** Tokens of every sort are reviewed (TokenReview), those of service accounts made (TokenRequest). */
export interface Tokens extends Pick<ServiceAccountTokens, 'request'>, Pick<BearerTokens, 'review'> {
  /** Audiences that mean this API server. */
  readonly audiences: readonly string[]
}

export interface VersionInfo {
  readonly gitVersion: string
  readonly gitCommit: string
  readonly buildDate: string
}

/** A named check of /livez and /readyz; throws why it does not hold. */
export interface HealthCheck {
  readonly name: string
  readonly check: () => void | Promise<void>
  /** Liveness only sees checks that a restart could mend. */
  readonly live: boolean
}

/** PEM texts. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

/** How the API server reaches kubelets: its client certificate and the CAs that sign theirs. */
export interface KubeletClient extends KeyPair {
  readonly ca: string
}

/** Who asks for an action, and what. */
export interface Asked {
  /** Ends when nobody waits for the answer any more. */
  readonly ctx: Ctx
  readonly user: User
  readonly query: URLSearchParams
}

export interface ApiServerDeps {
  readonly registry: Registry
  readonly authenticator: Authenticator
  /** Whether somebody who shows nothing is let in there; everywhere unless said. */
  readonly anonymousAt?: (path: string) => boolean
  readonly authorizer: Authorizer
  readonly admission: AdmissionChain
  readonly version: VersionInfo
  readonly metrics: Metrics
  readonly random: Random
  readonly checks: readonly HealthCheck[]
  /** Parts of the control plane, by the names that upstream has for them. */
  readonly components?: readonly Pick<HealthCheck, 'name' | 'check'>[]
  readonly rules?: RulesFor
  /** Without it, one that knows the mandatory objects alone. */
  readonly flow?: FlowControl
  readonly audit?: Audit
  readonly tokens?: Tokens
  /** Read for every connection, so that renewed certificates count. */
  readonly kubelet?: () => KubeletClient
  /** Public texts by path: the CA, OpenID discovery. */
  readonly documents?: Readonly<Record<string, { readonly type: string; readonly text: () => Promise<string> }>>
  /** What the server itself can be asked and told (GET, POST), by path; answers are shown as JSON. Rights are asked for the path. */
  readonly actions?: Readonly<Record<string, Readonly<Partial<Record<'GET' | 'POST', (ctx: Ctx, asked: Asked) => Promise<object>>>>>>
  /** Group-versions that other servers serve. */
  readonly aggregator?: Aggregator
  /** What fields are for, read when OpenAPI is first asked for. */
  readonly descriptions?: () => Descriptions
  /** The dashboard under /ui; `user` is who the request is without the dashboard's own session. */
  readonly ui?: (request: Request, user: User) => Response | Promise<Response>
}

/** A body as a verb reads it; one implementation over bytes (body.ts), one over objects (inprocess.ts). */
export interface Payload {
  /** The object, private to the caller, decoded as this kind. Throws ApiError. */
  object(target: Target, call: Call, validation: FieldValidation): Promise<AnyObject>
  /** DeleteOptions; undefined without a body. */
  options(): Promise<Readonly<Record<string, unknown>> | undefined>
  patch(): Promise<PatchBody>
}

export interface PatchBody {
  /** Content type without parameters. */
  readonly type: string
  /** As it came, or undefined: then `document` is what it says. */
  readonly text: string | undefined
  readonly document?: unknown
}

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

/** The kind a body is of. */
export interface Target {
  readonly group: string
  readonly version: string
  readonly kind: string
  /** Where it is a custom one. */
  readonly custom?: CustomRules
  /** Versions with the same fields that a body may have, too. */
  readonly olderVersions?: readonly string[]
}

/** One request for a resource, authenticated and allowed. */
export interface Call {
  readonly ctx: Ctx
  readonly info: RequestInfo
  readonly kind: Kind
  readonly user: User
  /** User-Agent: names field ownership where the client names none. */
  readonly agent: string
  readonly payload: Payload
  warn(text: string): void
  /** Notes something for the audit log. */
  annotate?(key: string, value: string, level?: 'Metadata' | 'Request'): void
  /** What is to be taken back should it fail. */
  onFailure?(undo: () => void): void
}

/** What a verb answers, before anything is serialised. */
export type Outcome =
  | { readonly type: 'item'; readonly code: number; readonly item: Item }
  | { readonly type: 'object'; readonly code: number; readonly object: Readonly<Record<string, unknown>> }
  | { readonly type: 'list'; readonly kind: Kind; readonly result: ListResult }
