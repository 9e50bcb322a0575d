/**
 * Expressions against cel-go's own answers (v0.26, set up as Kubernetes v1.36 does): type, issues as printed, value or
 * error, what it cost and what it was estimated to cost. conformance.json has the expressions of cel-spec's test suite
 * that need no protocol buffers, expressions.json our own; setup.json says what variables hold.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Compiled, environment } from '../../../core/api/cel/cel.ts'
import { fromJson } from '../../../core/api/cel/json.ts'
import { formatTimestamp } from '../../../core/api/cel/moment.ts'
import type { Range } from '../../../core/api/cel/library.ts'
import {
  bool, bytes, type CelType, double, duration, dyn, type FieldType, int, list, map, type ObjectType, string, timestamp, uint,
} from '../../../core/api/cel/type.ts'
import { formatType, typeName } from '../../../core/api/cel/typing.ts'
import {
  CelError, CostExceeded, Duration, EvaluationError, ListValue, MapValue, ObjectValue, OptionalValue, Timestamp, TypeValue, Uint, type Value,
} from '../../../core/api/cel/value.ts'

interface Row {
  readonly expr: string
  readonly issues?: string
  readonly plan?: string
  readonly type?: string
  readonly estimate?: readonly [string, string]
  readonly value?: string
  readonly error?: string
  readonly cost?: number
}

interface Schema {
  readonly type?: string
  readonly format?: string
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
}

interface Setup {
  readonly schema: Schema
  readonly object: unknown
  readonly self: unknown
  readonly sizes: Readonly<Record<string, readonly [number, number]>>
}

const read = <T>(file: string): T => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as T
const setup = read<Setup>('setup.json')

function typeOfSchema(schema: Schema, name: string): CelType {
  switch (schema.type) {
    case 'string': return ({ 'date-time': timestamp, duration, byte: bytes } as const)[schema.format ?? ''] ?? string
    case 'integer': return int
    case 'number': return double
    case 'boolean': return bool
    case 'array': return arrayType(schema, name)
    case 'object': return schema.additionalProperties === undefined ? objectType(schema, name) : map(string, typeOfSchema(schema.additionalProperties, name))
    default: return dyn
  }
}

function arrayType(schema: Schema, name: string): CelType {
  const plain = list(typeOfSchema(schema.items ?? {}, `${name}.@idx`))
  const kind = schema['x-kubernetes-list-type']
  return kind === undefined ? plain : { ...plain, merge: kind === 'set' ? 'set' : schema['x-kubernetes-list-map-keys'] ?? [] }
}

function objectType(schema: Schema, name: string): ObjectType {
  const fields = new Map(Object.entries(schema.properties ?? {}).map(([key, property]): [string, FieldType] => {
    const escaped = key === 'namespace' ? '__namespace__' : key.replaceAll('-', '__dash__')
    return [escaped, { type: typeOfSchema(property, `${name}.${key}`), jsonName: key, optional: true }]
  }))
  return { kind: 'object', name, field: (field) => fields.get(field), fieldNames: () => [...fields.keys()] }
}

const objType = objectType(setup.schema, 'Obj')
const variables = {
  self: dyn, i: int, s: string, b: bool, u: uint, d: double, l: list(int), ls: list(string), m: map(string, int), t: timestamp, dur: duration,
  ll: list(list(int)), obj: objType, by: bytes, missing: int,
}
const bindings: Readonly<Record<string, Value>> = {
  self: fromJson(setup.self, dyn), i: 7n, s: 'héllo wörld', b: true, u: new Uint(9n), d: 1.5,
  l: fromJson([3, 1, 2], variables.l), ls: fromJson(['a', 'bb', 'ccc'], variables.ls), m: fromJson({ one: 1 }, variables.m),
  t: new Timestamp(BigInt(Date.parse('2024-02-29T23:59:58Z')) * 1_000_000n + 123_456_789n), dur: new Duration((90n * 60_000n + 1_500n) * 1_000_000n),
  ll: fromJson([[1, 2], [3]], variables.ll), by: new Uint8Array([97, 98, 99, 255]), obj: fromJson(setup.object, objType),
}
const env = environment({ libraries: [], variables, constructible: (name) => (name === 'Obj' ? objType : undefined) })

function sizeOf(path: readonly string[]): Range | undefined {
  const size = setup.sizes[path.join('.')]
  return size === undefined || path.length === 0 ? undefined : { min: size[0], max: size[1] }
}

function show(value: Value): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return `double(${exponential(value)})`
  if (typeof value === 'string') return JSON.stringify(value).replaceAll(/[\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`)
  if (value instanceof Uint) return `${value.value}u`
  if (value instanceof Uint8Array) return `b:${value.toHex()}`
  if (value instanceof Timestamp) return `timestamp(${formatTimestamp(value)})`
  if (value instanceof Duration) return `duration(${value.nanos})`
  if (value instanceof OptionalValue) return value.value === undefined ? 'optional.none' : `optional(${show(value.value)})`
  if (value instanceof TypeValue) return `type(${typeName(value.of)})`
  if (value instanceof ListValue) return `[${Array.from({ length: value.size }, (_, i) => show(value.at(i))).join(', ')}]`
  if (value instanceof MapValue) return braces([...value.keys()].map((key) => `${show(key)}: ${show(value.get(key) ?? null)}`))
  if (value instanceof ObjectValue) return braces([...value.fields()].map((field) => `${show(field)}: ${show(value.get(field) ?? null)}`))
  return '?'
}

function braces(entries: readonly string[]): string {
  return `{${entries.toSorted((a, b) => (a < b ? -1 : 1)).join(', ')}}`
}

function exponential(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  const sign = Object.is(value, -0) ? '-' : ''
  return `${sign}${digits}e${exponent[0] === '-' ? '-' : '+'}${String(Math.abs(Number(exponent))).padStart(2, '0')}`
}

function run(compiled: Compiled): Pick<Row, 'value' | 'error' | 'cost'> {
  try {
    const { value, cost } = compiled.evaluate(bindings, 1_000_000)
    return { value: show(value), cost }
  } catch (error) {
    if (error instanceof EvaluationError) return { error: error.message, cost: error.cost }
    if (error instanceof CostExceeded || error instanceof CelError) return { error: error.message }
    throw error
  }
}

/** Go's own names and numbers past 2^53 are not compared to the digit. */
function answer(row: Row): Row {
  const compilation = env.compile(row.expr)
  if (!compilation.ok) return compilation.stage === 'plan' ? { expr: row.expr, plan: compilation.text } : { expr: row.expr, issues: compilation.text }
  const { min, max } = compilation.compiled.estimate(sizeOf)
  return { expr: row.expr, type: formatType(compilation.compiled.type), estimate: [String(min), String(max)], ...run(compilation.compiled) }
}

function comparable(row: Row): Row {
  const estimate = row.estimate?.map((text) => String(Number(text))) as unknown as Row['estimate']
  const known = row.plan === undefined ? row : { expr: row.expr, plan: row.plan }
  const { cost, ...rest } = known
  const exceeded = row.error === 'operation cancelled: actual cost limit exceeded'
  return { ...rest, ...(estimate === undefined || row.plan !== undefined ? {} : { estimate }), ...(cost === undefined || exceeded ? {} : { cost }) }
}

describe.each(['expressions.json', 'conformance.json'])('%s', (file) => {
  it.each(read<Row[]>(file))('$expr', (row) => {
    expect(comparable(answer(row))).toEqual(comparable(row))
  })
})
