/** kubernetes.net.cidr: networks in expressions (k8s.io/apiserver/pkg/cel/library/cidr.go). How they are read is addresses.ts. */
import type { Estimated, Library, Range } from '../library.ts'
import { scaled, sum } from '../range.ts'
import { bool, int, string, typeOf } from '../type.ts'
import { CelError, TypeValue, type Value } from '../value.ts'
import { Address, addressType, isAddress, isNetwork, Network, networkType, readAddress, readNetwork } from './addresses.ts'
import { actualSize, sizeOf, stringFactor, traversalCost, traversalEstimate, unit } from './cost.ts'
import { declare, member, overload, type Costs } from './declare.ts'

const parsing: Costs = { cost: traversalCost(), estimate: traversalEstimate() }

/** An address has 4 or 16 bytes. */
const bytes: Range = { min: 4, max: 16 }
const comparedBytes = scaled(sum(bytes, bytes), stringFactor)
const masked = sum(scaled(bytes, stringFactor), unit)

const parsedText = (text: Value | undefined): number => Math.ceil(actualSize(text) * stringFactor)
const parsedEstimate = (text: Estimated | undefined): Range => scaled(sizeOf(text), stringFactor)
/** Both byte lists are looked at as far as the prefix goes. */
const compared = (network: Value | undefined): number => Math.ceil(2 * actualSize(network) * stringFactor)
const maskedCost = (network: Value | undefined): number => parsedText(network) + 1

const ofAddress: Costs = { cost: ([network]) => compared(network), estimate: () => ({ cost: comparedBytes }) }
const ofAddressText: Costs = {
  cost: ([network, text]) => compared(network) + parsedText(text),
  estimate: ([, text]) => ({ cost: sum(comparedBytes, parsedEstimate(text)) }),
}
const ofNetwork: Costs = { cost: ([network]) => compared(network) + maskedCost(network), estimate: () => ({ cost: sum(comparedBytes, masked) }) }
const ofNetworkText: Costs = {
  cost: ([network, text]) => compared(network) + maskedCost(network) + parsedText(text),
  estimate: ([, text]) => ({ cost: sum(sum(comparedBytes, masked), parsedEstimate(text)) }),
}

const within = (outer: Network, inner: Network): boolean => outer.bits <= inner.bits && outer.contains(inner.ip)

export const cidrLibrary: Library = {
  name: 'kubernetes.net.cidr',
  functions: [
    declare('cidr', overload('string_to_cidr', [string], networkType, readNetwork, parsing)),
    declare('isCIDR', overload('is_cidr', [string], bool, isNetwork, parsing)),
    declare('string', overload('cidr_to_string', [networkType], string, (network: Network) => network.toString())),
    declare(
      'containsIP',
      member('cidr_contains_ip_string', [networkType, string], bool, containsText, ofAddressText),
      member('cidr_contains_ip_ip', [networkType, addressType], bool, (network: Network, address: Address) => network.contains(address.ip), ofAddress),
    ),
    declare(
      'containsCIDR',
      member('cidr_contains_cidr_string', [networkType, string], bool, (outer: Network, text: string) => within(outer, readNetwork(text)), ofNetworkText),
      member('cidr_contains_cidr', [networkType, networkType], bool, within, ofNetwork),
    ),
    declare('ip', member('cidr_ip', [networkType], addressType, (network: Network) => new Address(network.ip))),
    declare('prefixLength', member('cidr_prefix_length', [networkType], int, (network: Network) => BigInt(network.bits))),
    declare('masked', member('cidr_masked', [networkType], networkType, (network: Network) => network.masked())),
  ],
  constants: { 'net.CIDR': { type: typeOf(networkType), value: new TypeValue(networkType) } },
}

/** What cannot be read as an address is said as upstream says it: the sentence of the address is lost there. */
function containsText(network: Network, text: string): boolean {
  if (!isAddress(text)) throw new CelError('no such overload')
  return network.contains(readAddress(text).ip)
}
