/** Dates, times and durations as the formats `date`, `date-time` and `duration` read them (kube-openapi/pkg/validation/strfmt). */
import { parseDuration, parseTimestamp } from '../../cel/moment.ts'
import { Timestamp } from '../../cel/value.ts'

export function parseDate(text: string): Timestamp | undefined {
  return /^\d{4}-\d\d-\d\d$/.test(text) ? parseTimestamp(`${text}T00:00:00Z`) : undefined
}

/** With a zone, or without one in UTC; an empty text is the epoch. */
export function parseDateTime(text: string): Timestamp | undefined {
  if (text === '') return new Timestamp(0n)
  return parseTimestamp(text) ?? (/[Zz]|[-+]\d\d:\d\d$/.test(text) ? undefined : parseTimestamp(`${text}Z`))
}

const second = 1_000_000_000n

/** Variants of units; of the last any longer word is one too. */
const units: readonly (readonly [variants: readonly string[], nanos: bigint])[] = [
  [['ns', 'nano'], 1n],
  [['us', 'µs', 'micro'], 1_000n],
  [['ms', 'milli'], 1_000_000n],
  [['s', 'sec'], second],
  [['m', 'min'], 60n * second],
  [['h', 'hr', 'hour'], 3_600n * second],
  [['d', 'day'], 86_400n * second],
  [['w', 'wk', 'week'], 604_800n * second],
]

/** Of a number of 64 bits. */
const digitsMax = 19

/** Nanoseconds: Go's durations, and any text in which numbers of known units stand, such as `3 days`. */
export function parseAnyDuration(text: string): bigint | undefined {
  const exact = parseDuration(text)
  if (exact !== undefined) return exact
  let sum: bigint | undefined
  // Only whole runs of digits: where one does not lead to a unit, none of its ends does.
  for (const [, digits = '', name = ''] of text.matchAll(/(?<!\d)(\d+)[\t\n\f\r ]*([A-Za-zµ]+)/g)) {
    const count = digits.replace(/^0+(?=\d)/, '')
    if (count.length > digitsMax || BigInt(count) >= 1n << 63n) return undefined
    for (const [variants, nanos] of units) {
      if (isUnit(name.toLowerCase(), variants)) sum = (sum ?? 0n) + BigInt(count) * nanos
    }
  }
  return sum === undefined ? undefined : BigInt.asIntN(64, sum)
}

function isUnit(name: string, variants: readonly string[]): boolean {
  return variants.includes(name) || name.startsWith(variants.at(-1) ?? name)
}
