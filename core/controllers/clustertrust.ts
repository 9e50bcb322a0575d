/**
 * ConfigMap kube-system/extension-apiserver-authentication: by which authorities and headers aggregated API servers know
 * clients and the front proxy. What others have added stays; authorities that have expired go
 * (pkg/controlplane/controller/clusterauthenticationtrust).
 */
import { configMaps } from '../api/core/configmap.ts'
import type { ConfigMap } from '../api/schema/types.ts'
import { cloneJson, equalJson } from '../lib/json.ts'
import { readCertificates } from '../pki/certificate.ts'
import { serverIdentity, type Controller } from './controller.ts'

const namespace = 'kube-system'
const name = 'extension-apiserver-authentication'

/** What this server stands for. */
export interface ClusterTrust {
  /** PEM of who signs clients. */
  readonly clientCa: string
  readonly requestHeader: {
    /** PEM of who signs front proxies. */
    readonly ca: string
    /** Common names of front proxies. */
    readonly allowedNames: readonly string[]
    readonly user: readonly string[]
    readonly uid: readonly string[]
    readonly group: readonly string[]
    readonly extraPrefix: readonly string[]
  }
}

export const clusterTrust: Controller = {
  name: 'cluster-authentication-trust-controller',
  identity: serverIdentity,
  workers: 1,
  setUp(env) {
    const lister = env.watch(configMaps, ({ metadata }) => (metadata.namespace === namespace && metadata.name === name ? [name] : []), { namespace, fieldSelector: `metadata.name=${name}` })
    env.queue.add(name)
    return async (ctx, _key, client) => {
      const { trust } = env.settings
      if (trust === undefined) return
      const have = lister.get({ namespace, name })
      const data = dataOf(have?.data ?? {}, trust, env.clock.now())
      if (have === undefined) await client.create(ctx, configMaps, { metadata: { namespace, name }, data })
      else if (!equalJson(data, have.data ?? {})) await client.update(ctx, configMaps, { ...(cloneJson(have) as ConfigMap), data })
    }
  },
}

/** Keys that are nobody's here are taken away, as upstream does. */
function dataOf(have: Readonly<Record<string, string>>, { clientCa, requestHeader }: ClusterTrust, now: number): Record<string, string> {
  const list = (key: string, more: readonly string[]): string => JSON.stringify([...new Set([...listOf(have[key]), ...more])])
  return {
    'client-ca-file': bundle([have['client-ca-file'] ?? '', clientCa], now),
    'requestheader-username-headers': list('requestheader-username-headers', requestHeader.user),
    'requestheader-uid-headers': list('requestheader-uid-headers', requestHeader.uid),
    'requestheader-group-headers': list('requestheader-group-headers', requestHeader.group),
    'requestheader-extra-headers-prefix': list('requestheader-extra-headers-prefix', requestHeader.extraPrefix),
    'requestheader-client-ca-file': bundle([have['requestheader-client-ca-file'] ?? '', requestHeader.ca], now),
    'requestheader-allowed-names': list('requestheader-allowed-names', requestHeader.allowedNames),
  }
}

/** What somebody has spoilt counts for nothing. */
function listOf(text: string | undefined): readonly string[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
  } catch {
    return []
  }
}

function bundle(texts: readonly string[], now: number): string {
  const valid = texts.flatMap((text) => certificatesIn(text)).filter(({ notAfter }) => notAfter > now)
  return [...new Set(valid.map(({ pem }) => pem))].join('')
}

function certificatesIn(text: string): ReturnType<typeof readCertificates> {
  try {
    return readCertificates(text)
  } catch {
    return []
  }
}
