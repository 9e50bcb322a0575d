/** EndpointSlices: for every Service with a selector the slices that plan.ts asks for. Slices of other managers stay untouched. */
import { nodes } from '../../api/core/node.ts'
import { pods } from '../../api/core/pod.ts'
import { services } from '../../api/core/service.ts'
import { endpointSlices } from '../../api/discovery/endpointslice.ts'
import { isApiError } from '../../api/errors.ts'
import { isBeingDeleted, keyOf } from '../../api/meta.ts'
import type { EndpointSlice, Pod, Service } from '../../api/schema/types.ts'
import { labelsSelector, type Selector } from '../../api/selector.ts'
import { byNode, nodeIndex, type Lister } from '../../client/lister.ts'
import type { Controller } from '../controller.ts'
import { isTerminatingNamespace } from '../podcontrol.ts'
import { itself } from '../run.ts'
import { zoneLabel } from './endpoint.ts'
import { managedByLabel, manager, planSlices, serviceNameLabel } from './plan.ts'
import { TriggerTimes } from './trigger.ts'

const serviceIndex = 'service'
/** Pods change in bursts (a rollout, a node): changes of so long become one write. */
const batchMs = 20

export const endpointSliceController: Controller = {
  name: 'endpointslice-controller',
  component: 'endpoint-slice-controller',
  workers: 5,
  setUp(env) {
    const sliceInformer = env.informers.of(endpointSlices)
    sliceInformer.addIndex(serviceIndex, (slice) => (isMine(slice) ? [serviceKey(slice)] : []))
    const podInformer = env.informers.of(pods)
    podInformer.addIndex(nodeIndex, byNode)
    const lister = env.watch(services, itself)
    env.watch(endpointSlices, (slice) => (isMine(slice) ? [serviceKey(slice)] : []))
    const later = (keys: readonly string[]): void => keys.forEach((key) => env.queue.after(key, batchMs))
    onChangesOfPods(env.informers, lister, later)
    const nodeInformer = env.informers.of(nodes)
    const ofNode = (name: string): void => podInformer.lister.by(nodeIndex, name).forEach((pod) => later(servicesOf(lister, pod)))
    nodeInformer.on({
      added: (node) => ofNode(node.metadata.name ?? ''),
      updated: (next, prev) => (next.metadata.labels?.[zoneLabel] === prev.metadata.labels?.[zoneLabel] ? undefined : ofNode(next.metadata.name ?? '')),
    })
    const times = new TriggerTimes()

    return async (ctx, key, client) => {
      const service = lister.at(key)
      if (service === undefined || isBeingDeleted(service)) return times.forget(key) // its slices go with it
      if (!hasSelector(service)) return
      const selected = podInformer.lister.list(service.metadata.namespace ?? '').filter((pod) => selectorFor(service).matches(pod.metadata.labels))
      const triggerTime = times.since(key, service, selected)
      const plan = planSlices({
        service,
        pods: selected,
        slices: sliceInformer.lister.by(serviceIndex, key).filter((slice) => !isBeingDeleted(slice)),
        nodeOf: (name) => nodeInformer.lister.at(name),
        ...(triggerTime === undefined ? {} : { triggerTime }),
      })
      try {
        // Making before removing: no moment without the endpoints that stay.
        for (const slice of plan.create) await client.create(ctx, endpointSlices, slice)
        for (const slice of plan.update) await client.update(ctx, endpointSlices, slice)
        for (const slice of plan.remove) await client.delete(ctx, endpointSlices, keyOf(slice))
      } catch (error) {
        if (isTerminatingNamespace(error)) return
        if (!isApiError(error, 'Conflict')) env.recorder.event(services, service, 'Warning', 'FailedToUpdateEndpointSlices', `Error updating Endpoint Slices for Service ${key}: ${String(error)}`)
        throw error
      }
    }
  },
}

const isMine = (slice: Readonly<EndpointSlice>): boolean => slice.metadata.labels?.[managedByLabel] === manager && (slice.metadata.labels?.[serviceNameLabel] ?? '') !== ''
const serviceKey = (slice: Readonly<EndpointSlice>): string => `${slice.metadata.namespace}/${slice.metadata.labels?.[serviceNameLabel]}`

const selectors = new WeakMap<object, Selector>()

/** Made once for each version of a Service. */
export function selectorFor(service: Readonly<Service>): Selector {
  let selector = selectors.get(service)
  if (selector === undefined) selectors.set(service, (selector = labelsSelector(service.spec?.selector)))
  return selector
}

export const hasSelector = (service: Readonly<Service>): boolean => service.spec?.type !== 'ExternalName' && Object.keys(service.spec?.selector ?? {}).length > 0

export function servicesOf(lister: Lister<Service>, pod: Readonly<Pod>): readonly string[] {
  return lister.list(pod.metadata.namespace ?? '').filter((s) => hasSelector(s) && selectorFor(s).matches(pod.metadata.labels)).flatMap(itself)
}

/** Services whose endpoints a pod's change may change: heartbeats of a pod's status change none. */
export function onChangesOfPods(informers: Parameters<Controller['setUp']>[0]['informers'], lister: Lister<Service>, tell: (keys: readonly string[]) => void): void {
  informers.of(pods).on({
    added: (pod) => tell(servicesOf(lister, pod)),
    deleted: (pod) => tell(servicesOf(lister, pod)),
    updated: (next, prev) => {
      if (shown(next) === shown(prev)) return
      tell([...new Set([...servicesOf(lister, next), ...servicesOf(lister, prev)])])
    },
  })
}

/** All of a pod that an endpoint shows. */
function shown({ metadata, spec, status }: Readonly<Pod>): string {
  const ready = status?.conditions?.find((c) => c.type === 'Ready')?.status
  return JSON.stringify([metadata.uid, metadata.labels, metadata.deletionTimestamp, spec?.nodeName, spec?.hostname, spec?.subdomain, status?.phase, status?.podIP, status?.podIPs, ready])
}
