/**
 * Which slices mirror an Endpoints object: one for each set of ports and address family of its subsets, with at most a
 * thousand addresses (upstream's endpointslicemirroring/reconciler.go). Pure.
 */
import { controllerRef } from '../../api/meta.ts'
import type { DiscoveryV1EndpointPort, Endpoint, EndpointAddress, Endpoints, EndpointSlice, EndpointSubset, Service } from '../../api/schema/types.ts'
import { formatIp, parseIp } from '../../lib/ip.ts'
import { equalJson } from '../../lib/json.ts'
import { leaderAnnotation } from '../endpoints.ts'
import type { Family } from '../endpointslice/endpoint.ts'
import { endpointKey } from '../endpointslice/placement.ts'
import { managedByLabel, portsKey, serviceNameLabel, triggerTimeAnnotation } from '../endpointslice/plan.ts'
import { repackSubsets } from '../subsets.ts'

export const mirroredMax = 1_000
export const mirrorer = 'endpointslicemirroring-controller.k8s.io'
const skipMirrorLabel = 'endpointslice.kubernetes.io/skip-mirror'
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

export interface MirrorPlan {
  readonly create: readonly EndpointSlice[]
  readonly update: readonly EndpointSlice[]
  readonly remove: readonly Readonly<EndpointSlice>[]
  /** Addresses that were left out because they are none. */
  readonly invalid: number
  /** Addresses that were left out for any reason. */
  readonly skipped: number
}

/** Endpoints that a user keeps for a Service without a selector, and nothing else. */
export function isMirrored(endpoints: Readonly<Endpoints> | undefined, service: Readonly<Service> | undefined): endpoints is Readonly<Endpoints> {
  if (endpoints === undefined || service === undefined) return false
  const { labels, annotations } = endpoints.metadata
  return labels?.[skipMirrorLabel] !== 'true' && annotations?.[leaderAnnotation] === undefined && Object.keys(service.spec?.selector ?? {}).length === 0
}

interface Wanted {
  readonly family: Family
  readonly ports: readonly DiscoveryV1EndpointPort[]
  readonly endpoints: Map<string, Endpoint>
}

export function planMirror(endpoints: Readonly<Endpoints>, slices: readonly Readonly<EndpointSlice>[]): MirrorPlan {
  const { wanted, invalid, skipped } = wantedOf(endpoints)
  const create: EndpointSlice[] = []
  const update: EndpointSlice[] = []
  const byKey = Map.groupBy(slices, (slice) => keyFor(slice.addressType, slice.ports ?? []))
  const remove = slices.filter((slice) => (wanted.get(keyFor(slice.addressType, slice.ports ?? []))?.endpoints.size ?? 0) === 0)
  for (const [key, want] of wanted) {
    if (want.endpoints.size === 0) continue
    const [have, ...more] = byKey.get(key) ?? []
    remove.push(...more)
    const next = sliceOf(endpoints, want)
    if (have === undefined) create.push(next)
    else if (!isSame(next, have, endpoints)) update.push(inPlaceOf(have, next))
  }
  return { ...recycled({ create, update, remove }), invalid, skipped }
}

function keyFor(family: string, ports: readonly DiscoveryV1EndpointPort[]): string {
  return `${family}-${portsKey(ports)}`
}

function wantedOf(endpoints: Readonly<Endpoints>): { readonly wanted: ReadonlyMap<string, Wanted>; readonly invalid: number; readonly skipped: number } {
  const wanted = new Map<string, Wanted>()
  let invalid = 0
  let skipped = 0
  for (const subset of repackSubsets(endpoints.subsets ?? [])) {
    const ports = portsOf(subset)
    const all = [...(subset.addresses ?? []).map((address) => ({ address, ready: true })), ...(subset.notReadyAddresses ?? []).map((address) => ({ address, ready: false }))]
    let added = 0
    for (const { address, ready } of all) {
      if (added >= mirroredMax) break
      const ip = parseIp(address.ip)
      if (ip === undefined) {
        invalid++
        continue
      }
      const family = ip.family === 4 ? 'IPv4' : 'IPv6'
      const key = keyFor(family, ports)
      let want = wanted.get(key)
      if (want === undefined) wanted.set(key, (want = { family, ports, endpoints: new Map() }))
      const endpoint = endpointOf(address, formatIp(ip), ready)
      want.endpoints.set(endpointKey(endpoint), endpoint)
      added++
    }
    skipped += all.length - added
  }
  return { wanted, invalid, skipped }
}

function portsOf(subset: Readonly<EndpointSubset>): DiscoveryV1EndpointPort[] {
  return (subset.ports ?? []).map(({ name, port, protocol, appProtocol }) => ({ name: name ?? '', port, protocol: protocol ?? 'TCP', ...(appProtocol === undefined ? {} : { appProtocol }) }))
}

function endpointOf({ hostname, nodeName, targetRef }: Readonly<EndpointAddress>, ip: string, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname === undefined || hostname === '' ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef: { ...targetRef } }),
  }
}

function sliceOf(endpoints: Readonly<Endpoints>, { family, ports, endpoints: all }: Wanted): EndpointSlice {
  const { name = '', namespace = '', labels } = endpoints.metadata
  const annotations = annotationsOf(endpoints)
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: mirrorer },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ownerReferences: [controllerRef(endpoints, { group: '', version: 'v1', kind: 'Endpoints' })],
    },
    addressType: family,
    endpoints: [...all.values()].slice(0, mirroredMax),
    ports: [...ports],
  }
}

/** Those that speak of the Endpoints object itself are not the slice's. */
function annotationsOf(endpoints: Readonly<Endpoints>): Record<string, string> {
  const { [triggerTimeAnnotation]: _time, [lastAppliedAnnotation]: _applied, ...annotations } = endpoints.metadata.annotations ?? {}
  return annotations
}

function isSame(next: Readonly<EndpointSlice>, have: Readonly<EndpointSlice>, endpoints: Readonly<Endpoints>): boolean {
  const byKey = (slice: Readonly<EndpointSlice>): Record<string, unknown> => Object.fromEntries((slice.endpoints ?? []).map((endpoint) => [endpointKey(endpoint), endpoint]))
  const ofAnother = (have.metadata.ownerReferences ?? []).some((owner) => owner.kind === 'Endpoints' && owner.name === endpoints.metadata.name && owner.uid !== endpoints.metadata.uid)
  return !ofAnother && equalJson(byKey(next), byKey(have)) && equalJson(next.metadata.labels, have.metadata.labels) && equalJson(next.metadata.annotations ?? {}, have.metadata.annotations ?? {})
}

function inPlaceOf(have: Readonly<EndpointSlice>, next: EndpointSlice): EndpointSlice {
  const { generateName: _made, ...mine } = next.metadata
  const { annotations: _old, ...metadata } = have.metadata
  return { ...next, metadata: { ...metadata, ...mine } }
}

/** What would be deleted takes in what would be made. */
function recycled(plan: Pick<MirrorPlan, 'create' | 'update' | 'remove'>): Pick<MirrorPlan, 'create' | 'update' | 'remove'> {
  const create = [...plan.create]
  const update = [...plan.update]
  const remove = plan.remove.filter((have) => {
    const at = create.findIndex((next) => next.addressType === have.addressType)
    if (at >= 0) update.push(...create.splice(at, 1).map((next) => inPlaceOf(have, next)))
    return at < 0
  })
  return { create, update, remove }
}
