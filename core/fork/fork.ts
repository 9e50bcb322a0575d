/**
 * A control plane in one process, without a machine under it: the real registry on the memory store, the real
 * authorization, admission, controllers and scheduler, on whatever clock and chance it is handed, beginning with the
 * state it is given. It reaches nothing outside. What would happen to a cluster is asked here; nodes that run nothing
 * are hollow.ts. A composition root beside server.ts, which serves.
 */
import { admissionChain, asOne } from '../admission/chain.ts'
import { customResourceDefinitions } from '../api/apiextensions/customresourcedefinition.ts'
import { events } from '../api/core/event.ts'
import { kinds } from '../api/kinds.ts'
import type { Kind } from '../api/kind.ts'
import { keyOf, type AnyObject } from '../api/meta.ts'
import { inProcess } from '../apiserver/inprocess.ts'
import { serveCustomKinds, type CustomsInit } from '../apiserver/customs.ts'
import type { ApiServerDeps } from '../apiserver/deps.ts'
import { RegistryWorld } from '../apiserver/world.ts'
import { privileged, unionAuthorizer } from '../auth/authz/authorizers.ts'
import { nodeGraph } from '../auth/authz/graph.ts'
import { nodeAuthorizer } from '../auth/authz/node.ts'
import { rbac } from '../auth/authz/rbac.ts'
import { bootstrapPolicy, nodeRules, reconcile } from '../auth/policy.ts'
import { bootObjects } from '../boot.ts'
import type { Client } from '../client/client.ts'
import type { Identity, InProcessApi } from '../client/inprocess.ts'
import { loopbackClient } from '../client/loopback.ts'
import type { Remote } from '../client/remote.ts'
import { defaultSettings, serverIdentity, SignerRefusal, type Settings } from '../controllers/controller.ts'
import type { Ctx } from '../lib/ctx.ts'
import { createMetrics } from '../lib/metrics.ts'
import type { Random } from '../lib/random.ts'
import { storeKey, stored } from '../registry/base.ts'
import { openRegistry, type OpenRegistry } from '../registry/open.ts'
import { openMemory } from '../store/drivers/memory.ts'
import type { Store } from '../store/store.ts'

/** A key of the store and what lies there. */
export interface Laid {
  readonly key: string
  readonly value: Uint8Array
}

export interface ForkOptions {
  readonly random: Random
  /** What there is when it begins; nothing, unless given. */
  readonly state?: readonly Laid[]
  /** Stands between the registry and the store. */
  readonly store?: (inner: Store) => Store
  /** Stands between every client and the API. */
  readonly api?: (inner: InProcessApi) => InProcessApi
  /** Who may what: the node authorizer and RBAC, unless given. */
  readonly authorizer?: ApiServerDeps['authorizer']
  /** The whole chain, unless given. */
  readonly admission?: ApiServerDeps['admission']
  /** Who serves group-versions that this server has not. */
  readonly aggregator?: ApiServerDeps['aggregator']
  /** Asks a definition's conversion webhook. */
  readonly conversion?: CustomsInit['conversion']
  /** Asks webhooks; nobody is reached, unless given. */
  readonly remote?: Remote
  /** Ranges of Services' addresses and node ports; `forkAddresses`, unless given. */
  readonly addresses?: Pick<ForkAddresses, 'serviceCidr' | 'nodePorts'>
}

export interface Fork {
  readonly ctx: Ctx
  readonly random: Random
  readonly store: Store
  readonly registry: OpenRegistry
  readonly api: InProcessApi
  /** Acts with all rights, past what `options.api` put in between. */
  readonly client: Client
  readonly clientAs: (who: Identity) => Client
  /** Tells when custom kinds come or go. */
  readonly onKinds: (tell: () => void) => void
  /** All that there is now: another fork can begin with it. */
  state(): Promise<readonly Laid[]>
  close(): Promise<void>
}

const version = { gitVersion: 'v1.36.0', gitCommit: '', buildDate: '' }
export interface ForkAddresses {
  readonly podCidrs: readonly string[]
  readonly serviceCidr: string
  readonly clusterDns: string
  readonly nodePorts: { readonly from: number; readonly to: number }
}

export const forkAddresses: ForkAddresses = { podCidrs: ['10.42.0.0/16'], serviceCidr: '10.43.0.0/16', clusterDns: '10.43.0.10', nodePorts: { from: 30_000, to: 32_767 } }

/** What is stored for an object: for a fork's state. */
export function laid(kind: Kind, object: AnyObject): Laid {
  return { key: storeKey(kind, keyOf(object)), value: stored(kind, object) }
}

export async function openFork(parent: Ctx, options: ForkOptions): Promise<Fork> {
  const { random } = options
  const life = new AbortController()
  const ctx: Ctx = { ...parent, signal: AbortSignal.any([parent.signal, life.signal]) }
  const memory = openMemory()
  for (const { key, value } of options.state ?? []) await memory.put(ctx, key, value, 'absent')
  const store = options.store?.(memory) ?? memory
  const registry = await openRegistry(ctx, { store, kinds, random })
  const world = await RegistryWorld.open(ctx, registry, followed(options))
  const customs = serveCustomKinds(ctx, { registry, changes: world, conversion: options.conversion ?? (() => nothingOutside) })
  const authorizer = options.authorizer ?? roles(world)
  const inner: InProcessApi = inProcess({
    registry, random, authorizer,
    authenticator: { authenticate: () => Promise.resolve(undefined) },
    admission: options.admission ?? admission({ world, registry, authorizer, options, client: () => loopbackClient(inner, serverIdentity) }),
    version,
    metrics: createMetrics(),
    checks: [],
    ...(options.aggregator === undefined ? {} : { aggregator: options.aggregator }),
  })
  const api = options.api?.(inner) ?? inner
  return {
    ctx, random, store: memory, registry, api,
    client: loopbackClient(inner, serverIdentity),
    clientAs: (who) => loopbackClient(api, who),
    onKinds: customs.onKinds,
    async state() {
      return (await memory.range(ctx, '')).entries.map(({ key, value }) => ({ key, value }))
    },
    async close() {
      life.abort(new Error('the fork ends'))
      customs.stop()
      await registry.close()
      await memory.close()
    },
  }
}

/** What every cluster has from its first moment: roles, namespaces, classes. */
export async function bootFork(fork: Fork): Promise<void> {
  await reconcile(fork.ctx, fork.client)
  await bootObjects(fork.ctx, fork.client, forkAddresses)
}

/** Settings of a fork's controllers: nothing is signed here. */
export function forkSettings(fork: Pick<Fork, 'registry' | 'onKinds'>): Settings {
  return {
    ...defaultSettings,
    kinds: () => fork.registry.kinds(),
    onKinds: fork.onKinds,
    podCidrs: forkAddresses.podCidrs,
    serviceCidr: forkAddresses.serviceCidr,
    apiAddresses: ['192.0.2.10'],
    apiPort: 6_443,
    rootCa: 'CA',
    secretToken: (account, secret) => Promise.resolve(`token of ${account.metadata.name} in ${secret.metadata.name}`),
    sign: () => Promise.reject(new SignerRefusal('a fork signs nothing')),
  }
}

/** Each kind that is followed costs a watch: only what somebody asks. */
function followed(options: ForkOptions): readonly Kind[] {
  if (options.admission === undefined || options.authorizer === undefined) return kinds.filter((kind) => kind.stored && kind.conversion === undefined && kind !== events)
  return [customResourceDefinitions]
}

/** Read once: there may be a thousand forks. */
let nodesMay: ReturnType<typeof nodeRules> | undefined

function roles(world: RegistryWorld): ApiServerDeps['authorizer'] {
  nodesMay ??= nodeRules(bootstrapPolicy())
  return unionAuthorizer([privileged, nodeAuthorizer(nodeGraph(world), nodesMay), rbac(world)])
}

interface AdmissionInit {
  readonly world: RegistryWorld
  readonly registry: OpenRegistry
  readonly authorizer: ApiServerDeps['authorizer']
  readonly options: ForkOptions
  readonly client: () => Client
}

function admission({ world, registry, authorizer, options, client }: AdmissionInit): ApiServerDeps['admission'] {
  const { random, remote = { post: nothingOutside, send: nothingOutside }, addresses = forkAddresses } = options
  const services = { ranges: { serviceCidr: addresses.serviceCidr, nodePorts: addresses.nodePorts }, changes: world }
  return asOne(admissionChain({ lookup: world, changes: world, kinds: () => registry.kinds(), authorizer, rbac: rbac(world), random, client, remote, services }))
}

function nothingOutside(): Promise<never> {
  return Promise.reject(new Error('a fork reaches nothing outside'))
}
