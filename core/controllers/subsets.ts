/**
 * Subsets of Endpoints in their one form: ports that are open at the same addresses stand together, an address stands in a
 * subset once, and is ready there or not (upstream's pkg/api/v1/endpoints RepackSubsets); and how they are cut when they
 * are too many. Pure.
 */
import type { EndpointAddress, EndpointSubset } from '../api/schema/types.ts'
import { canonical } from './hash.ts'

export const addressesMax = 1_000

type Port = NonNullable<EndpointSubset['ports']>[number]

interface Open {
  /** Undefined: addresses without a port. */
  readonly port: Readonly<Port> | undefined
  /** Key of the address: whether it is ready. Not ready wins. */
  readonly addresses: Map<string, boolean>
}

export function repackSubsets(subsets: readonly Readonly<EndpointSubset>[]): EndpointSubset[] {
  const addresses = new Map<string, Readonly<EndpointAddress>>()
  const byPort = new Map<string, Open>()
  for (const subset of subsets) {
    for (const port of subset.ports?.length ? subset.ports : [undefined]) {
      const key = canonical(port ?? null)
      let open = byPort.get(key)
      if (open === undefined) byPort.set(key, (open = { port, addresses: new Map() }))
      const add = (address: Readonly<EndpointAddress>, ready: boolean): void => {
        const id = `${address.ip} ${address.targetRef?.uid ?? ''}`
        if (!addresses.has(id)) addresses.set(id, address)
        open.addresses.set(id, ready && open.addresses.get(id) !== false)
      }
      subset.addresses?.forEach((address) => add(address, true))
      subset.notReadyAddresses?.forEach((address) => add(address, false))
    }
  }
  const alike = Object.values(Object.groupBy(byPort.values(), (open) => JSON.stringify([...open.addresses].sort(byId))))
  return alike.flatMap((group) => (group === undefined ? [] : [merged(group, addresses)])).sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1))
}

const byId = ([a]: readonly [string, boolean], [b]: readonly [string, boolean]): number => (a < b ? -1 : a > b ? 1 : 0)

function merged(group: readonly Open[], addresses: ReadonlyMap<string, Readonly<EndpointAddress>>): EndpointSubset {
  const all = [...(group[0]?.addresses ?? [])].sort(byId)
  const those = (ready: boolean): EndpointAddress[] => all.flatMap(([id, is]) => (is === ready ? [addresses.get(id) ?? { ip: '' }] : []))
  const ports = group.flatMap(({ port }) => (port === undefined ? [] : [port])).sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1))
  return subsetOf(those(true), those(false), ports)
}

export function subsetOf(ready: EndpointAddress[], unready: EndpointAddress[], ports: Port[]): EndpointSubset {
  return {
    ...(ready.length === 0 ? {} : { addresses: ready }),
    ...(unready.length === 0 ? {} : { notReadyAddresses: unready }),
    ...(ports.length === 0 ? {} : { ports }),
  }
}

/** At most a thousand addresses, each subset in proportion, unready ones last; undefined when nothing is to be cut. */
export function truncated(subsets: readonly EndpointSubset[]): EndpointSubset[] | undefined {
  const count = (of: 'addresses' | 'notReadyAddresses'): number => subsets.reduce((sum, subset) => sum + (subset[of]?.length ?? 0), 0)
  const [ready, unready] = [count('addresses'), count('notReadyAddresses')]
  if (ready + unready <= addressesMax) return undefined
  const cutReady = ready > addressesMax
  const room = cutReady ? addressesMax : addressesMax - ready
  let left = room
  return subsets.map((subset) => {
    const [all, rest] = [subset.addresses ?? [], subset.notReadyAddresses ?? []]
    const part = cutReady ? all : rest
    const kept = part.slice(0, Math.min(left, Math.ceil((part.length / (cutReady ? ready : unready)) * room)))
    left -= kept.length
    return cutReady ? subsetOf(kept, [], subset.ports ?? []) : subsetOf(all, kept, subset.ports ?? [])
  })
}
