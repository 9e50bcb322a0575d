/**
 * ServiceIP: gives Services their cluster addresses and node ports, and refuses what is taken or out of range. Upstream
 * does this in the Service's registry (k8s.io/kubernetes/pkg/registry/core/service/storage/alloc.go). What is used is
 * followed in memory; what was handed out and is not stored yet is held for a while. An address is claimed in the store
 * once everybody has let the Service through.
 */
import { internal, invalid, type ApiError } from '../../api/errors.ts'
import { invalidValue, path, type FieldError } from '../../api/field.ts'
import { keyOf, keyText } from '../../api/meta.ts'
import { services } from '../../api/core/service.ts'
import { validateAddresses } from '../../api/core/serviceips.ts'
import type { Service } from '../../api/schema/types.ts'
import type { Changes } from '../../auth/lookup.ts'
import { parseIp } from '../../lib/ip.ts'
import { isAbout, objectOf, oldObjectOf, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'
import { Addresses, canonicalAddress } from '../services/addresses.ts'
import { chooseFamilies, type Spec } from '../services/families.ts'
import { NodePorts } from '../services/ports.ts'
import type { Used } from '../services/used.ts'

const kind = { group: '', kind: 'Service' }
const addressesAt = path('spec', 'clusterIPs')

interface Pools {
  readonly addresses: Addresses
  readonly ports: NodePorts
}

interface Turn extends Pools {
  readonly owner: string
  readonly now: number
}

export function serviceIp(deps: AdmissionDeps): AdmissionPlugin {
  const { ranges, changes } = deps.services
  const { lookup, random, client } = deps
  const pools: Pools = { addresses: new Addresses({ lookup, random, client, serviceCidr: ranges.serviceCidr }), ports: new NodePorts(ranges.nodePorts, random) }
  followServices(pools, changes)
  /** Services without a name yet are told apart by it. */
  let nameless = 0
  return {
    name: 'ServiceIP',
    handles: (request) => isAbout(request, '', 'services') && (request.operation === 'CREATE' || request.operation === 'UPDATE'),
    async mutate(ctx, request) {
      const { name = '', generateName = '' } = objectOf<Service>(request).metadata
      const owner = `${request.namespace}/${name === '' ? `${generateName}#${nameless++}` : name}`
      const now = ctx.clock.now()
      const refusal = allocate({ ...pools, owner, now }, request)
      if (refusal !== undefined || request.dryRun) return refusal
      each(pools, objectOf<Service>(request), (used, value) => {
        used.hold(value, owner, now)
        request.onFailure?.(() => used.letGo(value, owner))
      })
      return refusal
    },
    async validate(ctx, request) {
      const service = keyOf(objectOf<Service>(request))
      // A name that is taken is refused by the store.
      if (request.dryRun || (request.operation === 'CREATE' && lookup.get(services, service) !== undefined)) return undefined
      for (const address of newAddresses(request)) {
        const why = await pools.addresses.claim(ctx, service, canonicalAddress(address))
        if (why !== undefined) return invalid(kind, service.name, [refused(address, why)])
      }
      return undefined
    },
  }
}

const refused = (address: string, why: string): FieldError => invalidValue(addressesAt, [address], `failed to allocate IP ${address}: ${why}`)

function newAddresses(request: AdmissionRequest): readonly string[] {
  const { spec } = objectOf<Service>(request)
  const before = request.operation === 'UPDATE' ? addressesOf(oldObjectOf<Service>(request).spec) : []
  return addressesOf(spec).filter((address) => !before.includes(address))
}

function addressesOf(spec: Readonly<Spec> | undefined): readonly string[] {
  return spec?.type === 'ExternalName' ? [] : (spec?.clusterIPs ?? []).filter((address) => address !== 'None' && parseIp(address) !== undefined)
}

function followServices(pools: Pools, changes: Changes): void {
  const last = new Map<string, Readonly<Service>>()
  changes.follow(services, ({ type, object }) => {
    const owner = keyText(keyOf(object))
    const prev = last.get(owner)
    if (prev !== undefined) each(pools, prev, (used, value) => used.free(value, owner))
    last.delete(owner)
    if (type === 'delete') return
    last.set(owner, object)
    each(pools, object, (used, value) => used.set(value, owner))
  })
}

function each({ addresses, ports }: Pools, service: Readonly<Service>, visit: (used: Used, value: string) => void): void {
  for (const address of addressesOf(service.spec)) visit(addresses.used, canonicalAddress(address))
  for (const port of portsOf(service)) visit(ports.used, port)
}

function portsOf({ spec }: Readonly<Service>): readonly string[] {
  const ports = [...(spec?.ports ?? []).map(({ nodePort }) => nodePort), spec?.healthCheckNodePort]
  return ports.filter((port) => port !== undefined && port > 0).map(String)
}

function allocate(turn: Turn, request: AdmissionRequest): ApiError | undefined {
  const service = objectOf<Service>(request)
  const prev = request.operation === 'UPDATE' ? oldObjectOf<Service>(request) : undefined
  const name = service.metadata.name ?? service.metadata.generateName ?? ''
  const { spec } = service
  if (spec === undefined || spec.type === 'ExternalName') return undefined
  for (const outcome of [allocateAddresses(turn, spec, prev, name), turn.ports.allocate(spec, prev?.spec, turn.owner, turn.now)]) {
    if (outcome instanceof Error) return outcome
    if (outcome.length > 0) return invalid(kind, name, outcome)
  }
  return undefined
}

/** What the user left out stays what it was; an address that was asked for must be free and in range. */
function allocateAddresses({ addresses, owner, now }: Turn, spec: Spec, prev: Readonly<Service> | undefined, name: string): readonly FieldError[] | ApiError {
  const before = prev?.spec?.type === 'ExternalName' ? undefined : prev?.spec
  keepAddresses(spec, before)
  const muddled: FieldError[] = []
  validateAddresses(muddled, spec, before) // what contradicts itself is told before what does not fit the cluster
  if (muddled.length > 0) return muddled
  const wrong = chooseFamilies(spec, before, [addresses.family])
  if (wrong.length > 0 || spec.clusterIPs?.[0] === 'None') return wrong
  const ips = [...(spec.clusterIPs ?? [])]
  for (const i of (spec.ipFamilies ?? []).keys()) {
    const asked = ips[i] ?? ''
    const ip = parseIp(asked)
    if (asked !== '' && (ip === undefined || before?.clusterIPs?.includes(asked) === true)) continue // validation says what is wrong with it
    const why = ip === undefined ? undefined : addresses.refusal(ip, owner, now)
    if (why !== undefined) return [refused(asked, why)]
    const address = ip === undefined ? addresses.pick(owner, now) : asked
    if (address === undefined) return internal(`failed to allocate a serviceIP for Service ${JSON.stringify(name)}: range is full`)
    ips[i] = address
  }
  spec.clusterIPs = ips
  if (ips[0] !== undefined) spec.clusterIP = ips[0]
  return []
}

/** One address may be said in either of two fields; what was given before is said again. */
function keepAddresses(spec: Spec, before: Readonly<Spec> | undefined): void {
  const asked = spec.clusterIP || spec.clusterIPs?.[0] || before?.clusterIP || ''
  if (asked === '') return
  const kept = spec.clusterIP === undefined || spec.clusterIP === '' || spec.clusterIP === before?.clusterIP ? before?.clusterIPs : undefined
  spec.clusterIP = asked
  if ((spec.clusterIPs ?? []).length === 0) spec.clusterIPs = kept?.[0] === asked ? [...kept] : [asked]
  spec.ipFamilies ??= [...(before?.ipFamilies ?? [])]
  if (spec.ipFamilies.length === 0) delete spec.ipFamilies
}
