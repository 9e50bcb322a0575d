/**
 * Which slices a Service needs: one set of ports each, of one address family, with as few writes as can be, because
 * every proxy of every node reads every write. Which endpoint stands in which slice is placement.ts, whom it is meant
 * for hints.ts and topology.ts. Pure (upstream's k8s.io/endpointslice/reconciler.go).
 */
import { controllerRef } from '../../api/meta.ts'
import type { DiscoveryV1EndpointPort, Endpoint, EndpointSlice, Node, Pod, Service } from '../../api/schema/types.ts'
import { equalJson } from '../../lib/json.ts'
import { canonical } from '../hash.ts'
import { endpointOf, familiesOf, type Family, isEndpoint, isHeadless, portsOf } from './endpoint.ts'
import { distributionHints, type Slices, wantsTopology, withHints } from './hints.ts'
import { type Endpoints, endpointKey, place } from './placement.ts'
import { type Outcome, topologyHints, type ZoneShares } from './topology.ts'

export const serviceNameLabel = 'kubernetes.io/service-name'
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
export const headlessLabel = 'service.kubernetes.io/headless'
export const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time'
export const manager = 'endpointslice-controller.k8s.io'

export interface SlicePlan {
  readonly create: readonly EndpointSlice[]
  readonly update: readonly EndpointSlice[]
  readonly remove: readonly Readonly<EndpointSlice>[]
  /** Pods that were left out because their node is not known (yet). */
  readonly unplaced: readonly Readonly<Pod>[]
  /** How hints by zone were given, in each family; empty where they are not asked for. */
  readonly topology: ReadonlyMap<Family, Outcome>
}

export interface Situation {
  readonly service: Readonly<Service>
  readonly pods: readonly Readonly<Pod>[]
  /** Slices of this Service that this controller manages. */
  readonly slices: readonly Readonly<EndpointSlice>[]
  readonly nodeOf: (name: string) => Readonly<Node> | undefined
  /** RFC 3339 of what made this change, if that is known. */
  readonly triggerTime?: string
  readonly shares?: ZoneShares
}

export function planSlices(situation: Situation): SlicePlan {
  const families = familiesOf(situation.service)
  const unplaced = new Map<string, Readonly<Pod>>()
  const topology = new Map<Family, Outcome>()
  const parts = families.map((family) => planFamily(situation, family, unplaced, topology))
  return {
    create: parts.flatMap((p) => p.create),
    update: parts.flatMap((p) => p.update),
    remove: [...situation.slices.filter((s) => !families.includes(s.addressType as Family)), ...parts.flatMap((p) => p.remove)],
    unplaced: [...unplaced.values()],
    topology,
  }
}

type Writes = Pick<SlicePlan, 'create' | 'update' | 'remove'>

function planFamily(situation: Situation, family: Family, unplaced: Map<string, Readonly<Pod>>, topology: Map<Family, Outcome>): Writes {
  const have = situation.slices.filter((slice) => slice.addressType === family)
  const placed = placeAll(situation, family, have, unplaced)
  const { slices, remove } = withPlaceholder(situation, family, have, placed)
  if (!wantsTopology(situation.service)) return written(situation, withHints(slices, distributionHints(situation.service)), remove)
  const outcome = topologyHints(slices, situation.shares)
  topology.set(family, outcome)
  return written(situation, outcome.slices, remove)
}

interface Placed {
  readonly slices: Slices
  readonly remove: readonly Readonly<EndpointSlice>[]
}

function placeAll(situation: Situation, family: Family, have: readonly Readonly<EndpointSlice>[], unplaced: Map<string, Readonly<Pod>>): Placed {
  const { service } = situation
  const mine = have.filter((slice) => isOwnedBy(slice, service))
  const wanted = wantedOf(situation, family, unplaced)
  const labels = labelsOf(service)
  const parts = [...wanted].map(([key, { ports, endpoints }]) =>
    place(endpoints, mine.filter((slice) => portsKey(slice.ports ?? []) === key), { labels, make: (some) => sliceOf(service, family, ports, some) }),
  )
  const unwanted = have.filter((slice) => !mine.includes(slice) || !wanted.has(portsKey(slice.ports ?? [])))
  return {
    slices: { create: parts.flatMap((p) => p.create), update: parts.flatMap((p) => p.update), unchanged: parts.flatMap((p) => p.unchanged) },
    remove: [...unwanted, ...parts.flatMap((p) => p.remove)],
  }
}

/** A Service without endpoints has one empty slice in each family: a reader sees that it was looked at. */
function withPlaceholder({ service }: Situation, family: Family, have: readonly Readonly<EndpointSlice>[], { slices, remove }: Placed): Placed {
  if (have.length !== remove.length || slices.create.length > 0) return { slices, remove }
  const placeholder = sliceOf(service, family, [], [])
  const [only, ...more] = remove
  if (only === undefined || more.length > 0 || !isOwnedBy(only, service) || !isEmpty(only) || !equalJson(only.metadata.labels, placeholder.metadata.labels)) {
    return { slices: { ...slices, create: [placeholder] }, remove }
  }
  return { slices: { ...slices, unchanged: [only] }, remove: [] }
}

const isEmpty = (slice: Readonly<EndpointSlice>): boolean => (slice.endpoints ?? []).length === 0 && (slice.ports ?? []).length === 0

const isOwnedBy = (slice: Readonly<EndpointSlice>, service: Readonly<Service>): boolean => slice.metadata.ownerReferences?.some((owner) => owner.uid === service.metadata.uid) === true

/** What would be deleted takes in what would be made: one write instead of two, and no moment with neither. */
function written({ service, triggerTime }: Situation, { create, update }: Slices, remove: readonly Readonly<EndpointSlice>[]): Writes {
  const made = [...create]
  const reused: EndpointSlice[] = []
  const gone = remove.filter((slice) => {
    const next = isOwnedBy(slice, service) ? made.pop() : undefined
    if (next !== undefined) reused.push({ ...next, metadata: { ...slice.metadata, ...(next.metadata.labels === undefined ? {} : { labels: next.metadata.labels }) } })
    return next === undefined
  })
  const stamp = (slice: EndpointSlice): EndpointSlice => ({ ...slice, metadata: stamped(slice.metadata, triggerTime) })
  return { create: made.map(stamp), update: [...update, ...reused].map(stamp), remove: gone }
}

function stamped(metadata: EndpointSlice['metadata'], triggerTime: string | undefined): EndpointSlice['metadata'] {
  const { annotations: have, ...rest } = metadata
  const { [triggerTimeAnnotation]: _old, ...others } = have ?? {}
  const annotations = { ...others, ...(triggerTime === undefined ? {} : { [triggerTimeAnnotation]: triggerTime }) }
  return Object.keys(annotations).length === 0 ? rest : { ...rest, annotations }
}

interface Wanted {
  readonly ports: readonly DiscoveryV1EndpointPort[]
  readonly endpoints: Endpoints
}

function wantedOf({ service, pods, nodeOf }: Situation, family: Family, unplaced: Map<string, Readonly<Pod>>): ReadonlyMap<string, Wanted> {
  const wanted = new Map<string, Wanted>()
  for (const pod of pods) {
    if (!isEndpoint(pod)) continue
    const ports = portsOf(service, pod)
    const key = portsKey(ports)
    let want = wanted.get(key)
    if (want === undefined) wanted.set(key, (want = { ports, endpoints: new Map() }))
    const node = nodeOf(pod.spec?.nodeName ?? '')
    if (node === undefined && service.spec?.publishNotReadyAddresses !== true) {
      unplaced.set(pod.metadata.name ?? '', pod)
      continue
    }
    const endpoint = endpointOf(service, pod, node, family)
    if (endpoint.addresses.length > 0) want.endpoints.set(endpointKey(endpoint), endpoint)
  }
  return wanted
}

export function portsKey(ports: readonly Readonly<DiscoveryV1EndpointPort>[]): string {
  return ports.map(canonical).sort().join(',')
}

function labelsOf(service: Readonly<Service>): Record<string, string> {
  const labels: Record<string, string> = { ...service.metadata.labels }
  if (isHeadless(service)) labels[headlessLabel] = ''
  else delete labels[headlessLabel]
  return { ...labels, [serviceNameLabel]: service.metadata.name ?? '', [managedByLabel]: manager }
}

function sliceOf(service: Readonly<Service>, family: Family, ports: readonly DiscoveryV1EndpointPort[], endpoints: Endpoint[]): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${service.metadata.name}-`,
      namespace: service.metadata.namespace ?? '',
      labels: labelsOf(service),
      ownerReferences: [controllerRef(service, { group: '', version: 'v1', kind: 'Service' })],
    },
    addressType: family,
    endpoints,
    ports: [...ports],
  }
}
