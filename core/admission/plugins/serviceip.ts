/**
 * ServiceIP: gives Services their cluster address and node ports, and refuses what
 * is taken or out of range. Upstream does this in the Service's registry
 * (k8s.io/kubernetes/pkg/registry/core/service/storage/alloc.go, ipallocator). What is
 * used is followed in memory; what was handed out and is not stored yet is held
 * for a while, so that two requests at once never get the same.
 */
import { addressAt, contains, parseCidr, parseIp, sizeOf, type Cidr } from '../../lib/ip.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Random } from '../../lib/random.ts'
import { invalid, type ApiError } from '../../api/errors.ts'
import { invalidValue, path, type FieldError } from '../../api/field.ts'
import { keyOf, keyText } from '../../api/meta.ts'
import { services } from '../../api/core/service.ts'
import type { Service, ServicePort } from '../../api/schema/types.ts'
import type { Changes } from '../../auth/lookup.ts'
import { isAbout, objectOf, oldObjectOf, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'

export interface ServiceRanges {
  readonly serviceCidr: string
  readonly nodePorts: { readonly from: number; readonly to: number }
}

/** How long a value that was handed out is held for a Service that does not show up. */
const holdMs = 30_000
/** The band at the start of each range that is left to those who ask for a value by name (upstream's static band). */
const staticBand = { min: 16, max: 256, share: 16 } as const

/** Values in use: by stored Services, or held for one that is on its way. */
class Used {
  readonly #owners = new Map<string, string>()
  readonly #held = new Map<string, { readonly owner: string; readonly until: number }>()

  set(value: string, owner: string): void {
    this.#owners.set(value, owner)
    this.#held.delete(value)
  }

  free(value: string, owner: string): void {
    if (this.#owners.get(value) === owner) this.#owners.delete(value)
  }

  takenFor(value: string, owner: string, now: number): boolean {
    const stored = this.#owners.get(value)
    if (stored !== undefined) return stored !== owner
    const held = this.#held.get(value)
    return held !== undefined && held.until > now && held.owner !== owner
  }

  hold(value: string, owner: string, now: number): void {
    this.#held.set(value, { owner, until: now + holdMs })
    if (this.#held.size > 1_024) for (const [key, held] of this.#held) if (held.until <= now) this.#held.delete(key)
  }
}

interface Allocator {
  readonly cidr: Cidr
  readonly addresses: Used
  readonly ports: Used
  readonly ranges: ServiceRanges
  readonly random: Random
}

interface Turn extends Allocator {
  readonly owner: string
  readonly now: number
}

export function serviceIp(deps: AdmissionDeps): AdmissionPlugin {
  const { ranges, changes } = deps.services
  const cidr = parseCidr(ranges.serviceCidr)
  if (cidr === undefined) throw new Error(`service range ${ranges.serviceCidr} is not a CIDR`)
  const allocator: Allocator = { cidr, addresses: new Used(), ports: new Used(), ranges, random: deps.random }
  followServices(allocator, changes)
  return {
    name: 'ServiceIP',
    handles: (request) => isAbout(request, '', 'services') && (request.operation === 'CREATE' || request.operation === 'UPDATE'),
    async mutate(ctx, request) {
      return allocate(allocator, ctx.clock, request)
    },
  }
}

function followServices(allocator: Allocator, changes: Changes): void {
  const last = new Map<string, Readonly<Service>>()
  changes.follow(services, ({ type, object }) => {
    const owner = keyText(keyOf(object))
    const prev = last.get(owner)
    if (prev !== undefined) each(prev, (used, value) => used(allocator).free(value, owner))
    last.delete(owner)
    if (type === 'delete') return
    last.set(owner, object)
    each(object, (used, value) => used(allocator).set(value, owner))
  })
}

type Pick = (allocator: Allocator) => Used
const ofAddresses: Pick = (a) => a.addresses
const ofPorts: Pick = (a) => a.ports

function each(service: Readonly<Service>, visit: (used: Pick, value: string) => void): void {
  for (const address of service.spec?.clusterIPs ?? []) if (address !== 'None' && address !== '') visit(ofAddresses, address)
  for (const port of service.spec?.ports ?? []) if ((port.nodePort ?? 0) > 0) visit(ofPorts, portKey(port.nodePort ?? 0, port.protocol))
  const health = service.spec?.healthCheckNodePort ?? 0
  if (health > 0) visit(ofPorts, portKey(health, 'TCP'))
}

const portKey = (port: number, protocol: string | undefined): string => `${port}/${protocol ?? 'TCP'}`

function allocate(allocator: Allocator, clock: Clock, request: AdmissionRequest): ApiError | undefined {
  const service = objectOf<Service>(request)
  const prev = request.operation === 'UPDATE' ? oldObjectOf<Service>(request) : undefined
  const name = service.metadata.name ?? service.metadata.generateName ?? ''
  const spec = service.spec
  if (spec === undefined || spec.type === 'ExternalName') return undefined
  const turn: Turn = { ...allocator, owner: `${request.namespace}/${name}`, now: clock.now() }
  const errors = [...allocateAddress(turn, spec, prev), ...(needsNodePorts(spec) ? allocatePorts(turn, spec, prev) : []), ...allocateHealthPort(turn, spec, prev)]
  return errors.length === 0 ? undefined : invalid({ group: '', kind: 'Service' }, name, errors)
}

type Spec = NonNullable<Service['spec']>

function needsNodePorts(spec: Spec): boolean {
  return spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
}

/** What the user left out stays what it was; an address that was asked for must be free and in range. */
function allocateAddress(turn: Turn, spec: Spec, prev: Readonly<Service> | undefined): FieldError[] {
  const before = prev?.spec?.type === 'ExternalName' ? undefined : prev?.spec
  const asked = spec.clusterIP || spec.clusterIPs?.[0] || before?.clusterIP || ''
  const family = turn.ranges.serviceCidr.includes(':') ? 'IPv6' : 'IPv4'
  const wrong = chooseFamilies(spec, before, family, asked)
  if (wrong.length > 0) return wrong
  if (asked !== '') {
    spec.clusterIP = asked
    if (spec.clusterIPs === undefined || spec.clusterIPs.length === 0) spec.clusterIPs = [asked]
    if (asked === 'None' || asked === before?.clusterIP) return []
    return reserve(turn, asked)
  }
  const address = freeAddress(turn)
  if (address === undefined) return [invalidValue(path('spec', 'clusterIPs'), [], 'failed to allocate a serviceIP: range is full')]
  turn.addresses.hold(address, turn.owner, turn.now)
  spec.clusterIP = address
  spec.clusterIPs = [address]
  return []
}

/** One family is served; only a headless Service whose endpoints somebody else makes may have both. */
function chooseFamilies(spec: Spec, before: Spec | undefined, family: 'IPv4' | 'IPv6', asked: string): FieldError[] {
  const free = asked === 'None' && Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilies ??= before?.ipFamilies ?? [family]
  spec.ipFamilyPolicy ??= before?.ipFamilyPolicy ?? (free ? 'RequireDualStack' : 'SingleStack')
  if (free) {
    if (spec.ipFamilies.length < 2 && spec.ipFamilyPolicy !== 'SingleStack') spec.ipFamilies = [...spec.ipFamilies, spec.ipFamilies[0] === 'IPv4' ? 'IPv6' : 'IPv4']
    return []
  }
  const errors: FieldError[] = []
  if (spec.ipFamilyPolicy === 'RequireDualStack') errors.push(invalidValue(path('spec', 'ipFamilyPolicy'), spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'))
  spec.ipFamilies.forEach((each, i) => {
    if (each !== family && (each === 'IPv4' || each === 'IPv6')) errors.push(invalidValue(path('spec', 'ipFamilies').index(i), each, 'not configured on this cluster'))
  })
  return errors
}

function reserve(turn: Turn, address: string): FieldError[] {
  const wrong = (why: string): FieldError[] => [invalidValue(path('spec', 'clusterIPs'), [address], `failed to allocate IP ${address}: ${why}`)]
  const ip = parseIp(address)
  if (ip === undefined) return [] // validation says what is wrong with it
  if (!contains(turn.cidr, ip)) return wrong('the provided network does not match the current range')
  if (turn.addresses.takenFor(address, turn.owner, turn.now)) return wrong('provided IP is already allocated')
  turn.addresses.hold(address, turn.owner, turn.now)
  return []
}

/** A random start, then the next free one; the static band last. */
function freeAddress(turn: Turn): string | undefined {
  const usable = Math.min(Number(sizeOf(turn.cidr)), 2 ** 31) - 2 // neither the network's own address nor the last
  const band = bandOf(usable)
  const isFree = (offset: number): string | undefined => {
    const address = addressAt(turn.cidr, offset + 1)
    return turn.addresses.takenFor(address, turn.owner, turn.now) ? undefined : address
  }
  return search(turn.random, band, usable, isFree) ?? search(turn.random, 1, band, isFree) // the first address is default/kubernetes'
}

function bandOf(size: number): number {
  return Math.min(Math.max(staticBand.min, Math.floor(size / staticBand.share)), staticBand.max, size)
}

function search<T>(random: Random, from: number, to: number, isFree: (offset: number) => T | undefined): T | undefined {
  const span = to - from
  if (span <= 0) return undefined
  const start = random.int(span)
  for (let i = 0; i < span; i++) {
    const found = isFree(from + ((start + i) % span))
    if (found !== undefined) return found
  }
  return undefined
}

function allocatePorts(turn: Turn, spec: Spec, prev: Readonly<Service> | undefined): FieldError[] {
  const mine = new Set((prev?.spec?.ports ?? []).map((p) => p.nodePort ?? 0).filter((p) => p > 0))
  const errors: FieldError[] = []
  for (const [i, port] of (spec.ports ?? []).entries()) {
    if ((port.nodePort ?? 0) === 0) port.nodePort = carriedOver(port, prev) ?? pairedPort(port, spec) ?? 0
    if (port.nodePort === 0) {
      const free = freePort(turn, port.protocol)
      if (free === undefined) errors.push(invalidValue(path('spec', 'ports').index(i).child('nodePort'), 0, 'failed to allocate a nodePort: range is full'))
      else port.nodePort = free
    } else if (!mine.has(port.nodePort ?? 0)) errors.push(...reservePort(turn, port, i))
    if ((port.nodePort ?? 0) > 0) turn.ports.hold(portKey(port.nodePort ?? 0, port.protocol), turn.owner, turn.now)
  }
  return errors
}

/** An update that leaves a node port out keeps it (upstream's patchAllocatedValues). */
function carriedOver(port: ServicePort, prev: Readonly<Service> | undefined): number | undefined {
  return prev?.spec?.ports?.find((p) => p.port === port.port && (p.protocol ?? 'TCP') === (port.protocol ?? 'TCP') && (p.nodePort ?? 0) > 0)?.nodePort
}

/** TCP and UDP of one port share a node port (DNS). */
function pairedPort(port: ServicePort, spec: Spec): number | undefined {
  return spec.ports?.find((p) => p !== port && p.port === port.port && p.protocol !== port.protocol && (p.nodePort ?? 0) > 0)?.nodePort
}

function reservePort(turn: Turn, port: ServicePort, index: number): FieldError[] {
  const { from, to } = turn.ranges.nodePorts
  const at = path('spec', 'ports').index(index).child('nodePort')
  const nodePort = port.nodePort ?? 0
  if (nodePort < from || nodePort > to) {
    return [invalidValue(at, nodePort, `provided port is not in the valid range. The range of valid ports is ${from}-${to}`)]
  }
  return turn.ports.takenFor(portKey(nodePort, port.protocol), turn.owner, turn.now) ? [invalidValue(at, nodePort, 'provided port is already allocated')] : []
}

function freePort(turn: Turn, protocol: string | undefined): number | undefined {
  const { from, to } = turn.ranges.nodePorts
  const size = to - from + 1
  const isFree = (offset: number): number | undefined =>
    ['TCP', 'UDP', 'SCTP'].some((p) => turn.ports.takenFor(portKey(from + offset, p), protocol === p ? turn.owner : '', turn.now)) ? undefined : from + offset
  const band = bandOf(size)
  return search(turn.random, band, size, isFree) ?? search(turn.random, 0, band, isFree)
}

function allocateHealthPort(turn: Turn, spec: Spec, prev: Readonly<Service> | undefined): FieldError[] {
  if (spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local') return []
  spec.healthCheckNodePort ||= prev?.spec?.healthCheckNodePort ?? freePort(turn, 'TCP') ?? 0
  if (spec.healthCheckNodePort > 0) turn.ports.hold(portKey(spec.healthCheckNodePort, 'TCP'), turn.owner, turn.now)
  return []
}
