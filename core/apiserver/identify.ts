/** Who sent a request and as whom it runs; from here on it is noted, if it is to be (upstream: authentication, audit, impersonation). */
import type { User } from '../auth/user.ts'
import type { Ctx } from '../lib/ctx.ts'
import { attributesOf, authenticate } from './access.ts'
import type { AuditRecord } from './audit/record.ts'
import { attempted, senderOf } from './audit/request.ts'
import type { ApiServerDeps } from './deps.ts'
import type { Incoming } from './exchange.ts'
import { impersonate } from './impersonate.ts'
import type { RequestInfo } from './request.ts'
import { wantedUser } from './wanted.ts'

export interface Arrival {
  readonly info: RequestInfo
  /** Its Audit-Id. */
  readonly id: string
  /** On the clock that never jumps. */
  readonly started: number
}

/** The client's own Audit-Id, where it names one. */
export function auditId(deps: Pick<ApiServerDeps, 'random'>, request: Incoming): string {
  const named = request.header('audit-id') ?? ''
  return named === '' ? deps.random.uuid() : named
}

/** Throws 401 and 403. `recorded` is given the record before anything else can go wrong. */
export async function identify(ctx: Ctx, deps: ApiServerDeps, request: Incoming, { info, id, started }: Arrival, recorded: (record: AuditRecord) => void): Promise<User> {
  let sender: User
  try {
    sender = await authenticate(ctx, deps, request.credentials, info.path)
  } catch (error) {
    const record = deps.audit?.begin(info, undefined, id, started, senderOf(request))
    record?.unknown(attempted(request))
    record?.stage('ResponseStarted')
    throw error
  }
  const record = deps.audit?.begin(info, sender, id, started, senderOf(request))
  if (record !== undefined) recorded(record)
  const wanted = request.headerNames().some((name) => name.startsWith('impersonate-')) ? wantedUser(request) : undefined
  if (wanted === undefined) return sender
  const { user, constraint } = await impersonate(deps.authorizer, wanted, attributesOf(info, sender))
  record?.impersonates(user, constraint)
  return user
}
