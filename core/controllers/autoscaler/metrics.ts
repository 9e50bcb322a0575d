/**
 * Asks the servers of metrics: metrics.k8s.io, custom.metrics.k8s.io and external.metrics.k8s.io, which clusters bring
 * along behind APIServices. What goes wrong is said as a client of upstream's says it.
 */
import { apiServices } from '../../api/apiregistration/apiservice.ts'
import { isApiError } from '../../api/errors.ts'
import type { Kind, KindRef } from '../../api/kind.ts'
import { parseApiVersion } from '../../api/meta.ts'
import type { APIService, CrossVersionObjectReference, Quantity } from '../../api/schema/types.ts'
import type { Selector } from '../../api/selector.ts'
import { parseTime } from '../../api/time.ts'
import type { Client, Place } from '../../client/client.ts'
import type { Lister } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { parseDuration } from '../../lib/duration.ts'
import type { Env } from '../controller.ts'
import { messageOf } from '../podcontrol.ts'
import { amountOf } from './amounts.ts'
import type { Sample, Samples } from './podgroups.ts'

const customGroup = 'custom.metrics.k8s.io'
/** Of the versions that are understood. */
const customVersions = ['v1beta2', 'v1beta1']
const allObjects = '*'
/** Of custom metrics that do not say how long they were measured for. */
const windowMsDefault = 60_000

interface PodMetrics {
  readonly metadata?: { readonly name?: string }
  readonly timestamp?: string
  readonly window?: string
  readonly containers?: readonly { readonly name?: string; readonly usage?: Readonly<Record<string, Quantity>> }[] | null
}

/** Of both versions: the window has another name in each. */
interface MetricValue {
  readonly describedObject?: { readonly name?: string }
  readonly timestamp?: string
  readonly window?: number
  readonly windowSeconds?: number
  readonly value: Quantity
}

interface Listed<T> {
  readonly items?: readonly T[] | null
}

export interface Metrics {
  /** A resource of the selected pods: of a container, or ('') of all of them. */
  ofResource(of: Asking, resource: string, pods: Selector, container: string): Promise<Samples>
  ofPods(of: Asking, metric: MetricName, pods: Selector): Promise<Samples>
  ofObject(of: Asking, metric: MetricName, object: Readonly<CrossVersionObjectReference>): Promise<bigint>
  external(of: Asking, metric: MetricName): Promise<readonly bigint[]>
}

export interface Asking {
  readonly ctx: Ctx
  readonly client: Client
  readonly namespace: string
}

export interface MetricName {
  readonly name: string
  readonly selector: Selector
}

export function metrics(env: Env): Metrics {
  const services = env.read(apiServices)
  const custom = async (of: Asking, at: Place & { readonly plural: string }): Promise<readonly MetricValue[]> => {
    const { items } = await ask<Listed<MetricValue>>(of, namespaced({ group: customGroup, version: customVersion(services), plural: at.plural }), at)
    return items ?? []
  }
  return {
    ofResource: (of, resource, pods, container) => naming('resource', async () => {
      const { items } = await ask<Listed<PodMetrics>>(of, namespaced({ group: 'metrics.k8s.io', version: 'v1beta1', plural: 'pods' }), { query: { labelSelector: pods.toString() } })
      return new Map(some(items, 'resource').flatMap((pod) => resourceSample(pod, resource, container)))
    }),
    ofPods: (of, { name, selector }, pods) => naming('custom', async () => {
      const query = { labelSelector: pods.toString(), metricLabelSelector: selector.toString() }
      const items = some(await custom(of, { plural: 'pods', name: allObjects, subresource: name, query }), 'custom')
      return new Map(items.map((item) => [item.describedObject?.name ?? '', valueSample(item)]))
    }),
    ofObject: (of, { name, selector }, object) => naming('custom', async () => {
      const query = { metricLabelSelector: selector.toString() }
      const { group } = parseApiVersion(object.apiVersion ?? '')
      // A namespace's own metrics: its name is not asked for, nobody looks into another one.
      const isNamespace = group === '' && object.kind === 'Namespace'
      const place = isNamespace ? { plural: 'metrics', name, query } : { plural: pluralOf(env.settings.kinds(), group, object.kind), name: object.name, subresource: name, query }
      const [value, ...more] = await custom(of, place)
      if (value === undefined || more.length > 0) throw new Error(`the custom metrics API server returned ${value === undefined ? 0 : more.length + 1} results when we asked for exactly one`)
      return amountOf(value.value)
    }),
    external: (of, { name, selector }) => naming('external', async () => {
      const { items } = await ask<Listed<MetricValue>>(of, namespaced({ group: 'external.metrics.k8s.io', version: 'v1beta1', plural: name }), { query: { labelSelector: selector.toString() } })
      return some(items, 'external').map(({ value }) => amountOf(value))
    }),
  }
}

const namespaced = (of: Pick<KindRef, 'group' | 'version' | 'plural'>): KindRef => ({ ...of, kind: '', namespaced: true })

async function naming<T>(api: 'resource' | 'custom' | 'external', work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof NothingReturned ? error : new Error(`unable to fetch metrics from ${api} metrics API: ${messageOf(error)}`, { cause: error })
  }
}

class NothingReturned extends Error {}

function some<T>(items: readonly T[] | null | undefined, api: string): readonly T[] {
  if (items === undefined || items === null || items.length === 0) throw new NothingReturned(`no metrics returned from ${api} metrics API`)
  return items
}

async function ask<R>({ ctx, client, namespace }: Asking, kind: KindRef, at: Place): Promise<R> {
  try {
    return await client.ask<R>(ctx, kind, { ...at, namespace })
  } catch (error) {
    throw new Error(explained(error, kind, at.name ?? ''), { cause: error })
  }
}

/** Answers that are no status of an API server: clients say what they asked for. */
const unanswered: readonly { readonly of: RegExp; readonly says: string }[] = [
  { of: /^(the server could not find the requested resource|404 page not found)$/, says: 'the server could not find the requested resource' },
  { of: /^(service unavailable$|error trying to reach service:)/, says: 'the server is currently unable to handle the request' },
]

function explained(error: unknown, { group, plural }: KindRef, name: string): string {
  const message = messageOf(error)
  const says = isApiError(error) ? unanswered.find(({ of }) => of.test(message))?.says : undefined
  return says === undefined ? message : `${says} (get ${plural}.${group}${name === '' ? '' : ` ${name}`})`
}

/** The first of the group's versions, in the order in which its servers want them, that is understood. */
function customVersion(services: Lister<APIService>): string {
  const priority = ({ spec }: Readonly<APIService>): number => spec?.versionPriority ?? 0
  const byName = (version: string): number => customVersions.indexOf(version)
  const registered = services.list().filter(({ spec }) => spec?.group === customGroup)
  if (registered.length === 0) throw new Error(`no custom metrics API (${customGroup}) registered`)
  const versions = registered.toSorted((a, b) => priority(b) - priority(a) || byName(a.spec?.version ?? '') - byName(b.spec?.version ?? '')).map(({ spec }) => spec?.version ?? '')
  const version = versions.find((known) => customVersions.includes(known))
  if (version === undefined) throw new Error('no known available metric versions found')
  return version
}

function pluralOf(kinds: readonly Kind[], group: string, kind: string): string {
  const found = kinds.find((k) => k.group === group && k.kind === kind)
  const text = group === '' ? kind : `${kind}.${group}`
  if (found === undefined) throw new Error(`unable to map kind ${text} to resource: no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`)
  return group === '' ? found.plural : `${found.plural}.${group}`
}

/** Nothing where a container, or one of all, has no sample. */
function resourceSample({ metadata, timestamp, window, containers }: PodMetrics, resource: string, container: string): readonly (readonly [string, Sample])[] {
  const chosen = (containers ?? []).filter(({ name }) => container === '' || name === container)
  const usages = chosen.map(({ usage }) => usage?.[resource])
  if (usages.length === 0 || usages.includes(undefined)) return []
  const value = usages.reduce<bigint>((sum, usage) => sum + amountOf(usage ?? 0), 0n)
  return [[metadata?.name ?? '', { value, atMs: timeOf(timestamp), windowMs: window === undefined ? 0 : parseDuration(window) }]]
}

function valueSample({ timestamp, window, windowSeconds, value }: MetricValue): Sample {
  const seconds = windowSeconds ?? window
  return { value: amountOf(value), atMs: timeOf(timestamp), windowMs: seconds === undefined ? windowMsDefault : seconds * 1_000 }
}

const timeOf = (time: string | undefined): number => (time === undefined ? undefined : parseTime(time)) ?? Number.NEGATIVE_INFINITY
