/**
 * Composition root of a server: opens the store, builds who may what, admission and
 * the API server over it, brings the cluster's own objects up to date, and runs
 * controllers and scheduler over the loopback. Knows no flags: cmd hands it a config.
 * Start reading at runServer(). What runs beside it is parts.ts, who is who signin.ts, how it shows itself serving.ts.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { admissionChain, asOne } from './admission/chain.ts'
import { events } from './api/core/event.ts'
import { badRequest } from './api/errors.ts'
import { kinds } from './api/kinds.ts'
import { aggregator, type Aggregator } from './apiserver/aggregator/aggregator.ts'
import type { ApiServerDeps, VersionInfo } from './apiserver/deps.ts'
import { components, healthChecks, Progress } from './apiserver/checks.ts'
import { webhookConversion } from './apiserver/conversion.ts'
import { serveCustomKinds, type Customs } from './apiserver/customs.ts'
import { openAudit, type AuditConfig } from './apiserver/audit/open.ts'
import { FlowConfig } from './apiserver/flowcontrol/consumer.ts'
import { FlowControl } from './apiserver/flowcontrol/flowcontrol.ts'
import { ensureFlowConfig, keepFlowConfig } from './apiserver/flowcontrol/producer.ts'
import { startApiServer, type ApiServer } from './apiserver/server.ts'
import { RegistryWorld } from './apiserver/world.ts'
import { union } from './auth/authn/authenticators.ts'
import type { ServiceAccountTokens } from './auth/authn/serviceaccount.ts'
import { nodeGraph } from './auth/authz/graph.ts'
import { nodeAuthorizer } from './auth/authz/node.ts'
import { rbac } from './auth/authz/rbac.ts'
import { bootstrapPolicy, nodeRules, reconcile } from './auth/policy.ts'
import type { Authenticator } from './auth/user.ts'
import { discoverable, type AuthenticationOptions } from './authentication.ts'
import { Authorization, type AuthorizationOptions } from './authorization.ts'
import { bootObjects } from './boot.ts'
import { runParts } from './parts.ts'
import { openScheduling, type Scheduling } from './scheduling.ts'
import { documents, isOpen, open, ownHost, pairOf, renewServing, servingNames } from './serving.ts'
import { frontProxies, openSignIn, type SignIn } from './signin.ts'
import { Encryption } from './encryption.ts'
import { EncryptionError } from './encryptionfile.ts'
import { aggregated } from './client/aggregated.ts'
import type { Client } from './client/client.ts'
import { loopbackClient } from './client/loopback.ts'
import { remoteClient } from './client/remote.ts'
import { serviceResolver } from './client/services.ts'
import { serverIdentity } from './controllers/controller.ts'
import { controllers } from './controllers/controllers.ts'
import { localProvisioner } from './controllers/volumes/localprovisioner.ts'
import { Group } from './lib/group.ts'
import { aborted, named, type Ctx } from './lib/ctx.ts'
import { createMetrics } from './lib/metrics.ts'
import type { Random } from './lib/random.ts'
import { loadClusterPki, type ClusterPki } from './pki/cluster.ts'
import { openRegistry, type OpenRegistry } from './registry/open.ts'
import { answerWhy, whyPath } from './whypath.ts'
import { openStore } from './store/drivers.ts'
import { sealedStore } from './store/sealed.ts'
import type { Store } from './store/store.ts'

export interface ServerConfig {
  readonly dataDir: string
  readonly bindAddress: string
  readonly port: number
  /** Address under which pods and other nodes reach this server. */
  readonly advertiseAddress: string
  /** Further names and addresses in the serving certificate. */
  readonly tlsNames: readonly string[]
  readonly podCidrs: readonly string[]
  readonly serviceCidr: string
  readonly clusterDns: string
  readonly clusterDomain: string
  readonly nodePorts: { readonly from: number; readonly to: number }
  readonly nodeMonitorGraceMs: number
  /** Zone of schedules that name none. */
  readonly timeZone?: string
  /** Controllers and parts ("scheduler") that do not run here. */
  readonly disabled: readonly string[]
  /** KubeSchedulerConfiguration; upstream's default where nothing is said. */
  readonly schedulerConfig?: string
  /** So long requests are still taken once the server is told to stop, while /readyz says already that it will. */
  readonly shutdownDelayMs?: number
  readonly version: VersionInfo
  /** EncryptionConfiguration of the user's own; without one, Secrets are sealed with a key of ours. */
  readonly encryptionConfig?: string
  /** Who is known, and by what; service account tokens, and nobody else's, where nothing is said. */
  readonly authentication?: AuthenticationOptions
  /** Who is asked whether somebody may; the node authorizer and RBAC where nothing is said. */
  readonly authorization?: AuthorizationOptions
  /** Descriptions for `kubectl explain`; undefined where the build has none. */
  readonly descriptions: ApiServerDeps['descriptions'] | undefined
  /** Without it, nothing is noted. */
  readonly audit?: AuditConfig
}

export interface ServerParts {
  readonly api: ApiServer
  readonly pki: ClusterPki
  /** A client with all rights, in this process. */
  readonly client: Client
  readonly tokens: ServiceAccountTokens
}

export interface ServerHooks {
  /** The dashboard under /ui, given the parts it stands on. Its sessions sign requests in before any other way does. */
  readonly ui?: (parts: { readonly ctx: Ctx; readonly authenticator: Authenticator; readonly random: Random }) => {
    readonly handle: NonNullable<ApiServerDeps['ui']>
    readonly sessions: Authenticator
  }
  /** Called once everything is ready. */
  readonly ready: (parts: ServerParts) => Promise<void>
}

/** Runs a server until ctx ends; then ends it in order: not ready, watches, connections, parts, store. */
export async function runServer(parent: Ctx, config: ServerConfig, random: Random, hooks: ServerHooks): Promise<void> {
  mustExist(config.disabled)
  const scheduling = await openScheduling(config.schedulerConfig)
  const ctx = named(parent, 'server')
  const life = new AbortController() // of registry and store: they outlive the parts that write
  const inner: Ctx = { ...ctx, signal: life.signal }
  await mkdir(join(config.dataDir, 'server'), { recursive: true, mode: 0o700 })
  const means = { random, now: ctx.clock.now() }
  const ownConfig = config.encryptionConfig === undefined
  const [pki, raw, encryption] = await Promise.all([
    loadClusterPki(join(config.dataDir, 'server', 'tls'), servingNames(config), means),
    openStore(`sqlite://${join(config.dataDir, 'server', 'state.db')}`),
    Encryption.open({ file: config.encryptionConfig ?? join(config.dataDir, 'server', 'encryption.yaml'), own: ownConfig }, random),
  ])
  const store = sealedStore(raw, encryption)
  const registry = await openRegistry(inner, { store, kinds, random })
  try {
    await serveUntilStopped(ctx, inner, config, random, hooks, { pki, store, raw, encryption, registry, scheduling })
  } finally {
    life.abort(new Error('server ends'))
    await registry.close()
    await store.close()
  }
}

/** A part that is misspelt would run, although somebody relies on it that it does not. */
function mustExist(disabled: readonly string[]): void {
  const parts = [...new Set(controllers.map(({ name }) => name)), 'scheduler'] // some share a name
  const unknown = disabled.find((name) => !parts.includes(name))
  if (unknown !== undefined) throw new Error(`nothing is called ${JSON.stringify(unknown)} that could be disabled; there are ${parts.join(', ')}`)
}

export interface Ground {
  readonly pki: ClusterPki
  readonly store: Store
  /** The same store, as values lie on disk. */
  readonly raw: Store
  readonly encryption: Encryption
  readonly registry: OpenRegistry
  readonly scheduling: Scheduling
}

/** A server before its first request. */
interface Assembled {
  readonly deps: ApiServerDeps
  readonly signIn: SignIn
  readonly authorizer: Authorization
  readonly policy: ReturnType<typeof bootstrapPolicy>
  readonly aggregation: Aggregator
  readonly customs: Customs
  readonly flowConfig: FlowConfig
  readonly progress: Progress
  /** What comes later, and changes: the server itself, and the certificates as they were last renewed. */
  readonly own: { api?: ApiServer; pki: ClusterPki }
  /** Stands on `own.api`. */
  readonly client: () => Client
  readonly close: () => Promise<void>
}

async function assemble(inner: Ctx, config: ServerConfig, random: Random, hooks: ServerHooks, ground: Ground): Promise<Assembled> {
  const { pki, store, registry } = ground
  const world = await RegistryWorld.open(inner, registry, kinds.filter((kind) => kind.stored && kind.conversion === undefined && kind !== events))
  const policy = bootstrapPolicy()
  const roles = rbac(world)
  const services = { ranges: { serviceCidr: config.serviceCidr, nodePorts: config.nodePorts }, changes: world }
  const resolver = serviceResolver(world, random, { host: ownHost(config.bindAddress), port: config.port })
  const remote = remoteClient({ agent: 'kube-apiserver-admission', services: resolver })
  const authorizer = await Authorization.open(inner, config.authorization ?? {}, { rbac: roles, node: nodeAuthorizer(nodeGraph(world), nodeRules(policy)), open, remote, random })
  const signIn = await openSignIn(inner, { pki, lookup: world, random, remote, options: config.authentication ?? {}, client: () => client() })
  const { accounts, authentication } = signIn
  const ui = hooks.ui?.({ ctx: named(inner, 'dashboard'), authenticator: signIn.authenticator, random })
  const authenticator = ui === undefined ? signIn.authenticator : union([ui.sessions, signIn.authenticator])
  const progress = new Progress()
  const isOn = (name: string): boolean => !config.disabled.includes(name)
  const runsHere = { controllers: controllers.some(({ name }) => isOn(name)), scheduler: isOn('scheduler') }
  const reads = async (): Promise<void> => void (await store.get(inner, 'health'))
  const own: Assembled['own'] = { pki }
  const started = (): ApiServer => {
    if (own.api === undefined) throw new Error('somebody asks before the API server stands')
    return own.api
  }
  const client = (): Client => loopbackClient(started().inProcess, serverIdentity)
  const aggregatorRemote = remoteClient({ agent: 'kube-aggregator', services: resolver })
  const reach = aggregated({ remote: aggregatorRemote, services: resolver, identity: () => pairOf(own.pki.frontProxyClient) })
  const aggregation = aggregator(inner, { changes: world, aggregated: reach, random })
  const metrics = createMetrics()
  const customs = serveCustomKinds(inner, { registry, changes: world, conversion: (crd) => webhookConversion(inner, { remote, random }, crd) })
  const chain = admissionChain({ lookup: world, changes: world, kinds: () => registry.kinds(), authorizer, rbac: roles, random, client, remote, metrics, services })
  const flow = new FlowControl({ clock: inner.clock, metrics, sizes: (group, resource) => world.size(group, resource) })
  const flowConfig = new FlowConfig(flow, world)
  const audit = config.audit === undefined ? undefined : await openAudit(named(inner, 'audit'), config.audit, { metrics, remote })
  const deps: ApiServerDeps = {
    registry, authenticator, authorizer, random, metrics, flow,
    ...(audit === undefined ? {} : { audit }),
    aggregator: aggregation,
    admission: asOne(chain),
    version: config.version,
    checks: healthChecks(reads, progress),
    components: components(reads, runsHere, progress),
    anonymousAt: (path) => authentication.anonymousAt(path) || isOpen(path),
    rules: authorizer,
    tokens: { audiences: accounts.audiences, review: signIn.bearer.review, request: signIn.tokens.request },
    kubelet: () => ({ ...pairOf(own.pki.kubeletClient), ca: pki.serverCa.certificate.pem }),
    documents: documents(config, pki, signIn.keys, discoverable(accounts)),
    actions: {
      '/kubun/v1/encryption': { GET: (asked) => ground.encryption.status(asked, ground.raw), POST: (asked) => ground.encryption.rotate(asked, ground.raw).catch(refused) },
      [whyPath]: { GET: (_life, asked) => answerWhy(started().inProcess, asked, { profiles: ground.scheduling.profiles }) },
    },
    ...(config.descriptions === undefined ? {} : { descriptions: config.descriptions }),
    ...(ui === undefined ? {} : { ui: ui.handle }),
  }
  progress.done('caches')
  return {
    deps, signIn, authorizer, policy, aggregation, customs, flowConfig, progress, own, client,
    async close() {
      customs.stop()
      await audit?.close() // what was noted last
      remote.close()
      aggregatorRemote.close()
    },
  }
}

async function serveUntilStopped(ctx: Ctx, inner: Ctx, config: ServerConfig, random: Random, hooks: ServerHooks, ground: Ground): Promise<void> {
  const { pki } = ground
  const { deps, signIn, authorizer, policy, aggregation, customs, flowConfig, progress, own, client, close } = await assemble(inner, config, random, hooks, ground)
  const api = await startApiServer(inner, deps, {
    host: config.bindAddress,
    port: config.port,
    serving: pairOf(pki.serving),
    clientCa: pki.clientCa.certificate.pem,
    requestHeaderCa: pki.frontProxyCa.certificate.pem,
  })
  own.api = api
  try {
    await Promise.all([
      progress.after('roles', reconcile(ctx, client(), policy)),
      progress.after('objects', bootObjects(ctx, client(), { ...config, localStorage: !config.disabled.includes(localProvisioner.name) })),
      progress.after('flow', ensureFlowConfig(ctx, client())),
    ])
    await using parts = new Group(inner) // not ctx: they run on while requests are still served
    runParts(parts, config, { ...ground, random, api: api.inProcess, secretTokens: signIn.secretTokens, aggregation, customs, frontProxies })
    parts.go('aggregation', (part) => aggregation.run(part))
    parts.go('authentication', (part) => signIn.authentication.run(part))
    parts.go('authorization', (part) => authorizer.run(part))
    parts.go('flow control', (part) => flowConfig.run(part, client()))
    parts.go('flow control objects', (part) => keepFlowConfig(part, client()))
    parts.go('certificates', (part) => renewServing(part, config, random, api, (next) => (own.pki = next)))
    progress.done('parts')
    await hooks.ready({ api, pki, client: client(), tokens: signIn.tokens })
    await Promise.race([aborted(ctx.signal), parts.wait()])
    await api.stop({ graceMs: stopGraceMs, notReadyMs: config.shutdownDelayMs ?? 0 })
  } finally {
    await api.stop({ graceMs: stopGraceMs })
    await close()
  }
}

/** For requests in flight, when connections are told to close. */
const stopGraceMs = 10_000

/** Of a file that cannot be used, who asked reads why. */
function refused(error: unknown): never {
  throw error instanceof EncryptionError ? badRequest(error.message) : error
}
