/**
 * The scheduler's configuration, put together: a file read once, checked, and made into profiles and extenders. What it
 * must obey is in core/scheduler/configuration; how an extender is talked to, in core/scheduler/httpextender.ts.
 */
import { readFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { sentencesOf } from './api/apiserver/authenticationrules.ts'
import { remoteClient, type RemoteClient, type RemoteTarget } from './client/remote.ts'
import { errorPath } from './lib/log.ts'
import { type ExtenderConfiguration, readSchedulerConfiguration } from './scheduler/configuration/configuration.ts'
import { backoffOf, profilesOf } from './scheduler/configuration/profiles.ts'
import { checkSchedulerConfiguration } from './scheduler/configuration/rules.ts'
import { httpExtender } from './scheduler/httpextender.ts'
import { defaultProfile } from './scheduler/plugins.ts'
import type { SchedulerRun } from './scheduler/run.ts'

export type Scheduling = Pick<SchedulerRun, 'profiles' | 'extenders' | 'backoff'>

/** Throws what is wrong with the file, by its path and the field. */
export async function openScheduling(path: string | undefined): Promise<Scheduling> {
  if (path === undefined) return { profiles: [defaultProfile] }
  try {
    return schedulingOf(await readFile(path, 'utf8'))
  } catch (error) {
    throw new Error(`--scheduler-config ${path}: ${errorPath(error)}`)
  }
}

export function schedulingOf(text: string): Scheduling {
  const config = readSchedulerConfiguration(text)
  const errors = checkSchedulerConfiguration(config)
  if (errors.length > 0) throw new Error(sentencesOf(errors))
  const profiles = profilesOf(config)
  if (config.extenders.length === 0) return { profiles, backoff: backoffOf(config) }
  const remote = toExtenders()
  const extenders = config.extenders.map((extender, i) => httpExtender(extender, targetOf(extender, `extenders[${i}]`), remote))
  // Who may be passed over is asked last.
  return { profiles, backoff: backoffOf(config), extenders: [...extenders.filter(({ ignorable }) => !ignorable), ...extenders.filter(({ ignorable }) => ignorable)] }
}

/** They are reached by URL alone. Its connections live as long as the process does. */
function toExtenders(): RemoteClient {
  const resolve = (): never => {
    throw new Error('an extender is no Service')
  }
  return remoteClient({ agent: 'kube-scheduler', services: { resolve } })
}

function targetOf({ urlPrefix, enableHTTPS, tlsConfig = {} }: ExtenderConfiguration, at: string): RemoteTarget {
  if (!/^https?:$/.test(URL.parse(urlPrefix)?.protocol ?? '')) throw new Error(`${at}.urlPrefix: Invalid value: ${JSON.stringify(urlPrefix)}: must be an http or https URL`)
  const ca = pemOf(tlsConfig.caData, tlsConfig.caFile, `${at}.tlsConfig.caFile`)
  const certificate = pemOf(tlsConfig.certData, tlsConfig.certFile, `${at}.tlsConfig.certFile`)
  const key = pemOf(tlsConfig.keyData, tlsConfig.keyFile, `${at}.tlsConfig.keyFile`)
  const insecure = tlsConfig.insecure === true || (enableHTTPS && ca === undefined)
  if (insecure && ca !== undefined) throw new Error(`${at}.tlsConfig: specifying a root certificates file with the insecure flag is not allowed`)
  if ((certificate === undefined) !== (key === undefined)) throw new Error(`${at}.tlsConfig: a certificate and its key belong together`)
  return {
    url: urlPrefix,
    ...(ca === undefined ? {} : { caBundle: Buffer.from(ca).toString('base64') }),
    ...(insecure ? { insecureSkipTlsVerify: true } : {}),
    ...(tlsConfig.serverName === undefined || tlsConfig.serverName === '' ? {} : { serverName: tlsConfig.serverName }),
    ...(certificate === undefined || key === undefined ? {} : { credentials: { certificate, key } }),
  }
}

function pemOf(data: string | undefined, file: string | undefined, at: string): string | undefined {
  if (data !== undefined && data !== '') return Buffer.from(data, 'base64').toString('utf8')
  if (file === undefined || file === '') return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`${at}: ${errorPath(error)}`)
  }
}
