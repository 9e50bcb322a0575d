/**
 * Who asks, and may they: authentication, impersonation, authorization, with upstream's sentences of refusal
 * (k8s.io/apiserver/pkg/endpoints/filters). The decisions themselves are made in core/auth.
 */
import { badRequest, forbidden, unauthorized } from '../api/errors.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Attributes, Authorizer, Credentials, Decision, User } from '../auth/user.ts'
import type { AuditRecord } from './audit/record.ts'
import type { ApiServerDeps } from './deps.ts'
import type { Incoming } from './exchange.ts'
import type { RequestInfo } from './request.ts'

export const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
const everybody = 'system:authenticated'

/** Throws 401 for credentials that do not hold. */
export async function authenticate(
  ctx: Ctx,
  deps: Pick<ApiServerDeps, 'authenticator'>,
  credentials: Credentials,
): Promise<User> {
  if (
    credentials.bearerToken === undefined &&
    credentials.certificate === undefined &&
    credentials.frontProxy === undefined &&
    credentials.browser === undefined
  )
    return anonymous
  const user = await deps.authenticator.authenticate(ctx, credentials)
  if (user === 'invalid') throw unauthorized()
  if (user === undefined) throw unauthorized()
  return user.name === anonymous.name || user.groups.includes(everybody)
    ? user
    : { ...user, groups: [...user.groups, everybody] }
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
  record?.annotate('authorization.k8s.io/decision', decision.answer === 'allow' ? 'allow' : 'forbid')
  record?.annotate('authorization.k8s.io/reason', decision.reason)
  if (decision.answer !== 'allow') throw forbiddenFor(attributes, decision.reason)
}

/** `pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "default"`. */
export function forbiddenFor(attributes: Attributes, reason: string): Error {
  const tail = reason === '' ? '' : `: ${reason}`
  if (attributes.type === 'path') {
    return forbidden(
      { group: '', resource: '' },
      '',
      `User ${quote(attributes.user.name)} cannot ${attributes.verb} path ${quote(attributes.path)}${tail}`,
    )
  }
  return forbidden(
    { group: attributes.group, resource: attributes.resource },
    attributes.name,
    `${sentence(attributes)}${tail}`,
  )
}

function sentence(of: Attributes & { type: 'resource' }): string {
  const resource = of.subresource === '' ? of.resource : `${of.resource}/${of.subresource}`
  const where = of.namespace === '' ? 'at the cluster scope' : `in the namespace ${quote(of.namespace)}`
  return `User ${quote(of.user.name)} cannot ${of.verb} resource ${quote(resource)} in API group ${quote(of.group)} ${where}`
}

function quote(text: string): string {
  return JSON.stringify(text)
}

const userHeader = 'impersonate-user'
const groupHeader = 'impersonate-group'
const uidHeader = 'impersonate-uid'
const extraPrefix = 'impersonate-extra-'

/** The user that the request is to run as. Throws 403 for what the sender may not impersonate, 400 for headers without a user. */
export async function impersonate(
  deps: Pick<ApiServerDeps, 'authorizer'>,
  request: Incoming,
  sender: User,
): Promise<User> {
  const name = request.header(userHeader)
  const groups = request.headers(groupHeader)
  const uid = request.header(uidHeader)
  const extra = extraOf(request)
  if (name === undefined || name === '') {
    if (groups.length === 0 && uid === undefined && Object.keys(extra).length === 0) return sender
    const list = groups.length === 0 ? '[]string(nil)' : `[]string{${groups.map(quote).join(', ')}}`
    throw badRequest(
      `requested &user.DefaultInfo{Name:"", UID:${quote(uid ?? '')}, Groups:${list}, Extra:map[string][]string(nil)} without impersonating a user name`,
    )
  }
  const ask = (
    group: string,
    resource: string,
    target: string,
    more: { readonly namespace?: string; readonly subresource?: string } = {},
  ): Promise<void> | undefined =>
    authorize(deps.authorizer, {
      type: 'resource',
      user: sender,
      verb: 'impersonate',
      group,
      version: 'v1',
      resource,
      subresource: more.subresource ?? '',
      namespace: more.namespace ?? '',
      name: target,
    })
  const account = serviceAccount(name)
  if (account === undefined) await ask('', 'users', name)
  else await ask('', 'serviceaccounts', account.name, { namespace: account.namespace })
  for (const group of groups) await ask('', 'groups', group)
  if (uid !== undefined) await ask('authentication.k8s.io', 'uids', uid)
  for (const [key, values] of Object.entries(extra)) {
    for (const value of values) await ask('authentication.k8s.io', 'userextras', value, { subresource: key })
  }
  return {
    name,
    ...(uid === undefined ? {} : { uid }),
    groups: impliedGroups(name, groups, account),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  }
}

function impliedGroups(
  name: string,
  asked: readonly string[],
  account: { readonly namespace: string } | undefined,
): readonly string[] {
  const groups =
    account !== undefined && asked.length === 0
      ? ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`]
      : [...asked]
  const implied = name === anonymous.name ? 'system:unauthenticated' : everybody
  return groups.includes(implied) || groups.includes('system:unauthenticated') ? groups : [...groups, implied]
}

export function serviceAccount(name: string): { readonly namespace: string; readonly name: string } | undefined {
  const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name)
  return match === null ? undefined : { namespace: match[1] ?? '', name: match[2] ?? '' }
}

function extraOf(request: Incoming): Readonly<Record<string, readonly string[]>> {
  const extra: Record<string, readonly string[]> = {}
  for (const name of request.headerNames()) {
    if (name.startsWith(extraPrefix)) extra[decodeURIComponent(name.slice(extraPrefix.length))] = request.headers(name)
  }
  return extra
}
