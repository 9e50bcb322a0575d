/** The administrator's kubeconfig: writes it, and makes a client of it for the commands that speak to the server. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parse, stringify } from 'yaml'
import { systemClock } from '../core/lib/clock.ts'
import { restClient, type RestClient } from '../core/client/rest.ts'
import { CommandError } from './command.ts'
import { version } from './version.ts'

export const defaultKubeconfig = '/etc/kubun/kubun.yaml'

export interface KubeconfigInit {
  readonly server: string
  readonly caPem: string
  readonly certificatePem: string
  readonly keyPem: string
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

export function kubeconfigText(init: KubeconfigInit): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'default',
    clusters: [{ name: 'default', cluster: { server: init.server, 'certificate-authority-data': base64(init.caPem) } }],
    users: [{ name: 'default', user: { 'client-certificate-data': base64(init.certificatePem), 'client-key-data': base64(init.keyPem) } }],
    contexts: [{ name: 'default', context: { cluster: 'default', user: 'default' } }],
  })
}

/** Beside its place, then renamed: nobody reads half of it. */
export function writeKubeconfig(path: string, init: KubeconfigInit, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true })
  const beside = `${path}.new`
  writeFileSync(beside, kubeconfigText(init), { mode })
  renameSync(beside, path)
}

interface Kubeconfig {
  readonly clusters?: readonly { readonly cluster: { readonly server?: string; readonly 'certificate-authority-data'?: string } }[]
  readonly users?: readonly { readonly user: { readonly 'client-certificate-data'?: string; readonly 'client-key-data'?: string; readonly token?: string } }[]
}

export interface AdminClient {
  readonly client: RestClient
  readonly server: string
  readonly caPem: string
}

/** A client from a kubeconfig that Kubun wrote. */
export function adminClient(path: string): AdminClient {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new CommandError(`cannot read ${path}: run this as root on a server, or name a kubeconfig with --kubeconfig`)
  }
  const config = (parse(text) ?? {}) as Kubeconfig
  const cluster = config.clusters?.[0]?.cluster
  const user = config.users?.[0]?.user
  const decode = (data: string | undefined): string => Buffer.from(data ?? '', 'base64').toString('utf8')
  if (cluster?.server === undefined || user === undefined) throw new CommandError(`${path} is not a kubeconfig with a cluster and a user`)
  const caPem = decode(cluster['certificate-authority-data'])
  const credentials = user.token === undefined
    ? { certificate: decode(user['client-certificate-data']), key: decode(user['client-key-data']) }
    : { token: user.token }
  return {
    client: restClient({ server: cluster.server, ca: caPem, credentials: () => credentials, agent: `kubun/${version}`, clock: systemClock }),
    server: cluster.server,
    caPem,
  }
}
