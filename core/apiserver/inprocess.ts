/**
 * The API for parts of the same process: the same authorization, admission and registry as for a request over TLS, but
 * objects stay objects. The answers are lent: shared with the registry's cache.
 */
import type { Call as ApiCall, Identity, InProcessApi, WatchCall, WatchSink } from '../client/inprocess.ts'
import type { KindRef } from '../api/kind.ts'
import type { KubeObject } from '../api/meta.ts'
import { ApiError, genericNotFound } from '../api/errors.ts'
import { cloneJson } from '../lib/json.ts'
import type { Ctx } from '../lib/ctx.ts'
import { callElsewhere, watchElsewhere, type Caller } from './aggregator/calls.ts'
import { attributesOf, authorize } from './access.ts'
import { asApiError, listObject } from './answer.ts'
import type { Sender } from './audit/audit.ts'
import type { AuditRecord } from './audit/record.ts'
import { noted, noteOutcome } from './audit/request.ts'
import { pathOf } from '../client/query.ts'
import { decodeValueAs } from './body.ts'
import type { ApiServerDeps, Call, Outcome, Payload } from './deps.ts'
import { podLog } from './connect/podlog.ts'
import { bookmarkObject } from './frames.ts'
import { Query, type RequestInfo } from './request.ts'
import { handlerOf, kindOf } from './route.ts'
import { withUndo } from './undo.ts'
import { integer, listQuery } from './verbs/options.ts'
import type { User } from '../auth/user.ts'

const everybody = 'system:authenticated'
/** What a client over TLS would get as a Warning header is logged under this message, as `text`. */
export const apiWarning = 'api warning'

export function inProcess(deps: ApiServerDeps): InProcessApi {
  const door = new Door(deps)
  return {
    async call(ctx, who, call) {
      const info = infoOf(call)
      const record = deps.audit?.begin(info, door.userOf(who), () => deps.random.uuid(), ctx.clock.monotonic(), partOf(who, call))
      try {
        const to = deps.aggregator?.registrations.remote(call.kind.group, call.kind.version)
        if (deps.aggregator !== undefined && to !== undefined) {
          const answer = await callElsewhere(ctx, deps.aggregator, to, await door.allowed(who, info), call)
          record?.answered(200)
          return answer
        }
        const entered = await door.enter(ctx, who, info, { record, body: call.body, patchType: call.patchType })
        if (info.subresource === 'log' && info.resource === 'pods') {
          const text = await podLog(deps, entered)
          record?.answered(200)
          return text
        }
        const handler = handlerOf(entered.kind, info)
        if (typeof handler === 'string') throw genericNotFound()
        const outcome = await withUndo(handler, deps, entered)
        noteOutcome(record, outcome)
        return valueOf(outcome)
      } catch (error) {
        record?.refused(asApiError(error))
        throw toApiError(ctx, error)
      } finally {
        record?.complete()
      }
    },
    async watch(ctx, who, call, sink) {
      try {
        const to = deps.aggregator?.registrations.remote(call.kind.group, call.kind.version)
        if (deps.aggregator !== undefined && to !== undefined) return await watchElsewhere(ctx, deps.aggregator, to, await door.allowed(who, watchInfo(call)), call, sink)
        return await startWatch(deps, ctx, await door.enter(ctx, who, watchInfo(call)), sink)
      } catch (error) {
        throw toApiError(ctx, error)
      }
    },
  }
}

interface Entering {
  readonly record?: AuditRecord | undefined
  readonly body?: unknown
  readonly patchType?: string | undefined
}

/** Who comes in, and whether they may. */
class Door {
  readonly #deps: ApiServerDeps
  readonly #users = new WeakMap<Identity, User>()

  constructor(deps: ApiServerDeps) {
    this.#deps = deps
  }

  userOf(who: Identity): User {
    let user = this.#users.get(who)
    if (user === undefined) {
      const { name, groups, uid, extra } = who
      user = Object.freeze({ name, groups: groups.includes(everybody) ? groups : [...groups, everybody], ...(uid === undefined ? {} : { uid }), ...(extra === undefined ? {} : { extra }) })
      this.#users.set(who, user)
    }
    return user
  }

  /** Asked here, as for every request, before anybody else is asked. */
  async allowed(who: Identity, info: RequestInfo): Promise<Caller> {
    const user = this.userOf(who)
    await authorize(this.#deps.authorizer, attributesOf(info, user))
    return { ...user, agent: who.agent }
  }

  async enter(ctx: Ctx, who: Identity, info: RequestInfo, { record, body, patchType }: Entering = {}): Promise<Call> {
    const user = this.userOf(who)
    await authorize(this.#deps.authorizer, attributesOf(info, user), record)
    const kind = kindOf(this.#deps.registry, info)
    if (kind === undefined) throw genericNotFound()
    return {
      ctx,
      info,
      kind,
      user,
      agent: who.agent,
      payload: noted(valuePayload(body, patchType), record),
      ...(record === undefined ? {} : { annotate: record.annotate.bind(record) }),
      warn: (text) => ctx.log.debug(apiWarning, { text, resource: info.resource }),
    }
  }
}

/** As a request of the part would look. */
function partOf(who: Identity, { kind, namespace, name, subresource, query }: ApiCall): Sender {
  return {
    agent: () => who.agent,
    sources: () => loopback,
    uri: () => pathOf(kind, { namespace, name, subresource }, query),
  }
}

const loopback: readonly string[] = ['127.0.0.1']

/** What was aborted stays what it is: the caller knows its own ctx. */
function toApiError(ctx: Ctx, error: unknown): unknown {
  return error instanceof ApiError || ctx.signal.aborted ? error : asApiError(error)
}

const methods: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
}

function infoOf(call: ApiCall): RequestInfo {
  return info(call.kind, call.verb, methods[call.verb] ?? 'GET', call)
}

function watchInfo(call: WatchCall): RequestInfo {
  return info(call.kind, 'watch', 'GET', { ...call, name: '', subresource: '' })
}

interface Place {
  readonly namespace: string
  readonly name: string
  readonly subresource: string
  readonly query: Readonly<Record<string, string>>
}

const emptyQuery = Query.of({})

function info(
  kind: KindRef,
  verb: string,
  method: string,
  { namespace, name, subresource, query }: Place,
): RequestInfo {
  const some = hasKeys(query)
  return {
    method,
    path: '',
    query: some ? Query.of(query) : emptyQuery,
    isResource: true,
    verb,
    group: kind.group,
    version: kind.version,
    resource: kind.plural,
    subresource,
    namespace,
    name,
    rest: '',
  }
}

function hasKeys(query: Readonly<Record<string, string>>): boolean {
  for (const _key in query) return true
  return false
}

const noBytes = new Uint8Array()

/** Bodies that are objects already: copied, because the callee changes what it gets. */
function valuePayload(body: unknown, patchType: string | undefined): Payload {
  return {
    object: async (target, call) =>
      decodeValueAs(cloneJson(body ?? {}), { target, body: noBytes, call, validation: 'Ignore', text: undefined }),
    options: async () => body as Readonly<Record<string, unknown>> | undefined,
    patch: async () => ({ type: patchType ?? '', text: undefined, document: body }),
  }
}

function valueOf(outcome: Outcome): unknown {
  if (outcome.type === 'item') return outcome.item.object
  return outcome.type === 'object' ? outcome.object : listObject(outcome.kind, outcome.result)
}

async function startWatch(deps: ApiServerDeps, ctx: Ctx, call: Call, sink: WatchSink): Promise<{ stop(): void }> {
  const { query } = call.info
  const asked = query.get('sendInitialEvents')
  const timeoutS = integer(query, 'timeoutSeconds')
  let over = false
  const timers: { stop(): void }[] = []
  const stop = (): void => {
    if (over) return
    over = true
    for (const timer of timers) timer.stop()
  }
  const end = (error?: Error): void => {
    if (over) return
    if (error !== undefined) sink.event('ERROR', asApiError(error).status() as unknown as KubeObject)
    stop()
    sink.end()
  }
  const watch = await deps.registry.watch(
    ctx,
    call.kind,
    {
      ...listQuery(call),
      allowBookmarks: query.flag('allowWatchBookmarks'),
      sendInitialEvents: asked === undefined ? undefined : query.flag('sendInitialEvents'),
    },
    {
      event: (type, item) => void (over || sink.event(type, item.object)),
      bookmark: (revision, initialEnd) =>
        void (over || sink.event('BOOKMARK', bookmarkObject(call.kind, revision, initialEnd))),
      end,
    },
  )
  if (over) {
    watch.stop()
    return { stop }
  }
  timers.push(watch)
  const aborted = (): void => stop()
  ctx.signal.addEventListener('abort', aborted, { once: true })
  timers.push({ stop: () => ctx.signal.removeEventListener('abort', aborted) })
  if (timeoutS !== undefined && timeoutS > 0) timers.push(ctx.clock.after(timeoutS * 1_000, () => end()))
  return { stop }
}
