/**
 * Endpoints: the older form of EndpointSlices, one object a Service (upstream's endpoint/endpoints_controller.go). Beyond
 * a thousand addresses it is cut and says so. Those of Services without a selector are their makers' own, and go with the
 * Service all the same.
 */
import { endpoints } from '../api/core/endpoints.ts'
import { isPodReady } from '../api/core/podstate.ts'
import { services } from '../api/core/service.ts'
import { isBeingDeleted, keyOf, keyText, parseKey } from '../api/meta.ts'
import type { EndpointAddress, Endpoints, EndpointSubset, Pod, Service } from '../api/schema/types.ts'
import { cloneJson, equalJson } from '../lib/json.ts'
import type { Controller } from './controller.ts'
import { addressesOf, familiesOf, isEndpoint, isHeadless, portsOf } from './endpointslice/endpoint.ts'
import { headlessLabel, triggerTimeAnnotation } from './endpointslice/plan.ts'
import { hasSelector, Selection } from './endpointslice/selection.ts'
import { TriggerTimes } from './endpointslice/trigger.ts'
import { isTerminatingNamespace, messageOf } from './podcontrol.ts'
import { itself } from './run.ts'
import { repackSubsets, subsetOf, truncated } from './subsets.ts'

/** Who holds a lease in an Endpoints object, as old elections do: it stands for no Service. */
export const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader'

const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity'
const managedByLabel = 'endpoints.kubernetes.io/managed-by'
const batchMs = 20

export const endpointsController: Controller = {
  name: 'endpoint-controller',
  workers: 5,
  setUp(env) {
    const lister = env.watch(services, itself)
    const have = env.watch(endpoints, itself)
    const selection = new Selection(env.informers)
    const times = new TriggerTimes()
    /** Endpoints that a Service left behind, now or before this start: others may be there before their Service is. */
    const left = new Set<string>()
    const leave = (key: string): void => {
      left.add(key)
      env.queue.add(key)
    }
    env.informers.of(services).on({ deleted: (service) => leave(keyText(keyOf(service))) })
    const both = Promise.all([env.informers.of(services).synced, env.informers.of(endpoints).synced])
    void both.then(() => have.list().filter((object) => lister.get(keyOf(object)) === undefined).forEach((object) => leave(keyText(keyOf(object)))))
    selection.onChanges((keys) => keys.forEach((key) => env.queue.after(key, batchMs)))

    return async (ctx, key, client) => {
      const service = lister.at(key)
      const prev = have.at(key)
      if (service === undefined) {
        times.forget(key)
        const goes = left.has(key) && prev !== undefined && prev.metadata.annotations?.[leaderAnnotation] === undefined
        if (goes) await client.delete(ctx, endpoints, parseKey(key))
        left.delete(key)
        return
      }
      left.delete(key)
      if (!hasSelector(service) || isBeingDeleted(service)) return
      const selected = selection.podsOf(service)
      const triggerTime = times.since(key, service, selected)
      const next = endpointsOf(service, selected)
      if (prev !== undefined && isShown(next, prev)) return
      try {
        if (prev === undefined) await client.create(ctx, endpoints, stamped(next, triggerTime))
        else await client.update(ctx, endpoints, stamped(over(prev, next), triggerTime))
      } catch (error) {
        if (isTerminatingNamespace(error)) return
        const [reason, text] = prev === undefined ? ['FailedToCreateEndpoint', 'Failed to create endpoint for service'] : ['FailedToUpdateEndpoint', 'Failed to update endpoint']
        env.recorder.event(endpoints, prev ?? next, 'Warning', reason ?? '', `${text} ${key}: ${messageOf(error)}`)
        throw error
      }
    }
  },
}

/** What we write, over what others have put into metadata. */
function over(prev: Readonly<Endpoints>, next: Endpoints): Endpoints {
  const { [overCapacityAnnotation]: _old, ...annotations } = prev.metadata.annotations ?? {}
  return { ...next, metadata: { ...cloneJson(prev.metadata), ...next.metadata, annotations: { ...annotations, ...next.metadata.annotations } } }
}

function stamped(object: Endpoints, triggerTime: string | undefined): Endpoints {
  const { [triggerTimeAnnotation]: _old, ...others } = object.metadata.annotations ?? {}
  const annotations = { ...others, ...(triggerTime === undefined ? {} : { [triggerTimeAnnotation]: triggerTime }) }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

function isShown(next: Readonly<Endpoints>, prev: Readonly<Endpoints>): boolean {
  const { annotations: want, labels } = next.metadata
  const over = prev.metadata.annotations?.[overCapacityAnnotation]
  return equalJson(next.subsets ?? [], prev.subsets ?? []) && equalJson(labels, prev.metadata.labels) && want?.[overCapacityAnnotation] === over
}

export function endpointsOf(service: Readonly<Service>, selected: readonly Readonly<Pod>[]): Endpoints {
  const all = repackSubsets(selected.flatMap((pod) => subsetFor(service, pod)))
  const cut = truncated(all)
  const subsets = cut ?? all
  const { [headlessLabel]: _headless, ...labels } = service.metadata.labels ?? {}
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name: service.metadata.name ?? '',
      namespace: service.metadata.namespace ?? '',
      labels: { ...labels, [managedByLabel]: 'endpoint-controller', ...(isHeadless(service) ? { [headlessLabel]: '' } : {}) },
      ...(cut === undefined ? {} : { annotations: { [overCapacityAnnotation]: 'truncated' } }),
    },
    ...(subsets.length === 0 ? {} : { subsets }),
  }
}

/** A terminating pod is shown only where unready ones are published, too. */
function subsetFor(service: Readonly<Service>, pod: Readonly<Pod>): EndpointSubset[] {
  const publishes = service.spec?.publishNotReadyAddresses === true
  if (!isEndpoint(pod) || (isBeingDeleted(pod) && !publishes)) return []
  const ip = addressesOf(pod, familiesOf(service)[0] ?? 'IPv4')[0]
  const ports = portsOf(service, pod).map(({ name, port, protocol, appProtocol }) => ({
    ...(name === '' || name === undefined ? {} : { name }),
    port: port ?? 0,
    protocol: protocol ?? 'TCP',
    ...(appProtocol === undefined ? {} : { appProtocol }),
  }))
  const portless = (service.spec?.ports ?? []).length === 0 && isHeadless(service)
  if (ip === undefined || (ports.length === 0 && !portless)) return []
  const address = [addressOf(service, pod, ip)]
  return [publishes || isPodReady(pod) ? subsetOf(address, [], ports) : subsetOf([], address, ports)]
}

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
