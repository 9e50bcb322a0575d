/**
 * Documents of OpenAPI version 2 put together: of another server's the part under one group-version, with the
 * definitions and parameters that it needs; laid into ours, where one of the same name and another content gets a new name
 * (k8s.io/kube-openapi/pkg/aggregator). Pure.
 */
import { equalJson } from '../../lib/json.ts'

type Values = Record<string, unknown>

export interface Swagger {
  readonly paths?: Values
  readonly definitions?: Values
  readonly parameters?: Values
  readonly [other: string]: unknown
}

const sections = ['definitions', 'parameters'] as const
type Section = (typeof sections)[number]
const kindsField = 'x-kubernetes-group-version-kind'

/** What is below this path, and all that it refers to. */
export function partOf(whole: Swagger, prefix: string): Swagger {
  const paths = Object.fromEntries(Object.entries(whole.paths ?? {}).filter(([path]) => path.startsWith(prefix)))
  const needed: Record<Section, Values> = { definitions: {}, parameters: {} }
  const open: unknown[] = [paths]
  while (open.length > 0) {
    for (const { section, name } of references(open.pop())) {
      const value = whole[section]?.[name]
      // The other server may write what it likes: what describes nothing is left out.
      if (typeof value !== 'object' || value === null || Object.hasOwn(needed[section], name)) continue
      needed[section][name] = value
      open.push(value)
    }
  }
  return { paths, ...needed }
}

/** `into` with the others' paths; where a path is there already, it stays. `into` is changed. */
export function merged(into: Swagger, others: readonly Swagger[]): Swagger {
  const result = { ...into, paths: { ...into.paths } as Values, definitions: { ...into.definitions } as Values, parameters: { ...into.parameters } as Values }
  for (const other of others) {
    const names = { definitions: placed(result.definitions, other.definitions ?? {}), parameters: placed(result.parameters, other.parameters ?? {}) }
    const here = (value: unknown): unknown => renamed(value, names)
    for (const section of sections) {
      for (const [name, value] of Object.entries(other[section] ?? {})) {
        const own = names[section].get(name) ?? name
        result[section][own] = Object.hasOwn(result[section], own) ? withKinds(result[section][own], value) : here(value)
      }
    }
    for (const [path, value] of Object.entries(other.paths ?? {})) result.paths[path] ??= here(value)
  }
  if (Object.keys(result.parameters).length > 0) return result
  const { parameters: _none, ...rest } = result
  return rest
}

/** New names for what is another under its own name. */
function placed(have: Readonly<Values>, other: Readonly<Values>): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const [name, value] of Object.entries(other)) {
    if (!Object.hasOwn(have, name) || same(have[name], value)) continue
    let number = 2
    while (taken(have, other, `${name}_v${number}`, value)) number++
    names.set(name, `${name}_v${number}`)
  }
  return names
}

function taken(have: Readonly<Values>, other: Readonly<Values>, name: string, value: unknown): boolean {
  return Object.hasOwn(other, name) || (Object.hasOwn(have, name) && !same(have[name], value))
}

/** Which kinds a definition stands for, each server says of its own, and some wrap their descriptions in other ways: that makes no other definition of it. */
function same(a: unknown, b: unknown): boolean {
  return equalJson(essence({ ...(a as Values), [kindsField]: undefined }), essence({ ...(b as Values), [kindsField]: undefined }))
}

function essence(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(essence)
  return Object.fromEntries(Object.entries(value).filter(([key, inner]) => inner !== undefined && !(key === 'description' && typeof inner === 'string')).map(([key, inner]) => [key, essence(inner)]))
}

function withKinds(mine: unknown, theirs: unknown): unknown {
  const [have, more] = [(mine as Values)[kindsField], (theirs as Values)[kindsField]]
  if (!Array.isArray(have) || !Array.isArray(more)) return mine
  const fresh = more.filter((kind) => !have.some((known) => equalJson(known, kind)))
  return fresh.length === 0 ? mine : { ...(mine as Values), [kindsField]: [...(have as unknown[]), ...(fresh as unknown[])] }
}

interface Reference {
  readonly section: Section
  readonly name: string
}

function referenceOf(text: unknown): Reference | undefined {
  if (typeof text !== 'string') return undefined
  const match = /^#\/(definitions|parameters)\/(.+)$/.exec(text)
  return match === null ? undefined : { section: match[1] as Section, name: match[2] ?? '' }
}

function references(value: unknown): readonly Reference[] {
  if (typeof value !== 'object' || value === null) return []
  const own = referenceOf((value as Values)['$ref'])
  return [...(own === undefined ? [] : [own]), ...Object.values(value).flatMap(references)]
}

function renamed(value: unknown, names: Readonly<Record<Section, ReadonlyMap<string, string>>>): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => renamed(item, names))
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => {
    const reference = key === '$ref' ? referenceOf(inner) : undefined
    const name = reference === undefined ? undefined : names[reference.section].get(reference.name)
    return [key, reference === undefined || name === undefined ? renamed(inner, names) : `#/${reference.section}/${name}`]
  }))
}
