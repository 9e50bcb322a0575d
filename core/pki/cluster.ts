/**
 * The certificates of a server: three authorities (for what it serves, for those
 * who sign in, for its own calls to aggregated servers), what it issues itself
 * from them, and the key of service account tokens. Which addresses and names
 * it serves is the caller's. Call again to renew: what is due is made anew.
 */
import { fingerprint, type Authority, type Identity, type Means } from './certificate.ts'
import { loadAuthority, loadIdentity, loadKey, openDirectory, type LeafInit } from './files.ts'
import type { KeyPair } from './key.ts'

export interface ClusterPki {
  /** Signs what servers show: the API server, kubelets. */
  readonly serverCa: Authority
  /** Signs what clients show: administrators, nodes, parts. */
  readonly clientCa: Authority
  /** Signs what the API server shows to aggregated API servers (requestheader-client-ca). */
  readonly frontProxyCa: Authority
  readonly serving: Identity
  readonly admin: Identity
  /** What the API server shows to kubelets. */
  readonly kubeletClient: Identity
  readonly frontProxyClient: Identity
  readonly serviceAccountKey: KeyPair
  /** Names of certificates that were made or renewed by this call. */
  readonly renewed: readonly string[]
}

/** Certificates that the server holds itself, besides its serving one. */
const clients = {
  admin: { commonName: 'system:admin', organizations: ['system:masters'], usages: ['client'] },
  // bound to system:kubelet-api-admin, not a master: it is shown to every node
  kubeletClient: { commonName: 'kube-apiserver-kubelet-client', usages: ['client'] },
  frontProxyClient: { commonName: 'system:auth-proxy', usages: ['client'] },
} as const satisfies Readonly<Record<string, LeafInit>>

/** @param names DNS names and addresses that the API server is reached by. */
export async function loadClusterPki(directory: string, names: readonly string[], means: Means): Promise<ClusterPki> {
  await openDirectory(directory)
  const serviceAccountKey = loadKey(directory, 'service-account')
  const authorities = Promise.all([
    loadAuthority(directory, 'server-ca', means),
    loadAuthority(directory, 'client-ca', means),
    loadAuthority(directory, 'front-proxy-ca', means),
  ])
  const [serverCa, clientCa, frontProxyCa] = await authorities
  const serving = { commonName: 'kube-apiserver', usages: ['server'], names } as const
  const made = await Promise.all([
    loadIdentity(directory, 'serving', serverCa, serving, means),
    loadIdentity(directory, 'admin', clientCa, clients.admin, means),
    loadIdentity(directory, 'kubelet-client', clientCa, clients.kubeletClient, means),
    loadIdentity(directory, 'front-proxy-client', frontProxyCa, clients.frontProxyClient, means),
  ])
  const files = ['serving', 'admin', 'kubelet-client', 'front-proxy-client']
  return {
    serverCa, clientCa, frontProxyCa,
    serving: made[0].identity,
    admin: made[1].identity,
    kubeletClient: made[2].identity,
    frontProxyClient: made[3].identity,
    serviceAccountKey: await serviceAccountKey,
    renewed: files.filter((_, i) => made[i]?.renewed),
  }
}

/** The hash of the server CA that a join token pins. */
export function pinOf(pki: Pick<ClusterPki, 'serverCa'>): string {
  return fingerprint(pki.serverCa.certificate)
}

/** `K10<sha256 of the server CA's DER>::<user>:<secret>`. */
export function joinToken(pki: Pick<ClusterPki, 'serverCa'>, user: string, secret: string): string {
  return `K10${pinOf(pki)}::${user}:${secret}`
}

/** The parts of a join token; undefined when it is none. Without `pin` (a bare secret) the server's CA is taken on trust. */
export function parseJoinToken(token: string): { readonly pin?: string; readonly user: string; readonly secret: string } | undefined {
  const full = /^K10([0-9a-f]{64})::([^:]+):(\S+)$/.exec(token.trim())
  if (full !== null) return { pin: full[1] ?? '', user: full[2] ?? '', secret: full[3] ?? '' }
  return /^[^\s:]+$/.test(token.trim()) && !token.startsWith('K10') ? { user: 'server', secret: token.trim() } : undefined
}
