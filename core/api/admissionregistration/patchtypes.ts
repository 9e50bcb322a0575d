/**
 * What expressions of mutating policies construct: `Object.spec{...}`, named after the path at which it stands, without a
 * schema; and `JSONPatch{...}` (k8s.io/apiserver/pkg/cel/mutation).
 */
import { MapValue, ListValue, ObjectValue, type Value } from '../cel/value.ts'
import { dyn, list, string, type FieldType, type ObjectType } from '../cel/type.ts'

const anything: FieldType = { type: dyn, jsonName: '', optional: true }
const patchFields: ReadonlyMap<string, FieldType> = new Map([
  ...['op', 'from', 'path'].map((name): [string, FieldType] => [name, { type: string, jsonName: name, optional: true }]),
  ['value', { type: dyn, jsonName: 'value', optional: true }],
])

/** The whole object, of which a policy says only what is to change. */
export const configurationType: ObjectType = objectNamed('Object')
const jsonPatchType: ObjectType = { kind: 'object', name: 'JSONPatch', field: (name) => patchFields.get(name), fieldNames: () => [...patchFields.keys()] }
export const jsonPatchesType = list(jsonPatchType)

export function patchTypeOf(name: string): ObjectType | undefined {
  if (name === jsonPatchType.name) return jsonPatchType
  return name === 'Object' || name.startsWith('Object.') ? objectNamed(name) : undefined
}

function objectNamed(name: string): ObjectType {
  return { kind: 'object', name, field: (field) => ({ ...anything, jsonName: field }), fieldNames: () => [] }
}

/** What is wrong with the names of the types in `value`, which stands at `path`: lists and maps have no name of their own. */
export function misnamed(value: Value, path = 'Object'): readonly string[] {
  if (value instanceof ListValue) return Array.from({ length: value.size }, (_, i) => misnamed(value.at(i), path)).flat()
  if (value instanceof MapValue) return [...value.keys()].flatMap((key) => misnamed(value.get(key) ?? null, path))
  if (!isConfiguration(value)) return []
  const { name } = value.type
  const here = name === path ? [] : [`unexpected type name "${name}", expected "${path}", which matches field name path from root Object type`]
  return [...here, ...[...value.fields()].flatMap((field) => misnamed(value.get(field) ?? null, `${path}.${field}`))]
}

/** Whether an expression made it by such a name. */
export function isConfiguration(value: Value): value is ObjectValue & { readonly type: ObjectType } {
  return value instanceof ObjectValue && value.type.kind === 'object' && (value.type.name === 'Object' || value.type.name.startsWith('Object.'))
}
