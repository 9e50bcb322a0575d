/** Going through a schema: whether a schema, or any schema inside it, is of a certain sort. */
import type { CustomResourceDefinitionSpec, JSONSchemaProps } from '../schema/types.ts'

type Schema = Readonly<JSONSchemaProps>

/** Whether the predicate holds anywhere; asked from the outside in, and no more once it has. */
export function schemaHas(schema: Schema | undefined, holds: (schema: Schema) => boolean): boolean {
  if (schema === undefined) return false
  return holds(schema) || innerSchemas(schema).some((inner) => schemaHas(inner, holds))
}

/** Whether it holds anywhere in any version. */
export function specHas(spec: Readonly<CustomResourceDefinitionSpec>, holds: (schema: Schema) => boolean): boolean {
  return (spec.versions ?? []).some((version) => schemaHas(version.schema?.openAPIV3Schema, holds))
}

const none: readonly Schema[] = []

function innerSchemas(schema: Schema): readonly Schema[] {
  const { items, not, additionalProperties, additionalItems } = schema
  return [
    ...(items === undefined ? none : Array.isArray(items) ? items : [items]),
    ...(schema.allOf ?? none),
    ...(schema.anyOf ?? none),
    ...(schema.oneOf ?? none),
    ...(not === undefined ? none : [not]),
    ...Object.values(schema.properties ?? {}),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : none),
    ...Object.values(schema.patternProperties ?? {}),
    ...(typeof additionalItems === 'object' ? [additionalItems] : none),
    ...Object.values(schema.definitions ?? {}),
    ...Object.values(schema.dependencies ?? {}).filter((each): each is JSONSchemaProps => !Array.isArray(each)),
  ]
}
