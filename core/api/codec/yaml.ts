/**
 * YAML to the JSON value that sigs.k8s.io/yaml makes of it, and back. YAML 1.1: 0644 is 420, yes is true, << merges,
 * keys become strings; but nothing becomes a date or bytes.
 */
import { parseAllDocuments, stringify } from 'yaml'
import type { Document, ParsedNode, ScalarTag, Tags } from 'yaml'

export type ParsedYaml<T> =
  | { readonly ok: true; readonly value: T; /** In Go's words; only YAML that Go's strict decoder refuses has any. */ readonly duplicates: readonly string[] }
  | { readonly ok: false; readonly error: string }

/** Go keeps these as they are written. */
const foreignTags = new Set(['tag:yaml.org,2002:timestamp', 'tag:yaml.org,2002:binary', 'tag:yaml.org,2002:set', 'tag:yaml.org,2002:omap', 'tag:yaml.org,2002:pairs'])

function isKept(tag: Tags[number]): boolean {
  if (typeof tag === 'string') return !['timestamp', 'binary', 'set', 'omap', 'pairs', 'intTime', 'floatTime'].includes(tag)
  // Sixties: 1:30 is a string in Go.
  return !foreignTags.has(tag.tag) && tag.format !== 'TIME'
}

/** What Go's YAML reads besides 1.1: octals of 1.2, and bytes as text. */
const goTags: readonly ScalarTag[] = [
  { tag: 'tag:yaml.org,2002:int', default: true, test: /^[-+]?0o[0-7_]+$/, resolve: (text) => Number(text.replaceAll('_', '')) },
  { tag: 'tag:yaml.org,2002:binary', resolve: (text) => atob(text.replaceAll(/\s/g, '')) },
]

/** An alias bomb ends here. */
const aliasesMax = 1_000

/** The first document, as a request's body is read. */
export function parseYaml(text: string): ParsedYaml<unknown> {
  const parsed = parseYamlDocuments(text)
  return parsed.ok ? { ok: true, value: parsed.value[0] ?? null, duplicates: parsed.duplicates } : parsed
}

/** Every document that is not empty, as manifests are read. */
export function parseYamlDocuments(text: string): ParsedYaml<readonly unknown[]> {
  const documents = parseAllDocuments(text, {
    version: '1.1',
    uniqueKeys: false,
    merge: true,
    logLevel: 'silent',
    prettyErrors: false, // they look at the whole text for each error, and a text may be nothing but errors
    customTags: (tags) => [...goTags, ...tags.filter(isKept)],
  }) as Document.Parsed<ParsedNode>[]
  const values: unknown[] = []
  const duplicates: string[] = []
  for (const document of Array.isArray(documents) ? documents : []) {
    const [error] = document.errors
    if (error !== undefined) return { ok: false, error: `yaml: ${lineOf(lineAt(text, error.pos[0]))}${goSentences[error.code] ?? firstLine(error.message)}` }
    findDuplicates(document.contents, text, duplicates)
    try {
      const value: unknown = jsonValue(document.toJS({ maxAliasCount: aliasesMax, mapAsMap: true }))
      if (value !== null && value !== undefined) values.push(value)
    } catch (cause) {
      return { ok: false, error: `yaml: ${cause instanceof Error ? firstLine(cause.message) : String(cause)}` }
    }
  }
  return { ok: true, value: values, duplicates }
}

/** Go's parser counts from nothing and leaves out a line of that number. */
function lineOf(line: number): string {
  return line === 1 ? '' : `line ${line}: `
}

/** What Go's parser says where ours has other words. */
const goSentences: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'found character that cannot start any token',
  BLOCK_AS_IMPLICIT_KEY: 'mapping values are not allowed in this context',
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '')
}

/** Maps with keys of any type -> objects, as sigs.k8s.io/yaml turns keys into strings. */
function jsonValue(value: unknown): unknown {
  if (value instanceof Map) {
    const object: Record<string, unknown> = {}
    for (const [key, inner] of value as Map<unknown, unknown>) object[keyText(key)] = jsonValue(inner)
    return object
  }
  if (Array.isArray(value)) return value.map(jsonValue)
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`)
  return value
}

function keyText(key: unknown): string {
  if (key === null || key === undefined) return 'null'
  if (typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean' || typeof key === 'bigint') return String(key)
  throw new Error(`unsupported map key of type ${typeof key}`)
}

function findDuplicates(node: unknown, text: string, found: string[]): void {
  const items = (node as { items?: readonly unknown[] } | null)?.items
  if (items === undefined) return
  const seen = new Set<string>()
  for (const item of items) {
    const pair = item as { key?: { value?: unknown; range?: readonly number[] } | null; value?: unknown }
    if (pair.key === undefined) {
      findDuplicates(item, text, found)
      continue
    }
    const key = String(pair.key?.value)
    if (seen.has(key)) found.push(`line ${lineAt(text, pair.key?.range?.[0] ?? 0)}: key ${JSON.stringify(key)} already set in map`)
    seen.add(key)
    findDuplicates(pair.value, text, found)
  }
}

function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}

/** Sorted keys, lists not indented, as sigs.k8s.io/yaml writes. */
export function renderYaml(value: unknown): string {
  return stringify(value, { version: '1.1', sortMapEntries: true, indentSeq: false, lineWidth: 0, aliasDuplicateObjects: false })
}
