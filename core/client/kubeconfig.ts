/**
 * A kubeconfig as the way to one other server (k8s.io/apiserver/pkg/util/webhook LoadKubeconfig): the current context's
 * cluster and user. Files that it names lie beside it. What runs programs or asks for passwords is refused.
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseYaml } from '../api/codec/yaml.ts'
import type { RemoteTarget } from './remote.ts'

type Fields = Readonly<Record<string, unknown>>

interface Kubeconfig {
  readonly 'current-context'?: string
  readonly contexts?: readonly { readonly name: string; readonly context: { readonly cluster?: string; readonly user?: string; readonly namespace?: string } }[]
  readonly clusters?: readonly { readonly name: string; readonly cluster: Fields }[]
  readonly users?: readonly { readonly name: string; readonly user?: Fields }[]
}

const refusedOfUser = ['exec', 'auth-provider', 'username', 'password'] as const

/** Throws what is wrong with it, by its path. */
export function kubeconfigTarget(path: string): RemoteTarget {
  const config = parsed(path)
  if (config['current-context'] === undefined) throw new Error(`${path} is no kubeconfig: it has no current-context`)
  const context = config.contexts?.find(({ name }) => name === config['current-context'])?.context
  if (context === undefined) throw new Error(`${path}: there is no context ${JSON.stringify(config['current-context'])}`)
  const cluster = config.clusters?.find(({ name }) => name === context.cluster)?.cluster
  const url = cluster?.['server']
  if (cluster === undefined || typeof url !== 'string' || url === '') throw new Error(`${path}: the context names no cluster with a server`)
  if (typeof cluster['proxy-url'] === 'string') throw new Error(`${path}: proxy-url is not served`)
  const user = config.users?.find(({ name }) => name === context.user)?.user ?? {}
  for (const field of refusedOfUser) if (user[field] !== undefined) throw new Error(`${path}: ${field} is not served: a certificate or a token signs in`)
  const ca = textOf(path, cluster, 'certificate-authority')
  return {
    url,
    ...(ca === undefined ? {} : { caBundle: Buffer.from(ca).toString('base64') }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { insecureSkipTlsVerify: true } : {}),
    ...(typeof cluster['tls-server-name'] === 'string' ? { serverName: cluster['tls-server-name'] } : {}),
    credentials: credentialsOf(path, user),
  }
}

/** The namespace of what names none, where the current context says one. */
export function kubeconfigNamespace(path: string): string | undefined {
  const config = parsed(path)
  const namespace = config.contexts?.find(({ name }) => name === config['current-context'])?.context.namespace
  return namespace === '' ? undefined : namespace
}

function credentialsOf(path: string, user: Fields): NonNullable<RemoteTarget['credentials']> {
  const certificate = textOf(path, user, 'client-certificate')
  const key = textOf(path, user, 'client-key')
  if ((certificate === undefined) !== (key === undefined)) throw new Error(`${path}: a client certificate and its key belong together`)
  const token = typeof user['token'] === 'string' ? user['token'] : fileOf(path, user['tokenFile'])?.trim()
  return {
    ...(certificate === undefined || key === undefined ? {} : { certificate, key }),
    ...(token === undefined || token === '' ? {} : { token }),
  }
}

function parsed(path: string): Kubeconfig {
  const read = parseYaml(textAt(path))
  if (!read.ok) throw new Error(`${path}: ${read.error}`)
  return (read.value ?? {}) as Kubeconfig
}

/** Inline (`<field>-data`, base64), which wins, or in a file. */
function textOf(path: string, holder: Fields, field: string): string | undefined {
  const inline = holder[`${field}-data`]
  return typeof inline === 'string' && inline !== '' ? Buffer.from(inline, 'base64').toString() : fileOf(path, holder[field])
}

function fileOf(path: string, name: unknown): string | undefined {
  return typeof name === 'string' && name !== '' ? textAt(resolve(dirname(path), name)) : undefined
}

function textAt(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error('read kubeconfig', { cause }) // which names the file
  }
}
