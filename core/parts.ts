/**
 * What runs beside the API server in one process: controllers and scheduler, the folder of manifests, and the upkeep of
 * the store. Each acts as its own user over the loopback. Composed by server.ts.
 */
import { join } from 'node:path'
import type { Aggregator } from './apiserver/aggregator/aggregator.ts'
import type { Customs } from './apiserver/customs.ts'
import { requestHeaders } from './auth/authn/requestheader.ts'
import type { SecretTokens } from './auth/authn/secrettoken.ts'
import { partIdentity } from './auth/policy.ts'
import type { Client } from './client/client.ts'
import type { Identity, InProcessApi } from './client/inprocess.ts'
import { loopbackClient } from './client/loopback.ts'
import { defaultSettings, serverIdentity, SignerRefusal, type Settings, type SigningRequest } from './controllers/controller.ts'
import { controllers } from './controllers/controllers.ts'
import { runManifests } from './controllers/manifests.ts'
import { runControllers } from './controllers/run.ts'
import type { Ctx } from './lib/ctx.ts'
import type { Group } from './lib/group.ts'
import type { Random } from './lib/random.ts'
import { manifestFolder } from './manifests.ts'
import type { ClusterPki } from './pki/cluster.ts'
import { parseRequest, refusal, signers, signRequest } from './pki/request.ts'
import { runScheduler } from './scheduler/run.ts'
import type { Ground, ServerConfig } from './server.ts'
import { keepCompact } from './store/compact.ts'
import { keepMoving } from './store/pulse.ts'

const certificateLifetimeMsMax = 365 * 86_400_000

export interface PartsDeps extends Ground {
  readonly random: Random
  readonly api: InProcessApi
  readonly secretTokens: SecretTokens
  readonly aggregation: Aggregator
  readonly customs: Customs
  /** Names of the certificates that may speak for others. */
  readonly frontProxies: readonly string[]
}

export function runParts(parts: Group, config: ServerConfig, deps: PartsDeps): void {
  const { store, registry, random } = deps
  const clientAs = (who: Identity): Client => loopbackClient(deps.api, who)
  parts.go('manifests', async (part) =>
    runManifests(part, { client: clientAs(serverIdentity), kinds: () => registry.kinds(), files: await manifestFolder(join(config.dataDir, 'server', 'manifests')) }),
  )
  parts.go('compaction', (part) => keepCompact(part, store))
  parts.go('pulse', (part) => keepMoving(part, store))
  parts.go('encryption', async (part) => void (await deps.encryption.rewrite(part, deps.raw))) // what was written before it was asked for
  const settings = settingsOf(parts.ctx, config, deps)
  const wanted = controllers.filter((controller) => !config.disabled.includes(controller.name))
  parts.go('controllers', (part) => runControllers(part, { clientAs, random, settings }, wanted))
  if (config.disabled.includes('scheduler')) return
  const schedulerClient = clientAs(partIdentity('system:kube-scheduler'))
  parts.go('scheduler', (part) => runScheduler(part, { client: schedulerClient, random, ...deps.scheduling }))
}

function settingsOf(ctx: Ctx, config: ServerConfig, { pki, registry, aggregation, customs, ...deps }: PartsDeps): Settings {
  return {
    ...defaultSettings,
    kinds: () => [...registry.kinds(), ...aggregation.kinds.kinds()],
    staleVersions: () => aggregation.kinds.stale(),
    onKinds(tell) {
      customs.onKinds(tell)
      aggregation.discovery.onChange(tell)
    },
    podCidrs: config.podCidrs,
    serviceCidr: config.serviceCidr,
    apiAddresses: [config.advertiseAddress],
    apiPort: config.port,
    rootCa: pki.serverCa.certificate.pem,
    secretToken: deps.secretTokens.issue,
    aggregated: aggregation.aggregated,
    trust: { clientCa: pki.clientCa.certificate.pem, requestHeader: { ca: pki.frontProxyCa.certificate.pem, allowedNames: deps.frontProxies, ...requestHeaders } },
    sign: (request) => sign(ctx, deps.random, pki, request),
    nodeMonitorGraceMs: config.nodeMonitorGraceMs,
    ...(config.timeZone === undefined ? {} : { timeZone: config.timeZone }),
  }
}

async function sign(ctx: Ctx, random: Random, pki: ClusterPki, asked: SigningRequest): Promise<string> {
  const request = parseRequest(asked.pem)
  if (typeof request === 'string') throw new SignerRefusal(request)
  const why = refusal(asked.signerName, request, asked.usages)
  if (why !== undefined) throw new SignerRefusal(why)
  const authority = asked.signerName === signers.kubeletServing ? pki.serverCa : pki.clientCa
  const options = { usages: asked.usages, expirationS: asked.expirationS, lifetimeMsMax: certificateLifetimeMsMax, now: ctx.clock.now(), random }
  return (await signRequest(authority, request, options)).pem
}

