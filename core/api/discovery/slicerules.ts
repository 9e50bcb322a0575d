/** Rules of EndpointSlices (k8s.io/kubernetes/pkg/apis/discovery/validation/validation.go). */
import { canonicalIp, endpointIp, immutable, ipWarnings, label, legacyIp, looseIp, needsOneOf, qualified, say, subdomain, type Errors } from '../checks.ts'
import { protocols } from '../core/podspec/containers.ts'
import { equalJson } from '../../lib/json.ts'
import { duplicate, invalidValue, notSupported, path, required, tooMany, type Path } from '../field.ts'
import type { Strategy } from '../kind.ts'
import { validateLabels } from '../metavalidation.ts'
import { dns1123Label, dns1123Subdomain, labelValue } from '../names.ts'
import type { Endpoint, EndpointSlice } from '../schema/types.ts'

const addressesMax = 100
const portsMax = 20_000
const endpointsMax = 1_000
const hintsMax = 8
const topologyMax = 16

function validate(slice: Readonly<EndpointSlice>, prev?: Readonly<EndpointSlice>): Errors {
  const errors: Errors = []
  needsOneOf(errors, slice.addressType, ['FQDN', 'IPv4', 'IPv6'], path('addressType'))
  ports(errors, slice)
  const found: Errors = []
  const at = path('endpoints')
  const endpoints = slice.endpoints ?? []
  if (endpoints.length > endpointsMax) found.push(tooMany(at, endpoints.length, endpointsMax))
  else endpoints.forEach((endpoint, i) => one(found, endpoint, slice.addressType, at.index(i)))
  if (prev === undefined || !equalJson(prev.endpoints ?? null, slice.endpoints ?? null)) errors.push(...found)
  return errors
}

function ports(errors: Errors, slice: Readonly<EndpointSlice>): void {
  const list = slice.ports ?? []
  const at = path('ports')
  if (list.length > portsMax) {
    errors.push(tooMany(at, list.length, portsMax))
    return
  }
  const names = new Set<string>()
  list.forEach((port, i) => {
    const here = at.index(i)
    const name = port.name ?? ''
    if (name !== '') label(errors, name, here.child('name'))
    if (names.has(name)) errors.push(duplicate(here.child('name'), name))
    names.add(name)
    if (port.protocol === undefined) errors.push(required(here.child('protocol')))
    else if (!protocols.includes(port.protocol)) errors.push(notSupported(here.child('protocol'), port.protocol, protocols))
    if (port.appProtocol !== undefined) qualified(errors, port.appProtocol, here.child('appProtocol'))
  })
}

function one(errors: Errors, endpoint: Readonly<Endpoint>, type: string, at: Path): void {
  const addresses = endpoint.addresses ?? []
  const here = at.child('addresses')
  if (addresses.length === 0) errors.push(required(here, 'must contain at least 1 address'))
  else if (addresses.length > addressesMax) errors.push(tooMany(here, addresses.length, addressesMax))
  addresses.forEach((address, i) => {
    if (type === 'FQDN') domainName(errors, address, here.index(i))
    else if (type === 'IPv4' || type === 'IPv6') ofFamily(errors, address, type, here, i)
  })
  if (endpoint.nodeName !== undefined) subdomain(errors, endpoint.nodeName, at.child('nodeName'))
  const topology = endpoint.deprecatedTopology ?? {}
  if (Object.keys(topology).length > topologyMax) errors.push(tooMany(at.child('deprecatedTopology'), Object.keys(topology).length, topologyMax))
  errors.push(...validateLabels(topology, at.child('deprecatedTopology')))
  if (endpoint.hostname !== undefined) label(errors, endpoint.hostname, at.child('hostname'))
  hints(errors, endpoint.hints?.forZones ?? [], at.child('hints', 'forZones'), labelValue)
  hints(errors, endpoint.hints?.forNodes ?? [], at.child('hints', 'forNodes'), dns1123Subdomain)
}

function ofFamily(errors: Errors, address: string, type: 'IPv4' | 'IPv6', at: Path, i: number): void {
  const found: Errors = []
  if (type === 'IPv4') legacyIp(found, address, at.index(i))
  else canonicalIp(found, address, at.index(i))
  if (found.length === 0) {
    if (looseIp(address)?.family !== (type === 'IPv4' ? 4 : 6)) found.push(invalidValue(at, address, `must be an ${type} address`))
    endpointIp(found, address, at.index(i))
  }
  errors.push(...found)
}

function domainName(errors: Errors, text: string, at: Path): void {
  const name = text.replace(/\.$/, '')
  const bad = name.split('.').find((part) => dns1123Label(part).length > 0)
  if (text === '') errors.push(required(at))
  else if (dns1123Subdomain(name).length > 0) errors.push(invalidValue(at, name, dns1123Subdomain(name).join(',')))
  else if (!name.includes('.')) errors.push(invalidValue(at, name, 'should be a domain with at least two segments separated by dots'))
  else if (bad !== undefined) errors.push(invalidValue(at, bad, dns1123Label(bad).join(',')))
}

function hints(errors: Errors, list: readonly { readonly name: string }[], at: Path, rule: (name: string) => readonly string[]): void {
  if (list.length > hintsMax) {
    errors.push(tooMany(at, list.length, hintsMax))
    return
  }
  list.forEach(({ name }, i) => {
    const here = at.index(i).child('name')
    if (list.findIndex((other) => other.name === name) < i) errors.push(duplicate(here, name))
    say(errors, here, name, rule(name))
  })
}

const ownControllers = new Set(['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io'])

/** Where endpoints stood before, by host name, is not kept: it belongs to a version that is gone. */
function dropTopology(slice: EndpointSlice): void {
  for (const endpoint of slice.endpoints ?? []) delete endpoint.deprecatedTopology
}

export const sliceStrategy: Strategy<EndpointSlice> = {
  prepareCreate: dropTopology,
  prepareUpdate(next, prev) {
    if (!equalJson(next.metadata.labels ?? {}, prev.metadata.labels ?? {})) next.metadata.generation = (prev.metadata.generation ?? 0) + 1
    if (!equalJson(next.endpoints ?? null, prev.endpoints ?? null)) dropTopology(next)
  },
  validateCreate: (slice) => validate(slice),
  validateUpdate(next, prev) {
    const errors = validate(next, prev)
    immutable(errors, next.addressType, prev.addressType, path('addressType'))
    return errors
  },
  warnings(next, prev) {
    const named = prev === undefined && next.addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []
    if (ownControllers.has(next.metadata.labels?.['endpointslice.kubernetes.io/managed-by'] ?? '')) return named
    return [...named, ...(next.endpoints ?? []).flatMap((endpoint, i) => (endpoint.addresses ?? []).flatMap((address, j) => ipWarnings(path('endpoints').index(i).child('addresses').index(j), address)))]
  },
}
