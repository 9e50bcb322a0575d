/**
 * Formats that expressions may ask for by name, each with a rule that answers with sentences, none when all is well
 * (k8s.io/apiserver/pkg/cel/library/format.go; kube-openapi/pkg/validation/strfmt for those that schemas know).
 */
import { dns1035Label, dns1123Label, dns1123Subdomain, labelValue, nameRule, qualifiedName } from '../../names.ts'
import { opaque } from '../type.ts'
import { CelError, OpaqueValue } from '../value.ts'
import { readRequestUri } from './uri.ts'

/** Comparing two compares their names, which are no longer than 64 characters. */
export const formatType = opaque('kubernetes.NamedFormat', () => ({ min: 1, max: 7 }))

type Rule = (text: string) => readonly string[]

export class Format extends OpaqueValue {
  readonly type = formatType
  readonly name: string
  readonly rule: Rule
  /** Length of the regular expression that the rule is, or would be. */
  readonly patternLength: number

  constructor(name: string, patternLength: number, rule: Rule) {
    super()
    this.name = name
    this.rule = rule
    this.patternLength = patternLength
  }

  override equals(other: OpaqueValue): boolean {
    if (!(other instanceof Format)) throw new CelError('no such overload')
    return this.name === other.name
  }
}

const generated = (rule: Rule): Rule => {
  const both = nameRule(rule)
  return (text) => both(text, true)
}

const matching = (test: (text: string) => boolean, sentence: string): Rule => (text) => (test(text) ? [] : [sentence])

const uuidPattern = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/
const timePattern = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$/
/** Of the patterns above as upstream writes them. */
const patternLengths = { uuid: 70, time: 71, base64: 84, uri: 1_103 }

export const formats: ReadonlyMap<string, Format> = new Map([
  ['dns1123Label', new Format('DNS1123Label', 30, dns1123Label)],
  ['dns1123Subdomain', new Format('DNS1123Subdomain', 60, dns1123Subdomain)],
  ['dns1035Label', new Format('DNS1035Label', 30, dns1035Label)],
  ['qualifiedName', new Format('QualifiedName', 60, qualifiedName)],
  ['dns1123LabelPrefix', new Format('DNS1123LabelPrefix', 30, generated(dns1123Label))],
  ['dns1123SubdomainPrefix', new Format('DNS1123SubdomainPrefix', 60, generated(dns1123Subdomain))],
  ['dns1035LabelPrefix', new Format('DNS1035LabelPrefix', 30, generated(dns1035Label))],
  ['labelValue', new Format('LabelValue', 40, labelValue)],
  ['uri', new Format('URI', patternLengths.uri, uri)],
  ['uuid', new Format('uuid', patternLengths.uuid, matching((text) => uuidPattern.test(text), 'does not match the UUID format'))],
  ['byte', new Format('byte', patternLengths.base64, matching((text) => base64Pattern.test(text), 'invalid base64'))],
  ['date', new Format('date', patternLengths.time, matching(isDate, 'invalid date'))],
  ['datetime', new Format('datetime', patternLengths.time, matching(isDateTime, 'invalid datetime'))],
])

function uri(text: string): readonly string[] {
  const read = readRequestUri(text)
  return read.ok ? [] : [read.error]
}

const daysOfMonths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (match === null) return false
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number]
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day >= 1 && day <= (daysOfMonths[month - 1] ?? 0) + (leap ? 1 : 0)
}

/** The date is checked; hours, minutes and seconds are compared as text. */
function isDateTime(text: string): boolean {
  const parts = text.toLowerCase().split('t')
  const match = isDate(parts[0] ?? '') ? timePattern.exec(parts[1] ?? '') : null
  if (match === null) return false
  const [, hours = '', minutes = '', seconds = ''] = match
  return hours <= '23' && minutes <= '59' && seconds <= '59'
}
