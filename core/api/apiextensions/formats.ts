/**
 * Formats of values that schemas may name (pkg/apiserver/validation/formats.go). One that nobody knows is no error: it
 * is not checked, and who writes the schema is told. Checking values is structural's.
 */
import { hoist, schemasOf } from './internalform.ts'
import type { CustomResourceDefinitionSpec, JSONSchemaProps } from '../schema/types.ts'
import { schemaHas } from './walk.ts'

/** Hyphens do not count in their names. */
const ofStrings = new Set([
  'bsonobjectid', 'uri', 'email', 'hostname', 'ipv4', 'ipv6', 'cidr', 'mac', 'uuid', 'uuid3', 'uuid4', 'uuid5', 'isbn', 'isbn10', 'isbn13',
  'creditcard', 'ssn', 'hexcolor', 'rgbcolor', 'byte', 'password', 'date', 'duration', 'datetime', 'k8sshortname', 'k8slongname',
])

export function isKnownFormat({ format = '', type = '' }: Readonly<JSONSchemaProps>): boolean {
  if (format === '') return true
  switch (type) {
    case '':
    case 'string':
      return ofStrings.has(format.replaceAll('-', ''))
    case 'integer':
      return format === 'int32' || format === 'int64'
    case 'number':
      return format === 'float' || format === 'double'
    default:
      return false
  }
}

function unknownFormats(spec: Readonly<CustomResourceDefinitionSpec>): string[] {
  const found: string[] = []
  for (const schema of schemasOf(hoist(spec))) {
    schemaHas(schema, (each) => {
      if (!isKnownFormat(each)) found.push(each.format ?? '')
      return false
    })
  }
  return found
}

/** One for each place with a format that was nowhere before. */
export function formatWarnings(next: Readonly<CustomResourceDefinitionSpec>, prev: Readonly<CustomResourceDefinitionSpec> | undefined): readonly string[] {
  const found = unknownFormats(next)
  if (found.length === 0) return found
  const before = new Set(prev === undefined ? [] : unknownFormats(prev))
  return found.filter((format) => !before.has(format)).map((format) => `unrecognized format ${JSON.stringify(format)}`)
}
