/**
 * The API's definitions as values: fields, types, keys, numbers, defaults. Everything that looks into objects without
 * knowing their kind (decoding, defaults, protobuf, patches, server-side apply, OpenAPI) reads them here.
 *
 * The generated table is split into lines at start; a line is parsed when its definition is first asked for. What a
 * lookup gives is shared and never changes.
 */
import { table } from './table.ts'

export type Shape =
  | 'string' | 'bool' | 'int32' | 'int64' | 'double' | 'bytes' | 'quantity' | 'time' | 'microTime' | 'duration'
  | 'intOrString' | 'rawExtension' | 'fieldsV1' | 'json' | 'schemaOrArray' | 'schemaOrBool' | 'schemaOrStrings'
  | 'list' | 'map' | 'object'

export interface Type {
  readonly shape: Shape
  /** Of a list its items, of a map its values. */
  readonly of?: Type
  /** Of an object. */
  readonly definition?: Definition
  /** A list that protobuf puts into a message of its own. */
  readonly wrapped: boolean
}

export interface Field {
  readonly name: string
  readonly type: Type
  readonly required: boolean
  /** A pointer in Go: an empty value is kept, and differs from an absent one. */
  readonly pointer: boolean
  /** Go leaves an empty value out. */
  readonly omitEmpty: boolean
  readonly omitZero: boolean
  /** Protobuf numbers from the message inwards: one, or one for each embedded struct and then the field's. Empty: not in protobuf. */
  readonly wire: readonly number[]
  /** Go's embedded structs that hold it, for error texts. */
  readonly embedded: readonly string[]
  /** Go's name of its type where it has one of its own (v1.PodPhase), for error texts. */
  readonly goType?: string
  readonly listType?: 'atomic' | 'map' | 'set'
  readonly listMapKeys?: readonly string[]
  readonly patchMergeKey?: string
  readonly patchStrategy?: readonly ('merge' | 'replace' | 'retainKeys')[]
  readonly mapType?: 'atomic' | 'granular'
  /** The default that OpenAPI v3 publishes; `{}` and zero values mean no more than Go's zero value. */
  readonly default?: unknown
}

export interface Definition {
  /** The short name, as in types.ts. */
  readonly name: string
  /** io.k8s.api.core.v1.Pod */
  readonly id: string
  readonly kinds: readonly { readonly group: string; readonly version: string; readonly kind: string }[]
  readonly fields: ReadonlyMap<string, Field>
  /** Set when it has a JSON form of its own (Quantity, Time, IntOrString, ...). */
  readonly special?: Shape
  readonly mapType?: 'atomic' | 'granular'
  readonly unions?: readonly unknown[]
  /** Whether upstream's OpenAPI has it. */
  readonly published: boolean
}

type FieldRow = readonly [name: string, type: string, wire: number | string, flags: string, extras?: Readonly<Record<string, unknown>>]
type Row = readonly [name: string, id: string, kinds: readonly string[], extras: Readonly<Record<string, unknown>>, fields: readonly FieldRow[]]

/** Where each line of the table is, by short name. */
const lines = indexLines()
const byName = new Map<string, Definition>()
const types = new Map<string, Type>()
let nameOfKind: Map<string, string> | undefined
let nameOfId: Map<string, string> | undefined

/** A definition by its short name. Throws for one that is not there: names are written in code. */
export function definition(name: string): Definition {
  const known = byName.get(name)
  if (known !== undefined) return known
  const line = lines.get(name)
  if (line === undefined) throw new Error(`no definition ${name}`)
  const made = makeDefinition(JSON.parse(line) as Row)
  byName.set(name, made)
  return made
}

/** The definition of a kind, `undefined` for kinds that are not built in. */
export function definitionOf(group: string, version: string, kind: string): Definition | undefined {
  nameOfKind ??= indexKinds()
  const name = nameOfKind.get(`${group}/${version}/${kind}`)
  return name === undefined ? undefined : definition(name)
}

/** io.k8s.api.core.v1.Pod -> its definition. */
export function definitionById(id: string): Definition | undefined {
  nameOfId ??= new Map([...lines].map(([name, line]) => [line.split('"', 4)[3] ?? '', name]))
  const name = nameOfId.get(id)
  return name === undefined ? undefined : definition(name)
}

/** Every short name, in the order of ids. */
export function definitionNames(): readonly string[] {
  return [...lines.keys()]
}

/** The type that the table writes so: `string`, `[]Container`, `map:quantity`. */
export function typeOf(text: string): Type {
  const known = types.get(text)
  if (known !== undefined) return known
  const made = makeType(text)
  types.set(text, made)
  return made
}

function indexLines(): Map<string, string> {
  const index = new Map<string, string>()
  for (const line of table.split('\n')) index.set(line.slice(2, line.indexOf('"', 2)), line)
  return index
}

/** Kinds are in the third place of a line; only lines that have some are looked at. */
function indexKinds(): Map<string, string> {
  const index = new Map<string, string>()
  for (const [name, line] of lines) {
    const start = line.indexOf('[', 1)
    if (line.charCodeAt(start + 1) === 0x5d) continue
    const kinds = line.slice(start + 2, line.indexOf(']', start) - 1).split('","')
    for (const kind of kinds) index.set(kind, name)
  }
  return index
}

function makeType(text: string): Type {
  if (text.startsWith('[]')) return { shape: 'list', of: typeOf(text.slice(2)), wrapped: false }
  if (text.startsWith('map:')) return { shape: 'map', of: typeOf(text.slice(4)), wrapped: false }
  if (text.startsWith('wrap:')) return { ...typeOf(text.slice(5)), wrapped: true }
  const first = text.charCodeAt(0)
  if (first >= 0x61) return { shape: text as Shape, wrapped: false }
  // Types refer to each other in circles (JSONSchemaProps), so the definition is looked up when asked for.
  return {
    shape: 'object',
    wrapped: false,
    get definition() {
      const found = definition(text)
      Object.defineProperty(this, 'definition', { value: found })
      return found
    },
  }
}

function makeDefinition([name, id, kinds, extras, rows]: Row): Definition {
  const fields = new Map<string, Field>()
  for (const row of rows) fields.set(row[0], makeField(row))
  return {
    name,
    id,
    kinds: kinds.map((text) => {
      const [group = '', version = '', kind = ''] = text.split('/')
      return { group, version, kind }
    }),
    fields,
    published: extras['x'] === undefined,
    ...(extras['special'] === undefined ? {} : { special: extras['special'] as Shape }),
    ...(extras['mt'] === undefined ? {} : { mapType: extras['mt'] as 'atomic' | 'granular' }),
    ...(extras['unions'] === undefined ? {} : { unions: extras['unions'] as readonly unknown[] }),
  }
}

function makeField([name, typeText, wire, flags, extras = {}]: FieldRow): Field {
  const type = typeOf(typeText)
  const fallback = 'd' in extras ? extras['d'] ?? undefined : impliedDefault(type, flags)
  const numbers = typeof wire === 'number' ? [wire] : wire.split('.').map(Number)
  const patchStrategy = (extras['ps'] as string | undefined)?.split(',') as Field['patchStrategy']
  return {
    name,
    type,
    required: flags.includes('r'),
    pointer: flags.includes('p'),
    omitEmpty: flags.includes('o'),
    omitZero: flags.includes('z'),
    wire: numbers.includes(0) ? [] : numbers,
    embedded: (extras['in'] as string | undefined)?.split('.') ?? [],
    ...(extras['go'] === undefined ? {} : { goType: extras['go'] as string }),
    ...(extras['lt'] === undefined ? {} : { listType: extras['lt'] as 'atomic' | 'map' | 'set' }),
    ...(extras['lk'] === undefined ? {} : { listMapKeys: extras['lk'] as readonly string[] }),
    ...(extras['pk'] === undefined ? {} : { patchMergeKey: extras['pk'] as string }),
    ...(patchStrategy === undefined ? {} : { patchStrategy }),
    ...(extras['mt'] === undefined ? {} : { mapType: extras['mt'] as 'atomic' | 'granular' }),
    ...(fallback === undefined ? {} : { default: fallback }),
  }
}

/** The same rule as in generate/table.ts: Go's zero value, where there is no pointer and the field is always written. */
function impliedDefault(type: Type, flags: string): unknown {
  if (flags.includes('p')) return undefined
  if (type.shape === 'object') return {}
  if (flags.includes('o')) return undefined
  if (type.shape === 'string') return ''
  if (type.shape === 'bool') return false
  return type.shape === 'int32' || type.shape === 'int64' || type.shape === 'double' ? 0 : undefined
}

const goScalars: Partial<Record<Shape, string>> = {
  double: 'float64', bytes: '[]uint8', quantity: 'resource.Quantity', time: 'v1.Time', microTime: 'v1.MicroTime',
  duration: 'v1.Duration', intOrString: 'intstr.IntOrString', rawExtension: 'runtime.RawExtension', fieldsV1: 'v1.FieldsV1',
  json: 'v1.JSON', schemaOrArray: 'v1.JSONSchemaPropsOrArray', schemaOrBool: 'v1.JSONSchemaPropsOrBool',
  schemaOrStrings: 'v1.JSONSchemaPropsOrStringArray',
}

/** Go's word for a type, as its decoder prints it: `int32`, `[]v1.Container`, `map[string]string`. */
export function goTypeName(type: Type): string {
  if (type.shape === 'list' && type.of !== undefined) return `[]${goTypeName(type.of)}`
  if (type.shape === 'map' && type.of !== undefined) return `map[string]${goTypeName(type.of)}`
  if (type.definition === undefined) return goScalars[type.shape] ?? type.shape
  return type.definition.id.split('.').slice(-2).join('.')
}

/** The Go name of a definition's struct: `DeploymentSpec`. */
export function goStructName(of: Definition): string {
  return of.id.slice(of.id.lastIndexOf('.') + 1)
}
