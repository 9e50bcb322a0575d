/**
 * A structural schema: what a version of a CustomResourceDefinition says of its objects, in the form that pruning,
 * defaults, lists and rules read. Made once for a version, when an object of it is first looked at. What values may be
 * (patterns, limits, alternatives) is read from `source` by values.ts.
 *
 * After apiextensions-apiserver/pkg/apiserver/schema.
 */
import type { JSONSchemaProps, ValidationRule } from '../../schema/types.ts'
import { cloneJson } from '../../../lib/json.ts'
import { isMap } from './json.ts'
import { prune } from './prune.ts'

export interface Structural {
  readonly source: Readonly<JSONSchemaProps>
  readonly type: string
  readonly nullable: boolean
  /** undefined: there is none. */
  readonly default: unknown
  readonly properties: ReadonlyMap<string, Structural>
  /** Whether keys that are no properties may be there. */
  readonly open: boolean
  /** The schema of such keys; `open` without one knows no field below them. */
  readonly additional: Structural | undefined
  readonly items: Structural | undefined
  /** x-kubernetes-preserve-unknown-fields */
  readonly preserves: boolean
  /** x-kubernetes-embedded-resource */
  readonly embedded: boolean
  readonly intOrString: boolean
  /** x-kubernetes-list-type; '' where it is not said. */
  readonly listType: string
  readonly listKeys: readonly string[]
  readonly mapType: string
  readonly rules: readonly Readonly<ValidationRule>[]
  /** What there is here or anywhere below: where there is none, nobody has to look. */
  readonly has: Traits
}

export interface Traits {
  readonly defaults: boolean
  readonly embedded: boolean
  /** Lists that are sets or maps. */
  readonly unique: boolean
  readonly rules: boolean
}

const noProperties: ReadonlyMap<string, Structural> = new Map()
const none: readonly never[] = []

/** Compiles a schema that has passed the definition's validation; undefined (no schema) knows no field. */
export function structuralOf(schema: Readonly<JSONSchemaProps> | undefined): Structural {
  return compile(schema ?? {})
}

function compile(source: Readonly<JSONSchemaProps>): Structural {
  const { additionalProperties } = source
  const properties = source.properties === undefined ? noProperties : new Map(Object.entries(source.properties).map(([name, inner]) => [name, compile(inner)]))
  const additional = isMap(additionalProperties) ? compile(additionalProperties as JSONSchemaProps) : undefined
  const items = isMap(source.items) ? compile(source.items as JSONSchemaProps) : undefined
  const inner = [...properties.values(), ...(additional === undefined ? none : [additional]), ...(items === undefined ? none : [items])]
  const own: Structural = {
    source,
    type: source.type ?? '',
    nullable: source.nullable === true,
    default: source.default ?? undefined,
    properties,
    // `additionalProperties: false` opens an object too, as upstream reads it; validation refuses it.
    open: additionalProperties !== undefined,
    additional,
    items,
    preserves: source['x-kubernetes-preserve-unknown-fields'] === true,
    embedded: source['x-kubernetes-embedded-resource'] === true,
    intOrString: source['x-kubernetes-int-or-string'] === true,
    listType: source['x-kubernetes-list-type'] ?? '',
    listKeys: source['x-kubernetes-list-map-keys'] ?? none,
    mapType: source['x-kubernetes-map-type'] ?? '',
    rules: source['x-kubernetes-validations'] ?? none,
    has: { defaults: false, embedded: false, unique: false, rules: false },
  }
  const traits: Traits = {
    defaults: own.default !== undefined || inner.some((each) => each.has.defaults),
    embedded: own.embedded || inner.some((each) => each.has.embedded),
    unique: own.listType === 'set' || own.listType === 'map' || inner.some((each) => each.has.unique),
    rules: own.rules.length > 0 || inner.some((each) => each.has.rules),
  }
  return { ...own, default: prunedDefault(own), has: traits }
}

/** Definitions of old may have defaults with fields that their schema does not know. */
function prunedDefault(schema: Structural): unknown {
  if (typeof schema.default !== 'object') return schema.default
  const value = cloneJson(schema.default)
  prune(value, schema)
  return value
}

/** The same schema as that of a whole object, which has kind, apiVersion and metadata whatever the schema says. */
export function asRoot(schema: Structural): Structural {
  return schema.embedded ? schema : { ...schema, embedded: true }
}
