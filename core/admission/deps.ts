/** What admission plugins are handed, and how they refuse: the parts that all of them share. */
import type { Random } from '../lib/random.ts'
import { ApiError, forbidden, type StatusCause } from '../api/errors.ts'
import type { KubeObject } from '../api/meta.ts'
import type { Kind } from '../api/kind.ts'
import type { Remote } from '../client/remote.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Rbac } from '../auth/authz/rbac.ts'
import type { Client } from '../client/client.ts'
import type { Changes, Lookup } from '../auth/lookup.ts'
import type { Authorizer } from '../auth/user.ts'
import type { AdmissionRequest } from './plugin.ts'

export interface AdmissionDeps {
  /** Reads of the current state, from memory. */
  readonly lookup: Lookup
  /** The whole authorizer: plugins ask it whether a user may approve, sign, bind, escalate. */
  readonly authorizer: Authorizer
  readonly rbac: Rbac
  readonly random: Random
  /** Writes of admission itself (quota status), under an identity that may. A function: the client stands behind the chain it is part of. */
  readonly client: () => Client
  /** Kinds that are served now. */
  readonly kinds: () => readonly Kind[]
  /** How webhooks are called. */
  readonly remote: Remote
  readonly changes: Changes
  readonly metrics?: Metrics
  /** What Services are given their addresses and node ports from. */
  readonly services: {
    readonly ranges: { readonly serviceCidr: string; readonly nodePorts: { readonly from: number; readonly to: number } }
    readonly changes: Changes
  }
}

/** Whether the request is about this resource; `subresource` '' for the object itself. */
export function isAbout(request: AdmissionRequest, group: string, plural: string, subresource = ''): boolean {
  return request.kind.plural === plural && request.kind.group === group && request.subresource === subresource
}

/** The object of a request whose kind the plugin has checked. */
export function objectOf<T extends KubeObject>(request: AdmissionRequest): T {
  return request.object as unknown as T
}

export function oldObjectOf<T extends KubeObject>(request: AdmissionRequest): Readonly<T> {
  return request.oldObject as unknown as Readonly<T>
}

/** 403 in upstream's form: `pods "web" is forbidden: <why>` (apiserver/pkg/admission/errors.go). */
export function refuse(request: AdmissionRequest, why: string, causes: readonly StatusCause[] = []): ApiError {
  const meta = request.object?.metadata
  const name = [request.name, meta?.name, meta?.generateName].find((n) => n !== undefined && n !== '') ?? 'Unknown'
  const error = forbidden({ group: request.kind.group, resource: request.kind.plural }, name, why)
  if (causes.length === 0) return error
  return new ApiError({ code: error.code, reason: error.reason, message: error.message, details: { ...error.details, causes } })
}
