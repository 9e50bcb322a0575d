/**
 * What a Service's write means before it is checked: old and new forms of its addresses agree, what was allocated is kept,
 * what its type does not use goes (k8s.io/kubernetes/pkg/registry/core/service/{strategy.go,storage/storage.go}).
 * Allocation itself is done by admission.
 */
import { equalJson } from '../../lib/json.ts'
import type { Service, ServiceSpec } from '../schema/types.ts'

export const isHeadless = (spec: Readonly<ServiceSpec>): boolean => spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === 'None'
export const needsClusterIp = (spec: Readonly<ServiceSpec>): boolean => spec.type !== 'ExternalName'
export const needsNodePort = (spec: Readonly<ServiceSpec>): boolean => spec.type === 'NodePort' || spec.type === 'LoadBalancer'
export const needsHealthCheck = (spec: Readonly<ServiceSpec>): boolean => spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'

export function externallyAccessible(spec: Readonly<ServiceSpec>): boolean {
  return needsNodePort(spec) || (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0)
}

export function prepareServiceCreate(service: Service): void {
  const spec = (service.spec ??= {})
  if ((spec.clusterIP ?? '') !== '' && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP ?? '']
}

export function prepareServiceUpdate(next: Service, prev: Readonly<Service>): void {
  const [spec, old] = [(next.spec ??= {}), prev.spec ?? {}]
  patchAllocated(spec, old)
  normalize(spec, old)
  dropUnused(spec, old)
}

/** Clients that leave out what was allocated want it kept. */
function patchAllocated(spec: ServiceSpec, old: Readonly<ServiceSpec>): void {
  if (needsClusterIp(old) && needsClusterIp(spec)) {
    if ((spec.clusterIP ?? '') === '' && old.clusterIP !== undefined) spec.clusterIP = old.clusterIP
    if ((spec.clusterIPs ?? []).length === 0 && (old.clusterIPs ?? []).length > 0) spec.clusterIPs = [...(old.clusterIPs ?? [])]
  }
  keepNodePorts(spec, old)
}

/** Ports keep their node ports by their names, where no other port has asked for them by now. */
export function keepNodePorts(spec: ServiceSpec, old: Readonly<ServiceSpec>): void {
  if (needsNodePort(old) && needsNodePort(spec)) {
    const ports = (of: Readonly<ServiceSpec>): number[] => (of.ports ?? []).map((port) => port.nodePort ?? 0).filter((port) => port !== 0)
    const used = new Set(ports(old).filter((port) => ports(spec).includes(port)))
    const byName = new Map((old.ports ?? []).map((port) => [port.name ?? '', port.nodePort ?? 0]))
    for (const port of spec.ports ?? []) {
      const before = byName.get(port.name ?? '') ?? 0
      if ((port.nodePort ?? 0) === 0 && before !== 0 && !used.has(before)) port.nodePort = before
    }
  }
  if (needsHealthCheck(old) && needsHealthCheck(spec) && (spec.healthCheckNodePort ?? 0) === 0 && old.healthCheckNodePort !== undefined) {
    spec.healthCheckNodePort = old.healthCheckNodePort
  }
}

/** clusterIP is the first of clusterIPs; older clients know only the one. */
function normalize(spec: ServiceSpec, old: Readonly<ServiceSpec>): void {
  const [ip = '', before = ''] = [spec.clusterIP, old.clusterIP]
  if ((old.clusterIPs ?? []).length > 0 && (spec.clusterIPs ?? []).length === 0 && before === ip) spec.clusterIPs = [...(old.clusterIPs ?? [])]
  if (before === ip || !equalJson(old.clusterIPs ?? [], spec.clusterIPs ?? [])) return
  if (before !== '' && ip === '') delete spec.clusterIPs
  else spec.clusterIPs = [ip]
}

/** A type that does not use what the old one had loses it, unless the client changed it too: then it is checked. */
function dropUnused(spec: ServiceSpec, old: Readonly<ServiceSpec>): void {
  const same = (field: keyof ServiceSpec): boolean => equalJson(spec[field] ?? null, old[field] ?? null)
  if (needsClusterIp(old) && !needsClusterIp(spec)) {
    if (same('clusterIP') && same('clusterIPs')) {
      delete spec.clusterIP
      delete spec.clusterIPs
    }
    if (same('ipFamilies')) delete spec.ipFamilies
    if (same('ipFamilyPolicy')) delete spec.ipFamilyPolicy
  }
  const had = new Set((old.ports ?? []).map((port) => port.nodePort ?? 0))
  const kept = (spec.ports ?? []).every((port) => (port.nodePort ?? 0) === 0 || had.has(port.nodePort ?? 0))
  if (needsNodePort(old) && !needsNodePort(spec) && kept) for (const port of spec.ports ?? []) delete port.nodePort
  if (needsHealthCheck(old) && !needsHealthCheck(spec) && same('healthCheckNodePort')) delete spec.healthCheckNodePort
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (same('allocateLoadBalancerNodePorts')) delete spec.allocateLoadBalancerNodePorts
    if (same('loadBalancerClass')) delete spec.loadBalancerClass
  }
  if (externallyAccessible(old) && !externallyAccessible(spec) && same('externalTrafficPolicy')) delete spec.externalTrafficPolicy
}
