/**
 * Upstream checks a definition in a form of its own: what all versions have in common stands once at the top, and errors
 * name places and show values of that form. This is where ours takes its shape (apis/apiextensions/v1/conversion.go,
 * apis/apiextensions/types.go): the paths through `hoist`, the values through `shown...`.
 */
import { equalJson } from '../../lib/json.ts'
import type {
  CustomResourceColumnDefinition, CustomResourceDefinitionSpec, CustomResourceDefinitionVersion, CustomResourceSubresources, CustomResourceValidation,
  JSONSchemaProps, SelectableField, ValidationRule,
} from '../schema/types.ts'

type Version = Readonly<CustomResourceDefinitionVersion>

/** What versions share is at the top, and in no version any more. */
export interface Hoisted {
  readonly validation?: Readonly<CustomResourceValidation>
  readonly subresources?: Readonly<CustomResourceSubresources>
  readonly columns: readonly Readonly<CustomResourceColumnDefinition>[]
  readonly selectableFields: readonly Readonly<SelectableField>[]
  readonly versions: readonly Version[]
}

const parts = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const

export function hoist(spec: Readonly<CustomResourceDefinitionSpec>): Hoisted {
  const [first, ...others] = spec.versions ?? []
  if (first === undefined) return { columns: [], selectableFields: [], versions: [] }
  const shared = parts.filter((part) => others.every((other) => equalJson(other[part], first[part])))
  const has = (part: (typeof parts)[number]): boolean => shared.includes(part)
  return {
    ...(has('schema') && first.schema !== undefined ? { validation: first.schema } : {}),
    ...(has('subresources') && first.subresources !== undefined ? { subresources: first.subresources } : {}),
    columns: (has('additionalPrinterColumns') ? first.additionalPrinterColumns : undefined) ?? [],
    selectableFields: (has('selectableFields') ? first.selectableFields : undefined) ?? [],
    versions: [first, ...others].map((version) => without(version, shared)),
  }
}

function without(version: Version, shared: readonly (typeof parts)[number][]): Version {
  const rest = { ...version }
  for (const part of shared) delete rest[part]
  return rest
}

/** Every schema of a definition, once where versions share it. */
export function schemasOf({ validation, versions }: Hoisted): readonly (Readonly<JSONSchemaProps> | undefined)[] {
  return [validation?.openAPIV3Schema, ...versions.map((version) => version.schema?.openAPIV3Schema)]
}

// Values as Go writes them

type Shown = Readonly<Record<string, unknown>>

export function shownVersions(versions: readonly Version[]): readonly Shown[] {
  return versions.map((v) => ({
    Name: v.name, Served: v.served, Storage: v.storage, Deprecated: v.deprecated ?? false, DeprecationWarning: v.deprecationWarning ?? null,
    Schema: v.schema === undefined ? null : { OpenAPIV3Schema: shownOrNull(v.schema.openAPIV3Schema) },
    Subresources: v.subresources === undefined ? null : shownSubresources(v.subresources),
    AdditionalPrinterColumns: v.additionalPrinterColumns?.map(shownColumn) ?? null,
    SelectableFields: v.selectableFields?.map(({ jsonPath }) => ({ JSONPath: jsonPath })) ?? null,
  }))
}

const shownSubresources = ({ status, scale }: Readonly<CustomResourceSubresources>): Shown => ({
  Status: status === undefined ? null : {},
  Scale: scale === undefined ? null : { SpecReplicasPath: scale.specReplicasPath, StatusReplicasPath: scale.statusReplicasPath, LabelSelectorPath: scale.labelSelectorPath ?? null },
})

const shownColumn = (column: Readonly<CustomResourceColumnDefinition>): Shown => ({
  Name: column.name, Type: column.type, Format: column.format ?? '', Description: column.description ?? '', Priority: column.priority ?? 0, JSONPath: column.jsonPath,
})

export const shownRule = (rule: Readonly<ValidationRule>): Shown => ({
  Rule: rule.rule, Message: rule.message ?? '', MessageExpression: rule.messageExpression ?? '', Reason: rule.reason ?? null,
  FieldPath: rule.fieldPath ?? '', OptionalOldSelf: rule.optionalOldSelf ?? null,
})

type Schema = Readonly<JSONSchemaProps>

export function shownSchema(of: Schema): Shown {
  return {
    ID: of.id ?? '', Schema: of.$schema ?? '', Ref: of.$ref ?? null, Description: of.description ?? '', Type: of.type ?? '', Nullable: of.nullable ?? false,
    Format: of.format ?? '', Title: of.title ?? '', Default: shownJson(of.default), Maximum: of.maximum ?? null, ExclusiveMaximum: of.exclusiveMaximum ?? false,
    Minimum: of.minimum ?? null, ExclusiveMinimum: of.exclusiveMinimum ?? false, MaxLength: of.maxLength ?? null, MinLength: of.minLength ?? null,
    Pattern: of.pattern ?? '', MaxItems: of.maxItems ?? null, MinItems: of.minItems ?? null, UniqueItems: of.uniqueItems ?? false,
    MultipleOf: of.multipleOf ?? null, Enum: of.enum?.map(shownJson) ?? null, MaxProperties: of.maxProperties ?? null, MinProperties: of.minProperties ?? null,
    Required: of.required ?? null, Items: shownItems(of.items), AllOf: shownList(of.allOf), OneOf: shownList(of.oneOf), AnyOf: shownList(of.anyOf),
    Not: shownOrNull(of.not), Properties: shownMap(of.properties, shownSchema), AdditionalProperties: shownOrBool(of.additionalProperties),
    PatternProperties: shownMap(of.patternProperties, shownSchema),
    Dependencies: shownMap(of.dependencies, (each) => (Array.isArray(each) ? { Schema: null, Property: each } : { Schema: shownSchema(each), Property: null })),
    AdditionalItems: shownOrBool(of.additionalItems), Definitions: shownMap(of.definitions, shownSchema),
    ExternalDocs: of.externalDocs === undefined ? null : { Description: of.externalDocs.description ?? '', URL: of.externalDocs.url ?? '' },
    Example: shownJson(of.example),
    XPreserveUnknownFields: of['x-kubernetes-preserve-unknown-fields'] ?? null, XEmbeddedResource: of['x-kubernetes-embedded-resource'] ?? false,
    XIntOrString: of['x-kubernetes-int-or-string'] ?? false, XListMapKeys: of['x-kubernetes-list-map-keys'] ?? null,
    XListType: of['x-kubernetes-list-type'] ?? null, XMapType: of['x-kubernetes-map-type'] ?? null,
    XValidations: of['x-kubernetes-validations']?.map(shownRule) ?? null,
  }
}

const shownOrNull = (schema: Schema | undefined): Shown | null => (schema === undefined ? null : shownSchema(schema))
const shownList = (schemas: readonly Schema[] | undefined): readonly Shown[] | null => schemas?.map(shownSchema) ?? null

export function shownItems(items: JSONSchemaProps['items']): Shown | null {
  if (items === undefined) return null
  return Array.isArray(items) ? { Schema: null, JSONSchemas: items.map(shownSchema) } : { Schema: shownSchema(items), JSONSchemas: null }
}

function shownOrBool(of: JSONSchemaProps['additionalProperties']): Shown | null {
  if (of === undefined) return null
  return typeof of === 'boolean' ? { Allows: of, Schema: null } : { Allows: true, Schema: shownSchema(of) }
}

function shownMap<T>(map: Readonly<Record<string, T>> | undefined, show: (value: T) => Shown): Shown | null {
  if (map === undefined) return null
  return Object.fromEntries(sortedEntries(map).map(([key, value]) => [key, show(value)]))
}

/** Go writes the keys of maps in order. */
export function shownJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shownJson)
  if (typeof value !== 'object' || value === null) return value ?? null
  return Object.fromEntries(sortedEntries(value as Record<string, unknown>).map(([key, inner]) => [key, shownJson(inner)]))
}

function sortedEntries<T>(map: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))
}
