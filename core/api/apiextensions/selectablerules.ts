/** Fields that lists of custom objects may be selected by: few, and scalars that the schema declares. */
import type { Errors } from '../checks.ts'
import { duplicate, invalidValue, required, tooMany, type Path } from '../field.ts'
import type { JSONSchemaProps, SelectableField } from '../schema/types.ts'
import { findField } from './fieldpath.ts'
import { structuralError } from './structuralrules.ts'

export const selectableFieldsMax = 8

const scalars: readonly string[] = ['string', 'boolean', 'integer']

export interface SelectableOptions {
  readonly at: Path
  readonly schemaAt: Path
  /** There were too many before. */
  readonly anyNumber: boolean
}

export function validateSelectableFields(errors: Errors, fields: readonly Readonly<SelectableField>[], schema: Readonly<JSONSchemaProps>, { at, schemaAt, anyNumber }: SelectableOptions): void {
  const unreadable = structuralError(schema)
  if (unreadable !== undefined) errors.push(invalidValue(schemaAt, '', unreadable))
  const seen = new Set<string>()
  fields.forEach(({ jsonPath }, i) => {
    const here = at.index(i).child('jsonPath')
    if (jsonPath === '') {
      errors.push(required(here))
      return
    }
    const found = findField(jsonPath, schema, { brackets: false })
    if (!found.ok) {
      errors.push(invalidValue(here, jsonPath, `is an invalid path: ${found.why}`))
      return
    }
    if (found.root === 'metadata') errors.push(invalidValue(here, jsonPath, 'must not point to fields in metadata'))
    if (!scalars.includes(found.schema?.type ?? '')) {
      errors.push(invalidValue(here, jsonPath, 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'))
    }
    const text = found.path?.text ?? ''
    if (seen.has(text)) errors.push(duplicate(here, jsonPath))
    seen.add(text)
  })
  if (seen.size > selectableFieldsMax && !anyNumber) errors.push(tooMany(at, seen.size, selectableFieldsMax))
}
