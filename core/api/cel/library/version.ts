/** Semantic versions: reading with the sentences of the library that upstream uses (github.com/blang/semver/v4), and their order. */
import { CelError } from '../value.ts'
import { quote } from './quote.ts'

export interface Version {
  readonly major: bigint
  readonly minor: bigint
  readonly patch: bigint
  /** What stands behind `-`, cut at dots; numbers are numbers. Build metadata counts for nothing. */
  readonly prerelease: readonly (string | bigint)[]
}

const wrong = (sentence: string, text?: string): CelError => new CelError(text === undefined ? sentence : `${sentence} ${quote(text)}`)
const word = /^[-a-zA-Z0-9]*$/
const uint64Max = 2n ** 64n - 1n

/** `1.2.3-alpha.1+build`, all three numbers. Throws CelError in the words of upstream's library. */
export function readVersion(text: string): Version {
  if (text === '') throw wrong('Version string empty')
  const [first, second, rest] = cut(text)
  if (first === undefined || second === undefined || rest === undefined) throw wrong('No Major.Minor.Patch elements found')
  const [major, minor] = [numberOf(first, 'Major'), numberOf(second, 'Minor')]
  const [withoutBuild, build] = before(rest, '+')
  const [patch, prerelease] = before(withoutBuild, '-')
  const version = { major, minor, patch: numberOf(patch, 'Patch'), prerelease: prerelease?.split('.').map(prereleasePart) ?? [] }
  for (const part of build?.split('.') ?? []) {
    if (part === '') throw wrong('Build meta data is empty')
    if (!word.test(part)) throw wrong('Invalid character(s) found in build meta data', part)
  }
  return version
}

/** `v1.0` as 1.0.0: without the v, filled up, without zeros in front. */
export function readLooseVersion(text: string): Version {
  const parts = cut(text.startsWith('v') ? text.slice(1) : text).map(withoutZeros)
  if (parts.length < 3 && /[-+]/.test(parts.at(-1) ?? '')) throw wrong('short version cannot contain PreRelease/Build meta data')
  while (parts.length < 3) parts.push('0')
  return readVersion(parts.join('.'))
}

/** At the first two dots. */
function cut(text: string): string[] {
  const parts = text.split('.')
  return parts.length <= 3 ? parts : [...parts.slice(0, 2), parts.slice(2).join('.')]
}

function before(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function withoutZeros(part: string): string {
  if (part.length <= 1) return part
  const rest = part.replace(/^0+/, '')
  return /^\d/.test(rest) ? rest : `0${rest}`
}

function numberOf(text: string, which: 'Major' | 'Minor' | 'Patch'): bigint {
  if (!/^\d*$/.test(text)) throw wrong(`Invalid character(s) found in ${which.toLowerCase()} number`, text)
  if (/^0./.test(text)) throw wrong(`${which} number must not contain leading zeroes`, text)
  return uint64(text)
}

function uint64(text: string): bigint {
  if (text === '') throw wrong('strconv.ParseUint: parsing "": invalid syntax')
  const value = BigInt(text)
  if (value > uint64Max) throw wrong(`strconv.ParseUint: parsing ${quote(text)}: value out of range`)
  return value
}

function prereleasePart(text: string): string | bigint {
  if (text === '') throw wrong('Prerelease is empty')
  if (!word.test(text)) throw wrong('Invalid character(s) found in prerelease', text)
  if (!/^\d+$/.test(text)) return text
  if (/^0./.test(text)) throw wrong('Numeric PreRelease version must not contain leading zeroes', text)
  return uint64(text)
}

/** -1, 0 or 1 as a comes before, is the same as or comes after b. */
export function compareVersions(a: Version, b: Version): number {
  for (const part of ['major', 'minor', 'patch'] as const) {
    if (a[part] !== b[part]) return a[part] < b[part] ? -1 : 1
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return Math.sign(b.prerelease.length - a.prerelease.length)
  for (let i = 0; i < Math.min(a.prerelease.length, b.prerelease.length); i++) {
    const order = compareParts(a.prerelease[i] as string | bigint, b.prerelease[i] as string | bigint)
    if (order !== 0) return order
  }
  return Math.sign(a.prerelease.length - b.prerelease.length)
}

/** Numbers come before words. */
function compareParts(a: string | bigint, b: string | bigint): number {
  if (a === b) return 0
  if (typeof a !== typeof b) return typeof a === 'bigint' ? -1 : 1
  return a < b ? -1 : 1
}
