/**
 * Paths to a field that a schema declares: `.spec.replicas`, `.spec.labels['a.b']` (ValidFieldPath of
 * pkg/apiserver/schema/cel). Rules name the field at fault so, and definitions the fields that may be selected by.
 */
import { Path } from '../field.ts'
import type { JSONSchemaProps } from '../schema/types.ts'

type Schema = Readonly<JSONSchemaProps>

export type FoundField =
  | { readonly ok: true; /** Undefined for an empty path. */ readonly path: Path | undefined; readonly root: string; /** Undefined where nothing is declared of it. */ readonly schema: Schema | undefined }
  | { readonly ok: false; readonly why: string }

/** `brackets`: whether names in brackets are understood. */
export function findField(text: string, schema: Schema, { brackets }: { readonly brackets: boolean }): FoundField {
  const tokens = tokensOf(text)
  let here: Schema | undefined = schema
  let path: Path | undefined
  let root = ''
  for (let i = 0; i < tokens.length; i++) {
    const opening = tokens[i] as string
    if (opening === '[' && !brackets) return refused('array notation is not allowed')
    if (opening !== '[' && opening !== '.') return refused(`expected [ or . but got: ${opening}`)
    const token = tokens[++i]
    if (token === undefined) return refused('unexpected end of JSON path')
    const name: Named = opening === '.' ? { ok: true, name: token } : bracketed(token)
    if (!name.ok) return name
    const next = step(here, name.name)
    if (next === undefined) return refused('does not refer to a valid field')
    path = next.declared ? (path?.child(name.name) ?? new Path(name.name)) : (path?.key(name.name) ?? new Path(name.name, undefined, true))
    if (root === '') root = path.text
    here = next.schema
    if (opening === '.') continue
    const closing = tokens[++i]
    if (closing === undefined) return refused('unexpected end of JSON path')
    if (closing !== ']') return refused(`expected ] but got ${closing}`)
  }
  return { ok: true, path, root, schema: here }
}

const refused = (why: string): { readonly ok: false; readonly why: string } => ({ ok: false, why })

/** One step into a value: a declared property, or a key of a map. */
function step(schema: Schema | undefined, name: string): { readonly declared: boolean; readonly schema: Schema | undefined } | undefined {
  if (schema?.properties !== undefined) {
    const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
    return property === undefined ? undefined : { declared: true, schema: property }
  }
  const additional = schema?.additionalProperties
  if (additional === undefined) return undefined
  return { declared: false, schema: typeof additional === 'object' ? additional : undefined }
}

/** `.`, `[`, `]`, and what is between them; a quoted string is one piece whatever is in it. */
function tokensOf(text: string): readonly string[] {
  return text.match(/[.[\]]|'(?:[^'\\]|\\.|\\)*'|'.*$|[^.[\]]+/gs) ?? []
}

type Named = { readonly ok: true; readonly name: string } | { readonly ok: false; readonly why: string }

function bracketed(token: string): Named {
  if (token.length < 2 || !token.startsWith("'") || !token.endsWith("'")) return refused(`expected single quoted string but got ${token}`)
  let wrong: string | undefined
  const name = token.slice(1, -1).replaceAll(/\\./g, (escape) => {
    const meant = escapes[escape[1] ?? '']
    if (meant === undefined) wrong ??= escape
    return meant ?? ''
  })
  return wrong === undefined ? { ok: true, name } : refused(`invalid string literal: invalid escape char ${wrong}`)
}

const escapes: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', "'": "'", '\\': '\\' }
