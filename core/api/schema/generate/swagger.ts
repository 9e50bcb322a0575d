/**
 * Upstream's published OpenAPI v2 document, as the generator reads it: the definitions, their short names.
 *
 * The rule for names is in shortNames(); it is repeated in the header of types.ts, where people look for it.
 */
import { readFileSync } from 'node:fs'

export interface SwaggerSchema {
  readonly type?: string
  readonly format?: string
  readonly $ref?: string
  readonly default?: unknown
  readonly description?: string
  readonly items?: SwaggerSchema
  readonly additionalProperties?: SwaggerSchema
  readonly properties?: Readonly<Record<string, SwaggerSchema>>
  readonly allOf?: readonly SwaggerSchema[]
  readonly required?: readonly string[]
  readonly 'x-kubernetes-group-version-kind'?: readonly GroupVersionKind[]
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-patch-merge-key'?: string
  readonly 'x-kubernetes-patch-strategy'?: string
  readonly 'x-kubernetes-map-type'?: string
  readonly 'x-kubernetes-unions'?: readonly unknown[]
}

export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

export interface Swagger {
  readonly definitions: Readonly<Record<string, SwaggerSchema>>
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly parameters: Readonly<Record<string, unknown>>
}

export function readSwagger(kubernetesDir: string): Swagger {
  return JSON.parse(readFileSync(`${kubernetesDir}/api/openapi-spec/swagger.json`, 'utf8')) as Swagger
}

export function refName(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1)
}

/** io.k8s.api.events.v1.Event -> { group: 'events', version: 'v1', name: 'Event' }. */
export function parts(definition: string): { group: string; version: string; name: string } {
  const words = definition.split('.')
  return { group: words.at(-3) ?? '', version: words.at(-2) ?? '', name: words.at(-1) ?? '' }
}

/** Groups that keep the plain name against the others, first wins; those not named come after, by name. */
const groupRank = ['core', 'meta', 'apps', 'batch', 'rbac', 'admissionregistration', 'authentication', 'storage']

function stability(version: string): number {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (match === null) return 0
  const level = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0
  return level * 10_000 + Number(match[1]) * 100 + Number(match[3] ?? 0)
}

/**
 * A short name for each definition. Where several would have the same, the plain one goes to: a kind before a part of
 * one, then the most stable and newest version, then the group by groupRank. The others get group and version in front.
 */
export function shortNames(definitions: Readonly<Record<string, SwaggerSchema>>): Map<string, string> {
  const byName = new Map<string, string[]>()
  for (const definition of Object.keys(definitions)) {
    const { name } = parts(definition)
    byName.set(name, [...(byName.get(name) ?? []), definition])
  }
  const names = new Map<string, string>()
  for (const [name, candidates] of byName) {
    const ranked = candidates.toSorted((a, b) => compare(rank(a), rank(b)))
    ranked.forEach((definition, index) => {
      const { group, version } = parts(definition)
      names.set(definition, index === 0 ? name : `${capital(group)}${capital(version)}${name}`)
    })
  }
  return names

  function rank(definition: string): readonly (number | string)[] {
    const { group, version } = parts(definition)
    const isKind = definitions[definition]?.['x-kubernetes-group-version-kind'] !== undefined
    const place = groupRank.indexOf(group)
    return [isKind ? 0 : 1, -stability(version), place < 0 ? groupRank.length : place, group]
  }
}

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (let i = 0; i < a.length; i++) {
    const x = a[i] ?? 0
    const y = b[i] ?? 0
    if (x !== y) return x < y ? -1 : 1
  }
  return 0
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}
