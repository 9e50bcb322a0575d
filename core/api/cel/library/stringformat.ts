/**
 * `'%s has %d'.format([name, count])` (cel-go ext/formatting.go, as of version 2 of the strings library): numbers with a
 * point are written as in en-US, with commas, and powers of ten with raised digits.
 */
import { valueTypeName } from '../kinds.ts'
import { formatSeconds, formatTimestamp } from '../moment.ts'
import { formatDouble } from '../number.ts'
import { typeName } from '../typing.ts'
import { CelError, Duration, ListValue, MapValue, Timestamp, TypeValue, Uint, type Value } from '../value.ts'
import { fixedPoint, scientific } from './decimal.ts'
import { elementsOf } from './elements.ts'
import { quote } from './quote.ts'

const defaultPlaces = 6

/** What one `%...` is written as. */
type Clause = (value: Value) => string

/** Throws CelError for a format that is none, and for a value that its clause does not take. */
export function format(text: string, values: ListValue): string {
  let out = ''
  let used = 0
  for (let i = 0; i < text.length; ) {
    if (text[i] !== '%') {
      out += text[i++]
    } else if (text[i + 1] === '%') {
      out += '%'
      i += 2
    } else {
      if (used >= values.size) throw new CelError(`index ${used} out of range`)
      if (i + 1 >= text.length) throw new CelError('unexpected end of string')
      const { clause, length } = readClause(text.slice(i + 1))
      out += formatted(clause, values.at(used++))
      i += 1 + length
    }
  }
  return out
}

function formatted(clause: Clause, value: Value): string {
  try {
    return clause(value)
  } catch (error) {
    throw error instanceof CelError ? new CelError(`error during formatting: ${error.message}`) : error
  }
}

/** What stands behind `%`; throws for what is no clause. Formats that are literals are read before they are ever used. */
export function readClause(text: string): { readonly clause: Clause; readonly letter: string; readonly length: number } {
  const precision = /^\.(\d*)/.exec(text)
  const before = precision?.[0].length ?? 0
  const places = precision === null ? defaultPlaces : placesOf(precision[1] ?? '', before === text.length)
  const letter = text[before] ?? ''
  const clause = clauses[letter]
  if (clause === undefined) throw unparsed(`unrecognized formatting clause "${firstByte(letter)}"`)
  return { clause: clause(places), letter, length: before + 1 }
}

const unparsed = (why: string): CelError => new CelError(`could not parse formatting clause: ${why}`)

function placesOf(digits: string, atEnd: boolean): number {
  const wrong = (why: string): CelError => unparsed(`error while parsing precision: ${why}`)
  if (atEnd) throw wrong('could not find end of precision specifier')
  const because = digits === '' ? 'invalid syntax' : BigInt(digits) >= 2n ** 63n ? 'value out of range' : undefined
  if (because !== undefined) throw wrong(`error while converting precision to integer: strconv.Atoi: parsing ${quote(digits)}: ${because}`)
  return Number(digits)
}

/** Go reads bytes here, and shows the first as if it were a character. */
function firstByte(letter: string): string {
  return letter < '\x80' ? letter : String.fromCharCode(new TextEncoder().encode(letter)[0] ?? 0)
}

/** What is said, by the clause's letter, of a value that it does not take. */
const refusals: Readonly<Record<string, string>> = {
  s: 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
  d: 'decimal clause can only be used on integers',
  f: 'fixed-point clause can only be used on doubles',
  e: 'scientific clause can only be used on doubles',
  b: 'only integers and bools can be formatted as binary',
  x: 'only integers, byte buffers, and strings can be formatted as hex',
  o: 'octal clause can only be used on integers',
}

export function refusal(letter: string, type: string): string {
  return `${refusals[letter.toLowerCase()]}, was given ${type}`
}

const refused = (letter: string, value: Value): CelError => new CelError(refusal(letter, valueTypeName(value)))

const clauses: Readonly<Record<string, (places: number) => Clause>> = {
  s: () => plain,
  d: () => decimal,
  f: (places) => (value) => fixed(numberOf(value, 'f'), places),
  e: (places) => (value) => powered(numberOf(value, 'e')).padStart(Math.min(places, widthMax)),
  b: () => binary,
  x: () => hex,
  X: () => (value) => hex(value).toUpperCase(),
  o: () => octal,
}

/** What is asked for as places of %e is a width (so upstream has it); wider than this is a mistake. */
const widthMax = 1_000_000

function plain(value: Value): string {
  if (value instanceof ListValue) return writeList(value)
  if (value instanceof MapValue) return writeMap(value)
  if (value === null) return 'null'
  if (isPlain(value)) return writePlain(value)
  throw refused('s', value)
}

function isPlain(value: Value): boolean {
  if (typeof value !== 'object' || value === null) return true
  return value instanceof Uint || value instanceof Uint8Array || value instanceof Timestamp || value instanceof Duration || value instanceof TypeValue
}

/** As string(x) writes it. */
function writePlain(value: Value): string {
  if (typeof value === 'number') return formatDouble(value)
  if (value instanceof Uint) return `${value.value}`
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatSeconds(value)
  if (value instanceof TypeValue) return typeName(value.of)
  if (!(value instanceof Uint8Array)) return String(value)
  try {
    return utf8.decode(value)
  } catch {
    throw new CelError('could not convert argument "invalid UTF-8 in bytes, cannot convert to string" to string')
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function writeList(list: ListValue): string {
  return `[${elementsOf(list).map(writeInner).join(', ')}]`
}

/** In the order of the keys as they are written. */
function writeMap(map: MapValue): string {
  const entries: { readonly key: string; readonly text: string }[] = []
  for (const key of map.keys()) {
    const written = writeKey(key)
    entries.push({ key: written, text: `${written}:${writeInner(map.get(key) ?? null)}` })
  }
  return `{${entries.sort((a, b) => byCodePoint(a.key, b.key)).map((entry) => entry.text).join(', ')}}`
}

function byCodePoint(a: string, b: string): number {
  const [x, y] = [Array.from(a), Array.from(b)]
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const order = (x[i]?.codePointAt(0) ?? 0) - (y[i]?.codePointAt(0) ?? 0)
    if (order !== 0) return order
  }
  return x.length - y.length
}

function writeKey(key: Value): string {
  if (typeof key === 'string') return quote(key)
  if (typeof key === 'boolean' || typeof key === 'bigint' || key instanceof Uint) return writePlain(key)
  throw new CelError(`no formatting function for map key of type ${valueTypeName(key)}`)
}

/** Inside lists and maps values are written as CEL would read them. */
function writeInner(value: Value): string {
  if (typeof value === 'string') return quote(value)
  if (value instanceof Uint8Array) return `b${quote(writePlain(value))}`
  if (value instanceof Timestamp) return `timestamp(${quote(writePlain(value))})`
  if (value instanceof Duration) return `duration(${quote(writePlain(value))})`
  if (typeof value === 'number') return Number.isFinite(value) ? fixedPoint(value, defaultPlaces) : quote(writePlain(value))
  if (value instanceof ListValue) return writeList(value)
  if (value instanceof MapValue) return writeMap(value)
  if (value === null) return 'null'
  if (isPlain(value)) return writePlain(value)
  throw new CelError(`no formatting function for ${valueTypeName(value)}`)
}

function decimal(value: Value): string {
  if (typeof value === 'bigint' || value instanceof Uint) return `${integerOf(value)}`
  throw refused('d', value)
}

const integerOf = (value: bigint | Uint): bigint => (typeof value === 'bigint' ? value : value.value)

/** NaN and the infinities may also be given by name. */
function numberOf(value: Value, letter: string): number {
  if (typeof value === 'number') return value
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value)
  throw refused(letter, value)
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? undefined : value < 0 ? '-∞' : '∞'
}

/** Upstream keeps the places in a byte: beyond, only digits that are not zero are added. */
const placesMax = 255

function fixed(value: number, places: number): string {
  const name = special(value)
  if (name !== undefined) return name
  // A double has no more than 1074 places.
  const all = fixedPoint(value === 0 ? 0 : value, Math.min(places, 1_074))
  const [whole = '', fraction = ''] = all.split('.')
  const kept = places <= placesMax ? fraction : fraction.replace(/0+$/, '').padEnd(places % (placesMax + 1), '0')
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ',')}${kept === '' ? '' : `.${kept}`}`
}

const raised: Readonly<Record<string, string>> = { '-': '⁻', 0: '⁰', 1: '¹', 2: '²', 3: '³', 4: '⁴', 5: '⁵', 6: '⁶', 7: '⁷', 8: '⁸', 9: '⁹' }

function powered(value: number): string {
  const name = special(value)
  if (name !== undefined) return name
  const { negative, digits, exponent } = scientific(value, defaultPlaces)
  const power = `${exponent < 0 ? '-' : ''}${`${Math.abs(exponent)}`.padStart(2, '0')}`
  return `${negative && value !== 0 ? '-' : ''}${digits[0]}.${digits.slice(1)}×10${Array.from(power, (c) => raised[c]).join('')}`
}

function binary(value: Value): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (typeof value === 'bigint' || value instanceof Uint) return integerOf(value).toString(2)
  throw refused('b', value)
}

function octal(value: Value): string {
  if (typeof value === 'bigint' || value instanceof Uint) return integerOf(value).toString(8)
  throw refused('o', value)
}

function hex(value: Value): string {
  if (typeof value === 'bigint' || value instanceof Uint) return integerOf(value).toString(16)
  if (typeof value === 'string') return hexBytes(new TextEncoder().encode(value))
  if (value instanceof Uint8Array) return hexBytes(value)
  throw refused('x', value)
}

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
