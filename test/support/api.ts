/**
 * An API for tests of clients and controllers: the real registry on the memory store behind the real in-process API,
 * with everybody allowed and nothing admitted but what the registry itself demands. On virtual time.
 */
import { isApiError } from '../../core/api/errors.ts'
import type { KindRef } from '../../core/api/kind.ts'
import type { KubeObject } from '../../core/api/meta.ts'
import type { CustomsInit } from '../../core/apiserver/customs.ts'
import type { ApiServerDeps } from '../../core/apiserver/deps.ts'
import { reconcile } from '../../core/auth/policy.ts'
import type { Client } from '../../core/client/client.ts'
import type { Identity, InProcessApi } from '../../core/client/inprocess.ts'
import { openFork } from '../../core/fork/fork.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import { createLog, silentLog, type Log } from '../../core/lib/log.ts'
import { seededRandom, type Random } from '../../core/lib/random.ts'
import { virtualClock, type VirtualClock } from '../../core/lib/clock.ts'
import type { OpenRegistry } from '../../core/registry/open.ts'

export const tester: Identity = { name: 'tester', groups: ['system:masters', 'system:authenticated'], agent: 'test' }

export interface TestApi {
  readonly ctx: Ctx
  readonly clock: VirtualClock
  readonly random: Random
  readonly registry: OpenRegistry
  /** Tells when custom kinds come or go. */
  readonly onKinds: (tell: () => void) => void
  readonly api: InProcessApi
  /** Acts as the tester. */
  readonly client: Client
  readonly clientAs: (who: Identity) => Client
  create<T extends KubeObject>(kind: KindRef<T>, object: T): Promise<Readonly<T>>
  get<T extends KubeObject>(kind: KindRef<T>, name: string, namespace?: string): Promise<Readonly<T> | undefined>
  list<T extends KubeObject>(kind: KindRef<T>, namespace?: string): Promise<readonly Readonly<T>[]>
  /** Reads, changes a copy, writes. */
  change<T extends KubeObject>(kind: KindRef<T>, name: string, change: (mine: T) => void, options?: { readonly namespace?: string; readonly subresource?: string }): Promise<Readonly<T>>
  stop(): Promise<void>
}

export interface TestApiOptions {
  readonly seed?: number
  /** Prints what is logged. */
  readonly log?: boolean
  readonly admission?: ApiServerDeps['admission']
  readonly authorizer?: ApiServerDeps['authorizer']
  /** Asks a definition's conversion webhook. */
  readonly conversion?: CustomsInit['conversion']
  /** Who serves group-versions that this server has not. */
  readonly aggregator?: ApiServerDeps['aggregator']
  /** Rights as in a real cluster: RBAC with the bootstrap policy, instead of everything for everybody. */
  readonly rbac?: boolean
}

export async function testApi(options: TestApiOptions = {}): Promise<TestApi> {
  const clock = virtualClock()
  const random = seededRandom(options.seed ?? 1)
  const life = new AbortController()
  const log: Log = options.log === true ? createLog({ level: 'debug', format: 'text', write: (line) => console.error(line), now: () => clock.now() }) : silentLog
  const fork = await openFork({ signal: life.signal, clock, log }, {
    random,
    ...(options.rbac === true ? {} : { authorizer: options.authorizer ?? { authorize: () => ({ answer: 'allow', reason: 'test' }) } }),
    admission: options.admission ?? { mutate: () => Promise.resolve(), validate: () => Promise.resolve() },
    ...(options.conversion === undefined ? {} : { conversion: options.conversion }),
    ...(options.aggregator === undefined ? {} : { aggregator: options.aggregator }),
  })
  const { ctx, registry, api, clientAs } = fork
  const client = clientAs(tester)
  if (options.rbac === true) await reconcile(ctx, client)
  return {
    ctx, clock, random, registry, api, client, clientAs, onKinds: fork.onKinds,
    create: (kind, object) => client.create(ctx, kind, object),
    get: (kind, name, namespace = 'default') => client.get(ctx, kind, { namespace: kind.namespaced ? namespace : '', name }),
    list: async (kind, namespace = '') => (await client.list(ctx, kind, { namespace })).items,
    async change<T extends KubeObject>(kind: KindRef<T>, name: string, change: (mine: T) => void, o: { readonly namespace?: string; readonly subresource?: string } = {}) {
      for (let tries = 1; ; tries++) {
        const lent = await client.get(ctx, kind, { namespace: kind.namespaced ? (o.namespace ?? 'default') : '', name })
        if (lent === undefined) throw new Error(`${kind.plural} ${name} is not there`)
        const mine = structuredClone(lent) as T
        change(mine)
        try {
          return await client.update(ctx, kind, mine, o.subresource === undefined ? {} : { subresource: o.subresource })
        } catch (error) {
          if (tries === 5 || !isApiError(error, 'Conflict')) throw error
        }
      }
    },
    async stop() {
      life.abort()
      await fork.close()
    },
  }
}
