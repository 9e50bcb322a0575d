/** A whole API server for tests: memory store, real registry, everybody of system:masters may do everything, others nothing. */
import { customResourceDefinitions } from '../api/apiextensions/customresourcedefinition.ts'
import { kinds } from '../api/kinds.ts'
import type { Kind } from '../api/kind.ts'
import { virtualClock, type VirtualClock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import { silentLog } from '../lib/log.ts'
import { createMetrics } from '../lib/metrics.ts'
import { seededRandom } from '../lib/random.ts'
import { openRegistry, type OpenRegistry } from '../registry/open.ts'
import { openMemory } from '../store/drivers/memory.ts'
import type { Identity } from '../client/inprocess.ts'
import type { Credentials, User } from '../auth/user.ts'
import { serveCustomKinds, type Customs, type CustomsInit } from './customs.ts'
import type { ApiServerDeps } from './deps.ts'
import type { Headers, Incoming, Outlet } from './exchange.ts'
import { handle, handling, type Handling } from './handle.ts'
import { createSite } from './site.ts'
import { RegistryWorld } from './world.ts'

export const admin: Identity = { name: 'admin', groups: ['system:masters'], agent: 'test/1' }

export interface Rig {
  readonly ctx: Ctx
  readonly clock: VirtualClock
  readonly deps: ApiServerDeps
  readonly registry: OpenRegistry
  readonly on: Handling
  /** Custom kinds are served once their definition says Established. */
  readonly customs: Customs
  kind(plural: string, group?: string): Kind
  /** One request through the whole chain, without a socket. */
  ask(method: string, url: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** A request whose answer goes on. */
  open(url: string, headers?: Readonly<Record<string, string>>): FakeOutlet
  close(): Promise<void>
}

export interface Answer {
  readonly code: number
  readonly headers: Headers
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers freely
  readonly json: any
}

/** Tokens are names: `bob:devs,ops` is the user bob in two groups. */
async function authenticate(_ctx: Ctx, { bearerToken }: Credentials): Promise<User | 'invalid' | undefined> {
  if (bearerToken === undefined) return undefined
  if (bearerToken === 'bad') return 'invalid'
  const [name = '', groups = ''] = bearerToken.split('|')
  return { name, groups: groups === '' ? [] : groups.split(',') }
}

export async function openRig(more: Partial<ApiServerDeps> = {}, clock = virtualClock()): Promise<Rig> {
  const end = new AbortController()
  const ctx: Ctx = { clock, log: silentLog, signal: end.signal }
  const random = seededRandom(1)
  const registry = await openRegistry(ctx, { store: openMemory(), kinds, random })
  const definitions = await RegistryWorld.open(ctx, registry, [customResourceDefinitions])
  // A webhook that says yes to everything.
  const conversion: CustomsInit['conversion'] = () => (objects, apiVersion) => Promise.resolve(objects.map((object) => ({ ...object, apiVersion })))
  const customs = serveCustomKinds(ctx, { registry, changes: definitions, conversion })
  const deps: ApiServerDeps = {
    registry,
    random,
    authenticator: { authenticate },
    authorizer: {
      authorize: ({ user }) => ({
        answer: user.groups.includes('system:masters') ? 'allow' : 'no opinion',
        reason: '',
      }),
    },
    admission: { mutate: async () => {}, validate: async () => {} },
    version: { gitVersion: 'v1.36.3+kubun', gitCommit: '', buildDate: '' },
    metrics: createMetrics(),
    checks: [{ name: 'etcd', live: true, check: () => {} }],
    ...more,
  }
  const site = createSite(ctx, deps, { checks: deps.checks, stopping: false })
  const on = handling(ctx, deps, site)
  const open = (method: string, url: string, body: unknown, headers: Readonly<Record<string, string>>): FakeOutlet => {
    const outlet = new FakeOutlet()
    outlet.done = handle(on, { ctx, request: incoming(method, url, body, headers), outlet })
    return outlet
  }
  return {
    ctx,
    clock,
    deps,
    registry,
    on,
    customs,
    kind(plural, group = '') {
      const found = kinds.find((kind) => kind.plural === plural && kind.group === group)
      if (found === undefined) throw new Error(`no kind ${plural}`)
      return found
    },
    async ask(method, url, body, headers = {}) {
      const outlet = open(method, url, body, headers)
      await outlet.done
      return outlet.answer()
    },
    open: (url, headers = {}) => open('GET', url, undefined, headers),
    async close() {
      customs.stop()
      end.abort()
      await registry.close()
    },
  }
}

/** A body of which nothing ever comes. */
export const never = Symbol('never')

function incoming(method: string, url: string, body: unknown, headers: Readonly<Record<string, string>>): Incoming {
  const all: Record<string, string> = {
    authorization: 'Bearer admin|system:masters',
    'user-agent': 'test/1',
    'content-type': 'application/json',
    ...headers,
  }
  const bytes =
    body === undefined
      ? new Uint8Array()
      : body instanceof Uint8Array
        ? body
        : new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
  const bearerToken = all['authorization'] === '' ? undefined : all['authorization']?.replace('Bearer ', '')
  return {
    method,
    url,
    header: (name) => all[name],
    headers: (name) => (all[name] === undefined ? [] : [all[name]]),
    headerNames: () => Object.keys(all),
    body: () => (body === never ? new Promise(() => {}) : Promise.resolve(bytes)),
    async *stream() {
      yield bytes
    },
    credentials: bearerToken === undefined ? {} : { bearerToken },
    peer: '127.0.0.1',
  }
}

export class FakeOutlet implements Outlet {
  done: Promise<void> = Promise.resolve()
  code = 0
  headers: Headers = {}
  chunks: Uint8Array[] = []
  ended = false
  broken: Error | undefined
  left = false
  hungUp = false
  /** Set to make the stream hold back. */
  full = false
  #drained: (() => void)[] = []
  #closed: (() => void)[] = []

  get started(): boolean {
    return this.code !== 0
  }
  get gone(): boolean {
    return this.left || this.ended
  }
  hangUp(): void {
    this.hungUp = true
  }
  send(code: number, headers: Headers, body: Uint8Array | undefined): void {
    this.start(code, headers)
    if (body !== undefined) this.chunks.push(body)
    this.ended = true
  }
  start(code: number, headers: Headers): void {
    this.code = code
    this.headers = headers
  }
  write(chunk: Uint8Array): boolean {
    this.chunks.push(chunk)
    return !this.full
  }
  end(): void {
    this.ended = true
  }
  destroy(why: Error): void {
    this.broken = why
  }
  onDrain(drained: () => void): void {
    this.#drained.push(drained)
  }
  onClose(closed: () => void): void {
    this.#closed.push(closed)
  }
  drain(): void {
    this.full = false
    for (const drained of this.#drained) drained()
  }
  close(): void {
    this.left = true
    for (const closed of this.#closed) closed()
  }
  text(): string {
    return Buffer.concat(this.chunks).toString()
  }
  /** The events of a watch so far. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers freely
  events(): any[] {
    return this.text()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown)
  }
  answer(): Answer {
    const text = this.text()
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      json = undefined
    }
    return { code: this.code, headers: this.headers, text, json }
  }
}
