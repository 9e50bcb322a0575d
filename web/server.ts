/**
 * The dashboard's server side under /ui: its files, signing in and out, and the way in which a session authenticates
 * requests to the API. The rest of the dashboard is a client of the public API and runs in the browser (main.tsx).
 */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { Hono, type Context } from 'hono'
import type { Ctx } from '../core/lib/ctx.ts'
import type { Random } from '../core/lib/random.ts'
import { codeMsMax, cookieName, isOurs, sessionId, Sessions, type BrowserRequest, type Person } from './sessions.ts'

export interface Credentials {
  readonly bearerToken?: string
  readonly browser?: BrowserRequest
}

export interface Authenticator {
  authenticate(ctx: Ctx, credentials: Credentials): Promise<Person | 'invalid' | undefined>
}

export interface UiDeps {
  readonly ctx: Ctx
  /** The ways of signing in besides the dashboard's own. */
  readonly authenticator: Authenticator
  readonly random: Random
  /** The dashboard's files: index.html, main.js, style.css. */
  readonly file: (name: string) => Uint8Array | undefined
}

export interface Ui {
  /** Answers everything under /ui. `user` is who the request is without the dashboard's cookie. */
  readonly handle: (request: Request, user: Person) => Promise<Response>
  /** Users of requests to the API that come with a session. */
  readonly sessions: Authenticator
  /** Path and query of a link that signs this user in, once, within ten minutes. */
  issueCode(user: Person): string
}

const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const
const noStore = { 'cache-control': 'no-store' } as const
const anonymous = 'system:anonymous'
const everybody = 'system:authenticated'
const cookieAttributes = 'Path=/; HttpOnly; Secure; SameSite=Strict'
/** Service account tokens are about 1 kB. */
const loginBytesMax = 16 * 1_024

interface Env {
  readonly Bindings: { readonly user: Person }
}

export function createUi(deps: UiDeps): Ui {
  const { ctx, authenticator } = deps
  const check = async (within: Ctx, token: string): Promise<Person | undefined> => known(await authenticator.authenticate(within, { bearerToken: token }))
  const sessions = new Sessions(deps.random, check)
  const app = new Hono<Env>()
  app.onError((error) => {
    throw error // the API server answers and logs it, as any other
  })
  app.post('/ui/login', async (c) => await login(c, ctx, sessions, check))
  app.get('/ui/login', (c) => (c.req.query('code') === undefined || c.req.method !== 'GET' ? c.notFound() : redeem(c, ctx, sessions)))
  app.post('/ui/logout', (c) => {
    if (!isOurs(browserOf(c))) return refuse(c, 403, 'this request does not come from the dashboard')
    sessions.close(c.req.header('cookie') ?? '')
    return c.json({}, 200, { ...noStore, 'set-cookie': `${cookieName}=; ${cookieAttributes}; Max-Age=0` })
  })
  app.post('/ui/codes', (c) => {
    const person = known(c.env.user)
    if (person === undefined) return refuse(c, 401, 'sign in with a client certificate or a bearer token')
    const token = /^bearer\s+(\S+)\s*$/i.exec(c.req.header('authorization') ?? '')?.[1]
    const code = sessions.issue(ctx, token === undefined ? { person } : { person, token })
    if (code === undefined) return refuse(c, 429, 'there are too many unused codes; try again in some minutes')
    return c.json({ path: linkPath(code), user: person.name, expiresS: codeMsMax / 1_000 }, 201, noStore)
  })
  app.get('/ui/me', async (c) => {
    const person = (await sessions.find(ctx, c.req.header('cookie') ?? '')) ?? known(c.env.user)
    // Being signed out is an answer, not a refusal.
    return c.json({ user: person === undefined ? null : { name: person.name, groups: person.groups } }, 200, noStore)
  })
  serveFiles(app, deps.file)
  app.onError((error, c) => {
    ctx.log.error('dashboard', { path: c.req.path, error: error.message })
    return refuse(c, 500, 'the dashboard made a mistake; the server log says which')
  })
  return {
    async handle(request, user) {
      const response = await app.fetch(request, { user })
      for (const [name, value] of Object.entries(headers)) response.headers.set(name, value)
      return response
    },
    sessions: sessionAuthenticator(sessions),
    issueCode(user) {
      const code = sessions.issue(ctx, { person: withEverybody(user) })
      if (code === undefined) throw new Error('there are too many unused codes')
      return linkPath(code)
    },
  }
}

/** A cookie that does not hold is 'invalid', so that the dashboard hears 401 and asks for a login instead of showing what anonymous may see. */
function sessionAuthenticator(sessions: Sessions): Authenticator {
  return {
    async authenticate(ctx, { browser, bearerToken }) {
      if (browser === undefined || bearerToken !== undefined || isUi(browser.path) || sessionId(browser.cookie) === undefined) return undefined
      if (!isOurs(browser)) return 'invalid'
      return (await sessions.find(ctx, browser.cookie)) ?? 'invalid'
    },
  }
}

function isUi(path: string): boolean {
  return /^\/ui(?:[/?]|$)/.test(path)
}

async function login(c: Context<Env>, ctx: Ctx, sessions: Sessions, check: (ctx: Ctx, token: string) => Promise<Person | undefined>): Promise<Response> {
  // A form of another site must not sign somebody in as somebody else.
  if (!isOurs(browserOf(c))) return refuse(c, 403, 'this request does not come from the dashboard')
  const text = await c.req.text()
  if (text.length > loginBytesMax) return refuse(c, 413, 'this is too long for a token')
  const token = tokenOf(text)
  if (token === undefined) return refuse(c, 400, 'send {"token": "..."}')
  const person = await check(ctx, token)
  if (person === undefined) return refuse(c, 401, 'the server does not know this token, or it has expired')
  const id = sessions.open(ctx, { person, token })
  if (id === undefined) return refuse(c, 429, 'too many people are signed in; try again later')
  sessions.close(c.req.header('cookie') ?? '')
  return c.json({ name: person.name }, 200, { ...noStore, 'set-cookie': `${cookieName}=${id}; ${cookieAttributes}` })
}

function tokenOf(text: string): string | undefined {
  try {
    const { token } = JSON.parse(text) as { readonly token?: unknown }
    return typeof token === 'string' && /^\S+$/.test(token) ? token : undefined
  } catch {
    return undefined
  }
}

/** The code leaves the address bar with the redirect. */
function redeem(c: Context<Env>, ctx: Ctx, sessions: Sessions): Response {
  const id = sessions.redeem(ctx, c.req.query('code') ?? '')
  if (id === undefined) return new Response(null, { status: 303, headers: { ...noStore, location: '/ui/#/expired' } })
  return new Response(null, { status: 303, headers: { ...noStore, location: '/ui/', 'set-cookie': `${cookieName}=${id}; ${cookieAttributes}` } })
}

function linkPath(code: string): string {
  return `/ui/login?code=${code}`
}

function browserOf(c: Context<Env>): BrowserRequest {
  return { cookie: '', method: c.req.method, path: c.req.path, site: c.req.header('sec-fetch-site'), marker: c.req.header('x-kubun-ui') }
}

function refuse(c: Context<Env>, code: 400 | 401 | 403 | 413 | 429 | 500, message: string): Response {
  return c.json({ message }, code, noStore)
}

function known(person: Person | 'invalid' | undefined): Person | undefined {
  return person === undefined || person === 'invalid' || person.name === anonymous ? undefined : withEverybody(person)
}

function withEverybody(person: Person): Person {
  return person.groups.includes(everybody) ? person : { ...person, groups: [...person.groups, everybody] }
}

interface File {
  readonly type: string
  readonly plain: Uint8Array
  readonly packed: Uint8Array
  readonly hash: string
}

const types: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript', css: 'text/css' }

/**
 * The page is asked for every time and names script and style with their hash, which may be kept for ever. Any other
 * path under /ui is the page, too.
 */
function serveFiles(app: Hono<Env>, read: UiDeps['file']): void {
  const files = new Map<string, File | undefined>()
  const fileOf = (name: string): File | undefined => {
    if (!files.has(name)) files.set(name, load(name))
    return files.get(name)
  }
  const load = (name: string): File | undefined => {
    const bytes = read(name)
    if (bytes === undefined) return undefined
    const plain = name === 'index.html' ? new TextEncoder().encode(new TextDecoder().decode(bytes).replaceAll(/\/ui\/([a-z]+\.(?:js|css))/g, (path, file: string) => `${path}?h=${fileOf(file)?.hash}`)) : bytes
    const type = `${types[name.split('.').at(-1) ?? '']}; charset=utf-8`
    return { type, plain, packed: gzipSync(plain), hash: createHash('sha256').update(plain).digest('hex').slice(0, 16) }
  }
  const serve = (c: Context<Env>, name: string): Response => {
    const file = fileOf(name)
    if (file === undefined) return c.text('this build of kubun carries no dashboard: npm run build makes one that does\n', 404)
    const etag = `"${file.hash}"`
    const fixed = c.req.query('h') === file.hash
    const caching = { etag, vary: 'accept-encoding', 'cache-control': fixed ? 'public, max-age=31536000, immutable' : 'no-cache' }
    if (c.req.header('if-none-match') === etag) return new Response(null, { status: 304, headers: caching })
    const packed = (c.req.header('accept-encoding') ?? '').includes('gzip')
    const body = (packed ? file.packed : file.plain) as Uint8Array<ArrayBuffer>
    return new Response(body, { headers: { ...caching, 'content-type': file.type, ...(packed ? { 'content-encoding': 'gzip' } : {}) } })
  }
  for (const name of ['main.js', 'style.css']) app.get(`/ui/${name}`, (c) => serve(c, name))
  app.notFound((c) => (c.req.method === 'GET' || c.req.method === 'HEAD' ? serve(c, 'index.html') : refuse(c, 400, `there is no ${c.req.method} ${c.req.path}`)))
}
