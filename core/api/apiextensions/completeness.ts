/** That every field and item which a logical part of a schema restricts is declared in the schema itself (pkg/apiserver/schema/complete.go). */
import type { Errors } from '../checks.ts'
import { required, type Path } from '../field.ts'
import type { JSONSchemaProps } from '../schema/types.ts'

type Schema = Readonly<JSONSchemaProps>

export function validateCompleteness(errors: Errors, schema: Schema, at: Path): void {
  eachBranch(schema, at, (branch, from) => validateBranch(errors, branch, schema, at, from))
}

function eachBranch(schema: Schema, at: Path, visit: (branch: Schema, from: Path) => void): void {
  if (schema.not !== undefined) visit(schema.not, at.child('not'))
  for (const junctor of ['allOf', 'anyOf', 'oneOf'] as const) schema[junctor]?.forEach((each, i) => visit(each, at.child(junctor).index(i)))
}

/** `branch`, found at `from`, restricts what `declared`, at `at`, declares. */
function validateBranch(errors: Errors, branch: Schema, declared: Schema | undefined, at: Path, from: Path): void {
  if (declared === undefined) {
    errors.push(required(at, `because it is defined in ${from.text}`))
    return
  }
  eachBranch(branch, from, (inner, innerFrom) => validateBranch(errors, inner, declared, at, innerFrom))
  if (branch.items !== undefined && !Array.isArray(branch.items)) {
    validateBranch(errors, branch.items, Array.isArray(declared.items) ? undefined : declared.items, at.child('items'), from.child('items'))
  }
  for (const [name, restricted] of Object.entries(branch.properties ?? {})) {
    validateBranch(errors, restricted, declared.properties?.[name], at.child('properties').key(name), from.child('properties').key(name))
  }
}
