/**
 * Requests and limits of a whole pod, from those of its containers.
 *
 * After k8s.io/kubernetes/pkg/apis/core/v1/defaults.go and k8s.io/component-helpers/resource.
 */
import { addQuantities, largerQuantity } from '../canonical.ts'
import type { Container, PodSpec, ResourceRequirements } from '../types.ts'

type Resources = Record<string, string>

/** Requests that are not there become the limits. */
export function addMissing(resources: ResourceRequirements, limits: Readonly<Resources>): void {
  const requests = (resources.requests ??= {})
  for (const name in limits) requests[name] ??= limits[name] ?? '0'
}

export function defaultPodResources(spec: PodSpec): void {
  const resources = spec.resources
  if (resources === undefined) return
  if (Object.keys({ ...resources.limits, ...resources.requests }).length > 0) {
    const limits = { ...resources.limits }
    for (const [name, amount] of Object.entries(aggregate(spec, 'limits'))) {
      if (name.startsWith(hugePages) && resources.requests?.[name] === undefined) limits[name] ??= amount
    }
    if (Object.keys(limits).length > 0) resources.limits = limits
  }
  if (Object.keys(resources.limits ?? {}).length === 0) return
  const requests = { ...resources.requests }
  for (const [name, amount] of Object.entries(aggregate(spec, 'requests'))) {
    // Huge pages cannot be overcommitted.
    if (name === 'cpu' || name === 'memory') requests[name] ??= amount
  }
  for (const [name, amount] of Object.entries(resources.limits ?? {})) {
    if (name === 'cpu' || name === 'memory' || name.startsWith(hugePages)) requests[name] ??= amount
  }
  if (Object.keys(requests).length > 0) resources.requests = requests
}

const hugePages = 'hugepages-'

/** The sum over containers and sidecars, or what the largest init container needs beside the sidecars before it. */
function aggregate(spec: PodSpec, side: 'requests' | 'limits'): Resources {
  const total: Resources = {}
  for (const container of spec.containers ?? []) add(total, of(container, side))
  const sidecars: Resources = {}
  const largest: Resources = {}
  for (const container of spec.initContainers ?? []) {
    const own = of(container, side)
    if (container.restartPolicy === 'Always') {
      add(total, own)
      add(sidecars, own)
      raise(largest, sidecars)
    } else {
      const needed = { ...own }
      add(needed, sidecars)
      raise(largest, needed)
    }
  }
  raise(total, largest)
  return total
}

function of(container: Container, side: 'requests' | 'limits'): Readonly<Resources> {
  return container.resources?.[side] ?? {}
}

function add(total: Resources, more: Readonly<Resources>): void {
  for (const [name, amount] of Object.entries(more)) total[name] = total[name] === undefined ? amount : addQuantities(total[name], amount)
}

function raise(total: Resources, least: Readonly<Resources>): void {
  for (const [name, amount] of Object.entries(least)) total[name] = total[name] === undefined ? amount : largerQuantity(total[name], amount)
}
