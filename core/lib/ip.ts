/**
 * IP addresses and ranges as numbers: reading, writing, containment, reverse names. Strict: no leading zeros,
 * no host bits beyond the prefix unless asked. Pure; which range belongs to whom is decided elsewhere.
 */

export interface Ip {
  readonly family: 4 | 6
  readonly value: bigint
}

export interface Cidr {
  readonly family: 4 | 6
  /** First address of the range. */
  readonly base: bigint
  readonly bits: number
}

export function parseIp(text: string): Ip | undefined {
  return text.includes(':') ? parseV6(text) : parseV4(text)
}

/** A host as it stands before a port: addresses with colons in brackets. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

export function formatIp(ip: Ip): string {
  return ip.family === 4 ? formatV4(ip.value) : formatV6(ip.value)
}

/** A range; host bits are cleared, as Go's net.ParseCIDR does. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  const ip = slash < 0 ? undefined : parseIp(text.slice(0, slash))
  const length = text.slice(slash + 1)
  if (ip === undefined || !/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > width(ip.family)) return undefined
  const bits = Number(length)
  const rest = BigInt(width(ip.family) - bits)
  return { family: ip.family, base: (ip.value >> rest) << rest, bits }
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIp({ family: cidr.family, value: cidr.base })}/${cidr.bits}`
}

/** How many addresses the range has. */
export function sizeOf(cidr: Cidr): bigint {
  return 1n << BigInt(width(cidr.family) - cidr.bits)
}

/** Address number `index` of the range. */
export function addressAt(cidr: Cidr, index: bigint | number): string {
  return formatIp({ family: cidr.family, value: cidr.base + BigInt(index) })
}

export function contains(cidr: Cidr, ip: Ip): boolean {
  return cidr.family === ip.family && ip.value >= cidr.base && ip.value < cidr.base + sizeOf(cidr)
}

/** The owner name of the address in in-addr.arpa or ip6.arpa, without a dot at the end. */
export function reverseName(ip: Ip): string {
  if (ip.family === 4) return `${formatV4(ip.value).split('.').toReversed().join('.')}.in-addr.arpa`
  return `${ip.value.toString(16).padStart(32, '0').split('').toReversed().join('.')}.ip6.arpa`
}

function width(family: 4 | 6): number {
  return family === 4 ? 32 : 128
}

function parseV4(text: string): Ip | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    value = value * 256 + Number(part)
  }
  return { family: 4, value: BigInt(value) }
}

function parseV6(text: string): Ip | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groups(halves[0] ?? '')
  const tail = halves.length === 2 ? groups(halves[1] ?? '') : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const all = [...head, ...Array.from({ length: missing }, () => 0), ...tail]
  return { family: 6, value: all.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n) }
}

function groups(text: string): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const last = parts.at(-1) ?? ''
  const out: number[] = []
  for (const part of last.includes('.') ? parts.slice(0, -1) : parts) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined
    out.push(Number.parseInt(part, 16))
  }
  if (!last.includes('.')) return out
  const v4 = parseV4(last)
  return v4 === undefined ? undefined : [...out, Number(v4.value >> 16n), Number(v4.value & 0xffffn)]
}

function formatV4(value: bigint): string {
  const n = Number(value)
  return `${Math.floor(n / 2 ** 24)}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`
}

/** RFC 5952: the longest run of zero groups is folded. */
function formatV6(value: bigint): string {
  const all = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(16 * (7 - i))) & 0xffffn))
  let best = { at: -1, length: 1 }
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (at + length < 8 && all[at + length] === 0) length++
    if (length > best.length) best = { at, length }
  }
  const hex = (list: readonly number[]): string => list.map((group) => group.toString(16)).join(':')
  if (best.at < 0) return hex(all)
  return `${hex(all.slice(0, best.at))}::${hex(all.slice(best.at + best.length))}`
}
