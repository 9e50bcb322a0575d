/**
 * Checks that the rules of many kinds share: numbers, ports, addresses, selectors, references. Each adds what it finds
 * to a list, in upstream's words (k8s.io/apimachinery/pkg/util/validation, k8s.io/kubernetes/pkg/apis/core/validation).
 * How names are spelled is names.ts; metadata is metavalidation.ts.
 */
import { equalJson } from '../lib/json.ts'
import { formatCidr, formatIp, parseCidr, parseIp, type Cidr, type Ip } from '../lib/ip.ts'
import { FieldError, forbiddenField, invalidValue, notSupported, required, type Path } from './field.ts'
import { immutableSentence, validateLabels } from './metavalidation.ts'
import { dns1123Label, dns1123Subdomain, labelValue, percent, portName, portNumber, qualifiedName } from './names.ts'
import { compareQuantities } from './quantity.ts'
import { selectorOf, type Selector } from './selector.ts'
import type { IntOrString, LabelSelector } from './schema/types.ts'

export type Errors = FieldError[]

export const negativeSentence = 'must be greater than or equal to 0'
export const notPositiveSentence = 'must be greater than zero'

/** One Invalid for each sentence of a format. */
export function say(errors: Errors, at: Path, value: unknown, sentences: readonly string[]): void {
  for (const sentence of sentences) errors.push(invalidValue(at, value, sentence))
}

export function nonNegative(errors: Errors, value: number | undefined, at: Path): void {
  if ((value ?? 0) < 0) errors.push(invalidValue(at, value, negativeSentence))
}

/** Several fields of one object. */
export function nonNegatives(errors: Errors, object: object, at: Path, ...fields: readonly string[]): void {
  for (const field of fields) nonNegative(errors, (object as Record<string, number | undefined>)[field], at.child(field))
}

export function positive(errors: Errors, value: number, at: Path): void {
  if (value <= 0) errors.push(invalidValue(at, value, notPositiveSentence))
}

export function oneOf(errors: Errors, value: string, supported: readonly string[], at: Path): void {
  if (!supported.includes(value)) errors.push(notSupported(at, value, supported))
}

/** A value that must be there and be one of these. */
export function needsOneOf(errors: Errors, value: string | undefined, supported: readonly string[], at: Path): void {
  if ((value ?? '') === '') errors.push(required(at))
  else oneOf(errors, value ?? '', supported, at)
}

export function needsText(errors: Errors, value: string | undefined, at: Path, detail = ''): void {
  if ((value ?? '') === '') errors.push(required(at, detail))
}

export const label = (errors: Errors, value: string, at: Path): void => say(errors, at, value, dns1123Label(value))
export const subdomain = (errors: Errors, value: string, at: Path): void => say(errors, at, value, dns1123Subdomain(value))
export const qualified = (errors: Errors, value: string, at: Path): void => say(errors, at, value, qualifiedName(value))

/** `example.com/a/path`. */
export function domainPath(errors: Errors, text: string, at: Path): void {
  if (text === '') {
    errors.push(required(at))
    return
  }
  const slash = text.indexOf('/')
  const [host, rest] = [text.slice(0, Math.max(slash, 0)), text.slice(slash + 1)]
  if (slash <= 0 || rest === '') {
    errors.push(invalidValue(at, text, 'must be a domain-prefixed path (such as "acme.io/foo")'))
    return
  }
  subdomain(errors, host, at)
  const pattern = String.raw`[A-Za-z0-9/\-._~%!$&'()*+,;=:]+`
  if (!new RegExp(`^${pattern}$`).test(rest)) errors.push(invalidValue(at, rest, `Invalid path (regex used for validation is '${pattern}')`))
}

export function immutable(errors: Errors, next: unknown, prev: unknown, at: Path, shown: unknown = next): void {
  if (!equalJson(next ?? null, prev ?? null)) errors.push(invalidValue(at, shown ?? null, immutableSentence))
}

// Selectors

/** metav1.LabelSelector; `tolerant`: values that are no label values are let through, because they already stood there. */
export function labelSelector(errors: Errors, selector: Readonly<LabelSelector> | undefined, at: Path, tolerant = false): void {
  if (selector === undefined) return
  if (selector.matchLabels !== undefined) errors.push(...validateLabels(selector.matchLabels, at.child('matchLabels')))
  selector.matchExpressions?.forEach(({ key, operator, values = [] }, i) => {
    const here = at.child('matchExpressions').index(i)
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) errors.push(required(here.child('values'), "must be specified when `operator` is 'In' or 'NotIn'"))
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) errors.push(forbiddenField(here.child('values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    } else {
      errors.push(invalidValue(here.child('operator'), operator, 'not a valid selector operator'))
    }
    qualified(errors, key, here.child('key'))
    if (!tolerant) values.forEach((value, j) => say(errors, here.child('values').index(j), value, labelValue(value)))
  })
}

export function isEmptySelector(selector: Readonly<LabelSelector>): boolean {
  return Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0
}

/** undefined for a selector that cannot be read: upstream does not match by it then. */
export function readSelector(selector: Readonly<LabelSelector> | undefined): Selector | undefined {
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    const needsValues = operator === 'In' || operator === 'NotIn'
    if (needsValues ? values.length === 0 : values.length > 0) return undefined
    if (!['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator) || !isLabel(key, values)) return undefined
  }
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) if (!isLabel(key, [value])) return undefined
  return selectorOf(selector)
}

const isLabel = (key: string, values: readonly string[]): boolean => qualifiedName(key).length === 0 && values.every((value) => labelValue(value).length === 0)

// Numbers that may be shares

export function intOrPercent(errors: Errors, value: IntOrString, at: Path): void {
  if (typeof value === 'string') say(errors, at, value, percent(value))
  else nonNegative(errors, value, at)
}

/** The number, or the percentage as a number: what upstream compares with 0 and 100. */
export function plainNumber(value: IntOrString | undefined): number {
  if (typeof value !== 'string') return value ?? 0
  return percent(value).length === 0 ? Number(value.slice(0, -1)) : Number.parseInt(value, 10) || 0
}

export function atMostAll(errors: Errors, value: IntOrString, at: Path): void {
  if (typeof value === 'string' && percent(value).length === 0 && plainNumber(value) > 100) {
    errors.push(invalidValue(at, value, 'must not be greater than 100%'))
  }
}

export function portNumberOrName(errors: Errors, port: IntOrString, at: Path): void {
  say(errors, at, port, typeof port === 'string' ? portName(port) : portNumber(port))
}

// Quantities

export function nonNegativeQuantity(errors: Errors, quantity: string, at: Path): void {
  if (compareQuantities(quantity, '0') < 0) errors.push(invalidValue(at, quantity, negativeSentence))
}

export function positiveQuantity(errors: Errors, quantity: string, at: Path): void {
  if (compareQuantities(quantity, '0') <= 0) errors.push(invalidValue(at, quantity, notPositiveSentence))
}

// Addresses

/** Reads what Go's older parser reads: leading zeros in IPv4 count for nothing. */
export function looseIp(text: string): Ip | undefined {
  const ip = parseIp(withoutZeros(text))
  return ip !== undefined && isMapped(ip) ? { family: 4, value: ip.value & 0xffff_ffffn } : ip
}

export function looseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const [address, bits] = [withoutZeros(text.slice(0, slash)), text.slice(slash + 1).replace(/^0+(?=\d)/, '')]
  const cidr = parseCidr(`${address}/${bits}`)
  if (cidr === undefined || cidr.family === 4 || !isMapped({ family: 6, value: parseIp(address)?.value ?? 0n }) || cidr.bits < 96) return cidr
  return { family: 4, base: cidr.base & 0xffff_ffffn, bits: cidr.bits - 96 }
}

const withoutZeros = (text: string): string => text.replaceAll(/(^|[.:])0+(?=\d+\.|\d+$)/g, (whole, before: string) => (text.includes('.') ? before : whole))

const isMapped = (ip: Ip): boolean => ip.family === 6 && ip.value >> 32n === 0xffffn

/** An address in a field that once took more forms; those that stood there before (`existing`) are let through. */
export function legacyIp(errors: Errors, text: string, at: Path, existing: readonly string[] = []): void {
  if (!existing.includes(text)) strictIp(errors, text, at)
}

function strictIp(errors: Errors, text: string, at: Path): boolean {
  if (looseIp(text) === undefined) errors.push(invalidValue(at, text, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'))
  else if (parseIp(text) === undefined) errors.push(invalidValue(at, text, 'must not have leading 0s'))
  else if (text.includes(':') && looseIp(text)?.family === 4) errors.push(invalidValue(at, text, 'must not be an IPv4-mapped IPv6 address'))
  else return true
  return false
}

export function canonicalIp(errors: Errors, text: string, at: Path): void {
  const ip = looseIp(text)
  if (!strictIp(errors, text, at) || ip === undefined || formatIp(ip) === text) return
  errors.push(invalidValue(at, text, `must be in canonical form ("${formatIp(ip)}")`))
}

export function legacyCidr(errors: Errors, text: string, at: Path, existing: readonly string[] = []): void {
  if (!existing.includes(text)) strictCidr(errors, text, at)
}

function strictCidr(errors: Errors, text: string, at: Path): boolean {
  const strict = parseCidr(text)
  const address = text.slice(0, Math.max(text.indexOf('/'), 0))
  if (looseCidr(text) === undefined) errors.push(invalidValue(at, text, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'))
  else if (strict === undefined) errors.push(invalidValue(at, text, 'must not have leading 0s in IP or prefix length'))
  else if (text.includes(':') && looseIp(address)?.family === 4) errors.push(invalidValue(at, text, 'must not have an IPv4-mapped IPv6 address'))
  else if (parseIp(address)?.value !== strict.base) errors.push(invalidValue(at, text, 'must not have bits set beyond the prefix length'))
  else return true
  return false
}

export function canonicalCidr(errors: Errors, text: string, at: Path): void {
  const cidr = looseCidr(text)
  if (!strictCidr(errors, text, at) || cidr === undefined || formatCidr(cidr) === text) return
  errors.push(invalidValue(at, text, `must be in canonical form ("${formatCidr(cidr)}")`))
}

/** An address that traffic may be sent to. */
export function endpointIp(errors: Errors, text: string, at: Path): void {
  const ip = looseIp(text)
  if (ip === undefined) {
    errors.push(invalidValue(at, text, 'must be a valid IP address'))
    return
  }
  const within = (...ranges: readonly string[]): boolean => ranges.some((range) => holds(range, ip))
  if (ip.value === 0n) errors.push(invalidValue(at, text, `may not be unspecified (${text})`))
  if (within('127.0.0.0/8', '::1/128')) errors.push(invalidValue(at, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'))
  if (within('169.254.0.0/16', 'fe80::/10')) errors.push(invalidValue(at, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'))
  if (within('224.0.0.0/24', 'ff02::/16')) errors.push(invalidValue(at, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'))
}

function holds(range: string, ip: Ip): boolean {
  const cidr = parseCidr(range)
  return cidr !== undefined && cidr.family === ip.family && ip.value >> BigInt((ip.family === 4 ? 32 : 128) - cidr.bits) === cidr.base >> BigInt((ip.family === 4 ? 32 : 128) - cidr.bits)
}

/** At most one of each family, where several are given. */
export function dualStack(families: readonly (4 | 6 | undefined)[]): boolean {
  return families.includes(4) && families.includes(6)
}

export function ipWarnings(at: Path | string, text: string): string[] {
  const ip = looseIp(text)
  if (ip === undefined) return []
  if (parseIp(text) === undefined || (text.includes(':') && ip.family === 4)) {
    return [`${at.toString()}: non-standard IP address ${JSON.stringify(text)} is invalid: use ${JSON.stringify(formatIp(ip))}`]
  }
  if (ip.family === 4 || formatIp(ip) === text) return []
  return [`${at.toString()}: IPv6 address ${JSON.stringify(text)} should be in RFC 5952 canonical format (${JSON.stringify(formatIp(ip))})`]
}

export function cidrWarnings(at: Path, text: string): string[] {
  const cidr = looseCidr(text)
  const address = looseIp(text.slice(0, Math.max(text.indexOf('/'), 0)))
  if (cidr === undefined || address === undefined) return []
  const warnings: string[] = []
  if (address.value !== cidr.base) {
    const single = `${formatIp(address)}/${cidr.bits}`
    warnings.push(`${at.toString()}: CIDR value ${JSON.stringify(text)} is ambiguous in this context (should be ${JSON.stringify(formatCidr(cidr))} or ${JSON.stringify(single)}?)`)
  }
  if (parseCidr(text) === undefined || (text.includes(':') && cidr.family === 4)) {
    warnings.push(`${at.toString()}: non-standard CIDR value ${JSON.stringify(text)} is invalid: use ${JSON.stringify(formatCidr(cidr))}`)
  }
  if (warnings.length === 0 && cidr.family === 6 && formatCidr(cidr) !== text) {
    warnings.push(`${at.toString()}: IPv6 CIDR value ${JSON.stringify(text)} should be in RFC 5952 canonical format (${JSON.stringify(formatCidr(cidr))})`)
  }
  return warnings
}
