/** What a kubeconfig says, for load programs that speak HTTP/2 by themselves. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

export interface Access {
  readonly server: string
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export function accessOf(kubeconfig: string): Access {
  const config = parse(readFileSync(kubeconfig, 'utf8')) as {
    readonly clusters: readonly { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } }[]
    readonly users: readonly { readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string } }[]
  }
  const text = (base64: string): string => Buffer.from(base64, 'base64').toString()
  const [cluster] = config.clusters
  const [user] = config.users
  if (cluster === undefined || user === undefined) throw new Error(`${kubeconfig} names no cluster or no user`)
  return {
    server: cluster.cluster.server,
    ca: text(cluster.cluster['certificate-authority-data']),
    cert: text(user.user['client-certificate-data']),
    key: text(user.user['client-key-data']),
  }
}
