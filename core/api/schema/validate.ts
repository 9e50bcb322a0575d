/**
 * Decodes a JSON value as Go's decoder and encoder would between them: wrong types are refused in Go's words, unknown
 * fields are dropped (and named), null is absence, empty values that Go leaves out go, zero values that Go always
 * writes come; quantities and times get their one form. Only nulls that Go would write are left out.
 *
 * Whether values make sense is the kinds' business. After sigs.k8s.io/json and apimachinery's serializer/json.
 */
import { badRequest } from '../errors.ts'
import type { ApiError } from '../errors.ts'
import { duplicateFields } from '../codec/json.ts'
import { canonicalMicroTime, canonicalQuantity, canonicalTime, quote } from './canonical.ts'
import type { Canonical } from './canonical.ts'
import { definition as definitionNamed, goStructName, goTypeName } from './schema.ts'
import type { Definition, Field, Type } from './schema.ts'

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

export type Decoded<T> =
  | { readonly ok: true; readonly object: T; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly error: ApiError }

export interface DecodeOptions {
  readonly fieldValidation: FieldValidation
  /** The JSON text that `value` was parsed from, to find duplicate fields; undefined when it was no JSON. */
  readonly text?: string | undefined
  /** Fields that `value` has and the text has not, filled in by the caller. */
  readonly added?: number
  /** What the parser of the text found already. */
  readonly problems?: readonly string[]
}

/** Strict errors past this many are not collected; upstream's limit. */
const strictErrorsMax = 100

/** Decodes a request's body. `value` is the callee's from here on: it is changed in place and usually is the answer. */
export function decodeObject<T>(of: Definition, value: unknown, options: DecodeOptions): Decoded<T> {
  const strict = options.fieldValidation !== 'Ignore'
  const duplicates = strict && options.text !== undefined ? duplicateFields(options.text, value, options.added) : []
  const state = new State(strict)
  const object = decodeRoot(state, of, value)
  if (state.error !== undefined) return { ok: false, error: refused(of, state.error) }
  const problems = [...(strict ? (options.problems ?? []) : []), ...inTextOrder(options.text ?? '', duplicates, state.strictErrors)]
  if (problems.length > 0 && options.fieldValidation === 'Strict') {
    return { ok: false, error: refused(of, `strict decoding error: ${problems.join(', ')}`) }
  }
  return { ok: true, object: object as T, warnings: problems }
}

/** Go's decoder meets both in one pass over the text: a repeated field counts where it comes again, an unknown one where it stands. */
function inTextOrder(text: string, duplicates: readonly string[], unknown: readonly string[]): readonly string[] {
  const again = duplicates.map((path) => ({ at: text.lastIndexOf(quote(path.split('.').at(-1) ?? '')), problem: `duplicate field ${quote(path)}` }))
  if (again.length === 0) return unknown
  const first = unknown.map((problem) => ({ at: text.indexOf(quote(/([^."]+)"$/.exec(problem)?.[1] ?? '')), problem }))
  return [...again, ...first].toSorted((a, b) => a.at - b.at).map(({ problem }) => problem)
}

/** Decodes what is not a whole request (a patched object, an item of a list): Go's error text, or the object. */
export function decodeValue(of: Definition, value: unknown): { readonly object: unknown; readonly error: string | undefined; readonly unknown: readonly string[] } {
  const state = new State(true)
  const object = decodeRoot(state, of, value)
  return { object, error: state.error, unknown: state.strictErrors }
}

/** The error for a body that does not decode: `Deployment in version "v1" cannot be handled as a Deployment: ...`. */
export function refused(of: Definition, message: string): ApiError {
  const kind = goStructName(of)
  const version = of.kinds.length === 1 ? of.kinds[0]?.version : undefined
  return badRequest(`${kind} in version ${quote(version ?? 'v1')} cannot be handled as a ${kind}: ${message}`)
}

/** The error for a body that is no object of any kind. */
export function unrecognized(kind: string, message: string, body: Uint8Array): ApiError {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${message} (${summary(body)})`)
}

const summaryBytesMax = 30

function summary(body: Uint8Array): string {
  if (body.length === 0) return '<empty>'
  const head = body.subarray(0, summaryBytesMax)
  const text = head[0] === 0x7b ? new TextDecoder().decode(head) : [...head].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return body.length > summaryBytesMax ? `${text} ...` : text
}

type Run = (state: State, value: unknown) => unknown

interface FieldPlan {
  readonly field: Field
  readonly run: Run
  /** Whether an empty value of this type is left out. */
  readonly empty: ((value: unknown) => boolean) | undefined
}

interface Plan {
  readonly of: Definition
  readonly fields: ReadonlyMap<string, FieldPlan>
  readonly always: readonly { readonly name: string; readonly zero: () => unknown }[]
}

/** Where the decoder is, and what it has found wrong. */
class State {
  readonly strict: boolean
  readonly strictErrors: string[] = []
  /** The first wrong type: Go goes on after it, and reports it when nothing worse comes. */
  private saved: string | undefined
  /** The first error of a type that reads itself (quantities, times): Go stops there. */
  private fatal: string | undefined
  /** Fields, map keys and indexes from the root to here. */
  readonly path: (Field | string | number)[] = []
  /** The struct whose field is being decoded. */
  struct: Definition | undefined

  constructor(strict: boolean) {
    this.strict = strict
  }

  get error(): string | undefined {
    return this.fatal ?? this.saved
  }

  save(message: string): undefined {
    this.saved ??= message
  }

  fail(message: string): undefined {
    this.fatal ??= message
  }

  /** Of a value that reads itself, `fatal`: Go stops there. */
  mismatch(value: unknown, goType: string, what = describe(value), fatal = false): undefined {
    const report = (message: string): undefined => (fatal ? this.fail(message) : this.save(message))
    const fields = this.path.filter((step) => typeof step === 'object')
    if (this.struct === undefined || fields.length === 0) return report(`json: cannot unmarshal ${what} into Go value of type ${goType}`)
    const path = fields.flatMap((field) => [...field.embedded, field.name]).join('.')
    const type = fatal ? goType : this.namedType() ?? goType
    return report(`json: cannot unmarshal ${what} into Go struct field ${goStructName(this.struct)}.${path} of type ${type}`)
  }

  /** The name of the type here, from that of the field: its own, or what is left of `[]v1.Taint` in an item of it. */
  private namedType(): string | undefined {
    const last = this.path.findLastIndex((step) => typeof step === 'object')
    const field = this.path[last]
    let name = typeof field === 'object' ? field.goType : undefined
    for (let depth = this.path.length - 1 - last; depth > 0 && name !== undefined; depth--) {
      name = /^(?:\[\]|map\[[^\]]*\])(.*)$/.exec(name)?.[1]
    }
    return name
  }

  unknown(key: string): void {
    if (!this.strict || this.strictErrors.length >= strictErrorsMax) return
    let path = ''
    for (const step of this.path) {
      if (typeof step === 'number') path += `[${step}]`
      else path += `${path === '' ? '' : '.'}${typeof step === 'string' ? step : step.name}`
    }
    const text = `unknown field ${quote(path === '' ? key : `${path}.${key}`)}`
    if (!this.strictErrors.includes(text)) this.strictErrors.push(text)
  }
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return typeof value
}

const plans = new Map<Definition, Plan>()
const runs = new Map<Type, Run>()

function decodeRoot(state: State, of: Definition, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return state.mismatch(value, goStructName(of))
  return decodeStruct(state, planOf(of), value as Record<string, unknown>)
}

function planOf(of: Definition): Plan {
  const known = plans.get(of)
  if (known !== undefined) return known
  const fields = new Map<string, FieldPlan>()
  const always: { name: string; zero: () => unknown }[] = []
  const plan = { of, fields, always }
  plans.set(of, plan)
  for (const field of of.fields.values()) {
    // An empty managedFields has a meaning of its own: it asks for a fresh start (patch/managedfields.ts, which takes it out).
    const omits = field.omitEmpty && !field.pointer && field.name !== 'managedFields'
    fields.set(field.name, { field, run: runOf(field.type), empty: omits ? emptyRule(field.type) : undefined })
    const zero = zeroRule(field)
    if (zero !== undefined) always.push({ name: field.name, zero })
  }
  return plan
}

function decodeStruct(state: State, plan: Plan, value: Record<string, unknown>): unknown {
  const outer = state.struct
  let dropped: string[] | undefined
  for (const key in value) {
    const entry = plan.fields.get(key)
    if (entry === undefined) {
      state.unknown(key)
      ;(dropped ??= []).push(key)
      continue
    }
    const before = value[key]
    let after: unknown
    if (before !== null) {
      state.struct = plan.of
      state.path.push(entry.field)
      after = entry.run(state, before)
      state.path.pop()
    }
    if (after === undefined || (entry.empty !== undefined && entry.empty(after))) (dropped ??= []).push(key)
    else if (after !== before) value[key] = after
  }
  state.struct = outer
  const result = dropped === undefined ? value : without(value, dropped)
  for (const { name, zero } of plan.always) if (result[name] === undefined) result[name] = zero()
  return result
}

/** A copy: deleting from the object would make it slow for everybody after us. `dropped` is in the object's own order, and may be long. */
function without(value: Record<string, unknown>, dropped: readonly string[]): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  let at = 0
  for (const key in value) {
    if (key === dropped[at]) at++
    else copy[key] = value[key]
  }
  return copy
}

function runOf(type: Type): Run {
  const known = runs.get(type)
  if (known !== undefined) return known
  const made = makeRun(type)
  runs.set(type, made)
  return made
}

function makeRun(type: Type): Run {
  switch (type.shape) {
    case 'string':
      return (state, value) => (typeof value === 'string' ? value : state.mismatch(value, 'string'))
    case 'bool':
      return (state, value) => (typeof value === 'boolean' ? value : state.mismatch(value, 'bool'))
    case 'int32':
      return (state, value) => integer(state, value, 'int32', 2 ** 31)
    case 'int64':
      return (state, value) => integer(state, value, 'int64', 2 ** 63)
    case 'double':
      return (state, value) => (typeof value === 'number' ? value : state.mismatch(value, 'float64'))
    case 'list':
      return listRun(type.of ?? stringType)
    case 'map':
      return mapRun(type.of ?? stringType)
    case 'object':
      return objectRun(type)
    case 'bytes':
      return bytes
    default:
      return specialRun(type)
  }
}

const stringType: Type = { shape: 'string', wrapped: false }

function integer(state: State, value: unknown, goType: string, bound: number): unknown {
  if (typeof value !== 'number') return state.mismatch(value, goType)
  if (Number.isInteger(value) && value >= -bound && value < bound) return value
  return state.mismatch(value, goType, `number ${value}`)
}

function listRun(of: Type): Run {
  let item: Run | undefined
  const goType = (): string => `[]${goTypeName(of)}`
  return (state, value) => {
    if (!Array.isArray(value)) return state.mismatch(value, goType())
    item ??= runOf(of)
    const list = value as unknown[]
    for (let i = 0; i < list.length; i++) {
      const before = list[i]
      state.path.push(i)
      const after = before === null ? zeroOf(of) : item(state, before)
      state.path.pop()
      if (after !== before) list[i] = after
    }
    return list
  }
}

function mapRun(of: Type): Run {
  let item: Run | undefined
  return (state, value) => {
    if (typeof value !== 'object' || Array.isArray(value)) return state.mismatch(value, `map[string]${goTypeName(of)}`)
    item ??= runOf(of)
    const map = value as Record<string, unknown>
    for (const key in map) {
      const before = map[key]
      state.path.push(key)
      const after = before === null ? zeroOf(of) : item(state, before)
      state.path.pop()
      if (after === undefined) delete map[key]
      else if (after !== before) map[key] = after
    }
    return map
  }
}

function objectRun(type: Type): Run {
  let plan: Plan | undefined
  return (state, value) => {
    if (typeof value !== 'object' || Array.isArray(value)) return state.mismatch(value, goTypeName(type))
    plan ??= planOf(type.definition as Definition)
    return decodeStruct(state, plan, value as Record<string, unknown>)
  }
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/

function bytes(state: State, value: unknown): unknown {
  if (typeof value !== 'string') return state.mismatch(value, '[]uint8')
  const text = /[\r\n]/.test(value) ? value.replace(/[\r\n]/g, '') : value
  if (text.length % 4 === 0 && base64.test(text)) return text
  return state.save(`illegal base64 data at input byte ${illegalByte(text)}`)
}

function illegalByte(text: string): number {
  const bad = text.search(/[^A-Za-z0-9+/]/)
  return bad < 0 ? text.length - (text.length % 4) : bad
}

function specialRun(type: Type): Run {
  switch (type.shape) {
    case 'quantity':
      return (state, value) => taken(state, canonicalQuantity(typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : 'x'))
    case 'time':
      return (state, value) => time(state, value, canonicalTime)
    case 'microTime':
      return (state, value) => time(state, value, canonicalMicroTime)
    case 'intOrString':
      return intOrString
    case 'schemaOrBool':
      return (state, value) => {
        if (typeof value === 'boolean') return value
        return isObject(value) ? schema(state, value) : state.fail('boolean or JSON schema expected')
      }
    case 'schemaOrArray':
      return (state, value) => (Array.isArray(value) ? value.map((item: unknown) => (isObject(item) ? schema(state, item) : item)) : isObject(value) ? schema(state, value) : undefined)
    case 'schemaOrStrings':
      return (state, value) => (Array.isArray(value) ? value : isObject(value) ? schema(state, value) : undefined)
    default:
      return (_state, value) => value
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Schemas inside the either-or types are decoded on their own: unknown fields in them are not named. */
function schema(state: State, value: Record<string, unknown>): unknown {
  const inner = new State(false)
  inner.path.push(...state.path)
  const object = decodeRoot(inner, definitionNamed('JSONSchemaProps'), value)
  return inner.error === undefined ? object : state.fail(inner.error)
}

function taken(state: State, canonical: Canonical): unknown {
  return canonical.ok ? canonical.text : state.fail(canonical.error)
}

function time(state: State, value: unknown, canonical: (text: string) => Canonical): unknown {
  if (typeof value !== 'string') return state.mismatch(value, 'string', describe(value), true)
  return taken(state, canonical(value))
}

function intOrString(state: State, value: unknown): unknown {
  if (typeof value === 'string') return value
  if (typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31) return value
  const what = typeof value === 'number' ? `number ${value}` : describe(value)
  return state.mismatch(value, 'int32', what, true)
}

/** Which values of the type Go's omitempty leaves out; undefined: none. */
function emptyRule(type: Type): ((value: unknown) => boolean) | undefined {
  switch (type.shape) {
    case 'string':
    case 'bytes':
      return (value) => value === ''
    case 'bool':
      return (value) => value === false
    case 'int32':
    case 'int64':
    case 'double':
      return (value) => value === 0
    case 'list':
      return (value) => (value as readonly unknown[]).length === 0
    case 'map':
      return isEmptyMap
    default:
      return undefined
  }
}

function isEmptyMap(value: unknown): boolean {
  for (const _key in value as object) return false
  return true
}

/** The zero value that Go writes for an absent field; undefined: none, or null. */
function zeroRule(field: Field): (() => unknown) | undefined {
  if (field.pointer || field.omitZero) return undefined
  const { shape } = field.type
  if (shape === 'object' || shape === 'quantity' || shape === 'intOrString') return () => zeroOf(field.type)
  if (field.omitEmpty || shape === 'list' || shape === 'map') return undefined
  return zeroOf(field.type) === undefined ? undefined : () => zeroOf(field.type)
}

function zeroOf(type: Type): unknown {
  switch (type.shape) {
    case 'string':
      return ''
    case 'bool':
      return false
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0
    case 'quantity':
      return '0'
    case 'object':
      return zeroObject(planOf(type.definition as Definition))
    default:
      return undefined
  }
}

function zeroObject(plan: Plan): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const { name, zero } of plan.always) object[name] = zero()
  return object
}
