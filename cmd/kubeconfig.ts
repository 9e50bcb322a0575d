/** The administrator's kubeconfig: writes it, and makes a client of it for the commands that speak to the server. */
import { accessSync, constants, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import * as z from 'zod'
import { systemClock } from '../core/lib/clock.ts'
import { kubeconfigNamespace, kubeconfigTarget } from '../core/client/kubeconfig.ts'
import { restClient, type RestClient } from '../core/client/rest.ts'
import { CommandError } from './command.ts'
import { version } from './version.ts'

export const defaultKubeconfig = '/etc/kubun/kubun.yaml'

/** What a user may have said, and what is there. */
export interface KubeconfigPlaces {
  /** --kubeconfig. */
  readonly named: string | undefined
  /** $KUBECONFIG: paths with colons between them. */
  readonly environment: string | undefined
  readonly home: string | undefined
  readonly isReadable: (path: string) => boolean
}

/** The one that is named; else, as kubectl, the environment's; else the server's own where this user may read it, or the user's. */
export function chooseKubeconfig({ named, environment = '', home, isReadable }: KubeconfigPlaces): string {
  if (named !== undefined) return named
  const paths = environment.split(':').filter((path) => path !== '')
  if (paths.length > 0) return paths.find(isReadable) ?? (paths[0] as string)
  return [defaultKubeconfig, ...(home === undefined ? [] : [join(home, '.kube/config')])].find(isReadable) ?? defaultKubeconfig
}

/** The path that a command without --kubeconfig uses. */
export function kubeconfigPath(named: string | undefined): string {
  return chooseKubeconfig({ named, environment: process.env['KUBECONFIG'], home: process.env['HOME'], isReadable })
}

/** What -n says, else the kubeconfig's own. */
export function namespaceOf(asked: string, path: string): string {
  return asked === '' ? (kubeconfigNamespace(path) ?? 'default') : asked
}

/** The flag of commands that speak to a server. */
export const kubeconfigFlag = (of: string) => z.string().optional().describe(`kubeconfig of ${of} (default: $KUBECONFIG, ${defaultKubeconfig}, ~/.kube/config)`)

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

interface KubeconfigInit {
  readonly server: string
  readonly caPem: string
  readonly certificatePem: string
  readonly keyPem: string
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

function kubeconfigText(init: KubeconfigInit): string {
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

interface AdminClient {
  readonly client: RestClient
  readonly server: string
  readonly caPem: string
}

/** A client from a kubeconfig. The server must show a certificate of the authority that it names. */
export function adminClient(path: string): AdminClient {
  if (!isReadable(path)) throw new CommandError(`cannot read ${path}: run this as root on a server, or name a kubeconfig with --kubeconfig`)
  const { url: server = '', caBundle, serverName, credentials = {} } = kubeconfigTarget(path)
  if (caBundle === undefined) throw new CommandError(`${path} names no certificate-authority for ${server}: nothing else proves that it is yours`)
  const caPem = Buffer.from(caBundle, 'base64').toString('utf8')
  return {
    client: restClient({ server, ca: caPem, ...(serverName === undefined ? {} : { serverName }), credentials: () => credentials, agent: `kubun/${version}`, clock: systemClock }),
    server,
    caPem,
  }
}
