/**
 * Who is signed in at the dashboard: sessions behind a cookie, one-time codes that open one, and the rules under which
 * a cookie counts. All in memory: a restart signs everybody out. HTTP is server.ts.
 *
 * Why a cookie needs rules where a bearer token needs none: a browser sends it along with requests that other sites
 * cause. SameSite=Strict keeps it at home already; what guards us when a browser does not, or when the other site is
 * another port of this host (ports are one site to cookies), is that a request must either carry a header that only a
 * script of our own origin can set without asking (a foreign one needs a CORS preflight, which nobody answers), or be a
 * GET that the browser itself calls same-origin. And what the API server only passes on (the proxy subresources) never
 * counts: a page out of a pod is of our origin, and would speak with its reader's rights.
 */
import type { Ctx } from '../core/lib/ctx.ts'
import type { Random } from '../core/lib/random.ts'

/** A user as authentication knows it. */
export interface Person {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** How a session was come by. With a token it lasts no longer than the token holds. */
export interface Grant {
  readonly person: Person
  readonly token?: string
}

/** What a browser's request shows of itself. */
export interface BrowserRequest {
  /** The Cookie header. */
  readonly cookie: string
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Sec-Fetch-Site, which scripts cannot set. */
  readonly site?: string | undefined
  /** x-kubun-ui. */
  readonly marker?: string | undefined
}

export type Check = (ctx: Ctx, token: string) => Promise<Person | undefined>

export const cookieName = '__Host-kubun'
export const codeMsMax = 10 * 60_000
export const idleMsMax = 12 * 3_600_000
/** However busy, a session ends after so long: certificates and groups change. */
export const sessionMsMax = 7 * 86_400_000
/** A session that came of a token is held against the token again after so long. */
export const tokenCheckMs = 60_000
/** Of one user; the oldest goes for the next. */
export const codesPerUserMax = 10
export const sessionsPerUserMax = 50
/** Of all users; beyond it the next is refused. */
export const codesMax = 1_000
export const sessionsMax = 2_000
/** 256 bits: not to be guessed, so no attempts are counted. */
const secretBytes = 32

interface Code {
  readonly grant: Grant
  readonly until: number
}

interface Session {
  person: Person
  readonly token: string | undefined
  readonly opened: number
  used: number
  checked: number
}

export class Sessions {
  readonly #codes = new Map<string, Code>()
  readonly #sessions = new Map<string, Session>()
  readonly #random: Random
  readonly #check: Check

  constructor(random: Random, check: Check) {
    this.#random = random
    this.#check = check
  }

  /** A code that opens one session within ten minutes; undefined when there are too many. */
  issue(ctx: Ctx, grant: Grant): string | undefined {
    const now = ctx.clock.now()
    for (const [code, { until }] of this.#codes) if (until <= now) this.#codes.delete(code)
    makeRoom(this.#codes, codesPerUserMax, (code) => code.grant.person.name === grant.person.name)
    if (this.#codes.size >= codesMax) return undefined
    const code = this.#secret()
    this.#codes.set(code, { grant, until: now + codeMsMax })
    return code
  }

  /** The code's session, once; undefined when the code does not hold, or not any more. */
  redeem(ctx: Ctx, code: string): string | undefined {
    const found = this.#codes.get(code)
    this.#codes.delete(code)
    return found === undefined || found.until <= ctx.clock.now() ? undefined : this.open(ctx, found.grant)
  }

  /** The new session's id; undefined when there are too many. */
  open(ctx: Ctx, { person, token }: Grant): string | undefined {
    const now = ctx.clock.now()
    for (const [id, session] of this.#sessions) if (isOver(session, now)) this.#sessions.delete(id)
    makeRoom(this.#sessions, sessionsPerUserMax, (session) => session.person.name === person.name)
    if (this.#sessions.size >= sessionsMax) return undefined
    const id = this.#secret()
    this.#sessions.set(id, { person, token, opened: now, used: now, checked: now })
    return id
  }

  close(cookie: string): void {
    const id = sessionId(cookie)
    if (id !== undefined) this.#sessions.delete(id)
  }

  /** The user behind a Cookie header. Counts as use. */
  async find(ctx: Ctx, cookie: string): Promise<Person | undefined> {
    const id = sessionId(cookie)
    const session = id === undefined ? undefined : this.#sessions.get(id)
    if (id === undefined || session === undefined) return undefined
    const now = ctx.clock.now()
    if (isOver(session, now) || !(await this.#stillHolds(ctx, session, now))) {
      this.#sessions.delete(id)
      return undefined
    }
    session.used = now
    return session.person
  }

  async #stillHolds(ctx: Ctx, session: Session, now: number): Promise<boolean> {
    if (session.token === undefined || now - session.checked < tokenCheckMs) return true
    const person = await this.#check(ctx, session.token)
    if (person === undefined) return false
    session.checked = now
    session.person = person
    return true
  }

  #secret(): string {
    return Array.from(this.#random.bytes(secretBytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
  }
}

function isOver({ opened, used }: Session, now: number): boolean {
  return now - used >= idleMsMax || now - opened >= sessionMsMax
}

/** Maps keep their order, so the first of a user's is the oldest. */
function makeRoom<T>(held: Map<string, T>, most: number, isMine: (value: T) => boolean): void {
  const mine = [...held].filter(([, value]) => isMine(value))
  for (const [key] of mine.slice(0, Math.max(0, mine.length - most + 1))) held.delete(key)
}

/** HTTP/2 may send cookies one by one; joined again they stand behind `;` or `,`. */
export function sessionId(cookie: string): string | undefined {
  return /(?:^|[;,])\s*__Host-kubun=([0-9a-f]{64})\s*(?:$|[;,])/.exec(cookie)?.[1]
}

const passedOn = /^\/api\/v1\/(?:watch\/)?(?:namespaces\/[^/]+\/(?:pods|services)|nodes)\/[^/]+\/proxy(?:\/|$)/

/** Whether a request with a cookie is one that the dashboard made. The reasons are at the top. */
export function isOurs({ method, path, site, marker }: Omit<BrowserRequest, 'cookie'>): boolean {
  const [bare = ''] = path.split('?')
  if (passedOn.test(bare)) return false
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  if (marker === '1') return true
  return (method === 'GET' || method === 'HEAD') && site === 'same-origin'
}
