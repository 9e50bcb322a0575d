/** Columns of custom kinds: spec.versions[].additionalPrinterColumns, found by JSONPath (registry/customresource/tableconvertor). */
import { since } from '../age.ts'
import { nameColumn } from '../columns.ts'
import { goFloat } from '../float.ts'
import type { Column } from '../kind.ts'
import type { AnyObject } from '../meta.ts'
import type { CustomResourceColumnDefinition } from '../schema/types.ts'
import { parseTime } from '../time.ts'
import { type JsonPath, jsonPath } from './jsonpath.ts'
import { inOrder } from './structural/json.ts'

/** Without columns of its own a kind shows its age. */
const ageDefinition: CustomResourceColumnDefinition = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

export function customColumns(definitions: readonly CustomResourceColumnDefinition[] | undefined): readonly Column<AnyObject>[] {
  const own = definitions === undefined || definitions.length === 0 ? [ageDefinition] : definitions
  return [nameColumn, ...own.map(customColumn)]
}

function customColumn(definition: CustomResourceColumnDefinition): Column<AnyObject> {
  const { name, type, format, priority = 0, jsonPath: text } = definition
  const description = definition.description ?? ''
  let path: JsonPath | undefined
  return {
    name,
    type: type as Column<AnyObject>['type'],
    ...(format === undefined ? {} : { format }),
    description: description === '' ? `Custom resource definition column (in JSONPath format): ${text}` : description,
    priority,
    value(object, now) {
      path ??= jsonPath(text) ?? (() => undefined)
      const found = path(object)
      return found === undefined || found.length === 0 ? null : cell(type, found[0], now)
    },
  }
}

function cell(type: string, value: unknown, now: number): string | number | boolean | null {
  switch (type) {
    case 'string':
      return printed(value)
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? age(value, now) : null
    default:
      return null
  }
}

function age(text: string, now: number): string {
  if (text === '' || text === 'null') return '<unknown>'
  return parseTime(text) === undefined ? '<invalid>' : since(text, now)
}

/** As Go prints a value. */
export function printed(value: unknown): string {
  if (value === null || value === undefined) return '<no value>'
  if (typeof value === 'object') return JSON.stringify(inOrder(value))
  return typeof value === 'number' && !Number.isInteger(value) ? goFloat(value) : String(value)
}
