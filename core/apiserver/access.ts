/**
 * Who asks, and may they: authentication, authorization, with upstream's sentences of refusal
 * (k8s.io/apiserver/pkg/endpoints/filters). The decisions themselves are made in core/auth.
 */
import { unauthorized } from '../api/errors.ts'
import { anonymous, withAuthenticated } from '../auth/authn/authenticators.ts'
import { refused } from '../auth/authz/authorizers.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Attributes, Authorizer, Credentials, Decision, User } from '../auth/user.ts'
import type { AuditRecord } from './audit/record.ts'
import type { ApiServerDeps } from './deps.ts'
import type { RequestInfo } from './request.ts'

/** Throws 401 for credentials that do not hold, and for none where nobody is let in without. */
export async function authenticate(ctx: Ctx, deps: Pick<ApiServerDeps, 'authenticator' | 'anonymousAt'>, credentials: Credentials, path: string): Promise<User> {
  const { bearerToken, certificate, frontProxy, browser } = credentials
  const isBare = bearerToken === undefined && certificate === undefined && frontProxy === undefined && browser === undefined
  const user = isBare ? undefined : await deps.authenticator.authenticate(ctx, credentials)
  if (user === 'invalid') throw unauthorized()
  if (user !== undefined) return withAuthenticated(user)
  if (bearerToken !== undefined || deps.anonymousAt?.(path) === false) throw unauthorized()
  return anonymous
}

export function attributesOf(info: RequestInfo, user: User): Attributes {
  if (!info.isResource) return { type: 'path', user, verb: info.verb, path: info.path }
  const collection = info.verb === 'list' || info.verb === 'watch' || info.verb === 'deletecollection'
  const fieldSelector = collection ? info.query.get('fieldSelector') : undefined
  const labelSelector = collection ? info.query.get('labelSelector') : undefined
  return {
    type: 'resource',
    user,
    verb: info.verb,
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name,
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  }
}

/** Throws 403. Quick when the authorizer answers at once. The record, if there is one, learns what was decided. */
export function authorize(authorizer: Authorizer, attributes: Attributes, record?: Pick<AuditRecord, 'annotate'>): Promise<void> | undefined {
  const decision = authorizer.authorize(attributes)
  if (decision instanceof Promise) return decision.then((known) => refuse(attributes, known, record))
  refuse(attributes, decision, record)
  return undefined
}

function refuse(attributes: Attributes, decision: Decision, record: Pick<AuditRecord, 'annotate'> | undefined): void {
  const { answer, reason, error } = decision
  record?.annotate('authorization.k8s.io/decision', answer === 'allow' ? 'allow' : 'forbid')
  record?.annotate('authorization.k8s.io/reason', answer !== 'allow' && error !== undefined ? 'internal error' : reason)
  if (answer === 'allow') return
  if (error !== undefined) throw new Undecidable(error)
  throw refused(attributes, reason)
}

/** Who would have to say whether somebody may could not be asked. */
export class Undecidable extends Error {}
