/**
 * How writes of CustomResourceDefinitions behave (apiextensions-apiserver/pkg/registry/customresourcedefinition), and
 * their rules as a whole. A definition that is deleted stays until the objects of its kind are gone.
 */
import type { Errors } from '../checks.ts'
import { invalidValue, path, type FieldError, type Path } from '../field.ts'
import type { StatusRules, Strategy } from '../kind.ts'
import { immutableSentence } from '../metavalidation.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionSpec } from '../schema/types.ts'
import { formatTime } from '../time.ts'
import { validateApproval } from './approval.ts'
import { cleanupFinalizer, isEstablished, setCondition, storageVersion } from './conditions.ts'
import { formatWarnings } from './formats.ts'
import { leniencyOf, strict, type Leniency } from './leniency.ts'
import { validateNames, validateSpec } from './specrules.ts'

type Definition = Readonly<CustomResourceDefinition>

export const definitionStrategy: Strategy<CustomResourceDefinition> = {
  prepareCreate(crd) {
    crd.status = { acceptedNames: { plural: '', kind: '' } }
    noteStorageVersion(crd)
  },
  prepareUpdate: noteStorageVersion,
  markDeleted(crd, { now }) {
    crd.metadata.deletionTimestamp = formatTime(now)
    const finalizers = (crd.metadata.finalizers ??= [])
    if (!finalizers.includes(cleanupFinalizer)) finalizers.push(cleanupFinalizer)
    setCondition(((crd.status ??= {}).conditions ??= []), {
      type: 'Terminating', status: 'True', reason: 'InstanceDeletionPending',
      message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    }, now)
  },
  validateCreate: (crd) => validate(crd, undefined, strict),
  validateUpdate: (next, prev) => [...validate(next, prev, leniencyOf(next, prev)), ...validateImmutable(next, prev)],
  warnings: (next, prev) => formatWarnings(next.spec, prev?.spec),
}

export const definitionStatus: StatusRules<CustomResourceDefinition> = {
  validateUpdate: (next) => validateStatus(next),
}

/** A version that objects have ever been stored in is remembered until somebody has rewritten them all. */
function noteStorageVersion(crd: CustomResourceDefinition): void {
  const name = storageVersion(crd)?.name
  const stored = ((crd.status ??= {}).storedVersions ??= [])
  if (name !== undefined && !stored.includes(name)) crd.status.storedVersions = [...stored, name]
}

function validate(crd: Definition, prev: Definition | undefined, lenient: Leniency): Errors {
  const errors: Errors = []
  if (prev === undefined) validateName(errors, crd)
  validateSpec(errors, crd.spec, lenient)
  errors.push(...validateStatus(crd), ...validateStoredVersions(crd), ...validateApproval(crd, prev))
  if (crd.spec.preserveUnknownFields === true && prev?.spec.preserveUnknownFields !== true) {
    errors.push(invalidValue(path('spec', 'preserveUnknownFields'), true, 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'))
  }
  return errors
}

/** A generated name is never the right one. */
function validateName(errors: Errors, { metadata, spec: { names, group } }: Definition): void {
  for (const field of ['generateName', 'name'] as const) {
    const name = metadata[field] ?? ''
    if (name !== '' && name !== `${names.plural}.${group}`) errors.push(invalidValue(path('metadata', field), name, 'must be spec.names.plural+"."+spec.group'))
  }
}

function validateStatus(crd: Definition): readonly FieldError[] {
  const errors: Errors = []
  const names = crd.status?.acceptedNames
  if (names !== undefined) validateNames(errors, names, path('status', 'acceptedNames'))
  return errors
}

function validateStoredVersions({ spec, status }: Definition): readonly FieldError[] {
  const at = path('status', 'storedVersions')
  const stored = status?.storedVersions ?? []
  if (stored.length === 0) return [invalidValue(at, null, 'must have at least one stored version')]
  const errors: Errors = []
  const versions = spec.versions ?? []
  for (const { name, storage } of versions) if (storage && !stored.includes(name)) errors.push(invalidValue(at, stored, `must have the storage version ${name}`))
  stored.forEach((name, i) => {
    if (versions.some((version) => version.name === name) || stored.lastIndexOf(name) !== i) return
    errors.push(invalidValue(at.index(i), name, `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`))
  })
  return errors
}

/** Where objects are stored follows from these; kind and scope may change until somebody may have stored one. */
function validateImmutable(next: Definition, prev: Definition): readonly FieldError[] {
  const errors: Errors = []
  const same = (read: (spec: Readonly<CustomResourceDefinitionSpec>) => string, at: Path): void => {
    if (read(next.spec) !== read(prev.spec)) errors.push(invalidValue(at, read(next.spec), immutableSentence))
  }
  const at = path('spec')
  if (isEstablished(prev)) {
    same((spec) => spec.scope, at.child('scope'))
    same((spec) => spec.names.kind, at.child('names', 'kind'))
  }
  same((spec) => spec.group, at.child('group'))
  same((spec) => spec.names.plural, at.child('names', 'plural'))
  return errors
}
