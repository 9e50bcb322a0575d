/**
 * Node ports of Services: kept over an update, taken as asked for, or given from the range; those that are asked for by
 * number have the start of the range to themselves. A number is one Service's, whatever the protocol
 * (k8s.io/kubernetes/pkg/registry/core/service/portallocator and storage/alloc.go). Changes the spec.
 */
import { internal, type ApiError } from '../../api/errors.ts'
import { invalidValue, path, type FieldError } from '../../api/field.ts'
import { keepNodePorts, needsHealthCheck, needsNodePort } from '../../api/core/serviceprepare.ts'
import type { ServicePort } from '../../api/schema/types.ts'
import type { Random } from '../../lib/random.ts'
import type { Spec } from './families.ts'
import { bandOf, search, Used } from './used.ts'

const band = { min: 16, max: 128, share: 32 } as const
/** Upstream's sentences. */
const isTaken = 'provided port is already allocated'
const isFull = 'range is full'

export interface PortRange {
  readonly from: number
  readonly to: number
}

type Refusal = readonly FieldError[] | ApiError

/** Whose Service it is about, and when. */
interface Turn {
  readonly spec: Spec
  readonly before: Readonly<Spec> | undefined
  readonly owner: string
  readonly now: number
}

export class NodePorts {
  readonly used = new Used()
  readonly #range: PortRange
  readonly #random: Random

  constructor(range: PortRange, random: Random) {
    this.#range = range
    this.#random = random
  }

  /** `before` is what stood there; gives why something cannot be had, or no errors. */
  allocate(spec: Spec, before: Readonly<Spec> | undefined, owner: string, now: number): Refusal {
    if (before !== undefined) keepNodePorts(spec, before)
    const turn = { spec, before, owner, now }
    return (needsNodePort(spec) ? this.#ports(turn) : undefined) ?? this.#health(turn) ?? []
  }

  #ports(turn: Turn): Refusal | undefined {
    const { spec, before } = turn
    const known = new Set(before?.ports?.map(({ nodePort }) => nodePort))
    const onlyAsked = spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === false
    for (const [i, port] of (spec.ports ?? []).entries()) {
      if ((port.nodePort ?? 0) === 0) {
        if (onlyAsked) continue
        const number = (before === undefined ? twinPort(port, spec) : undefined) ?? this.#free(turn)
        if (number === undefined) return internal(`failed to allocate a nodePort: ${isFull}`)
        port.nodePort = number
      }
      const number = port.nodePort ?? 0
      const why = known.has(number) ? undefined : isTwice(port, turn) ? isTaken : this.#refusal(number, turn)
      if (why !== undefined) return [invalidValue(path('spec', 'ports').index(i).child('nodePort'), number, why)]
    }
    return undefined
  }

  #refusal(port: number, { owner, now }: Turn): string | undefined {
    const { from, to } = this.#range
    if (port < from || port > to) return `provided port is not in the valid range. The range of valid ports is ${from}-${to}`
    return this.used.takenFor(String(port), owner, now) ? isTaken : undefined
  }

  #free({ spec, now }: Turn): number | undefined {
    const { from, to } = this.#range
    const size = to - from + 1
    const own = new Set([...(spec.ports ?? []).map(({ nodePort }) => nodePort), spec.healthCheckNodePort])
    const isFree = (offset: number): number | undefined => (own.has(from + offset) || this.used.takenFor(String(from + offset), '', now) ? undefined : from + offset)
    const reserved = bandOf(size, band)
    return search(this.#random, reserved, size, isFree) ?? search(this.#random, 0, reserved, isFree)
  }

  /** Where load balancers ask whether a node has endpoints. */
  #health(turn: Turn): Refusal | undefined {
    const { spec, before } = turn
    if (!needsHealthCheck(spec) || (before !== undefined && needsHealthCheck(before))) return undefined
    const asked = spec.healthCheckNodePort ?? 0
    const own = (spec.ports ?? []).some(({ nodePort }) => nodePort === asked)
    const why = asked === 0 ? undefined : own ? isTaken : this.#refusal(asked, turn)
    if (why !== undefined) return internal(`failed to allocate requested HealthCheck NodePort ${asked}: ${why}`)
    const port = asked === 0 ? this.#free(turn) : asked
    if (port === undefined) return internal(`failed to allocate a HealthCheck NodePort 0: ${isFull}`)
    spec.healthCheckNodePort = port
    return undefined
  }
}

/** TCP and UDP of one port share a node port (DNS). */
function twinPort(port: Readonly<ServicePort>, spec: Readonly<Spec>): number | undefined {
  return spec.ports?.find((other) => other !== port && other.port === port.port && (other.nodePort ?? 0) > 0)?.nodePort
}

/** Whether the Service has the number itself already: for its health, or, when it is made, for an earlier port that is no twin. */
function isTwice(port: Readonly<ServicePort>, { spec: { ports = [] }, before }: Turn): boolean {
  if (before !== undefined) return before.healthCheckNodePort === port.nodePort
  return ports.slice(0, ports.indexOf(port)).some((other) => other.nodePort === port.nodePort && other.port !== port.port)
}
