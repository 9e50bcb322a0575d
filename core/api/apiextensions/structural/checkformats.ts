/**
 * Formats of strings, as kube-openapi checks them (pkg/validation/strfmt). Which names there are: ../formats.ts.
 * Some are wider than their names say, and that is upstream's to keep.
 */
import { parseIp } from '../../../lib/ip.ts'
import { isEmailAddress, isRequestUri } from './addresses.ts'
import { parseAnyDuration, parseDate } from './times.ts'

type Format = (text: string) => boolean

const matches = (pattern: RegExp): Format => (text) => pattern.test(text)

/** By name, without hyphens. */
const formats: Readonly<Record<string, Format>> = {
  bsonobjectid: matches(/^[0-9a-fA-F]{24}$/),
  uri: isRequestUri,
  email: isEmailAddress,
  hostname: isHostname,
  ipv4: isIpv4,
  ipv6: (text) => text.includes(':') && parseIp(text) !== undefined,
  cidr: isCidr,
  mac: isMac,
  uuid: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i),
  uuid3: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i),
  uuid4: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i),
  uuid5: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: (text) => text.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  hexcolor: matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  rgbcolor: isRgbColor,
  byte: isBase64,
  password: () => true,
  date: (text) => parseDate(text) !== undefined,
  duration: (text) => parseAnyDuration(text) !== undefined,
  datetime: isDateTime,
  k8sshortname: (text) => text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text),
  k8slongname: (text) => text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text),
}

/** The check of a format; undefined: there is no such format. */
export function formatCheck(name: string): Format | undefined {
  const plain = name.replaceAll('-', '')
  return Object.hasOwn(formats, plain) ? formats[plain] : undefined
}

const label = String.raw`[a-zA-Z0-9\p{S}\p{L}]`
const hostname = new RegExp(
  String.raw`^(?:${label}(?:-?${label.slice(0, -1)}]{0,62})?|(?:${label}(?:[a-zA-Z0-9\-\p{S}\p{L}]{0,61}${label})?\.)+[a-zA-Z\p{L}]{2,63})$`, 'u',
)
const hostnameBytesMax = 255

function isHostname(text: string): boolean {
  if (Buffer.byteLength(text) > hostnameBytesMax || !hostname.test(text)) return false
  return text.split('.').every((part) => Buffer.byteLength(part) <= 63)
}

/** Leading zeros are tolerated, as in Go before 1.17; and so is IPv4 within IPv6. */
function isIpv4(text: string): boolean {
  return text.includes('.') && parseSloppy(text)
}

function parseSloppy(text: string): boolean {
  return parseIp(text.includes(':') ? text : plainOctets(text)) !== undefined
}

function plainOctets(text: string): string {
  return text.split('.').map((octet) => octet.replace(/^0+(?=\d)/, '')).join('.')
}

function isCidr(text: string): boolean {
  const slash = text.indexOf('/')
  if (slash < 0) return false
  const address = text.slice(0, slash)
  const bits = text.slice(slash + 1)
  return parseSloppy(address) && /^\d+$/.test(bits) && Number(bits) <= (address.includes(':') ? 128 : 32)
}

/** 6, 8 or 20 bytes with one sort of separator, or in groups of two bytes with dots. */
function isMac(text: string): boolean {
  const groups = /^[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2})+$/i.test(text) ? text.split(/[:-]/).length : 0
  if (groups > 0) return groups === 6 || groups === 8 || groups === 20
  return /^[0-9a-f]{4}(?:\.[0-9a-f]{4})+$/i.test(text) && [3, 4, 10].includes(text.split('.').length)
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '')
  if (!/^(?:[0-9]{9}X|[0-9]{10})$/.test(digits)) return false
  let sum = 0
  for (let i = 0; i < 10; i++) sum += (digits[i] === 'X' ? 10 : Number(digits[i])) * (i + 1)
  return sum % 11 === 0
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '')
  if (!/^[0-9]{13}$/.test(digits)) return false
  let sum = 0
  for (let i = 0; i < 12; i++) sum += Number(digits[i]) * (i % 2 === 0 ? 1 : 3)
  return Number(digits[12]) === (10 - (sum % 10)) % 10
}

const creditCard = /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/

/** Luhn's sum. */
function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, '')
  if (!creditCard.test(digits)) return false
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i])
    const doubled = i % 2 === 0 ? digit : digit * 2
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

const channel = String.raw`(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])`
const rgbColor = new RegExp(String.raw`^rgb\([\t\n\f\r ]*${channel}[\t\n\f\r ]*,[\t\n\f\r ]*${channel}[\t\n\f\r ]*,[\t\n\f\r ]*${channel}[\t\n\f\r ]*\)$`)

function isRgbColor(text: string): boolean {
  return rgbColor.test(text)
}

/** An empty text is none. */
function isBase64(text: string): boolean {
  return text !== '' && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
}

function isDateTime(text: string): boolean {
  const [date = '', time] = text.toLowerCase().split('t')
  if (time === undefined || parseDate(date) === undefined) return false
  const match = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$/.exec(time)
  return match !== null && Number(match[1]) <= 23 && Number(match[2]) <= 59 && Number(match[3]) <= 59
}
