/**
 * Rules of a definition's spec (apis/apiextensions/validation/validation.go): group, scope, names, versions with their
 * columns, subresources and fields to select by. Schemas are schemavalidation.ts, conversion is conversionrules.ts.
 */
import { needsOneOf, needsText, type Errors } from '../checks.ts'
import { invalidValue, path, required, type Path } from '../field.ts'
import { dns1035Label, dns1123Subdomain } from '../names.ts'
import type { CustomResourceDefinitionNames, CustomResourceDefinitionSpec, CustomResourceDefinitionVersion, CustomResourceSubresources } from '../schema/types.ts'
import { validateColumns, validateSubresources } from './columnrules.ts'
import { validateConversion } from './conversionrules.ts'
import { hoist, shownVersions, type Hoisted } from './internalform.ts'
import type { Leniency } from './leniency.ts'
import { validateVersionSchema } from './schemavalidation.ts'
import { validateSelectableFields } from './selectablerules.ts'
import { specHas } from './walk.ts'

type Spec = Readonly<CustomResourceDefinitionSpec>
type Version = Readonly<CustomResourceDefinitionVersion>

export function validateSpec(errors: Errors, spec: Spec, lenient: Leniency): void {
  const at = path('spec')
  const form = hoist(spec)
  const structural = !keepsUnknown(spec) || !lenient.unstructured || specHas(spec, needsStructure)
  validateGroup(errors, spec.group, at.child('group'))
  needsOneOf(errors, spec.scope, ['Cluster', 'Namespaced'], at.child('scope'))
  requireSchemas(errors, spec, form, at, lenient)
  if (keepsUnknown(spec) && specHas(spec, (schema) => schema.default !== undefined)) {
    errors.push(invalidValue(at.child('preserveUnknownFields'), true, 'must be false in order to use defaults in the schema'))
  }
  form.versions.forEach((version, i) => validateVersion(errors, version, form, at.child('versions').index(i), { lenient, structural }))
  validateVersionList(errors, spec, form, at)
  validateRequiredNames(errors, spec.names, at.child('names'))
  validateNames(errors, spec.names, at.child('names'))
  validateShared(errors, form, at, { lenient, structural })
  if (keepsUnknown(spec) && spec.conversion !== undefined && spec.conversion.strategy !== 'None') {
    errors.push(invalidValue(at.child('conversion', 'strategy'), spec.conversion.strategy, 'must be None if spec.preserveUnknownFields is true'))
  }
  validateConversion(errors, spec.conversion, at.child('conversion'), lenient)
}

const keepsUnknown = (spec: Spec): boolean => spec.preserveUnknownFields === true

/** Defaults and Kubernetes' own words have a meaning in structural schemas only. */
const needsStructure: Parameters<typeof specHas>[1] = (schema) =>
  schema.default !== undefined || schema['x-kubernetes-embedded-resource'] === true || schema['x-kubernetes-preserve-unknown-fields'] !== undefined
  || schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-list-map-keys'] !== undefined || schema['x-kubernetes-list-type'] !== undefined
  || schema['x-kubernetes-validations'] !== undefined

function validateGroup(errors: Errors, group: string, at: Path): void {
  const wrong = dns1123Subdomain(group)
  if (group === '') errors.push(required(at))
  else if (wrong.length > 0) errors.push(invalidValue(at, group, wrong.join(',')))
  else if (!group.includes('.')) errors.push(invalidValue(at, group, 'should be a domain with at least one dot'))
}

function requireSchemas(errors: Errors, spec: Spec, { validation, versions }: Hoisted, at: Path, lenient: Leniency): void {
  if (validation?.openAPIV3Schema !== undefined || (lenient.missingSchema && keepsUnknown(spec))) return
  versions.forEach((version, i) => {
    if (version.schema?.openAPIV3Schema !== undefined) return
    const here = at.child('versions').index(i).child('schema', 'openAPIV3Schema')
    if (!lenient.missingSchema) errors.push(required(here))
    else if (version.served) errors.push(required(here, 'because otherwise all fields are pruned'))
  })
}

interface Options {
  readonly lenient: Leniency
  readonly structural: boolean
}

function validateVersion(errors: Errors, version: Version, form: Hoisted, at: Path, { lenient, structural }: Options): void {
  const wrongName = dns1035Label(version.name)
  if (wrongName.length > 0) errors.push(invalidValue(at.child('name'), version.name, wrongName.join(',')))
  // a text that may be missing is shown as JSON
  for (const wrong of deprecationErrors(version)) errors.push(invalidValue(at.child('deprecationWarning'), { toJSON: () => version.deprecationWarning }, wrong))
  const subresources = form.versions.some((each) => each.subresources !== undefined) ? version.subresources : form.subresources
  const isUnchanged = lenient.sameSchemas.has(version.name)
  validateVersionSchema(errors, version.schema, at.child('schema'), { lenient, structural, isUnchanged, hasStatus: hasStatus(subresources) })
  validateSubresources(errors, version.subresources, at.child('subresources'))
  validateColumns(errors, version.additionalPrinterColumns ?? [], at.child('additionalPrinterColumns'))
  const fields = version.selectableFields ?? []
  if (fields.length === 0) return
  const schema = version.schema?.openAPIV3Schema
  const fieldsAt = at.child('selectableFields')
  if (schema === undefined) errors.push(invalidValue(fieldsAt, '', 'may only be set when `version.schema.openAPIV3Schema` is not included'))
  else validateSelectableFields(errors, fields, schema, { at: fieldsAt, schemaAt: at.child('schema.openAPIV3Schema'), anyNumber: lenient.manySelectable.has(version.name) })
}

const hasStatus = (subresources: Readonly<CustomResourceSubresources> | undefined): boolean => subresources?.status !== undefined

function deprecationErrors({ deprecated = false, deprecationWarning: warning }: Version): readonly string[] {
  if (warning === undefined) return []
  if (!deprecated) return ['can only be set for deprecated versions']
  const errors: string[] = []
  if (Buffer.byteLength(warning) > 256) errors.push('must be <= 256 characters long')
  if (warning === '') errors.push('must not be an empty string')
  let index = 0
  for (const c of warning) {
    if (c !== ' ' && /[\p{C}\p{Z}]/u.test(c)) {
      errors.push(`must only contain printable UTF-8 characters; non-printable character found at index ${index}`)
      break
    }
    index += Buffer.byteLength(c)
  }
  return errors
}

function validateVersionList(errors: Errors, spec: Spec, { versions }: Hoisted, at: Path): void {
  const names = versions.map(({ name }) => name)
  const list = at.child('versions')
  if (new Set(names).size < names.length) errors.push(invalidValue(list, shownVersions(versions), 'must contain unique version names'))
  if (versions.filter(({ storage }) => storage).length !== 1) {
    errors.push(invalidValue(list, spec.versions === undefined ? null : shownVersions(versions), 'must have exactly one version marked as storage version'))
  }
  // In upstream's form the first version's name stands once more, in a field of its own.
  const [first = ''] = names
  const wrong = first === '' ? [] : dns1035Label(first)
  if (wrong.length > 0) errors.push(invalidValue(at.child('version'), first, wrong.join(',')))
}

function validateRequiredNames(errors: Errors, names: Readonly<CustomResourceDefinitionNames>, at: Path): void {
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) needsText(errors, names[field], at.child(field))
}

/** How names are spelled; those that are missing are for somebody else to miss. */
export function validateNames(errors: Errors, names: Readonly<CustomResourceDefinitionNames>, at: Path): void {
  const check = (name: string, here: Path, sentence = '', text = name): void => {
    const wrong = dns1035Label(text)
    if (wrong.length > 0) errors.push(invalidValue(here, name, sentence + wrong.join(',')))
  }
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    const name = names[field] ?? ''
    if (name === '') continue
    if (field === 'plural' || field === 'singular') check(name, at.child(field))
    else check(name, at.child(field), 'may have mixed case, but should otherwise match: ', name.toLowerCase())
  }
  names.shortNames?.forEach((name, i) => check(name, at.child('shortNames').index(i)))
  if (names.kind !== '' && names.kind === names.listKind) errors.push(invalidValue(at.child('listKind'), names.listKind, 'kind and listKind may not be the same'))
  names.categories?.forEach((name, i) => check(name, at.child('categories').index(i)))
}

/** What versions have in common. */
function validateShared(errors: Errors, form: Hoisted, at: Path, { lenient, structural }: Options): void {
  const isUnchanged = lenient.sameSchemas.has(form.versions[0]?.name ?? '')
  const anyStatus = hasStatus(form.subresources) || form.versions.some((version) => hasStatus(version.subresources))
  validateVersionSchema(errors, form.validation, at.child('validation'), { lenient, structural, isUnchanged, hasStatus: anyStatus })
  validateSubresources(errors, form.subresources, at.child('subresources'))
  validateColumns(errors, form.columns, at.child('additionalPrinterColumns'))
  if (form.selectableFields.length === 0) return
  const fieldsAt = at.child('selectableFields')
  const schema = form.validation?.openAPIV3Schema
  if (form.validation === undefined || schema === undefined) errors.push(invalidValue(fieldsAt, '', 'may only be set when validations.schema is included'))
  else validateSelectableFields(errors, form.selectableFields, schema, { at: fieldsAt, schemaAt: at.child('schema.openAPIV3Schema'), anyNumber: lenient.manySelectable.has('') })
}
