/**
 * Addresses of Services: out of the ranges of ServiceCIDRs, each claimed by an IPAddress object before its Service is
 * stored, so that the store itself lets nobody have it twice (k8s.io/kubernetes/pkg/registry/core/service/ipallocator).
 * Giving back, and repairing, is the controllers' (core/controllers/servicecidr).
 */
import { isApiError } from '../../api/errors.ts'
import type { Key } from '../../api/meta.ts'
import { iPAddresses } from '../../api/networking/ipaddress.ts'
import { serviceCIDRs } from '../../api/networking/servicecidr.ts'
import { addressFor, cidrsOf, holds, isServiceAddress, usableSize } from '../../api/networking/serviceranges.ts'
import type { IPAddress, ServiceCIDR } from '../../api/schema/types.ts'
import type { Lookup } from '../../auth/lookup.ts'
import type { Client } from '../../client/client.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { addressAt, formatIp, parseCidr, parseIp, sizeOf, type Cidr, type Ip } from '../../lib/ip.ts'
import type { Random } from '../../lib/random.ts'
import { bandOf, search, Used } from './used.ts'

const band = { min: 16, max: 256, share: 16 } as const
/** The one that the server makes of its own configuration. */
const defaultName = 'kubernetes'
/** Upstream's sentences. */
const notInRange = 'the provided network does not match the current range'
const isTaken = 'provided IP is already allocated'

export interface AddressDeps {
  readonly lookup: Lookup
  readonly random: Random
  readonly client: () => Client
  /** The range that there is before any ServiceCIDR. */
  readonly serviceCidr: string
}

export class Addresses {
  readonly used = new Used()
  readonly family: 'IPv4' | 'IPv6'
  readonly #deps: AddressDeps
  readonly #first: Cidr

  constructor(deps: AddressDeps) {
    const first = parseCidr(deps.serviceCidr)
    if (first === undefined) throw new Error(`service range ${deps.serviceCidr} is not a CIDR`)
    this.#deps = deps
    this.#first = first
    this.family = first.family === 4 ? 'IPv4' : 'IPv6'
  }

  /** A free address; undefined when all ranges are full. */
  pick(owner: string, now: number): string | undefined {
    const isFree = (address: string): boolean => !this.#takenFor(address, owner, now)
    for (const range of this.#ranges()) {
      const address = freeIn(this.#deps.random, range, isFree)
      if (address !== undefined) return address
    }
    return undefined
  }

  /** Why this address cannot be had. */
  refusal(address: Ip, owner: string, now: number): string | undefined {
    if (!this.#ranges().some((range) => holds(range, address))) return notInRange
    return this.#takenFor(formatIp(address), owner, now) ? isTaken : undefined
  }

  /** Makes the address the Service's in the store; says why not. */
  async claim(ctx: Ctx, service: Key, address: string): Promise<string | undefined> {
    const client = this.#deps.client()
    for (let tries = 1; ; tries++) {
      try {
        await client.create(ctx, iPAddresses, addressFor(address, service))
        return undefined
      } catch (error) {
        if (!isApiError(error, 'AlreadyExists')) throw error
      }
      const have = await client.get(ctx, iPAddresses, { namespace: '', name: address })
      // One that is left of a Service of the same name may be about to be taken away: better a new one.
      if (have !== undefined && isServiceAddress(have, service) && !this.#isLeft(have)) return undefined
      if (tries > 2 || (have !== undefined && !this.#isLeft(have))) return isTaken
      const { uid } = have?.metadata ?? {}
      if (uid !== undefined) await client.delete(ctx, iPAddresses, { namespace: '', name: address }, { preconditions: { uid } })
    }
  }

  /** The default range comes first; before it is stored, it is what is configured. */
  #ranges(): readonly Cidr[] {
    const all = this.#deps.lookup.list(serviceCIDRs)
    const own = all.find(({ metadata }) => metadata.name === defaultName)
    const others = all.filter((one) => one !== own && isReady(one)).flatMap(cidrsOf)
    const first = own === undefined ? [this.#first] : own.metadata.deletionTimestamp === undefined && readyOf(own) !== 'False' ? cidrsOf(own) : []
    return [...first, ...others].filter(({ family }) => family === this.#first.family)
  }

  #takenFor(address: string, owner: string, now: number): boolean {
    if (this.used.takenFor(address, owner, now)) return true
    const claimed = this.#deps.lookup.get(iPAddresses, { namespace: '', name: address })
    if (claimed === undefined) return false
    const { namespace, name, resource } = claimed.spec?.parentRef ?? {}
    return !(resource === 'services' && `${namespace}/${name}` === owner) && !this.#isLeft(claimed)
  }

  /** An address that its Service does not have, or has no more. (While the Service is on its way, it is held.) */
  #isLeft(claimed: Readonly<IPAddress>): boolean {
    const { namespace, name } = claimed.spec?.parentRef ?? {}
    return isServiceAddress(claimed) && this.used.ownerOf(claimed.metadata.name ?? '') !== `${namespace}/${name}`
  }
}

const readyOf = (cidr: Readonly<ServiceCIDR>): string | undefined => cidr.status?.conditions?.find(({ type }) => type === 'Ready')?.status
const isReady = (cidr: Readonly<ServiceCIDR>): boolean => cidr.metadata.deletionTimestamp === undefined && readyOf(cidr) === 'True'

/** A random one above the band at the start; that band last. */
function freeIn(random: Random, range: Cidr, isFree: (address: string) => boolean): string | undefined {
  const usable = usableSize(range)
  const reserved = bandOf(Math.min(Number(sizeOf(range)), 2 ** 31), band)
  const at = (offset: number): string | undefined => {
    const address = addressAt(range, offset + 1) // the first address is the network's own
    return isFree(address) ? address : undefined
  }
  return search(random, reserved, usable, at) ?? search(random, 0, reserved, at)
}

/** In the one form that IPAddresses are named by. */
export function canonicalAddress(address: string): string {
  const ip = parseIp(address)
  return ip === undefined ? address : formatIp(ip)
}
