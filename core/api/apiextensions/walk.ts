/** Going through a schema: whether a schema, or any schema inside it, is of a certain sort. */
import type { CustomResourceDefinitionSpec, JSONSchemaProps } from '../schema/types.ts'

type Schema = Readonly<JSONSchemaProps>

type Holds = (schema: Schema) => boolean

/** Whether the predicate holds anywhere; asked from the outside in, and no more once it has. */
export function schemaHas(schema: Schema | undefined, holds: Holds): boolean {
  if (schema === undefined) return false
  return holds(schema) || inLogic(schema, holds) || inParts(schema, holds)
}

/** Whether it holds anywhere in any version. */
export function specHas(spec: Readonly<CustomResourceDefinitionSpec>, holds: Holds): boolean {
  return (spec.versions ?? []).some((version) => schemaHas(version.schema?.openAPIV3Schema, holds))
}

/** Definitions are created by the thousand, and are all schema: nothing is made on the way. */
function inLogic({ allOf, anyOf, oneOf, not }: Schema, holds: Holds): boolean {
  return inList(allOf, holds) || inList(anyOf, holds) || inList(oneOf, holds) || schemaHas(not, holds)
}

function inParts(schema: Schema, holds: Holds): boolean {
  const { items, additionalProperties, additionalItems } = schema
  if (Array.isArray(items) ? inList(items, holds) : schemaHas(items, holds)) return true
  if (inMap(schema.properties, holds) || inMap(schema.patternProperties, holds) || inMap(schema.definitions, holds)) return true
  if (typeof additionalProperties === 'object' && schemaHas(additionalProperties, holds)) return true
  if (typeof additionalItems === 'object' && schemaHas(additionalItems, holds)) return true
  return Object.values(schema.dependencies ?? none).some((each) => !Array.isArray(each) && schemaHas(each, holds))
}

const none: Readonly<Record<string, never>> = {}

function inList(schemas: readonly Schema[] | undefined, holds: Holds): boolean {
  return schemas !== undefined && schemas.some((each) => schemaHas(each, holds))
}

function inMap(schemas: Readonly<Record<string, Schema>> | undefined, holds: Holds): boolean {
  for (const name in schemas) if (schemaHas(schemas[name], holds)) return true
  return false
}
