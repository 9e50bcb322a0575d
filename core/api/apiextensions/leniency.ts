/**
 * What an update lets through because it stood there before: nobody is kept from changing a definition by rules that
 * came after it (the ratchets of apis/apiextensions/validation/validation.go).
 */
import { equalJson } from '../../lib/json.ts'
import { path } from '../field.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionSpec, JSONSchemaProps } from '../schema/types.ts'
import { bundleError } from './cabundle.ts'
import { isEstablished } from './conditions.ts'
import { acceptedReviewVersions } from './conversionrules.ts'
import { hasUnprunedDefault } from './defaultrules.ts'
import { hoist } from './internalform.ts'
import { isSetOfAnything, validateListKeys } from './listrules.ts'
import { schemaTypes } from './schemarules.ts'
import { selectableFieldsMax } from './selectablerules.ts'
import { structuralError, validateStructural } from './structuralrules.ts'
import { specHas } from './walk.ts'

type Definition = Readonly<CustomResourceDefinition>
type Spec = Readonly<CustomResourceDefinitionSpec>
type Schema = Readonly<JSONSchemaProps>

/** Of schemas. */
interface SchemaRatchets {
  readonly missingSchema: boolean
  readonly unknownTypes: boolean
  readonly unstructured: boolean
  readonly unprunedDefaults: boolean
  readonly setsOfAnything: boolean
  readonly looseListKeys: boolean
}

export interface Leniency extends SchemaRatchets {
  readonly anyReviewVersion: boolean
  readonly wrongCaBundle: boolean
  /** Versions whose schema is as it was: what their rules may cost is not asked again. */
  readonly sameSchemas: ReadonlySet<string>
  /** Versions with too many selectable fields, as before; '' for those that all share. */
  readonly manySelectable: ReadonlySet<string>
}

/** A bundle may be wrong until the definition is served. */
export const strict: Leniency = {
  missingSchema: false, unknownTypes: false, unstructured: false, unprunedDefaults: false, setsOfAnything: false, looseListKeys: false,
  anyReviewVersion: false, wrongCaBundle: true, sameSchemas: new Set(), manySelectable: new Set(),
}

export function leniencyOf(next: Definition, prev: Definition): Leniency {
  const before = new Map((prev.spec.versions ?? []).map((version) => [version.name, version]))
  const same = (next.spec.versions ?? []).filter(({ name, schema }) => before.has(name) && equalJson(before.get(name)?.schema, schema))
  const reviewVersions = prev.spec.conversion?.webhook?.conversionReviewVersions ?? []
  return {
    ...ratchetsOf(prev.spec),
    anyReviewVersion: reviewVersions.length > 0 && !reviewVersions.some((version) => acceptedReviewVersions.includes(version)),
    wrongCaBundle: !isEstablished(prev) || bundleError(prev.spec.conversion?.webhook?.clientConfig?.caBundle ?? '') !== undefined,
    sameSchemas: new Set(same.map(({ name }) => name)),
    manySelectable: manySelectable(next.spec, prev.spec),
  }
}

function ratchetsOf(spec: Spec): SchemaRatchets {
  const schemas = (spec.versions ?? []).flatMap((version) => version.schema?.openAPIV3Schema ?? [])
  const structural = schemas.filter(isStructural)
  return {
    missingSchema: schemas.length < (spec.versions ?? []).length,
    unknownTypes: specHas(spec, ({ type = '' }) => type !== '' && !schemaTypes.includes(type)),
    unstructured: structural.length < schemas.length,
    unprunedDefaults: structural.some(hasUnprunedDefault),
    setsOfAnything: specHas(spec, isSetOfAnything),
    looseListKeys: specHas(spec, (schema) => validateListKeys(schema, path('')).length > 0),
  }
}

const isStructural = (schema: Schema): boolean => structuralError(schema) === undefined && validateStructural(schema, path('')).length === 0

function manySelectable(next: Spec, prev: Spec): ReadonlySet<string> {
  const [now, before] = [hoist(next), hoist(prev)]
  const many = new Set<string>()
  if (before.selectableFields.length > selectableFieldsMax && equalJson(now.selectableFields, before.selectableFields)) many.add('')
  for (const { name, selectableFields = [] } of now.versions) {
    const old = before.versions.find((version) => version.name === name)?.selectableFields ?? []
    if (old.length > selectableFieldsMax && equalJson(selectableFields, old)) many.add(name)
  }
  return many
}
