/**
 * Aggregated API servers, asked by this server itself: where one is now, what it must show, who we are to it (the front
 * proxy, which speaks for a user), and questions whose answers are read whole. What clients send to them passes through
 * apiserver/aggregator.
 */
import type { APIService } from '../api/schema/types.ts'
import { childCtx, type Ctx } from '../lib/ctx.ts'
import { bracketed } from '../lib/ip.ts'
import { causeText } from './causes.ts'
import type { Remote, RemoteAnswer, RemoteTarget, ServiceResolver } from './remote.ts'

/** The group-version of an APIService that another server serves. */
export interface RemoteApi {
  /** Of the APIService. */
  readonly name: string
  readonly group: string
  readonly version: string
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number }
  readonly caBundle: string | undefined
  readonly insecureSkipTlsVerify: boolean
}

const portDefault = 443

/** Undefined: it is local. */
export function remoteApiOf({ metadata, spec }: Readonly<APIService>): RemoteApi | undefined {
  const service = spec?.service ?? undefined
  if (service === undefined) return undefined
  return {
    name: metadata.name ?? '',
    group: spec?.group ?? '',
    version: spec?.version ?? '',
    service: { namespace: service.namespace ?? '', name: service.name ?? '', port: service.port ?? portDefault },
    caBundle: spec?.caBundle,
    insecureSkipTlsVerify: spec?.insecureSkipTLSVerify === true,
  }
}

/** The name in its certificate. */
export function serverNameOf({ service }: RemoteApi): string {
  return `${service.name}.${service.namespace}.svc`
}

/** Who a question is asked for. */
export interface Speaker {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** Headers in which a front proxy says who asks; a list comes as several headers. Throws for what no header can carry. */
export function speakerHeaders(user: Speaker): Readonly<Record<string, string | readonly string[]>> {
  const headers: Record<string, string | readonly string[]> = { 'x-remote-user': octets(user.name) }
  if (user.uid !== undefined && user.uid !== '') headers['x-remote-uid'] = octets(user.uid)
  if (user.groups.length > 0) headers['x-remote-group'] = user.groups.map(octets)
  for (const [key, values] of Object.entries(user.extra ?? {})) if (values.length > 0) headers[`x-remote-extra-${escapeKey(key)}`] = values.map(octets)
  return headers
}

/** Headers carry octets: UTF-8, one character an octet. A line break in a name would make another header of its rest. */
function octets(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text)) throw new Error('invalid header field value: the name of a user, a group or what else is known of the user')
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** What cannot stand in the name of a header, and the percent sign, as percent and hex. */
function escapeKey(key: string): string {
  return [...Buffer.from(key)].map((byte) => {
    const char = String.fromCharCode(byte)
    return /[A-Za-z0-9!#$&'*+.^_`|~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}

export interface Question {
  readonly user: Speaker
  readonly accept?: string
  readonly etag?: string
  /** GET without. */
  readonly method?: string
  readonly body?: string
  readonly contentType?: string
  /** Shown as User-Agent. */
  readonly agent?: string
  readonly timeoutMs: number
}

export interface Aggregated {
  /** The address of a ready endpoint. Throws ApiError. */
  locate(api: RemoteApi): { readonly host: string; readonly port: number }
  /** The front proxy's certificate as it is now. PEM. */
  identity(): { readonly cert: string; readonly key: string }
  /** `path` may have a query. Throws what stands in the way, as Go says it. */
  ask(ctx: Ctx, api: RemoteApi, path: string, question: Question): Promise<RemoteAnswer>
  /** Why its discovery does not answer, as the condition of an APIService tells it; undefined when it does. */
  check(ctx: Ctx, api: RemoteApi): Promise<string | undefined>
}

export interface AggregatedInit {
  readonly remote: Remote
  readonly services: ServiceResolver
  /** Read for every connection, so that a renewed certificate counts. */
  readonly identity: Aggregated['identity']
}

const checkMsMax = 5_000
/** Endpoints are chosen by chance: one that answers is enough. */
const attempts = 5

export function aggregated({ remote, services, identity }: AggregatedInit): Aggregated {
  const locate: Aggregated['locate'] = ({ service }) => services.resolve(service.namespace, service.name, service.port)
  const target = (api: RemoteApi): RemoteTarget => targetOf(api, locate(api), identity())
  return {
    locate,
    identity,
    ask: async (ctx, api, path, question) => await ask(remote, ctx, target(api), path, question),
    check: async (ctx, api) => await firstOf(ctx, async (turn) => await fault(remote, turn, api, () => target(api))),
  }
}

function targetOf(api: RemoteApi, { host, port }: ReturnType<Aggregated['locate']>, { cert, key }: ReturnType<Aggregated['identity']>): RemoteTarget {
  return {
    url: `https://${bracketed(host)}:${port}`,
    serverName: serverNameOf(api),
    ...(api.caBundle === undefined ? {} : { caBundle: api.caBundle }),
    insecureSkipTlsVerify: api.insecureSkipTlsVerify,
    credentials: { certificate: cert, key },
  }
}

async function ask(remote: Remote, ctx: Ctx, to: RemoteTarget, path: string, { user, accept, etag, method, body, contentType, agent, timeoutMs }: Question): Promise<RemoteAnswer> {
  return await remote.send(ctx, to, {
    method: method ?? 'GET',
    path,
    headers: {
      ...speakerHeaders(user),
      accept: accept ?? 'application/json',
      ...(agent === undefined ? {} : { 'user-agent': agent }),
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      ...(etag === undefined || etag === '' ? {} : { 'if-none-match': etag }),
    },
    ...(body === undefined ? {} : { body }),
    timeoutMs,
  })
}

/** Why one endpoint does not answer; undefined when it does. */
async function fault(remote: Remote, ctx: Ctx, api: RemoteApi, target: () => RemoteTarget): Promise<string | undefined> {
  try {
    const to = target()
    const url = `${to.url ?? ''}${rootOf(api)}`
    try {
      const { status } = await ask(remote, ctx, to, rootOf(api), { user: checker, timeoutMs: checkMsMax })
      return status >= 200 && status < 300 ? undefined : `failing or missing response from ${url}: bad status from ${url}: ${status}`
    } catch (error) {
      return `failing or missing response from ${url}: ${(error as Error).message}`
    }
  } catch (error) {
    return causeText(error, ctx.clock.now())
  }
}

/** Several attempts at once: undefined as soon as one finds no fault, which ends the others; else the last fault. */
async function firstOf(parent: Ctx, attempt: (ctx: Ctx) => Promise<string | undefined>): Promise<string | undefined> {
  const { ctx, end } = childCtx(parent)
  let last = ''
  const tries = Array.from({ length: attempts }, async () => {
    const why = await attempt(ctx)
    if (why === undefined) return
    last = why
    throw new Error(why)
  })
  try {
    await Promise.any(tries)
    return undefined
  } catch {
    return last
  } finally {
    end()
  }
}

/** Always allowed: the check is of the way, not of rights. */
const checker: Speaker = { name: 'system:kube-aggregator', groups: ['system:masters'] }

/** `/apis/example.com/v1`. */
export function rootOf({ group, version }: Pick<RemoteApi, 'group' | 'version'>): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`
}
