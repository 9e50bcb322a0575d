/**
 * What a pod looks like as an endpoint of a Service: whether it is one, under which ports and addresses, and whether it
 * is ready, serving, terminating (k8s.io/endpointslice). Pure.
 */
import { isPodReady, isPodTerminal } from '../../api/core/podstate.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import type { Container, DiscoveryV1EndpointPort, Endpoint, Node, Pod, Service, ServicePort } from '../../api/schema/types.ts'
import { parseIp } from '../../lib/ip.ts'

export type Family = 'IPv4' | 'IPv6'

export const zoneLabel = 'topology.kubernetes.io/zone'

/** It has an address and has not ended. */
export function isEndpoint(pod: Readonly<Pod>): boolean {
  return !isPodTerminal(pod) && ((pod.status?.podIP ?? '') !== '' || (pod.status?.podIPs ?? []).length > 0)
}

export function isHeadless(service: Readonly<Service>): boolean {
  return (service.spec?.clusterIP ?? '') === 'None' || (service.spec?.clusterIP ?? '') === ''
}

export function familiesOf(service: Readonly<Service>): readonly Family[] {
  const families = (service.spec?.ipFamilies ?? []).filter((f): f is Family => f === 'IPv4' || f === 'IPv6')
  if (families.length > 0) return families
  const ip = isHeadless(service) ? undefined : parseIp(service.spec?.clusterIP ?? '')
  return ip === undefined ? ['IPv4', 'IPv6'] : [ip.family === 6 ? 'IPv6' : 'IPv4']
}

export function addressesOf(pod: Readonly<Pod>, family: Family): string[] {
  const all = (pod.status?.podIPs ?? []).map((p) => p.ip)
  if (all.length === 0 && pod.status?.podIP !== undefined) all.push(pod.status.podIP)
  return all.filter((ip) => parseIp(ip)?.family === (family === 'IPv4' ? 4 : 6))
}

/** The number behind a Service's port on this pod: a name is looked up among the pod's container ports. */
export function targetPort(pod: Readonly<Pod>, port: Readonly<ServicePort>): number | undefined {
  const target = port.targetPort ?? port.port
  if (typeof target === 'number') return target === 0 ? port.port : target
  const sidecars = (pod.spec?.initContainers ?? []).filter((c: Readonly<Container>) => c.restartPolicy === 'Always')
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    const found = container.ports?.find((p) => p.name === target && (p.protocol ?? 'TCP') === (port.protocol ?? 'TCP'))
    if (found !== undefined) return found.containerPort
  }
  return undefined
}

/** Ports that the pod does not have are left out; a headless Service may have none at all. */
export function portsOf(service: Readonly<Service>, pod: Readonly<Pod>): DiscoveryV1EndpointPort[] {
  const ports: DiscoveryV1EndpointPort[] = []
  for (const port of service.spec?.ports ?? []) {
    const number = targetPort(pod, port)
    if (number === undefined) continue
    ports.push({ name: port.name ?? '', port: number, protocol: port.protocol ?? 'TCP', ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }) })
  }
  return ports
}

export function endpointOf(service: Readonly<Service>, pod: Readonly<Pod>, node: Readonly<Node> | undefined, family: Family): Endpoint {
  const serving = isPodReady(pod)
  const terminating = isBeingDeleted(pod)
  const zone = node?.metadata.labels?.[zoneLabel] ?? ''
  const nodeName = pod.spec?.nodeName ?? ''
  const hostname = pod.spec?.hostname ?? ''
  return {
    addresses: addressesOf(pod, family),
    conditions: { ready: service.spec?.publishNotReadyAddresses === true || (serving && !terminating), serving, terminating },
    targetRef: {
      kind: 'Pod',
      ...(pod.metadata.namespace === undefined ? {} : { namespace: pod.metadata.namespace }),
      name: pod.metadata.name ?? '',
      uid: pod.metadata.uid ?? '',
    },
    ...(nodeName === '' ? {} : { nodeName }),
    ...(zone === '' ? {} : { zone }),
    ...(hostname !== '' && pod.spec?.subdomain === service.metadata.name ? { hostname } : {}),
  }
}
