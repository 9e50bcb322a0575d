/** Builds the table of definitions from the published OpenAPI and the Go types, and checks one against the other. */
import { GoSource } from './golang.ts'
import type { GoField, GoType } from './golang.ts'
import type { GroupVersionKind, SwaggerSchema } from './swagger.ts'

export type Extras = Record<string, unknown>
export type FieldRow = [name: string, type: string, wire: number | string, flags: string, extras?: Extras]
export type Row = [name: string, id: string, kinds: string[], extras: Extras, fields: FieldRow[]]

/** Definitions with a JSON form of their own, and the table's word for them. */
const special: Readonly<Record<string, string>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'quantity',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 'time',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'microTime',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Duration': 'duration',
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': 'fieldsV1',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'intOrString',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'rawExtension',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': 'json',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': 'schemaOrArray',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': 'schemaOrBool',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': 'schemaOrStrings',
}

const scalars: Readonly<Record<string, string>> = {
  string: 'string', bool: 'bool', int32: 'int32', int64: 'int64', int: 'int64', float64: 'double', '[]byte': 'bytes', 'interface{}': 'json',
}

export function goPackage(definition: string): string {
  const words = definition.split('.').slice(2, -1)
  return `k8s.io/${words.join('/')}`
}

export function definitionId(type: GoType): string {
  return `io.k8s.${type.pkg.path.split('/').slice(1).join('.')}.${type.name}`
}

interface Resolved {
  readonly type: string
  /** Go's name of the type. */
  readonly go: string
  /** Whether the table's type does not imply it. */
  readonly named: boolean
}

export class TableBuilder {
  private readonly source: GoSource
  private readonly names: ReadonlyMap<string, string>
  private readonly v3: ReadonlyMap<string, SwaggerSchema>

  constructor(source: GoSource, names: ReadonlyMap<string, string>, v3: ReadonlyMap<string, SwaggerSchema>) {
    this.source = source
    this.names = names
    this.v3 = v3
  }

  goType(id: string): GoType {
    const type = this.source.package(goPackage(id)).types.get(id.slice(id.lastIndexOf('.') + 1))
    if (type === undefined) throw new Error(`no Go type for ${id}`)
    return type
  }

  /**
   * A definition that upstream knows and does not publish, in the form of a published one; and what it needs besides,
   * into `found`.
   */
  unpublished(id: string, kinds: readonly GroupVersionKind[], found: Map<string, SwaggerSchema>): void {
    const row = this.fields(this.goType(id), '', '', new Set(), {}, id)
    const properties: Record<string, SwaggerSchema> = {}
    for (const [name, type] of row) properties[name] = this.published(type, found)
    const required = row.filter(([, , , flags]) => !flags.includes('o')).map(([name]) => name)
    found.set(id, { type: 'object', properties, required, ...(kinds.length > 0 ? { 'x-kubernetes-group-version-kind': kinds } : {}) })
  }

  private published(type: string, found: Map<string, SwaggerSchema>): SwaggerSchema {
    if (type.startsWith('[]')) return { type: 'array', items: this.published(type.slice(2), found) }
    if (type.startsWith('map:')) return { type: 'object', additionalProperties: this.published(type.slice(4), found) }
    if (type.startsWith('wrap:')) return this.published(type.slice(5), found)
    const word = Object.entries(special).find(([, value]) => value === type)
    if (type === 'json') return {}
    if (word !== undefined) return { $ref: `#/definitions/${word[0]}` }
    const simple: Record<string, SwaggerSchema> = {
      string: { type: 'string' }, bool: { type: 'boolean' }, int32: { type: 'integer', format: 'int32' },
      int64: { type: 'integer', format: 'int64' }, double: { type: 'number', format: 'double' }, bytes: { type: 'string', format: 'byte' },
    }
    if (simple[type] !== undefined) return simple[type]
    const id = [...this.names].find(([, name]) => name === type)?.[0]
    if (id === undefined) throw new Error(`no definition named ${type}`)
    return { $ref: `#/definitions/${id}` }
  }

  row(id: string, schema: SwaggerSchema): Row {
    const name = this.names.get(id) ?? id
    const kinds = (schema['x-kubernetes-group-version-kind'] ?? []).map(kindKey)
    const extras: Extras = {}
    if (schema['x-kubernetes-map-type'] !== undefined) extras['mt'] = schema['x-kubernetes-map-type']
    if (schema['x-kubernetes-unions'] !== undefined) extras['unions'] = schema['x-kubernetes-unions']
    if (special[id] !== undefined) return [name, id, kinds, { ...extras, special: special[id] }, []]
    const type = this.goType(id)
    const fields = this.fields(type, '', '', new Set(schema.required), schema, id)
    checkNames(id, schema, fields)
    return [name, id, kinds, extras, fields]
  }

  private fields(type: GoType, wirePath: string, embedPath: string, required: ReadonlySet<string>, schema: SwaggerSchema, id: string): FieldRow[] {
    const rows: FieldRow[] = []
    const struct = this.source.structFields(type)
    for (const field of struct?.fields ?? []) {
      const wire = wirePath === '' ? field.wire : `${wirePath}${field.wire}`
      if (field.embedded) {
        const inner = this.source.lookup(struct?.owner ?? type, field.type.replace('*', ''))
        if (inner === undefined) throw new Error(`no embedded type ${field.type} in ${id}`)
        const typeMeta = inner.name === 'TypeMeta'
        rows.push(...this.fields(inner, typeMeta ? '0.' : `${wire}.`, `${embedPath}${field.name}.`, required, schema, id))
      } else {
        rows.push(this.fieldRow(struct?.owner ?? type, field, embedPath.startsWith('TypeMeta') ? 0 : wire, embedPath, required, schema, id))
      }
    }
    return rows
  }

  private fieldRow(owner: GoType, field: GoField, wire: number | string, embedPath: string, required: ReadonlySet<string>, schema: SwaggerSchema, id: string): FieldRow {
    const pointer = field.type.startsWith('*')
    const resolved = this.resolve(owner, pointer ? field.type.slice(1) : field.type)
    const flags = `${required.has(field.json) ? 'r' : ''}${pointer ? 'p' : ''}${field.omitempty ? 'o' : ''}${field.omitzero ? 'z' : ''}`
    const published = schema.properties?.[field.json]
    const extras: Extras = {}
    if (embedPath !== '') extras['in'] = embedPath.slice(0, -1)
    if (resolved.named) extras['go'] = resolved.go
    if (published !== undefined) copyKeys(published, extras)
    const v3 = this.v3.get(id)?.properties?.[field.json]
    const expected = impliedDefault(resolved.type, flags)
    if (v3 !== undefined && JSON.stringify(v3.default) !== JSON.stringify(expected)) extras['d'] = v3.default ?? null
    return Object.keys(extras).length === 0 ? [field.json, resolved.type, wire, flags] : [field.json, resolved.type, wire, flags, extras]
  }

  private resolve(from: GoType, expression: string): Resolved {
    const scalar = scalars[expression]
    if (scalar !== undefined) return { type: scalar, go: expression, named: false }
    if (expression.startsWith('*')) return this.resolve(from, expression.slice(1))
    if (expression.startsWith('[]')) {
      const item = this.resolve(from, expression.slice(2))
      return { type: `[]${item.type}`, go: `[]${item.go}`, named: item.named }
    }
    const map = /^map\[([\w.]+)\](.+)$/.exec(expression)
    if (map !== null) return this.resolveMap(from, map[1] ?? '', map[2] ?? '')
    const type = this.source.lookup(from, expression)
    if (type === undefined) throw new Error(`cannot resolve ${expression} in ${from.pkg.path}.${from.name}`)
    return this.resolveNamed(type)
  }

  private resolveMap(from: GoType, key: string, value: string): Resolved {
    const item = this.resolve(from, value)
    const keyType = this.resolve(from, key)
    return { type: `map:${item.type}`, go: `map[${keyType.go}]${item.go}`, named: item.named || keyType.named }
  }

  private resolveNamed(type: GoType): Resolved {
    const id = definitionId(type)
    const word = special[id]
    const go = `${type.pkg.path.split('/').at(-1) ?? ''}.${type.name}`
    if (word !== undefined) return { type: word, go, named: false }
    if (this.source.structFields(type) !== undefined) {
      const name = this.names.get(id)
      if (name === undefined) throw new Error(`no definition ${id}`)
      return { type: name, go, named: false }
    }
    const resolved = this.resolve(type, type.underlying ?? '')
    return { type: type.wrapped ? `wrap:${resolved.type}` : resolved.type, go, named: true }
  }
}

export function kindKey(gvk: GroupVersionKind): string {
  return `${gvk.group}/${gvk.version}/${gvk.kind}`
}

function copyKeys(published: SwaggerSchema, extras: Extras): void {
  const keys = {
    lt: 'x-kubernetes-list-type', lk: 'x-kubernetes-list-map-keys', pk: 'x-kubernetes-patch-merge-key',
    ps: 'x-kubernetes-patch-strategy', mt: 'x-kubernetes-map-type',
  } as const
  for (const [short, key] of Object.entries(keys)) if (published[key] !== undefined) extras[short] = published[key]
}

/**
 * The default upstream publishes for a field that has none of its own: the zero value, where Go has no pointer and
 * writes the field even when it is empty. The loader applies the same rule; a row's `d` says where it does not hold.
 */
export function impliedDefault(type: string, flags: string): unknown {
  if (flags.includes('p')) return undefined
  if (/^[A-Z]/.test(type)) return {}
  if (flags.includes('o')) return undefined
  return { string: '', int32: 0, int64: 0, double: 0, bool: false }[type]
}

function checkNames(id: string, schema: SwaggerSchema, fields: readonly FieldRow[]): void {
  const have = fields.map(([name]) => name).toSorted().join()
  const want = Object.keys(schema.properties ?? {}).toSorted().join()
  if (have !== want) throw new Error(`${id}: Go has ${have}\nOpenAPI has ${want}`)
}

