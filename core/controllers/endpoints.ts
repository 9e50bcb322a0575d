/**
 * Endpoints: the older form of EndpointSlices, one object a Service (upstream's endpoint/endpoints_controller.go).
 * Terminating pods are not in it, and beyond a thousand addresses it is cut and says so.
 */
import { endpoints } from '../api/core/endpoints.ts'
import { pods } from '../api/core/pod.ts'
import { isPodReady } from '../api/core/podstate.ts'
import { services } from '../api/core/service.ts'
import { isBeingDeleted, parseKey } from '../api/meta.ts'
import type { EndpointAddress, Endpoints, EndpointSubset, Pod, Service } from '../api/schema/types.ts'
import { cloneJson, equalJson } from '../lib/json.ts'
import type { Controller } from './controller.ts'
import { canonical } from './hash.ts'
import { addressesOf, familiesOf, isEndpoint, isHeadless, portsOf } from './endpointslice/endpoint.ts'
import { hasSelector, onChangesOfPods, selectorFor } from './endpointslice/endpointslice.ts'
import { headlessLabel } from './endpointslice/plan.ts'
import { isTerminatingNamespace } from './podcontrol.ts'
import { itself } from './run.ts'

export const addressesMax = 1_000
const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity'
const managedByLabel = 'endpoints.kubernetes.io/managed-by'
const batchMs = 20

export const endpointsController: Controller = {
  name: 'endpoint-controller',
  workers: 5,
  setUp(env) {
    const lister = env.watch(services, itself)
    const have = env.watch(endpoints, itself)
    const podLister = env.read(pods)
    onChangesOfPods(env.informers, lister, (keys) => keys.forEach((key) => env.queue.after(key, batchMs)))
    return async (ctx, key, client) => {
      const service = lister.at(key)
      if (service === undefined) {
        const orphan = have.at(key)
        if (orphan?.metadata.labels?.[managedByLabel] === 'endpoint-controller') await client.delete(ctx, endpoints, parseKey(key))
        return
      }
      if (!hasSelector(service) || isBeingDeleted(service)) return
      const selected = podLister.list(service.metadata.namespace ?? '').filter((pod) => selectorFor(service).matches(pod.metadata.labels))
      const next = endpointsOf(service, selected)
      const prev = have.at(key)
      try {
        if (prev === undefined) await client.create(ctx, endpoints, next)
        else if (!isShown(next, prev)) await client.update(ctx, endpoints, over(prev, next))
      } catch (error) {
        if (!isTerminatingNamespace(error)) throw error
      }
    }
  },
}

/** What we write, over what others have put into metadata. */
function over(prev: Readonly<Endpoints>, next: Endpoints): Endpoints {
  const { [overCapacityAnnotation]: _old, ...annotations } = prev.metadata.annotations ?? {}
  return { ...next, metadata: { ...cloneJson(prev.metadata), ...next.metadata, annotations: { ...annotations, ...next.metadata.annotations } } }
}

function isShown(next: Readonly<Endpoints>, prev: Readonly<Endpoints>): boolean {
  const { annotations: want, labels } = next.metadata
  const over = prev.metadata.annotations?.[overCapacityAnnotation]
  return equalJson(next.subsets ?? [], prev.subsets ?? []) && equalJson(labels, prev.metadata.labels) && want?.[overCapacityAnnotation] === over
}

export function endpointsOf(service: Readonly<Service>, selected: readonly Readonly<Pod>[]): Endpoints {
  const { subsets, cut } = subsetsOf(service, selected)
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name: service.metadata.name ?? '',
      namespace: service.metadata.namespace ?? '',
      labels: { ...service.metadata.labels, [managedByLabel]: 'endpoint-controller', ...(isHeadless(service) ? { [headlessLabel]: '' } : {}) },
      ...(cut ? { annotations: { [overCapacityAnnotation]: 'truncated' } } : {}),
    },
    ...(subsets.length === 0 ? {} : { subsets }),
  }
}

/** Addresses with the same ports stand together; the order is that of upstream's repacking, so that the same is written once. */
function subsetsOf(service: Readonly<Service>, selected: readonly Readonly<Pod>[]): { readonly subsets: EndpointSubset[]; readonly cut: boolean } {
  const family = familiesOf(service)[0] ?? 'IPv4'
  const groups = new Map<string, { ports: EndpointSubset['ports']; ready: EndpointAddress[]; unready: EndpointAddress[] }>()
  let count = 0
  let cut = false
  const all = selected.filter((pod) => isEndpoint(pod) && !isBeingDeleted(pod))
  // Ready ones have the first claim on the room there is.
  for (const pod of all.toSorted((a, b) => Number(isReady(service, b)) - Number(isReady(service, a)))) {
    const ip = addressesOf(pod, family)[0]
    const ports = portsOf(service, pod)
    if (ip === undefined || (ports.length === 0 && !isHeadless(service))) continue
    if (count++ >= addressesMax) {
      cut = true
      break
    }
    const named = ports.map(({ name, port, protocol, appProtocol }) => ({ ...(name === '' || name === undefined ? {} : { name }), port: port ?? 0, protocol: protocol ?? 'TCP', ...(appProtocol === undefined ? {} : { appProtocol }) }))
    const key = canonical(named)
    let group = groups.get(key)
    if (group === undefined) groups.set(key, (group = { ports: named, ready: [], unready: [] }))
    ;(isReady(service, pod) ? group.ready : group.unready).push(addressOf(service, pod, ip))
  }
  const subsets = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { ports, ready, unready }]) => ({
    ...(ready.length === 0 ? {} : { addresses: ready.sort(byIp) }),
    ...(unready.length === 0 ? {} : { notReadyAddresses: unready.sort(byIp) }),
    ...(ports === undefined || ports.length === 0 ? {} : { ports }),
  }))
  return { subsets, cut }
}

const isReady = (service: Readonly<Service>, pod: Readonly<Pod>): boolean => service.spec?.publishNotReadyAddresses === true || isPodReady(pod)
const byIp = (a: Readonly<EndpointAddress>, b: Readonly<EndpointAddress>): number => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0)

function addressOf(service: Readonly<Service>, pod: Readonly<Pod>, ip: string): EndpointAddress {
  const { namespace, name, uid } = pod.metadata
  const hostname = pod.spec?.hostname ?? ''
  return {
    ip,
    ...(hostname !== '' && pod.spec?.subdomain === service.metadata.name ? { hostname } : {}),
    ...(pod.spec?.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: { kind: 'Pod', namespace: namespace ?? '', name: name ?? '', uid: uid ?? '' },
  }
}
