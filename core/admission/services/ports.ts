/**
 * Node ports of Services: kept over an update, taken as asked for, or given from the range; those that are asked for by
 * name have the start of the range to themselves (k8s.io/kubernetes/pkg/registry/core/service/portallocator). Changes the
 * spec.
 */
import { invalidValue, path, type FieldError } from '../../api/field.ts'
import type { Service, ServicePort } from '../../api/schema/types.ts'
import type { Random } from '../../lib/random.ts'
import type { Spec } from './families.ts'
import { bandOf, search, Used } from './used.ts'

const band = { min: 16, max: 128, share: 32 } as const

export interface PortRange {
  readonly from: number
  readonly to: number
}

export const portKey = (port: number, protocol: string | undefined): string => `${port}/${protocol ?? 'TCP'}`

function needsPorts(spec: Readonly<Spec>): boolean {
  return spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
}

export class NodePorts {
  readonly used = new Used()
  readonly #range: PortRange
  readonly #random: Random

  constructor(range: PortRange, random: Random) {
    this.#range = range
    this.#random = random
  }

  allocate(spec: Spec, prev: Readonly<Service> | undefined, owner: string, now: number): readonly FieldError[] {
    const errors = needsPorts(spec) ? this.#ports(spec, prev, owner, now) : []
    this.#health(spec, prev, owner, now)
    return errors
  }

  #ports(spec: Spec, prev: Readonly<Service> | undefined, owner: string, now: number): FieldError[] {
    const mine = new Set((prev?.spec?.ports ?? []).map((p) => p.nodePort ?? 0).filter((p) => p > 0))
    const errors: FieldError[] = []
    for (const [i, port] of (spec.ports ?? []).entries()) {
      if ((port.nodePort ?? 0) === 0) port.nodePort = carriedOver(port, prev) ?? pairedPort(port, spec) ?? 0
      if (port.nodePort === 0) {
        const free = this.#free(port.protocol, spec, owner, now)
        if (free === undefined) errors.push(invalidValue(path('spec', 'ports').index(i).child('nodePort'), 0, 'failed to allocate a nodePort: range is full'))
        else port.nodePort = free
      } else if (!mine.has(port.nodePort ?? 0)) errors.push(...this.#refusals(port, i, owner, now))
    }
    return errors
  }

  #refusals(port: ServicePort, index: number, owner: string, now: number): FieldError[] {
    const { from, to } = this.#range
    const at = path('spec', 'ports').index(index).child('nodePort')
    const nodePort = port.nodePort ?? 0
    if (nodePort < from || nodePort > to) return [invalidValue(at, nodePort, `provided port is not in the valid range. The range of valid ports is ${from}-${to}`)]
    return this.used.takenFor(portKey(nodePort, port.protocol), owner, now) ? [invalidValue(at, nodePort, 'provided port is already allocated')] : []
  }

  #free(protocol: string | undefined, spec: Readonly<Spec>, owner: string, now: number): number | undefined {
    const { from, to } = this.#range
    const size = to - from + 1
    const own = new Set(spec.ports?.map((port) => port.nodePort))
    const isFree = (offset: number): number | undefined => {
      const taken = own.has(from + offset) || ['TCP', 'UDP', 'SCTP'].some((p) => this.used.takenFor(portKey(from + offset, p), protocol === p ? owner : '', now))
      return taken ? undefined : from + offset
    }
    const reserved = bandOf(size, band)
    return search(this.#random, reserved, size, isFree) ?? search(this.#random, 0, reserved, isFree)
  }

  #health(spec: Spec, prev: Readonly<Service> | undefined, owner: string, now: number): void {
    if (spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local') return
    spec.healthCheckNodePort ||= prev?.spec?.healthCheckNodePort ?? this.#free('TCP', spec, owner, now) ?? 0
  }
}

/** An update that leaves a node port out keeps it (upstream's patchAllocatedValues). */
function carriedOver(port: ServicePort, prev: Readonly<Service> | undefined): number | undefined {
  return prev?.spec?.ports?.find((p) => p.port === port.port && (p.protocol ?? 'TCP') === (port.protocol ?? 'TCP') && (p.nodePort ?? 0) > 0)?.nodePort
}

/** TCP and UDP of one port share a node port (DNS). */
function pairedPort(port: ServicePort, spec: Readonly<Spec>): number | undefined {
  return spec.ports?.find((p) => p !== port && p.port === port.port && p.protocol !== port.protocol && (p.nodePort ?? 0) > 0)?.nodePort
}
