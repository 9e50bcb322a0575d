/**
 * What checking a value against a schema finds: errors in kube-openapi's words, and how many checks went well, by which
 * the best of several alternatives is told. As field errors they are what apiextensions makes of them.
 *
 * After kube-openapi/pkg/validation/errors and apiextensions-apiserver/pkg/apiserver/validation/validation.go.
 */
import { FieldError, goQuote, omitted } from '../../field.ts'
import { inOrder } from './json.ts'

export type FindingCode = 'type' | 'required' | 'enum' | 'tooLong' | 'tooMany' | 'other' | 'whole'

export interface Finding {
  readonly code: FindingCode
  /** Where, as kube-openapi spells it. */
  readonly name: string
  readonly value: unknown
  /** Says the same thing of the same place when equal: it is told once. */
  readonly message: string
  /** Of an enum. */
  readonly supported?: readonly unknown[]
  /** Of what is too long or too many. */
  readonly max?: number
}

export class Findings {
  readonly list: Finding[] = []
  readonly #messages = new Set<string>()
  /** Checks that were made: kube-openapi's MatchCount. */
  matches = 0

  get clean(): boolean {
    return this.list.length === 0
  }

  add(finding: Finding): void {
    if (this.#messages.has(finding.message)) return
    this.#messages.add(finding.message)
    this.list.push(finding)
  }

  merge(other: Findings): void {
    for (const finding of other.list) this.add(finding)
    this.matches += other.matches
  }
}

/** Of the value itself: `message` begins with its place. */
export function other(name: string, message: string, value?: unknown): Finding {
  return { code: 'other', name, value, message: `${name} in body ${message}` }
}

/** Of a value as a whole, or of the schema: bears no place. */
export function whole(message: string): Finding {
  return { code: 'whole', name: '', value: undefined, message }
}

/** `given` is the type that the value has, or the text that has not the format. */
export function wrongType(name: string, want: string, given: string): Finding {
  return { code: 'type', name, value: given, message: `${name} in body must be of type ${want}: ${goQuote(given)}` }
}

/** Upstream shows no place for what has none. */
const noPlace = '<nil>'

/** `at`: the place of the value that was checked; undefined: the whole object. */
export function fieldErrors(findings: Findings, at: string | undefined): FieldError[] {
  return findings.list.map((finding) => fieldError(finding, at))
}

function fieldError(finding: Finding, at: string | undefined): FieldError {
  const { code, message, max = -1 } = finding
  const value = inOrder(finding.value ?? (code === 'enum' ? null : ''))
  const place = placeOf(finding.name, at)
  switch (code) {
    case 'required':
      return new FieldError('FieldValueRequired', place, '', '')
    case 'enum':
      return new FieldError('FieldValueNotSupported', place, value, supportedText(finding.supported ?? []))
    case 'tooLong':
      return new FieldError('FieldValueTooLong', place, omitted, `may not be more than ${max} ${max === 1 ? 'byte' : 'bytes'}`)
    case 'tooMany':
      return new FieldError('FieldValueTooMany', place, value, `must have at most ${max} ${max === 1 ? 'item' : 'items'}`)
    case 'type':
      return new FieldError('FieldValueTypeInvalid', place, value, message)
    case 'other':
      return new FieldError('FieldValueInvalid', place, value, message)
    default:
      return new FieldError('FieldValueInvalid', at ?? noPlace, '', message)
  }
}

function placeOf(name: string, at: string | undefined): string {
  const plain = name.startsWith('.') ? name.slice(1) : name
  if (plain === '') return at ?? noPlace
  return at === undefined ? plain : `${at}.${plain}`
}

function supportedText(supported: readonly unknown[]): string {
  if (supported.length === 0) return ''
  return `supported values: ${supported.map((value) => goQuote(typeof value === 'string' ? value : JSON.stringify(inOrder(value)))).join(', ')}`
}
