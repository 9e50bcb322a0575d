/** The objects in files: YAML or JSON, several to a file, lists unfolded, each with its place. Says what is wrong in a sentence; knows no cluster. */
import { parseYamlDocuments } from '../api/codec/yaml.ts'
import type { AnyObject } from '../api/meta.ts'
import { isMap } from '../api/patch/value.ts'

export interface Source {
  /** Path, or `-`. */
  readonly name: string
  readonly text: string
}

export interface Document {
  readonly source: string
  readonly object: AnyObject
}

export interface Documents {
  readonly documents: readonly Document[]
  /** Each a sentence that names the file. */
  readonly problems: readonly string[]
}

export function readDocuments(sources: readonly Source[]): Documents {
  const documents: Document[] = []
  const problems: string[] = []
  for (const { name, text } of sources) {
    const parsed = parseYamlDocuments(text)
    if (!parsed.ok) {
      problems.push(`${name} cannot be read: ${parsed.error}`)
      continue
    }
    parsed.value.forEach((value, at) => {
      const source = parsed.value.length === 1 ? name : `${name}#${at + 1}`
      for (const one of unfold(value)) {
        const problem = problemOf(one)
        if (problem === undefined) documents.push({ source, object: one as AnyObject })
        else problems.push(`${source} ${problem}`)
      }
    })
  }
  return { documents, problems }
}

/** `kind: List`, and lists of one kind. */
function unfold(value: unknown): readonly unknown[] {
  if (!isMap(value) || typeof value['kind'] !== 'string' || !value['kind'].endsWith('List') || !Array.isArray(value['items'])) return [value]
  return value['items'].flatMap(unfold)
}

function problemOf(value: unknown): string | undefined {
  if (!isMap(value)) return `holds ${Array.isArray(value) ? 'a list' : JSON.stringify(value)}, where an object should be`
  for (const field of ['apiVersion', 'kind'] as const) if (typeof value[field] !== 'string' || value[field] === '') return `has no ${field}`
  const { metadata } = value
  if (!isMap(metadata)) return `(${String(value['kind'])}) has no metadata`
  if (typeof metadata['name'] === 'string' && metadata['name'] !== '') return undefined
  if (typeof metadata['generateName'] === 'string') return `(${String(value['kind'])} ${metadata['generateName']}): cannot use generate name with apply`
  return `(${String(value['kind'])}) has no metadata.name`
}
