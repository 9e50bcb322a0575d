/**
 * IP addresses and networks as values of CEL, and how they are read: strictly, with the sentences of Go's net/netip
 * for what is wrong. What expressions may ask of them is ip.ts and cidr.ts.
 */
import { formatIp, type Ip } from '../../../lib/ip.ts'
import { opaque } from '../type.ts'
import { CelError, OpaqueValue } from '../value.ts'
import { quote } from './quote.ts'

export const addressType = opaque('net.IP')
export const networkType = opaque('net.CIDR')

export class Address extends OpaqueValue {
  readonly type = addressType
  readonly ip: Ip

  constructor(ip: Ip) {
    super()
    this.ip = ip
  }

  /** Bytes. */
  override get size(): number {
    return widthOf(this.ip) / 8
  }

  override equals(other: OpaqueValue): boolean {
    if (!(other instanceof Address)) throw new CelError('no such overload')
    return sameIp(this.ip, other.ip)
  }

  override toString(): string {
    return formatIp(this.ip)
  }
}

/** Host bits are kept as they were written. */
export class Network extends OpaqueValue {
  readonly type = networkType
  readonly ip: Ip
  readonly bits: number

  constructor(ip: Ip, bits: number) {
    super()
    this.ip = ip
    this.bits = bits
  }

  /** Bytes that the prefix takes. */
  override get size(): number {
    return Math.ceil(this.bits / 8)
  }

  override equals(other: OpaqueValue): boolean {
    if (!(other instanceof Network)) throw new CelError('no such overload')
    return sameIp(this.ip, other.ip) && this.bits === other.bits
  }

  masked(): Network {
    return new Network({ family: this.ip.family, value: prefix(this.ip, this.bits) << BigInt(widthOf(this.ip) - this.bits) }, this.bits)
  }

  contains(ip: Ip): boolean {
    return ip.family === this.ip.family && prefix(ip, this.bits) === prefix(this.ip, this.bits)
  }

  override toString(): string {
    return `${formatIp(this.ip)}/${this.bits}`
  }
}

const widthOf = (ip: Ip): number => (ip.family === 4 ? 32 : 128)
const prefix = (ip: Ip, bits: number): bigint => ip.value >> BigInt(widthOf(ip) - bits)
const sameIp = (a: Ip, b: Ip): boolean => a.family === b.family && a.value === b.value

export function readAddress(text: string): Address {
  return new Address(plainAddress(text))
}

function plainAddress(text: string): Ip {
  const read = parseAddress(text)
  if ('error' in read) throw new CelError(`IP Address ${quote(text)} parse error during conversion from string: ${read.error}`)
  if (read.zone !== '') throw new CelError(`IP address ${quote(text)} with zone value is not allowed`)
  if (isMapped(read.ip)) throw new CelError(`IPv4-mapped IPv6 address ${quote(text)} is not allowed`)
  return read.ip
}

/** Upstream says twice where it was. */
const networkError = 'network address parse error during conversion from string: '

/** `10.0.0.0/8`. Throws CelError in the words of Go's netip. */
export function readNetwork(text: string): Network {
  const wrong = (why: string): CelError => new CelError(`${networkError}${networkError}netip.ParsePrefix(${quote(text)}): ${why}`)
  const slash = text.lastIndexOf('/')
  if (slash < 0) throw wrong("no '/'")
  const read = parseAddress(text.slice(0, slash))
  if ('error' in read) throw wrong(read.error)
  if (read.zone !== '') throw wrong('IPv6 zones cannot be present in a prefix')
  const digits = text.slice(slash + 1)
  if (!/^(\d|[1-9]\d*)$/.test(digits) || BigInt(digits) >= 2n ** 63n) throw wrong(`bad bits after slash: ${quote(digits)}`)
  if (Number(digits) > widthOf(read.ip)) throw wrong('prefix length out of range')
  if (isMapped(read.ip)) throw new CelError(`${networkError}IPv4-mapped IPv6 address ${quote(text)} is not allowed`)
  return new Network(read.ip, Number(digits))
}

export const isAddress = (text: string): boolean => reads(readAddress, text)
export const isNetwork = (text: string): boolean => reads(readNetwork, text)

function reads(read: (text: string) => unknown, text: string): boolean {
  try {
    read(text)
    return true
  } catch (error) {
    if (error instanceof CelError) return false
    throw error
  }
}

const isMapped = (ip: Ip): boolean => ip.family === 6 && ip.value >> 32n === 0xffffn

export type ReadAddress = { readonly ip: Ip; readonly zone: string } | { readonly error: string }

/** As netip.ParseAddr reads, with a zone, IPv4-mapped or not. */
export function parseAddress(text: string): ReadAddress {
  const wrong = (why: Wrong): ReadAddress => ({ error: `ParseAddr(${quote(text)}): ${why.why}${why.at === undefined ? '' : ` (at ${quote(why.at)})`}` })
  const mark = /[.:%]/.exec(text)?.[0]
  if (mark === undefined) return wrong({ why: 'unable to parse IP' })
  if (mark === '%') return wrong({ why: 'missing IPv6 address' })
  if (mark === '.') {
    const value = readV4(text)
    return typeof value === 'number' ? { ip: { family: 4, value: BigInt(value) }, zone: '' } : wrong(value)
  }
  const percent = text.indexOf('%')
  const zone = percent < 0 ? '' : text.slice(percent + 1)
  if (percent >= 0 && zone === '') return wrong({ why: 'zone must be a non-empty string' })
  const value = readV6(percent < 0 ? text : text.slice(0, percent))
  return typeof value === 'bigint' ? { ip: { family: 6, value }, zone } : wrong(value)
}

interface Wrong {
  readonly why: string
  /** What was left to read. */
  readonly at?: string
}

function readV4(text: string): number | Wrong {
  const fields: number[] = []
  let digits = ''
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string
    if (c >= '0' && c <= '9') {
      if (digits === '0') return { why: 'IPv4 field has octet with leading zero' }
      digits += c
      if (Number(digits) > 255) return { why: 'IPv4 field has value >255' }
    } else if (c === '.') {
      if (i === 0 || i === text.length - 1 || digits === '') return { why: 'IPv4 field must have at least one digit', at: text.slice(i) }
      if (fields.length === 3) return { why: 'IPv4 address too long' }
      fields.push(Number(digits))
      digits = ''
    } else {
      return { why: 'unexpected character', at: text.slice(i) }
    }
  }
  if (fields.length < 3) return { why: 'IPv4 address too short' }
  return [...fields, Number(digits)].reduce((sum, field) => sum * 256 + field, 0)
}

function readV6(text: string): bigint | Wrong {
  const groups: number[] = []
  /** How many groups stand before `::`. */
  let ellipsis = text.startsWith('::') ? 0 : -1
  let rest = ellipsis === 0 ? text.slice(2) : text
  while (groups.length < 8 && !(rest === '' && ellipsis === groups.length)) {
    const digits = /^[0-9a-fA-F]*/.exec(rest)?.[0] ?? ''
    if (digits.length > 4) return { why: 'each group must have 4 or less digits', at: rest }
    if (digits === '') return { why: 'each colon-separated field must have at least one digit', at: rest }
    if (rest[digits.length] === '.') {
      if (ellipsis < 0 && groups.length !== 6) return { why: 'embedded IPv4 address must replace the final 2 fields of the address', at: rest }
      if (groups.length > 6) return { why: 'too many hex fields to fit an embedded IPv4 at the end of the address', at: rest }
      const v4 = readV4(rest)
      if (typeof v4 !== 'number') return v4
      groups.push(Math.floor(v4 / 65_536), v4 % 65_536)
      rest = ''
      break
    }
    groups.push(Number.parseInt(digits, 16))
    rest = rest.slice(digits.length)
    if (rest === '') break
    if (rest[0] !== ':') return { why: 'unexpected character, want colon', at: rest }
    if (rest.length === 1) return { why: 'colon must be followed by more characters', at: rest }
    rest = rest.slice(1)
    if (rest[0] !== ':') continue
    if (ellipsis >= 0) return { why: 'multiple :: in address', at: rest }
    ellipsis = groups.length
    rest = rest.slice(1)
  }
  if (rest !== '') return { why: 'trailing garbage after address', at: rest }
  if (groups.length === 8 && ellipsis >= 0) return { why: 'the :: must expand to at least one field of zeros' }
  if (groups.length < 8 && ellipsis < 0) return { why: 'address string too short' }
  const zeros = Array.from({ length: 8 - groups.length }, () => 0)
  const all = ellipsis < 0 ? groups : [...groups.slice(0, ellipsis), ...zeros, ...groups.slice(ellipsis)]
  return all.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n)
}
