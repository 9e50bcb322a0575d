/** kubernetes.net.ip: addresses in expressions (k8s.io/apiserver/pkg/cel/library/ip.go). How they are read is addresses.ts. */
import type { Ip } from '../../../lib/ip.ts'
import type { Library } from '../library.ts'
import { bool, int, string, typeOf } from '../type.ts'
import { TypeValue } from '../value.ts'
import { Address, addressType, isAddress, readAddress } from './addresses.ts'
import { traversalCost, traversalEstimate } from './cost.ts'
import { declare, member, overload, type Costs } from './declare.ts'

const parsing: Costs = { cost: traversalCost(), estimate: traversalEstimate() }
const comparing: Costs = { cost: traversalCost(2), estimate: traversalEstimate(2) }

const question = (name: string, id: string, ask: (ip: Ip) => boolean) => declare(name, member(id, [addressType], bool, ({ ip }: Address) => ask(ip)))

export const ipLibrary: Library = {
  name: 'kubernetes.net.ip',
  functions: [
    declare('ip', overload('string_to_ip', [string], addressType, readAddress, parsing)),
    declare('isIP', overload('is_ip', [string], bool, isAddress, parsing)),
    declare('ip.isCanonical', overload('ip_is_canonical', [string], bool, (text: string) => readAddress(text).toString() === text, comparing)),
    declare('string', overload('ip_to_string', [addressType], string, (address: Address) => address.toString())),
    declare('family', member('ip_family', [addressType], int, ({ ip }: Address) => BigInt(ip.family))),
    question('isUnspecified', 'ip_is_unspecified', (ip) => ip.value === 0n),
    question('isLoopback', 'ip_is_loopback', isLoopback),
    question('isLinkLocalMulticast', 'ip_is_link_local_multicast', (ip) => (ip.family === 4 ? ip.value >> 8n === 0xe0_0000n : (top16(ip) & 0xff0fn) === 0xff02n)),
    question('isLinkLocalUnicast', 'ip_is_link_local_unicast', isLinkLocalUnicast),
    question('isGlobalUnicast', 'ip_is_global_unicast', isGlobalUnicast),
  ],
  constants: { 'net.IP': { type: typeOf(addressType), value: new TypeValue(addressType) } },
}

const top16 = (ip: Ip): bigint => ip.value >> 112n

function isLoopback(ip: Ip): boolean {
  return ip.family === 4 ? ip.value >> 24n === 127n : ip.value === 1n
}

function isMulticast(ip: Ip): boolean {
  return ip.family === 4 ? ip.value >> 28n === 0xen : ip.value >> 120n === 0xffn
}

function isLinkLocalUnicast(ip: Ip): boolean {
  return ip.family === 4 ? ip.value >> 16n === 0xa9fen : (top16(ip) & 0xffc0n) === 0xfe80n
}

/** Private addresses are global in this sense; the broadcast address is not. */
function isGlobalUnicast(ip: Ip): boolean {
  if (ip.value === 0n || (ip.family === 4 && ip.value === 0xffff_ffffn)) return false
  return !isLoopback(ip) && !isMulticast(ip) && !isLinkLocalUnicast(ip)
}
