/** EndpointSlices: for every Service with a selector the slices that plan.ts asks for. Slices of other managers stay untouched. */
import { nodes } from '../../api/core/node.ts'
import { pods } from '../../api/core/pod.ts'
import { services } from '../../api/core/service.ts'
import { endpointSlices } from '../../api/discovery/endpointslice.ts'
import { isApiError } from '../../api/errors.ts'
import { isBeingDeleted, keyOf, keyText } from '../../api/meta.ts'
import type { EndpointSlice, Node, Service } from '../../api/schema/types.ts'
import { byNode, nodeIndex } from '../../client/lister.ts'
import type { Controller, Env } from '../controller.ts'
import { isTerminatingNamespace, messageOf } from '../podcontrol.ts'
import { itself } from '../run.ts'
import { familiesOf, type Family, zoneLabel } from './endpoint.ts'
import { wantsTopology } from './hints.ts'
import { managedByLabel, manager, planSlices, serviceNameLabel, type SlicePlan } from './plan.ts'
import { hasSelector, Selection } from './selection.ts'
import { isReadyNode, Topology, zoneShares } from './topology.ts'
import { TriggerTimes } from './trigger.ts'

const serviceIndex = 'service'
/** Pods change in bursts (a rollout, a node): changes of so long become one write. */
const batchMs = 20
/** Stands for all nodes: their zones and CPUs. No Service is called so. */
const nodesKey = '#nodes'

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
    const selection = new Selection(env.informers)
    selection.onChanges(later)
    onChangesOfNodes(env, (name) => podInformer.lister.by(nodeIndex, name).forEach((pod) => later(selection.servicesOf(pod))))
    const nodeLister = env.read(nodes)
    const topology = new Topology()
    const times = new TriggerTimes()

    const measureNodes = (): void => {
      const known = topology.shares !== undefined
      topology.shares = zoneShares(nodeLister.list())
      topology.overloaded().forEach(env.queue.add.bind(env.queue))
      // Who had to go without hints until now may have them.
      if (!known && topology.shares !== undefined) lister.list().filter(wantsTopology).flatMap(itself).forEach(env.queue.add.bind(env.queue))
    }
    const forget = (key: string): void => {
      times.forget(key)
      topology.remove(key)
    }

    return async (ctx, key, client) => {
      if (key === nodesKey) return measureNodes()
      const service = lister.at(key)
      if (service === undefined || isBeingDeleted(service)) return forget(key) // its slices go with it
      if (!hasSelector(service)) return
      const selected = selection.podsOf(service)
      const triggerTime = times.since(key, service, selected)
      const plan = planSlices({
        service,
        pods: selected,
        slices: sliceInformer.lister.by(serviceIndex, key).filter((slice) => !isBeingDeleted(slice)),
        nodeOf: (name) => nodeLister.at(name),
        ...(triggerTime === undefined ? {} : { triggerTime }),
        ...(topology.shares === undefined ? {} : { shares: topology.shares }),
      })
      const warn = (why: string): void => env.recorder.event(services, service, 'Warning', 'FailedToUpdateEndpointSlices', `Error updating Endpoint Slices for Service ${key}: ${why}`)
      try {
        // Making before removing: no moment without the endpoints that stay.
        for (const slice of plan.create) await client.create(ctx, endpointSlices, slice)
        for (const slice of plan.update) await client.update(ctx, endpointSlices, slice)
        for (const slice of plan.remove) await client.delete(ctx, endpointSlices, keyOf(slice))
      } catch (error) {
        if (isTerminatingNamespace(error)) return
        if (!isApiError(error, 'Conflict')) warn(messageOf(error))
        throw error
      }
      tellHints(env, service, topology, plan)
      for (const { metadata, spec } of plan.unplaced) warn(`skipping Pod ${metadata.name} for Service ${key}: Node ${spec?.nodeName ?? ''} Not Found`)
    }
  },
}

/** Events when hints by zone begin, end, or cannot be given; remembers what was given. */
function tellHints({ recorder }: Env, service: Readonly<Service>, topology: Topology, plan: SlicePlan): void {
  const key = keyText(keyOf(service))
  const tell = (enabled: boolean, message: string, family: Family): void =>
    recorder.event(services, service, enabled ? 'Normal' : 'Warning', enabled ? 'TopologyAwareHintsEnabled' : 'TopologyAwareHintsDisabled', `${message}, addressType: ${family}`)
  for (const family of familiesOf(service)) {
    const outcome = plan.topology.get(family)
    const enabled = topology.isEnabled(key)
    if (outcome !== undefined && 'counts' in outcome) {
      topology.set(key, family, outcome.counts)
      if (!enabled) tell(true, 'Topology Aware Hints has been enabled', family)
      continue
    }
    topology.remove(key, family)
    if (outcome !== undefined) tell(false, outcome.refused, family)
    else if (enabled) tell(false, 'Topology Aware Hints has been disabled', family)
  }
}

/** A node's zone is shown by the endpoints on it; how many are ready, and where, decides on hints. */
function onChangesOfNodes({ informers, queue }: Env, tell: (node: string) => void): void {
  const zone = (node: Readonly<Node>): string => node.metadata.labels?.[zoneLabel] ?? ''
  informers.of(nodes).on({
    added(node) {
      tell(node.metadata.name ?? '')
      queue.add(nodesKey)
    },
    updated(next, prev) {
      const moved = zone(next) !== zone(prev)
      if (moved) tell(next.metadata.name ?? '')
      if (moved || isReadyNode(next) !== isReadyNode(prev)) queue.add(nodesKey)
    },
    deleted: () => queue.add(nodesKey),
  })
}

const isMine = (slice: Readonly<EndpointSlice>): boolean => slice.metadata.labels?.[managedByLabel] === manager && (slice.metadata.labels?.[serviceNameLabel] ?? '') !== ''
const serviceKey = (slice: Readonly<EndpointSlice>): string => `${slice.metadata.namespace}/${slice.metadata.labels?.[serviceNameLabel]}`
