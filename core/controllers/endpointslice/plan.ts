/**
 * Which slices a Service needs: at most 100 endpoints each, one set of ports each, and as few writes as can be, because
 * every proxy of every node reads every write. Pure (upstream's k8s.io/endpointslice/reconciler.go).
 */
import { controllerRef } from '../../api/meta.ts'
import type { DiscoveryV1EndpointPort, Endpoint, EndpointSlice, Node, Pod, Service } from '../../api/schema/types.ts'
import { equalJson } from '../../lib/json.ts'
import { canonical } from '../deployment/template.ts'
import { endpointOf, familiesOf, type Family, isEndpoint, isHeadless, portsOf, withHints } from './endpoint.ts'

export const endpointsPerSliceMax = 100
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
  readonly unplaced: readonly string[]
}

export interface Situation {
  readonly service: Readonly<Service>
  readonly pods: readonly Readonly<Pod>[]
  /** Slices of this Service that this controller manages. */
  readonly slices: readonly Readonly<EndpointSlice>[]
  readonly nodeOf: (name: string) => Readonly<Node> | undefined
  /** RFC 3339 of what made this change, if that is known. */
  readonly triggerTime?: string
}

export function planSlices(situation: Situation): SlicePlan {
  const families = familiesOf(situation.service)
  const unplaced = new Set<string>()
  const parts = families.map((family) => planFamily(situation, family, unplaced))
  return {
    create: parts.flatMap((p) => p.create),
    update: parts.flatMap((p) => p.update),
    remove: [...situation.slices.filter((s) => !families.includes(s.addressType as Family)), ...parts.flatMap((p) => p.remove)],
    unplaced: [...unplaced],
  }
}

interface Wanted {
  readonly ports: readonly DiscoveryV1EndpointPort[]
  readonly endpoints: Map<string, Endpoint>
}

function planFamily(situation: Situation, family: Family, unplaced: Set<string>): Omit<SlicePlan, 'unplaced'> {
  const { service } = situation
  const have = situation.slices.filter((slice) => slice.addressType === family)
  const mine = have.filter((slice) => slice.metadata.ownerReferences?.some((owner) => owner.uid === service.metadata.uid))
  const wanted = wantedOf(situation, family, unplaced)
  const create: EndpointSlice[] = []
  const update: EndpointSlice[] = []
  const remove = have.filter((slice) => !mine.includes(slice))
  for (const [ports, want] of wanted) {
    const part = fit(situation, family, want, mine.filter((slice) => portsKey(slice.ports ?? []) === ports))
    create.push(...part.create)
    update.push(...part.update)
    remove.push(...part.remove)
  }
  remove.push(...mine.filter((slice) => !wanted.has(portsKey(slice.ports ?? []))))
  // A Service without endpoints has one empty slice: a reader sees that it was looked at.
  if (have.length === remove.length && create.length === 0) {
    const placeholder = sliceOf(situation, family, [], [])
    const same = remove.length === 1 ? remove[0] : undefined
    if (same !== undefined && mine.includes(same) && (same.endpoints ?? []).length === 0 && portsKey(same.ports ?? []) === '' && equalJson(same.metadata.labels, placeholder.metadata.labels)) {
      return { create, update, remove: [] }
    }
    create.push(placeholder)
  }
  return { create, update, remove }
}

function wantedOf({ service, pods, nodeOf }: Situation, family: Family, unplaced: Set<string>): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>()
  for (const pod of pods) {
    if (!isEndpoint(pod)) continue
    const ports = portsOf(service, pod)
    const key = portsKey(ports)
    let want = wanted.get(key)
    if (want === undefined) wanted.set(key, (want = { ports, endpoints: new Map() }))
    const node = nodeOf(pod.spec?.nodeName ?? '')
    if (node === undefined && service.spec?.publishNotReadyAddresses !== true) {
      unplaced.add(pod.metadata.name ?? '')
      continue
    }
    const endpoint = withHints(service, endpointOf(service, pod, node, family))
    if (endpoint.addresses.length > 0) want.endpoints.set(endpointKey(endpoint), endpoint)
  }
  return wanted
}

function portsKey(ports: readonly Readonly<DiscoveryV1EndpointPort>[]): string {
  return ports.map(canonical).sort().join(',')
}

/** What makes two endpoints the same one, whatever state it is in. */
function endpointKey(endpoint: Readonly<Endpoint>): string {
  return `${endpoint.addresses.toSorted().join(',')}|${endpoint.targetRef?.uid ?? ''}|${endpoint.nodeName ?? ''}|${endpoint.hostname ?? ''}`
}

/** Endpoints stay in the slice they are in; new ones fill slices that change anyhow, then one that has room, then new ones. */
function fit(situation: Situation, family: Family, want: Wanted, slices: readonly Readonly<EndpointSlice>[]): Omit<SlicePlan, 'unplaced'> {
  const left = new Map(want.endpoints)
  const labels = labelsOf(situation.service)
  const changed: { readonly slice: Readonly<EndpointSlice>; readonly endpoints: Endpoint[] }[] = []
  const unchanged: Readonly<EndpointSlice>[] = []
  const remove: Readonly<EndpointSlice>[] = []
  for (const slice of slices) {
    const kept: Endpoint[] = []
    let differs = !equalJson(slice.metadata.labels, labels)
    for (const have of slice.endpoints ?? []) {
      const key = endpointKey(have)
      const now = left.get(key)
      left.delete(key)
      if (now !== undefined) kept.push(now)
      if (now === undefined || !equalJson(now, have)) differs = true
    }
    if (!differs) unchanged.push(slice)
    else changed.push({ slice, endpoints: kept })
  }
  const rest = [...left.values()]
  for (const { endpoints } of changed.toSorted((a, b) => b.endpoints.length - a.endpoints.length)) {
    endpoints.push(...rest.splice(0, endpointsPerSliceMax - endpoints.length))
  }
  if (rest.length > 0 && rest.length < endpointsPerSliceMax) {
    const room = fullest(unchanged, rest.length)
    if (room !== undefined) changed.push({ slice: room, endpoints: [...(room.endpoints ?? []), ...rest.splice(0)] })
  }
  const create: EndpointSlice[] = []
  while (rest.length > 0) create.push(sliceOf(situation, family, want.ports, rest.splice(0, endpointsPerSliceMax)))
  if (want.endpoints.size === 0 && want.ports.length > 0) remove.push(...changed.splice(0).map(({ slice }) => slice))
  for (let i = changed.length - 1; i >= 0; i--) {
    const one = changed[i]
    if (one !== undefined && one.endpoints.length === 0) remove.push(...changed.splice(i, 1).map(({ slice }) => slice))
  }
  const update = changed.map(({ slice, endpoints }) => ({ ...slice, metadata: { ...slice.metadata, labels, annotations: annotated(slice.metadata.annotations, situation.triggerTime) }, endpoints }))
  return { create, update, remove }
}

/** The slice that is nearest to full with so many more. */
function fullest(slices: readonly Readonly<EndpointSlice>[], more: number): Readonly<EndpointSlice> | undefined {
  const fitting = slices.filter((s) => (s.endpoints ?? []).length + more <= endpointsPerSliceMax)
  return fitting.toSorted((a, b) => (b.endpoints ?? []).length - (a.endpoints ?? []).length)[0]
}

function labelsOf(service: Readonly<Service>): Record<string, string> {
  const labels: Record<string, string> = { ...service.metadata.labels }
  if (isHeadless(service)) labels[headlessLabel] = ''
  else delete labels[headlessLabel]
  return { ...labels, [serviceNameLabel]: service.metadata.name ?? '', [managedByLabel]: manager }
}

function annotated(have: Readonly<Record<string, string>> | undefined, triggerTime: string | undefined): Record<string, string> {
  const { [triggerTimeAnnotation]: _old, ...rest } = have ?? {}
  return triggerTime === undefined ? rest : { ...rest, [triggerTimeAnnotation]: triggerTime }
}

function sliceOf({ service, triggerTime }: Situation, family: Family, ports: readonly DiscoveryV1EndpointPort[], endpoints: Endpoint[]): EndpointSlice {
  const annotations = annotated(undefined, endpoints.length === 0 ? undefined : triggerTime)
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${service.metadata.name}-`,
      namespace: service.metadata.namespace ?? '',
      labels: labelsOf(service),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ownerReferences: [controllerRef(service, { group: '', version: 'v1', kind: 'Service' })],
    },
    addressType: family,
    endpoints,
    ports: [...ports],
  }
}
