/** Rules of what a claim asks for, wherever one stands: a PersistentVolumeClaim, a template in a StatefulSet or a pod (k8s.io/kubernetes/pkg/apis/core/validation). */
import { labelSelector, needsText, positiveQuantity, say, subdomain, type Errors } from '../checks.ts'
import { forbiddenField, invalidValue, notSupported, required, type Path } from '../field.ts'
import { dns1123Label, dns1123Subdomain } from '../names.ts'
import type { PersistentVolumeClaimSpec, TypedLocalObjectReference, TypedObjectReference } from '../schema/types.ts'
import { quantityMilli } from '../quantity.ts'

export const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const volumeModes = ['Block', 'Filesystem']

export interface ClaimOptions {
  readonly tolerantSelector?: boolean
  readonly tolerantGroup?: boolean
}

export function validateAccessModes(errors: Errors, modes: readonly string[], at: Path): void {
  for (const mode of modes) if (!accessModes.includes(mode)) errors.push(notSupported(at, mode, accessModes))
  const others = modes.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode))
  if (modes.includes('ReadWriteOncePod') && others) errors.push(forbiddenField(at, 'may not use ReadWriteOncePod with other access modes'))
}

export function validateClaimSpec(errors: Errors, spec: Readonly<PersistentVolumeClaimSpec>, at: Path, options: ClaimOptions = {}): void {
  const modes = spec.accessModes ?? []
  if (modes.length === 0) errors.push(required(at.child('accessModes'), 'at least 1 access mode is required'))
  labelSelector(errors, spec.selector, at.child('selector'), options.tolerantSelector)
  validateAccessModes(errors, modes, at.child('accessModes'))
  const storage = spec.resources?.requests?.['storage']
  if (storage === undefined) errors.push(required(at.child('resources').key('storage')))
  else positiveQuantity(errors, storage, at.child('resources').key('storage'))
  for (const field of ['storageClassName', 'volumeMode'] as const) {
    const value = spec[field]
    if (value === undefined) continue
    if (field === 'volumeMode' && !volumeModes.includes(value)) errors.push(notSupported(at.child(field), value, volumeModes))
    if (field === 'storageClassName' && value !== '') subdomain(errors, value, at.child(field))
  }
  const { dataSource, dataSourceRef } = spec
  if (dataSource !== undefined) source(errors, dataSource, at.child('dataSource'), options)
  if (dataSourceRef !== undefined) source(errors, dataSourceRef, at.child('dataSourceRef'), options)
  bothSources(errors, dataSource, dataSourceRef, at)
  if ((spec.volumeAttributesClassName ?? '') !== '') subdomain(errors, spec.volumeAttributesClassName ?? '', at.child('volumeAttributesClassName'))
}

function source(errors: Errors, ref: Readonly<TypedObjectReference>, at: Path, options: ClaimOptions): void {
  needsText(errors, ref.name, at.child('name'))
  needsText(errors, ref.kind, at.child('kind'))
  const group = ref.apiGroup ?? ''
  if (group === '' && ref.kind !== 'PersistentVolumeClaim') errors.push(invalidValue(at, ref.kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
  if (group !== '' && options.tolerantGroup !== true) say(errors, at.child('apiGroup'), group, dns1123Subdomain(group))
  if ((ref.namespace ?? '') !== '') say(errors, at.child('namespace'), ref.namespace, dns1123Label(ref.namespace ?? ''))
}

function bothSources(errors: Errors, one: Readonly<TypedLocalObjectReference> | undefined, other: Readonly<TypedObjectReference> | undefined, at: Path): void {
  if (one === undefined || other === undefined) return
  // Upstream shows a path as the value, which has no visible fields.
  if ((other.namespace ?? '') !== '') errors.push(invalidValue(at, {}, 'may not be specified when dataSourceRef.namespace is specified'))
  else if (one.apiGroup !== other.apiGroup || one.kind !== other.kind || one.name !== other.name) errors.push(invalidValue(at, {}, 'must match dataSourceRef'))
}

export function claimWarnings(spec: Readonly<PersistentVolumeClaimSpec>, at: Path): string[] {
  return (['requests', 'limits'] as const).flatMap((side) => {
    const amount = spec.resources?.[side]?.['storage']
    return amount !== undefined && quantityMilli(amount) % 1_000 !== 0
      ? [`${at.child('resources', side).key('storage').text}: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`]
      : []
  })
}
