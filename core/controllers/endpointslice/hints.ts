/**
 * Hints: which zones or nodes an endpoint is meant for. A Service asks for them with spec.trafficDistribution
 * (k8s.io/endpointslice/trafficdist), or with the older annotation that spreads them by the zones' CPUs (topology.ts).
 * A slice that changes only in its hints is written like any other. Pure.
 */
import type { Endpoint, EndpointSlice, Service } from '../../api/schema/types.ts'
import { equalJson } from '../../lib/json.ts'

/** The slices of one address family, as they are to be. */
export interface Slices {
  readonly create: readonly EndpointSlice[]
  readonly update: readonly EndpointSlice[]
  readonly unchanged: readonly Readonly<EndpointSlice>[]
}

export type Hints = NonNullable<Endpoint['hints']>

/** The annotation in both its names; the older one counts where both are. */
export function wantsTopology(service: Readonly<Service>): boolean {
  const { annotations = {} } = service.metadata
  const mode = annotations['service.kubernetes.io/topology-aware-hints'] ?? annotations['service.kubernetes.io/topology-mode']
  return mode === 'Auto' || mode === 'auto'
}

export const isReady = (endpoint: Readonly<Endpoint>): boolean => endpoint.conditions?.ready === true

const near: ReadonlySet<string> = new Set(['PreferClose', 'PreferSameZone', 'PreferSameNode'])

/** What the Service's trafficDistribution says of an endpoint. */
export function distributionHints(service: Readonly<Service>): (endpoint: Readonly<Endpoint>) => Hints | undefined {
  const { trafficDistribution = '' } = service.spec ?? {}
  return (endpoint) => {
    if (!near.has(trafficDistribution) || !isReady(endpoint)) return undefined
    const forZones = endpoint.zone === undefined ? {} : { forZones: [{ name: endpoint.zone }] }
    const forNodes = endpoint.nodeName === undefined || trafficDistribution !== 'PreferSameNode' ? {} : { forNodes: [{ name: endpoint.nodeName }] }
    const hints = { ...forZones, ...forNodes }
    return Object.keys(hints).length === 0 ? undefined : hints
  }
}

export function withHints(slices: Slices, hintsOf: (endpoint: Readonly<Endpoint>) => Hints | undefined): Slices {
  const differs = (slice: Readonly<EndpointSlice>): boolean => (slice.endpoints ?? []).some((endpoint) => !equalJson(endpoint.hints, hintsOf(endpoint)))
  const hint = (slice: Readonly<EndpointSlice>): EndpointSlice => hinted(slice, hintsOf)
  return {
    create: slices.create.map(hint),
    update: [...slices.update, ...slices.unchanged.filter(differs)].map(hint),
    unchanged: slices.unchanged.filter((slice) => !differs(slice)),
  }
}

export function hinted(slice: Readonly<EndpointSlice>, hintsOf: (endpoint: Readonly<Endpoint>) => Hints | undefined): EndpointSlice {
  const endpoints = (slice.endpoints ?? []).map((endpoint): Endpoint => {
    const { hints: _old, ...plain } = endpoint
    const hints = hintsOf(endpoint)
    return hints === undefined ? plain : { ...plain, hints }
  })
  return { ...slice, endpoints }
}
