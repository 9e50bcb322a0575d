/**
 * What a value may be by its schema: types, formats, limits, patterns, alternatives. A schema is compiled into checks
 * once; a check goes through a value and writes down what it finds (findings.ts). What alternatives do is junctors.ts,
 * what numbers do numbers.ts, what updates forgive ratchet.ts.
 *
 * After kube-openapi/pkg/validation/validate, whose order of checks, counts and oddities are kept: they show in messages.
 */
import { equalJson } from '../../../lib/json.ts'
import type { JSONSchemaProps } from '../../schema/types.ts'
import { isKnownFormat } from '../formats.ts'
import { formatCheck } from './checkformats.ts'
import type { Correlation } from './correlation.ts'
import { Findings, other, wrongType } from './findings.ts'
import { isInt64, isList, isMap, type JsonMap } from './json.ts'
import { checkJunctors, type Junctors, junctorsOf } from './junctors.ts'
import { checkNumber, isWhole, type NumberLimits, numberLimitsOf } from './numbers.ts'
import { patternOf } from './patterns.ts'

type Schema = Readonly<JSONSchemaProps>

/** Where a value is; spelled when somebody asks. */
export class Place {
  readonly #parent: Place | undefined
  readonly #step: string

  constructor(step: string, parent?: Place) {
    this.#parent = parent
    this.#step = step
  }
  get text(): string {
    return (this.#parent?.text ?? '') + this.#step
  }
  property(name: string): Place {
    return this.#parent === undefined && this.#step === '' ? new Place(name) : new Place(`.${name}`, this)
  }
  /** As upstream spells keys that are no properties, and what is missing: with a dot even at the root. */
  key(name: string): Place {
    return new Place(`.${name}`, this)
  }
  index(i: number): Place {
    return new Place(`[${i}]`, this)
  }
}

export const rootPlace = new Place('')

export class Check {
  readonly #types: readonly string[]
  readonly #format: string
  readonly #checksFormat: ((text: string) => boolean) | undefined
  readonly #schema: Schema
  readonly #junctors: Junctors | undefined
  readonly #numbers: NumberLimits
  readonly #properties: readonly (readonly [string, Check])[]
  readonly #names: ReadonlySet<string>
  readonly #additional: Check | undefined
  readonly #items: Check | undefined

  constructor(schema: Schema) {
    this.#schema = schema
    this.#types = schema['x-kubernetes-int-or-string'] === true ? ['integer', 'string'] : (schema.type ?? '') === '' ? [] : [schema.type as string]
    this.#format = isKnownFormat(this.#types.length === 1 ? schema : { ...schema, type: '' }) ? (schema.format ?? '') : ''
    this.#checksFormat = formatCheck(this.#format)
    this.#junctors = junctorsOf(schema)
    this.#numbers = numberLimitsOf(schema, this.#types, this.#format)
    this.#properties = Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, new Check(inner)])
    this.#names = new Set(Object.keys(schema.properties ?? {}))
    this.#additional = isMap(schema.additionalProperties) ? new Check(schema.additionalProperties as JSONSchemaProps) : undefined
    this.#items = isMap(schema.items) ? new Check(schema.items as JSONSchemaProps) : undefined
  }

  /** `old`: what stood here before, when errors of what has not changed are to be forgiven. */
  run(value: unknown, at: Place, out: Findings, old?: Correlation): void {
    if (value === null) return this.#null(at, out)
    if (this.#types.length > 0 || this.#format !== '') this.#type(value, at, out)
    if (this.#junctors === undefined) out.matches++
    else checkJunctors(this.#junctors, value, at, out)
    out.matches++
    if (typeof value === 'string') this.#string(value, at, out)
    else if (typeof value === 'number') checkNumber(this.#numbers, value, at, out)
    else if (isList(value)) this.#list(value, at, out, old)
    this.#enum(value, at, out)
    out.matches++
    if (isMap(value)) this.#map(value, at, out, old)
    out.matches++
  }

  #null(at: Place, out: Findings): void {
    if (this.#types.length > 0 && this.#schema.nullable !== true) out.add(wrongType(at.text, this.#types.join(','), 'null'))
    else out.matches++
    this.#enum(null, at, out)
  }

  #type(value: unknown, at: Place, out: Findings): void {
    out.matches++
    const { type, format } = kindOf(value)
    const alike = this.#types.includes(type) || (type === 'number' && this.#types.includes('integer') && isWhole(value as number)) || (type === 'integer' && this.#types.includes('number'))
    const textual = typeof value === 'string' || isList(value)
    if (this.#format !== '' && !textual && !alike && format !== this.#format) return out.add(wrongType(at.text, this.#format, format))
    const numeric = this.#types.includes('number') || this.#types.includes('integer')
    // a format speaks for the type of strings (and, as upstream has it, of lists)
    if ((!numeric && this.#format !== '' && textual) || alike) out.matches++
    else out.add(wrongType(at.text, this.#types.join(','), type))
  }

  #string(value: string, at: Place, out: Findings): void {
    const { maxLength, minLength, pattern = '' } = this.#schema
    out.matches++
    const length = maxLength === undefined && minLength === undefined ? 0 : runes(value)
    if (maxLength !== undefined && length > maxLength) {
      out.add({ code: 'tooLong', name: at.text, value, max: maxLength, message: `${at.text} in body should be at most ${maxLength} chars long` })
    } else if (minLength !== undefined && length < minLength) {
      out.add(other(at.text, `should be at least ${minLength} chars long`, value))
    } else if (pattern !== '') {
      const test = patternOf(pattern)
      if (typeof test === 'string') out.add(other(at.text, `should match '${pattern}, but pattern is invalid: ${test}'`, value))
      else if (!test(value)) out.add(other(at.text, `should match '${pattern}'`, value))
    }
    if (this.#checksFormat === undefined) return
    out.matches++
    if (!this.#checksFormat(value)) out.add(wrongType(at.text, this.#format, value))
  }

  #list(list: readonly unknown[], at: Place, out: Findings, old: Correlation | undefined): void {
    const { minItems, maxItems, uniqueItems } = this.#schema
    const items = this.#items
    if (items !== undefined) list.forEach((item, i) => items.#inner(item, at.index(i), out, old?.index(i)))
    if (minItems !== undefined && list.length < minItems) out.add(other(at.text, `should have at least ${minItems} items`, list.length))
    if (maxItems !== undefined && list.length > maxItems) {
      out.add({ code: 'tooMany', name: at.text, value: list.length, max: maxItems, message: `${at.text} in body should have at most ${maxItems} items` })
    }
    if (uniqueItems === true && list.some((item, i) => list.findIndex((each) => equalJson(each, item)) < i)) out.add(other(at.text, "shouldn't contain duplicates"))
    out.matches += 2
  }

  #map(map: Readonly<JsonMap>, at: Place, out: Findings, old: Correlation | undefined): void {
    const { minProperties, maxProperties, required } = this.#schema
    if (minProperties !== undefined || maxProperties !== undefined) {
      const size = Object.keys(map).length
      if (minProperties !== undefined && size < minProperties) out.add(other(at.text, `should have at least ${minProperties} properties`, size))
      if (maxProperties !== undefined && size > maxProperties) {
        out.add({ code: 'tooMany', name: at.text, value: size, max: maxProperties, message: `${at.text} in body should have at most ${maxProperties} properties` })
      }
    }
    this.#keys(map, at, out, old)
    for (const [name, check] of this.#properties) {
      const value = map[name]
      // what is in kind and apiVersion of the whole object is never forgiven: both are made the same by conversion
      const meta = at === rootPlace && (name === 'kind' || name === 'apiVersion')
      if (value !== undefined) check.#inner(value, at.property(name), out, meta ? undefined : old?.key(name))
    }
    if (required === undefined) return
    for (const name of required) {
      if (map[name] === undefined) out.add({ code: 'required', name: at.key(name).text, value: undefined, message: `${at.key(name).text} in body is required` })
    }
  }

  #keys(map: Readonly<JsonMap>, at: Place, out: Findings, old: Correlation | undefined): void {
    const closed = this.#schema.additionalProperties === false
    const additional = this.#additional
    if (!closed && additional === undefined) return
    for (const key in map) {
      if (this.#names.has(key) || map[key] === undefined) continue
      if (additional !== undefined) additional.#inner(map[key], at.key(key), out, old?.key(key))
      else out.add({ code: 'other', name: at.text, value: key, message: `${at.text}.${key} in body is a forbidden property` })
    }
  }

  /** A part of the value: what is wrong with it, unless it was as wrong before. */
  #inner(value: unknown, at: Place, out: Findings, old: Correlation | undefined): void {
    if (old === undefined) return this.run(value, at, out)
    const found = new Findings()
    this.run(value, at, found, old)
    if (found.clean || !old.unchanged) out.merge(found)
    else out.matches += found.matches
  }

  #enum(value: unknown, at: Place, out: Findings): void {
    const supported = this.#schema.enum
    if (supported === undefined || supported.length === 0) return
    if (value !== null && supported.some((each) => isSame(value, each))) return
    out.add({ code: 'enum', name: at.text, value, supported, message: `${at.text} in body should be one of` })
  }
}

/** Numbers are compared as what the enum says: 1.5 is 1 where 1 is asked. */
function isSame(value: unknown, each: unknown): boolean {
  if (typeof value === 'number' && typeof each === 'number') return isInt64(each) ? Math.trunc(value) === each : value === each
  return each !== null && equalJson(value, each)
}

function kindOf(value: unknown): { readonly type: string; readonly format: string } {
  switch (typeof value) {
    case 'boolean':
      return { type: 'boolean', format: '' }
    case 'string':
      return { type: 'string', format: '' }
    case 'number':
      return isInt64(value) ? { type: 'integer', format: 'int64' } : { type: 'number', format: 'float64' }
    default:
      return { type: isList(value) ? 'array' : 'object', format: '' }
  }
}

function runes(text: string): number {
  let count = text.length
  for (let i = 0; i < text.length - 1; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0xd800 && code < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) count--
  }
  return count
}
