/**
 * How a server shows itself: names and addresses in its certificate, and its renewal; what everybody may read without a
 * name; OpenID discovery of its tokens. Which server it is, server.ts says.
 */
import { join } from 'node:path'
import type { ApiServerDeps, KeyPair } from './apiserver/deps.ts'
import type { ApiServer } from './apiserver/server.ts'
import { discoveryDocument, type TokenKeys } from './auth/authn/keys.ts'
import type { Authorizer } from './auth/user.ts'
import type { Ctx } from './lib/ctx.ts'
import { errorPath } from './lib/log.ts'
import type { Random } from './lib/random.ts'
import type { Identity } from './pki/certificate.ts'
import { loadClusterPki, type ClusterPki } from './pki/cluster.ts'
import type { ServerConfig } from './server.ts'

/** Certificates are looked at this often, and renewed when a third of their life is left. */
const renewEveryMs = 6 * 3_600_000

export function pairOf({ certificate, key }: Identity): KeyPair {
  return { cert: certificate.pem, key: key.pem }
}

/** Names and addresses that clients reach the API server by. */
export function servingNames(config: ServerConfig): readonly string[] {
  const service = 'kubernetes'
  const inCluster = [service, `${service}.default`, `${service}.default.svc`, `${service}.default.svc.${config.clusterDomain}`]
  return [...new Set(['localhost', '127.0.0.1', '::1', config.advertiseAddress, firstAddress(config.serviceCidr), ...inCluster, ...config.tlsNames])]
}

/** Where this machine reaches what listens on this address. */
export function ownHost(bindAddress: string): string {
  return bindAddress === '' || bindAddress === '0.0.0.0' ? '127.0.0.1' : bindAddress === '::' ? '::1' : bindAddress
}

/** 10.43.0.0/16 -> 10.43.0.1: where the Service default/kubernetes is. */
function firstAddress(cidr: string): string {
  const [base = ''] = cidr.split('/')
  if (base.includes(':')) return `${base.replace(/::$/, '')}::1`
  const parts = base.split('.')
  return [...parts.slice(0, 3), String(Number(parts[3]) + 1)].join('.')
}

/** Paths without secrets that everybody may read: the CA (joining nodes check its hash), and the dashboard, which asks for a login itself. */
export const open: Authorizer = {
  authorize(asked) {
    return asked.type === 'path' && isOpen(asked.path) ? { answer: 'allow', reason: '' } : { answer: 'no opinion', reason: '' }
  },
}

export function isOpen(path: string): boolean {
  return path === caPath || path === clientCaPath || path === '/ui' || path.startsWith('/ui/')
}

const caPath = '/cacerts'
/** Who signs clients: kubelets know the API server by it. */
const clientCaPath = '/cacerts/client'

export function documents(config: ServerConfig, pki: ClusterPki, keys: TokenKeys, issuer: string | undefined): NonNullable<ApiServerDeps['documents']> {
  const jwksUri = config.authentication?.serviceAccount?.jwksUri ?? `https://${config.advertiseAddress}:${config.port}/openid/v1/jwks`
  return {
    [caPath]: { type: 'application/x-pem-file', text: async () => pki.serverCa.certificate.pem },
    [clientCaPath]: { type: 'application/x-pem-file', text: async () => pki.clientCa.certificate.pem },
    ...(issuer === undefined ? {} : {
      '/.well-known/openid-configuration': { type: 'application/json', text: async () => JSON.stringify(discoveryDocument(issuer, jwksUri, keys)) },
      '/openid/v1/jwks': { type: 'application/jwk-set+json', text: async () => JSON.stringify(await keys.jwks()) },
    }),
  }
}

export async function renewServing(ctx: Ctx, config: ServerConfig, random: Random, api: ApiServer, renewed: (pki: ClusterPki) => void): Promise<void> {
  for (;;) {
    await ctx.clock.sleep(renewEveryMs, ctx.signal)
    try {
      const pki = await loadClusterPki(join(config.dataDir, 'server', 'tls'), servingNames(config), { random, now: ctx.clock.now() })
      if (pki.renewed.length === 0) continue
      ctx.log.info('certificates renewed', { names: pki.renewed.join(',') })
      api.reload(pairOf(pki.serving))
      renewed(pki)
    } catch (error) {
      ctx.log.error('renew certificates', { error: errorPath(error) })
    }
  }
}
