/**
 * What may stand in metadata, on creation and on update, with upstream's sentences
 * (k8s.io/apimachinery/pkg/api/validation/objectmeta.go). A kind's own rules come on top.
 */
import { FieldError, forbiddenField, invalidValue, path, required, tooLong, type Path } from './field.ts'
import { validateManagerName } from './fieldmanager.ts'
import { parseApiVersion, type KubeObject } from './meta.ts'
import { dns1123Label, labelValue, qualifiedName } from './names.ts'
import type { ManagedFieldsEntry, OwnerReference } from './schema/types.ts'

/** Bytes of all annotations of an object, keys and values. */
export const annotationBytesMax = 256 * 1_024
const subresourceBytesMax = 256

export const orphanFinalizer = 'orphan'
export const foregroundFinalizer = 'foregroundDeletion'
export const immutableSentence = 'field is immutable'

type Meta = KubeObject['metadata']

export interface MetaRules {
  readonly namespaced: boolean
  readonly validateName: (name: string, prefix: boolean) => readonly string[]
}

/** Rules for metadata of any write; the name's rule is the kind's own on creation. */
export function validateMeta(meta: Readonly<Meta>, rules: MetaRules, at: Path = path('metadata')): readonly FieldError[] {
  const errors: FieldError[] = []
  const name = meta.name ?? ''
  if (meta.generateName !== undefined && meta.generateName !== '') {
    for (const wrong of rules.validateName(meta.generateName, true)) errors.push(invalidValue(at.child('generateName'), meta.generateName, wrong))
  }
  if (name === '') errors.push(required(at.child('name'), 'name or generateName is required'))
  else for (const wrong of rules.validateName(name, false)) errors.push(invalidValue(at.child('name'), name, wrong))
  validateNamespace(errors, meta.namespace ?? '', rules.namespaced, at.child('namespace'))
  if ((meta.generation ?? 0) < 0) errors.push(invalidValue(at.child('generation'), meta.generation, 'must be greater than or equal to 0'))
  validateShared(errors, meta, at)
  if (meta.finalizers !== undefined && meta.finalizers !== null) validateFinalizers(errors, meta.finalizers, at.child('finalizers'))
  return errors
}

/** Rules for metadata of an update: what may not change. */
export function validateMetaUpdate(next: Readonly<Meta>, prev: Readonly<Meta>, at: Path = path('metadata')): readonly FieldError[] {
  const errors: FieldError[] = []
  if (prev.deletionTimestamp !== undefined) {
    const added = [...new Set(next.finalizers ?? [])].filter((f) => !(prev.finalizers ?? []).includes(f)).sort()
    if (added.length > 0) {
      const list = `[]string{${added.map((f) => JSON.stringify(f)).join(', ')}}`
      errors.push(forbiddenField(at.child('finalizers'), `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`))
    }
  }
  if ((next.generation ?? 0) < (prev.generation ?? 0)) errors.push(invalidValue(at.child('generation'), next.generation ?? 0, 'must not be decremented'))
  for (const field of ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if ((next[field] ?? undefined) !== (prev[field] ?? undefined)) errors.push(invalidValue(at.child(field), next[field] ?? emptyOf[field], immutableSentence))
  }
  return errors
}

/** What Go shows for a field that is not set. */
const emptyOf = { name: '', namespace: '', uid: '', creationTimestamp: null, deletionTimestamp: null, deletionGracePeriodSeconds: null } as const

function validateNamespace(errors: FieldError[], namespace: string, namespaced: boolean, at: Path): void {
  if (!namespaced) {
    if (namespace !== '') errors.push(forbiddenField(at, 'not allowed on this type'))
  } else if (namespace === '') {
    errors.push(required(at))
  } else {
    for (const wrong of dns1123Label(namespace)) errors.push(invalidValue(at, namespace, wrong))
  }
}

function validateShared(errors: FieldError[], meta: Readonly<Meta>, at: Path): void {
  if (meta.labels !== undefined && meta.labels !== null) errors.push(...validateLabels(meta.labels, at.child('labels')))
  if (meta.annotations !== undefined && meta.annotations !== null) errors.push(...validateAnnotations(meta.annotations, at.child('annotations')))
  if (meta.ownerReferences !== undefined && meta.ownerReferences !== null) validateOwners(errors, meta.ownerReferences, at.child('ownerReferences'))
  if (meta.managedFields !== undefined && meta.managedFields !== null) validateManagers(errors, meta.managedFields, at.child('managedFields'))
}

export function validateLabels(labels: Readonly<Record<string, string>>, at: Path): FieldError[] {
  const errors: FieldError[] = []
  for (const key in labels) {
    const value = labels[key] ?? ''
    for (const wrong of qualifiedName(key)) errors.push(invalidValue(at, key, wrong))
    for (const wrong of labelValue(value)) errors.push(invalidValue(at, value, wrong))
  }
  return errors
}

export function validateAnnotations(annotations: Readonly<Record<string, string>>, at: Path): FieldError[] {
  const errors: FieldError[] = []
  let bytes = 0
  for (const key in annotations) {
    for (const wrong of qualifiedName(key.toLowerCase())) errors.push(invalidValue(at, key, wrong))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(annotations[key] ?? '')
  }
  if (bytes > annotationBytesMax) errors.push(tooLong(at, annotationBytesMax))
  return errors
}

function validateOwners(errors: FieldError[], owners: readonly OwnerReference[], at: Path): void {
  let controller: string | undefined
  // without an index: upstream names the list, not the element
  owners.forEach((owner) => {
    const { group, version } = parseApiVersion(owner.apiVersion ?? '')
    if (version === '') errors.push(invalidValue(at.child('apiVersion'), owner.apiVersion ?? '', 'version must not be empty'))
    for (const field of ['kind', 'name', 'uid'] as const) {
      if ((owner[field] ?? '') === '') errors.push(invalidValue(at.child(field), owner[field] ?? '', 'must not be empty'))
    }
    if (group === '' && version === 'v1' && owner.kind === 'Event') {
      errors.push(invalidValue(at, owner, '/v1, Kind=Event is disallowed from being an owner'))
    }
    if (owner.controller !== true) return
    const name = `${owner.kind}/${owner.name}`
    if (controller === undefined) {
      controller = name
    } else {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`
      errors.push(invalidValue(at, owners, detail))
    }
  })
}

function validateFinalizers(errors: FieldError[], finalizers: readonly string[], at: Path): void {
  for (const finalizer of finalizers) for (const wrong of qualifiedName(finalizer)) errors.push(invalidValue(at, finalizer, wrong))
  if (finalizers.includes(orphanFinalizer) && finalizers.includes(foregroundFinalizer)) {
    errors.push(invalidValue(at, finalizers, `finalizer ${orphanFinalizer} and ${foregroundFinalizer} cannot be both set`))
  }
}

const standardFinalizers = new Set(['kubernetes', orphanFinalizer, foregroundFinalizer])

/** Built-in kinds insist that finalizers name their owner, but for a few of the system's own (k8s.io/kubernetes/pkg/apis/core/validation). */
export function validateStandardFinalizers(finalizers: readonly string[] | undefined, at: Path, each = true): FieldError[] {
  return (finalizers ?? []).flatMap((finalizer, i) => {
    if (finalizer.includes('/') || standardFinalizers.has(finalizer)) return []
    return [invalidValue(each ? at.index(i) : at, finalizer, 'name is neither a standard finalizer name nor is it fully qualified')]
  })
}

function validateManagers(errors: FieldError[], entries: readonly ManagedFieldsEntry[], at: Path): void {
  entries.forEach((entry, i) => {
    const here = at.index(i)
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') {
      errors.push(invalidValue(here.child('operation'), entry.operation ?? '', 'must be `Apply` or `Update`'))
    }
    if ((entry.fieldsType ?? '') !== '' && entry.fieldsType !== 'FieldsV1') {
      errors.push(invalidValue(here.child('fieldsType'), entry.fieldsType, 'must be `FieldsV1`'))
    }
    errors.push(...validateManagerName(entry.manager ?? '', here.child('manager')))
    if ((entry.subresource ?? '').length > subresourceBytesMax) errors.push(tooLong(here.child('subresource'), subresourceBytesMax))
  })
}
