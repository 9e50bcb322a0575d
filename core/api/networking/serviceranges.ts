/**
 * Ranges of Services and what of them is given: which addresses a ServiceCIDR holds, and the IPAddress that says whose one
 * is (k8s.io/kubernetes/pkg/api/servicecidr, pkg/registry/core/service/ipallocator). Pure.
 */
import { contains, parseCidr, parseIp, sizeOf, type Cidr, type Ip } from '../../lib/ip.ts'
import type { Key } from '../meta.ts'
import type { IPAddress, ServiceCIDR } from '../schema/types.ts'

const managedByLabel = 'ipaddress.kubernetes.io/managed-by'
const familyLabel = 'ipaddress.kubernetes.io/ip-family'
const manager = 'ipallocator.k8s.io'

/** Neither the network's own address nor, of IPv4, the last one is any Service's. */
export function holds(range: Cidr, ip: Ip): boolean {
  const last = range.base + sizeOf(range) - 1n
  return contains(range, ip) && ip.value !== range.base && !(range.family === 4 && ip.value === last)
}

/** How many addresses of the range can be given; no more than anybody could count. */
export function usableSize(range: Cidr): number {
  return Math.max(0, Math.min(Number(sizeOf(range)), 2 ** 31) - (range.family === 4 ? 2 : 1))
}

/** Whether the object is one that Services are given, and of this Service, if one is named. */
export function isServiceAddress(address: Readonly<IPAddress>, service?: Key): boolean {
  const { group = '', resource, namespace, name } = address.spec?.parentRef ?? {}
  if (!isManaged(address) || group !== '' || resource !== 'services') return false
  return service === undefined || (namespace === service.namespace && name === service.name)
}

/** Made by whoever gives Services their addresses, and not by a user. */
export function isManaged(address: Readonly<IPAddress>): boolean {
  return address.metadata.labels?.[managedByLabel] === manager
}

/** Whether its labels are those that it was made with. */
export function hasOwnLabels(address: Readonly<IPAddress>): boolean {
  return isManaged(address) && address.metadata.labels?.[familyLabel] === familyOf(address.metadata.name ?? '')
}

export function addressFor(address: string, { namespace, name }: Key): IPAddress {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: address, labels: { [familyLabel]: familyOf(address), [managedByLabel]: manager } },
    spec: { parentRef: { resource: 'services', namespace, name } },
  }
}

export const familyOf = (address: string): 'IPv4' | 'IPv6' => (address.includes(':') ? 'IPv6' : 'IPv4')

export function cidrsOf(range: Readonly<ServiceCIDR>): readonly Cidr[] {
  return (range.spec?.cidrs ?? []).map(parseCidr).filter((cidr) => cidr !== undefined)
}

/** The ServiceCIDRs that hold the address. */
export function rangesOf<T extends Readonly<ServiceCIDR>>(ranges: readonly T[], address: string): readonly T[] {
  const ip = parseIp(address)
  return ip === undefined ? [] : ranges.filter((range) => cidrsOf(range).some((cidr) => holds(cidr, ip)))
}

/** Whether all of `inner` lies in `outer`. */
export function covers(outer: Cidr, inner: Cidr): boolean {
  return overlap(outer, inner) && outer.bits <= inner.bits
}

export function overlap(a: Cidr, b: Cidr): boolean {
  return a.family === b.family && a.base < b.base + sizeOf(b) && b.base < a.base + sizeOf(a)
}
