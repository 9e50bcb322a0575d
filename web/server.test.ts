import { beforeEach, describe, expect, it } from 'vitest'
import { virtualClock, type VirtualClock } from '../core/lib/clock.ts'
import { silentLog } from '../core/lib/log.ts'
import { seededRandom } from '../core/lib/random.ts'
import { createUi, type Ui } from './server.ts'
import { codeMsMax, codesPerUserMax, idleMsMax, isOurs, sessionMsMax, tokenCheckMs, type BrowserRequest, type Person } from './sessions.ts'

const anonymous: Person = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
const admin: Person = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }
const ours = { 'x-kubun-ui': '1', 'sec-fetch-site': 'same-origin' }
const texts: Readonly<Record<string, string>> = {
  'index.html': '<script src="/ui/main.js"></script><link href="/ui/style.css">',
  'main.js': 'run()',
  'style.css': 'p{}',
}

let clock: VirtualClock
let tokens: Map<string, Person>
let ui: Ui
let ctx: { clock: VirtualClock; log: typeof silentLog; signal: AbortSignal }

beforeEach(() => {
  clock = virtualClock()
  ctx = { clock, log: silentLog, signal: new AbortController().signal }
  tokens = new Map([['good', { name: 'jane', groups: ['readers'] }]])
  ui = createUi({
    ctx,
    random: seededRandom(1),
    authenticator: { authenticate: (_ctx, { bearerToken = '' }) => Promise.resolve(tokens.get(bearerToken) ?? 'invalid') },
    file: (name) => (texts[name] === undefined ? undefined : new TextEncoder().encode(texts[name])),
  })
})

async function ask(path: string, init: RequestInit = {}, user: Person = anonymous): Promise<Response> {
  return await ui.handle(new Request(`https://host:6443${path}`, init), user)
}

async function login(token: string, headers: Record<string, string> = ours): Promise<Response> {
  return await ask('/ui/login', { method: 'POST', headers, body: JSON.stringify({ token }) })
}

function cookieOf(response: Response): string {
  return response.headers.get('set-cookie')?.split(';')[0] ?? ''
}

async function who(cookie: string, more: Partial<BrowserRequest> = {}): Promise<string | undefined> {
  const answer = await ui.sessions.authenticate(ctx, { browser: { cookie, method: 'GET', path: '/api/v1/pods', marker: '1', ...more } })
  return typeof answer === 'object' ? answer.name : answer
}

describe('signing in', () => {
  it('with a token gives a cookie that only this origin and no script sees', async () => {
    const response = await login('good')
    expect(response.status).toBe(200)
    expect(response.headers.get('set-cookie')).toMatch(/^__Host-kubun=[0-9a-f]{64}; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
    const user = await ui.sessions.authenticate(ctx, { browser: { cookie: `a=b; ${cookieOf(response)}`, method: 'POST', path: '/api/v1/pods', marker: '1' } })
    expect(user).toEqual({ name: 'jane', groups: ['readers', 'system:authenticated'] })
  })

  it.each([
    ['an unknown token', 'bad', ours, 401],
    ['no token', '', ours, 400],
    ['a huge token', 'x'.repeat(20_000), ours, 413],
    ['a form of another site', 'good', { 'sec-fetch-site': 'cross-site' }, 403],
    ['another site with our header', 'good', { 'sec-fetch-site': 'cross-site', 'x-kubun-ui': '1' }, 403],
    ['no header', 'good', {}, 403],
  ])('refuses %s', async (_name, token, headers, code) => {
    const response = await login(token, headers)
    expect(response.status).toBe(code)
    expect(response.headers.get('set-cookie')).toBeNull()
    expect(((await response.json()) as { message: string }).message).not.toBe('')
  })

  it('with a code works once, and the code leaves the address', async () => {
    const link = ui.issueCode(admin)
    const first = await ask(link)
    expect([first.status, first.headers.get('location')]).toEqual([303, '/ui/'])
    expect(await who(cookieOf(first))).toBe('admin')
    const second = await ask(link)
    expect([second.status, second.headers.get('location'), second.headers.get('set-cookie')]).toEqual([303, '/ui/#/expired', null])
  })

  it('a code ends after ten minutes, and a look at the link does not use it', async () => {
    const link = ui.issueCode(admin)
    await ask(link, { method: 'HEAD' })
    await clock.advance(codeMsMax - 1)
    expect(cookieOf(await ask(link))).not.toBe('')
    const late = ui.issueCode(admin)
    await clock.advance(codeMsMax)
    expect(cookieOf(await ask(late))).toBe('')
  })

  it('codes are given to API clients, for themselves', async () => {
    const response = await ask('/ui/codes', { method: 'POST' }, admin)
    expect(response.status).toBe(201)
    const { path } = (await response.json()) as { path: string }
    expect(await who(cookieOf(await ask(path)))).toBe('admin')
    expect((await ask('/ui/codes', { method: 'POST' })).status).toBe(401)
  })

  it('the oldest of too many codes goes', () => {
    const links = Array.from({ length: codesPerUserMax + 1 }, () => ui.issueCode(admin))
    return Promise.all([links[0], links.at(-1)].map(async (link) => cookieOf(await ask(link ?? '')) !== '')).then((held) => expect(held).toEqual([false, true]))
  })
})

describe('a session', () => {
  it('ends when it is idle, and after a week', async () => {
    const cookie = cookieOf(await ask(ui.issueCode(admin)))
    await clock.advance(idleMsMax - 1)
    expect(await who(cookie)).toBe('admin')
    await clock.advance(idleMsMax)
    expect(await who(cookie)).toBe('invalid')
    const busy = cookieOf(await ask(ui.issueCode(admin)))
    for (let ms = 0; ms < sessionMsMax; ms += idleMsMax / 2) {
      expect(await who(busy)).toBe('admin')
      await clock.advance(idleMsMax / 2)
    }
    expect(await who(busy)).toBe('invalid')
  })

  it('ends with its token', async () => {
    const cookie = cookieOf(await login('good'))
    tokens.clear()
    expect(await who(cookie)).toBe('jane')
    await clock.advance(tokenCheckMs)
    expect(await who(cookie)).toBe('invalid')
  })

  it('ends with logout', async () => {
    const cookie = cookieOf(await login('good'))
    expect((await ask('/ui/logout', { method: 'POST', headers: { cookie, 'sec-fetch-site': 'same-site' } })).status).toBe(403)
    expect(await who(cookie)).toBe('jane')
    const out = await ask('/ui/logout', { method: 'POST', headers: { cookie, ...ours } })
    expect(out.headers.get('set-cookie')).toContain('Max-Age=0')
    expect(await who(cookie)).toBe('invalid')
  })

  it('says who it is', async () => {
    const cookie = cookieOf(await login('good'))
    expect(await (await ask('/ui/me', { headers: { cookie } })).json()).toEqual({ user: { name: 'jane', groups: ['readers', 'system:authenticated'] } })
    expect(await (await ask('/ui/me')).json()).toEqual({ user: null })
    expect(await (await ask('/ui/me', {}, admin)).json()).toMatchObject({ user: { name: 'admin' } })
  })

  it('does not concern requests without its cookie, with a bearer token, or under /ui', async () => {
    const cookie = cookieOf(await login('good'))
    const browser = { cookie, method: 'GET', path: '/api', marker: '1' }
    expect(await ui.sessions.authenticate(ctx, {})).toBeUndefined()
    expect(await ui.sessions.authenticate(ctx, { browser, bearerToken: 'x' })).toBeUndefined()
    expect(await who('theme=dark')).toBeUndefined()
    expect(await who(cookie, { path: '/ui/me' })).toBeUndefined()
    expect(await who(cookie, { marker: undefined, site: 'cross-site' })).toBe('invalid')
  })
})

describe('requests with a cookie count', () => {
  const table: readonly (readonly [boolean, string, string, string | undefined, string | undefined])[] = [
    [true, 'GET', '/api/v1/pods', 'same-origin', '1'],
    [true, 'DELETE', '/api/v1/namespaces/x/pods/y', undefined, '1'],
    [true, 'GET', '/api/v1/namespaces/x/configmaps/proxy', 'same-origin', undefined],
    [false, 'GET', '/api/v1/pods', undefined, undefined],
    [false, 'GET', '/api/v1/pods', 'none', undefined],
    [false, 'GET', '/api/v1/pods', 'same-site', '1'],
    [false, 'GET', '/api/v1/pods', 'cross-site', '1'],
    [false, 'POST', '/api/v1/namespaces', 'same-origin', undefined],
    [false, 'GET', '/api/v1/namespaces/x/services/https:y:443/proxy/index.html', 'same-origin', '1'],
    [false, 'POST', '/api/v1/nodes/n/proxy?path=/', 'same-origin', '1'],
  ]
  it.each(table)('%s: %s %s, site %s, header %s', (counts, method, path, site, marker) => {
    expect(isOurs({ method, path, site, marker })).toBe(counts)
  })
})

describe('files', () => {
  it('carry strict headers, the page names the others by hash, and those are kept', async () => {
    const page = await ask('/ui')
    const html = await page.text()
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('cache-control')).toBe('no-cache')
    const [script = ''] = /\/ui\/main\.js\?h=[0-9a-f]{16}/.exec(html) ?? []
    const js = await ask(script)
    expect(await js.text()).toBe('run()')
    expect(js.headers.get('cache-control')).toContain('immutable')
    expect((await ask('/ui/main.js')).headers.get('cache-control')).toBe('no-cache')
    const again = await ask(script, { headers: { 'if-none-match': js.headers.get('etag') ?? '' } })
    expect(again.status).toBe(304)
    for (const response of [page, js, await ask('/ui/me'), await ask('/ui/any/path')]) {
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
      expect(response.headers.get('content-security-policy')).not.toContain('unsafe')
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      expect(response.headers.get('referrer-policy')).toBe('no-referrer')
    }
  })
})
