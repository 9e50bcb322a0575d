/**
 * KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1): its fields, read strictly, and what they are where nothing
 * is said (k8s.io/kubernetes/pkg/scheduler/apis/config/v1). What it must obey is rules.ts; what its profiles make of
 * plugins, points.ts; arguments of plugins, args.ts. Pure: files that it names are read by whoever uses it.
 */
import { ConfigurationError, type Fields, isRecord, readConfiguration, readFields } from '../../api/apiserver/shape.ts'
import { argFields, completeArgs, hasArgs } from './args.ts'

export const configurationVersion = 'kubescheduler.config.k8s.io/v1'

export interface Enabled {
  readonly name: string
  /** 0: nothing was said. */
  readonly weight: number
}

export interface PluginSet {
  readonly enabled: readonly Enabled[]
  /** Names; `*` is all. */
  readonly disabled: readonly string[]
}

export const extensionPoints = [
  'preFilter', 'filter', 'postFilter', 'reserve', 'preScore', 'score', 'preBind', 'bind', 'postBind', 'permit', 'preEnqueue', 'queueSort',
  'placementGenerate', 'placementScore',
] as const
export type ExtensionPoint = (typeof extensionPoints)[number]

export type PluginSets = Readonly<Record<ExtensionPoint | 'multiPoint', PluginSet>>

export interface PluginConfig {
  readonly name: string
  /** Of what has none that are known: as written. */
  readonly args: unknown
}

export interface SchedulerProfile {
  readonly schedulerName: string
  readonly percentageOfNodesToScore?: number
  readonly plugins: PluginSets
  readonly pluginConfig: readonly PluginConfig[]
}

export interface ExtenderTls {
  readonly insecure?: boolean
  readonly serverName?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly caFile?: string
  /** Base64 of PEM, like the two below; they win over files. */
  readonly certData?: string
  readonly keyData?: string
  readonly caData?: string
}

export interface ExtenderConfiguration {
  readonly urlPrefix: string
  /** '': it has no say there. */
  readonly filterVerb: string
  readonly preemptVerb: string
  readonly prioritizeVerb: string
  readonly bindVerb: string
  readonly weight: number
  readonly enableHTTPS: boolean
  readonly tlsConfig?: ExtenderTls
  /** Milliseconds. */
  readonly httpTimeout: number
  readonly nodeCacheCapable: boolean
  readonly managedResources: readonly { readonly name: string; readonly ignoredByScheduler: boolean }[]
  readonly ignorable: boolean
}

export interface LeaderElection {
  readonly leaderElect: boolean
  readonly leaseDuration: number
  readonly renewDeadline: number
  readonly retryPeriod: number
  readonly resourceLock: string
  readonly resourceName: string
  readonly resourceNamespace: string
}

/** Leader election, connection and parallelism mean nothing to a scheduler inside of the server: they are checked, no more. */
export interface SchedulerConfiguration {
  readonly parallelism: number
  readonly leaderElection: LeaderElection
  readonly clientConnection: { readonly burst: number }
  readonly percentageOfNodesToScore: number
  readonly podInitialBackoffSeconds: number
  readonly podMaxBackoffSeconds: number
  readonly profiles: readonly SchedulerProfile[]
  readonly extenders: readonly ExtenderConfiguration[]
}

const plugin = { list: { fields: { name: 'string', weight: 'integer' } } } as const
const pluginSet = { fields: { enabled: plugin, disabled: plugin } } as const

const fields: Fields = {
  parallelism: 'integer',
  leaderElection: { fields: { leaderElect: 'boolean', leaseDuration: 'duration', renewDeadline: 'duration', retryPeriod: 'duration', resourceLock: 'string', resourceName: 'string', resourceNamespace: 'string' } },
  clientConnection: { fields: { kubeconfig: 'string', acceptContentTypes: 'string', contentType: 'string', qps: 'number', burst: 'integer' } },
  enableProfiling: 'boolean',
  enableContentionProfiling: 'boolean',
  percentageOfNodesToScore: 'integer',
  podInitialBackoffSeconds: 'integer',
  podMaxBackoffSeconds: 'integer',
  profiles: {
    list: {
      fields: {
        schedulerName: 'string',
        percentageOfNodesToScore: 'integer',
        plugins: { fields: Object.fromEntries([...extensionPoints, 'multiPoint'].map((point) => [point, pluginSet])) },
        pluginConfig: { list: { fields: { name: 'string', args: 'any' } } },
      },
    },
  },
  extenders: {
    list: {
      fields: {
        urlPrefix: 'string', filterVerb: 'string', preemptVerb: 'string', prioritizeVerb: 'string', bindVerb: 'string', weight: 'integer',
        enableHTTPS: 'boolean', httpTimeout: 'duration', nodeCacheCapable: 'boolean', ignorable: 'boolean',
        tlsConfig: { fields: { insecure: 'boolean', serverName: 'string', certFile: 'string', keyFile: 'string', caFile: 'string', certData: 'string', keyData: 'string', caData: 'string' } },
        managedResources: { list: { fields: { name: 'string', ignoredByScheduler: 'boolean' } } },
      },
    },
  },
  delayCacheUntilActive: 'boolean',
}

type WrittenSet = { readonly enabled?: readonly Partial<Enabled>[]; readonly disabled?: readonly Partial<Enabled>[] }

interface WrittenProfile {
  readonly schedulerName?: string
  readonly percentageOfNodesToScore?: number
  readonly plugins?: Readonly<Record<string, WrittenSet>>
  readonly pluginConfig?: readonly Partial<PluginConfig>[]
}

interface Written extends Partial<Omit<SchedulerConfiguration, 'profiles' | 'leaderElection' | 'clientConnection' | 'extenders'>> {
  readonly leaderElection?: Partial<LeaderElection>
  readonly clientConnection?: { readonly burst?: number }
  readonly profiles?: readonly WrittenProfile[]
  readonly extenders?: readonly WrittenExtender[]
}

type WrittenExtender = Omit<Partial<ExtenderConfiguration>, 'managedResources'> & { readonly managedResources?: readonly { readonly name?: string; readonly ignoredByScheduler?: boolean }[] }

/** Throws ConfigurationError. */
export function readSchedulerConfiguration(text: string): SchedulerConfiguration {
  const written = readConfiguration(text, 'KubeSchedulerConfiguration', ['v1'], fields, 'kubescheduler.config.k8s.io') as Written
  const { parallelism = 16, percentageOfNodesToScore = 0, podInitialBackoffSeconds = 1, podMaxBackoffSeconds = 10 } = written
  return {
    parallelism, percentageOfNodesToScore, podInitialBackoffSeconds, podMaxBackoffSeconds,
    leaderElection: election(written.leaderElection ?? {}),
    clientConnection: { burst: written.clientConnection?.burst || 100 },
    profiles: readProfiles(written.profiles ?? []),
    extenders: (written.extenders ?? []).map(readExtender),
  }
}

function election({ leaderElect = true, leaseDuration, renewDeadline, retryPeriod, resourceLock, resourceName, resourceNamespace }: Partial<LeaderElection>): LeaderElection {
  return {
    leaderElect,
    leaseDuration: leaseDuration || 15_000,
    renewDeadline: renewDeadline || 10_000,
    retryPeriod: retryPeriod || 2_000,
    resourceLock: resourceLock || 'leases',
    resourceName: resourceName || 'kube-scheduler',
    resourceNamespace: resourceNamespace || 'kube-system',
  }
}

function readProfiles(written: readonly WrittenProfile[]): readonly SchedulerProfile[] {
  const strict: string[] = []
  const all = written.length === 0 ? [{}] : written
  const profiles = all.map((profile: WrittenProfile, i): SchedulerProfile => ({
    schedulerName: profile.schedulerName ?? (all.length === 1 ? 'default-scheduler' : ''),
    ...(profile.percentageOfNodesToScore === undefined ? {} : { percentageOfNodesToScore: profile.percentageOfNodesToScore }),
    plugins: pluginSets(profile.plugins ?? {}),
    pluginConfig: (profile.pluginConfig ?? []).map(({ name = '', args }, k) => ({ name, args: readArgs(name, args, `.profiles[${i}].pluginConfig[${k}]`, strict) })),
  }))
  if (strict.length > 0) throw new ConfigurationError(`strict decoding error: ${strict.join(', ')}`)
  return profiles
}

function pluginSets(written: Readonly<Record<string, WrittenSet>>): PluginSets {
  const set = (point: string): PluginSet => ({
    enabled: (written[point]?.enabled ?? []).map(({ name = '', weight = 0 }) => ({ name, weight })),
    disabled: (written[point]?.disabled ?? []).map(({ name = '' }) => name),
  })
  return Object.fromEntries([...extensionPoints, 'multiPoint'].map((point) => [point, set(point)])) as unknown as PluginSets
}

/** Those of plugins that nobody knows are nobody's business. */
function readArgs(name: string, args: unknown, at: string, strict: string[]): unknown {
  if (!hasArgs(name)) return args
  if (args !== undefined && !isRecord(args)) throw new ConfigurationError(`decoding ${at}: args for plugin ${name} must be an object`)
  const { kind = `${name}Args`, apiVersion = configurationVersion, ...rest } = args ?? {}
  if (kind !== `${name}Args`) throw new ConfigurationError(`decoding ${at}: args for plugin ${name} were not of type ${name}Args.kubescheduler.config.k8s.io, got ${String(kind)}.kubescheduler.config.k8s.io`)
  if (apiVersion !== configurationVersion) throw new ConfigurationError(`decoding ${at}: decoding args for plugin ${name}: no kind "${name}Args" is registered for version ${JSON.stringify(apiVersion)}`)
  const unknown: string[] = []
  const read = readFields(rest, argFields[name], '', unknown)
  if (unknown.length > 0) strict.push(`decoding ${at}: strict decoding error: decoding args for plugin ${name}: strict decoding error: ${unknown.join(', ')}`)
  return completeArgs(name, read)
}

const timeoutMs = 5_000

function readExtender(written: WrittenExtender): ExtenderConfiguration {
  const { urlPrefix = '', filterVerb = '', preemptVerb = '', prioritizeVerb = '', bindVerb = '', weight = 0 } = written
  const { enableHTTPS = false, nodeCacheCapable = false, ignorable = false, tlsConfig, managedResources = [] } = written
  return {
    urlPrefix, filterVerb, preemptVerb, prioritizeVerb, bindVerb, weight, enableHTTPS, nodeCacheCapable, ignorable,
    httpTimeout: written.httpTimeout || timeoutMs,
    ...(tlsConfig === undefined ? {} : { tlsConfig }),
    managedResources: managedResources.map(({ name = '', ignoredByScheduler = false }) => ({ name, ignoredByScheduler })),
  }
}
