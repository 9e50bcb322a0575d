/**
 * Everything that is not a resource: version, health, metrics, discovery, OpenAPI, the dashboard. One hono router; the
 * user behind the request is known and allowed when it gets here.
 */
import { Hono } from 'hono'
import { genericNotFound } from '../api/errors.ts'
import { discoveryRoutes } from './discovery.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { ApiServerDeps, Asked } from './deps.ts'
import type { Exchange } from './exchange.ts'
import { flowRoutes } from './flowcontrol/routes.ts'
import { healthRoutes, type Health } from './health.ts'
import { openapiRoutes } from './openapi.ts'
import type { RequestInfo } from './request.ts'
import type { User } from '../auth/user.ts'

export type Site = (exchange: Exchange, info: RequestInfo, user: User) => Promise<void>

const jsonHeaders = { 'content-type': 'application/json', 'cache-control': 'no-cache, private' }

/** `ctx` is the life of the server: what it was told to do is not given up when the client leaves. */
export function createSite(ctx: Ctx, deps: ApiServerDeps, health: Health): Site {
  const app = new Hono({ strict: false }) // a slash at the end changes nothing
  const askers = new WeakMap<Request, Pick<Asked, 'ctx' | 'user'>>()
  app.get('/version', () => new Response(JSON.stringify(versionObject(deps), undefined, 2), { headers: jsonHeaders }))
  app.get('/version/', () => new Response(JSON.stringify(versionObject(deps), undefined, 2), { headers: jsonHeaders }))
  app.get(
    '/metrics',
    () =>
      new Response(deps.metrics.render(), { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } }),
  )
  app.onError((error) => {
    throw error // handle() answers and logs it, as any other
  })
  healthRoutes(app, health)
  if (deps.flow !== undefined) flowRoutes(app, deps.flow)
  discoveryRoutes(app, deps)
  openapiRoutes(app, deps)
  for (const [path, { type, text }] of Object.entries(deps.documents ?? {})) {
    app.get(
      path,
      async () =>
        new Response(await text(), { headers: { 'content-type': type, 'cache-control': 'public, max-age=3600' } }),
    )
  }
  for (const [path, methods] of Object.entries(deps.actions ?? {})) {
    for (const [method, act] of Object.entries(methods)) {
      app.on(method, path, async ({ req }) => {
        const asker = askers.get(req.raw)
        if (asker === undefined) throw new Error('nobody asks')
        return new Response(JSON.stringify(await act(ctx, { ...asker, query: new URL(req.url).searchParams })), { headers: jsonHeaders })
      })
    }
  }
  const { ui } = deps
  app.get('/', () => new Response(JSON.stringify({ paths: rootPaths(deps) }, undefined, 2), { headers: jsonHeaders }))
  app.notFound(
    () =>
      new Response('404 page not found\n', { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' } }),
  )
  const askedBy = (request: Request, asker: Pick<Asked, 'ctx' | 'user'>): Request => {
    askers.set(request, asker)
    return request
  }
  return (exchange, info, user) => {
    const isUi = info.path === '/ui' || info.path.startsWith('/ui/')
    return answer(ui !== undefined && isUi ? (request) => ui(request, user) : (request) => app.fetch(askedBy(request, { ctx: exchange.ctx, user })), exchange)
  }
}

/** Bridges an exchange and the fetch types that hono speaks. */
async function answer(
  route: (request: Request) => Response | Promise<Response>,
  { request, outlet }: Exchange,
): Promise<void> {
  const headers = new Headers()
  for (const name of request.headerNames()) {
    if (!name.startsWith(':')) headers.set(name, request.header(name) ?? '')
  }
  const host = request.header(':authority') ?? request.header('host') ?? 'localhost'
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD'
  const body = hasBody ? await request.body() : undefined
  const init: RequestInit = {
    method: request.method,
    headers,
    ...(body === undefined || body.length === 0 ? {} : { body: body as BodyInit }),
  }
  const response = await route(new Request(urlOf(host, request.url), init))
  const out: Record<string, string | string[]> = {}
  response.headers.forEach((value, name) => {
    if (name !== 'set-cookie') out[name] = value
  })
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) out['set-cookie'] = cookies
  if (!streams(response)) {
    const bytes = new Uint8Array(await response.arrayBuffer())
    outlet.send(response.status, out, request.method === 'HEAD' || response.status === 304 ? undefined : bytes)
    return
  }
  outlet.start(response.status, out)
  await pump(response, outlet)
}

/**
 * Rights were asked for the path as it was sent. What a parser would make another path of (dots, backslashes, a Host that
 * is more than a host) is no path of ours.
 */
function urlOf(host: string, sent: string): string {
  const url = URL.parse(`https://${host}${sent}`)
  const [path] = sent.split('?', 1)
  if (url === null || url.pathname !== path || url.username !== '' || url.hash !== '') throw genericNotFound()
  return url.href
}

/** Event streams of the dashboard must not be gathered. */
function streams(response: Response): boolean {
  return response.body !== null && (response.headers.get('content-type') ?? '').startsWith('text/event-stream')
}

async function pump(response: Response, outlet: Exchange['outlet']): Promise<void> {
  const reader = response.body?.getReader()
  if (reader === undefined) return outlet.end()
  let resume: (() => void) | undefined
  outlet.onDrain(() => resume?.())
  outlet.onClose(() => {
    resume?.()
    void reader.cancel().catch(() => undefined)
  })
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (!outlet.write(value)) await new Promise<void>((resolve) => (resume = resolve))
  }
  outlet.end()
}

function versionObject({ version }: ApiServerDeps): object {
  const [major = '1', minor = '36'] = version.gitVersion.replace(/^v/, '').split('.')
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: version.gitVersion,
    gitCommit: version.gitCommit,
    gitTreeState: 'clean',
    buildDate: version.buildDate,
    goVersion: 'none',
    compiler: 'bun',
    platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  }
}

function rootPaths({ registry }: ApiServerDeps): readonly string[] {
  const paths = new Set([
    '/.well-known/openid-configuration',
    '/api',
    '/api/v1',
    '/apis',
    '/apis/',
    '/healthz',
    '/livez',
    '/metrics',
    '/openapi/v2',
    '/openapi/v3',
    '/openapi/v3/',
    '/openid/v1/jwks',
    '/readyz',
    '/version',
  ])
  for (const { group, version } of registry.kinds()) {
    if (group !== '') paths.add(`/apis/${group}`).add(`/apis/${group}/${version}`)
  }
  return [...paths].toSorted()
}
