/**
 * Which volume a claim gets, and how both say so: shared by the binder and the scheduler, which must not differ
 * (k8s.io/component-helpers/storage/volume). Who binds, and when, is theirs. Pure.
 */
import { cloneJson } from '../../lib/json.ts'
import { isBeingDeleted, type KubeObject } from '../meta.ts'
import { compareQuantities } from '../quantity.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../schema/types.ts'
import { selectorOf } from '../selector.ts'
import { selectorMatches } from './nodeaffinity.ts'

export const bindingAnnotations = {
  /** On a claim: it was bound once. */
  bindCompleted: 'pv.kubernetes.io/bind-completed',
  /** On both: the binding is the controller's, not the user's. */
  boundByController: 'pv.kubernetes.io/bound-by-controller',
  /** On a claim: the node that the scheduler wants a volume for. */
  selectedNode: 'volume.kubernetes.io/selected-node',
  /** On a volume: who made it. */
  provisionedBy: 'pv.kubernetes.io/provisioned-by',
  /** On both: the driver that does a former built-in's work. */
  migratedTo: 'pv.kubernetes.io/migrated-to',
  /** On a claim: who is to make a volume. */
  provisioner: 'volume.kubernetes.io/storage-provisioner',
  betaProvisioner: 'volume.beta.kubernetes.io/storage-provisioner',
} as const

/** The field of old. */
const classAnnotation = 'volume.beta.kubernetes.io/storage-class'

/** The provisioner of classes whose volumes nobody makes. */
export const noProvisioner = 'kubernetes.io/no-provisioner'

export function annotationOf(object: Readonly<KubeObject>, key: string): string | undefined {
  return object.metadata.annotations?.[key]
}

/** undefined: the claim names none, and may be given one. */
export function claimClass(claim: Readonly<PersistentVolumeClaim>): string | undefined {
  return annotationOf(claim, classAnnotation) ?? claim.spec?.storageClassName
}

export function volumeClass(volume: Readonly<PersistentVolume>): string {
  return annotationOf(volume, classAnnotation) ?? volume.spec?.storageClassName ?? ''
}

/** Whether claims of the class wait for a pod. */
export function waitsForConsumer(storageClass: Readonly<StorageClass> | undefined): boolean {
  return storageClass?.volumeBindingMode === 'WaitForFirstConsumer'
}

/** Pre-bound to the claim by name, or bound to this very claim. */
export function isBoundTo(volume: Readonly<PersistentVolume>, claim: Readonly<PersistentVolumeClaim>): boolean {
  const ref = volume.spec?.claimRef
  if (ref?.name !== claim.metadata.name || ref?.namespace !== claim.metadata.namespace) return false
  return (ref?.uid ?? '') === '' || ref?.uid === claim.metadata.uid
}

/** The volume as it refers to the claim; undefined when it does already. */
export function boundTo(volume: Readonly<PersistentVolume>, claim: Readonly<PersistentVolumeClaim>): PersistentVolume | undefined {
  const { name, namespace, uid, resourceVersion } = claim.metadata
  const byController = !isBoundTo(volume, claim) && annotationOf(volume, bindingAnnotations.boundByController) === undefined
  const refers = isBoundTo(volume, claim) && volume.spec?.claimRef?.uid === uid
  if (refers && !byController) return undefined
  const next = cloneJson(volume) as PersistentVolume
  if (!refers) next.spec = { ...next.spec, claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', ...(namespace === undefined ? {} : { namespace }), ...(name === undefined ? {} : { name }), ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) } }
  if (byController) annotate(next, bindingAnnotations.boundByController, 'yes')
  return next
}

export function annotate(mine: KubeObject, key: string, value: string): void {
  mine.metadata.annotations = { ...mine.metadata.annotations, [key]: value }
}

export function hasOtherMode(claim: Readonly<PersistentVolumeClaim>, volume: Readonly<PersistentVolume>): boolean {
  return (claim.spec?.volumeMode ?? 'Filesystem') !== (volume.spec?.volumeMode ?? 'Filesystem')
}

export function hasAccessModes(volume: Readonly<PersistentVolume>, modes: readonly string[] | undefined): boolean {
  return (modes ?? []).every((mode) => volume.spec?.accessModes?.includes(mode) === true)
}

export function capacityOf(volume: Readonly<PersistentVolume>): string {
  return volume.spec?.capacity?.['storage'] ?? '0'
}

export function requestOf(claim: Readonly<PersistentVolumeClaim>): string {
  return claim.spec?.resources?.requests?.['storage'] ?? '0'
}

function sameAttributes(claim: Readonly<PersistentVolumeClaim>, volume: Readonly<PersistentVolume>): boolean {
  return (claim.spec?.volumeAttributesClassName ?? '') === (volume.spec?.volumeAttributesClassName ?? '')
}

/** A volume without affinity can be reached from everywhere. */
export function isReachable(volume: Readonly<PersistentVolume>, node: Readonly<Node>): boolean {
  const required = volume.spec?.nodeAffinity?.required
  return required === undefined || selectorMatches(required, node)
}

/** Why a volume that the claim names is not for it, in upstream's words. */
export function misfit(volume: Readonly<PersistentVolume>, claim: Readonly<PersistentVolumeClaim>): string | undefined {
  if (isBeingDeleted(volume)) return `the volume is marked for deletion ${JSON.stringify(volume.metadata.name)}`
  if (compareQuantities(capacityOf(volume), requestOf(claim)) < 0) return 'requested PV is too small'
  if (volumeClass(volume) !== (claimClass(claim) ?? '')) return 'storageClassName does not match'
  if (!sameAttributes(claim, volume)) return 'volumeAttributesClassName does not match'
  if (hasOtherMode(claim, volume)) return 'incompatible volumeMode'
  return hasAccessModes(volume, claim.spec?.accessModes) ? undefined : 'incompatible accessMode'
}

export interface Match {
  /** Only volumes that can be reached from there. */
  readonly node?: Readonly<Node>
  /** Names of volumes that other claims of the pod have taken. */
  readonly taken?: ReadonlySet<string>
  /** Only volumes that are pre-bound to the claim: the scheduler chooses among the others. */
  readonly preboundOnly?: boolean
}

/** The volume that is pre-bound to the claim; else the smallest that fits, the first of those of one size. */
export function matchingVolume(claim: Readonly<PersistentVolumeClaim>, volumes: Iterable<Readonly<PersistentVolume>>, { node, taken, preboundOnly = false }: Match = {}): Readonly<PersistentVolume> | undefined {
  const fits = fitsClaim(claim)
  let best: Readonly<PersistentVolume> | undefined
  for (const volume of volumes) {
    if (taken?.has(volume.metadata.name ?? '') === true || !mayHold(volume, claim)) continue
    const reachable = node === undefined || isReachable(volume, node)
    // The claim has no other choice than this one.
    if (isBoundTo(volume, claim)) return reachable ? volume : undefined
    if (preboundOnly || !reachable || !fits(volume)) continue
    if (best === undefined || compareQuantities(capacityOf(best), capacityOf(volume)) > 0) best = volume
  }
  return best
}

function mayHold(volume: Readonly<PersistentVolume>, claim: Readonly<PersistentVolumeClaim>): boolean {
  if (volume.spec?.claimRef !== undefined && !isBoundTo(volume, claim)) return false
  return compareQuantities(capacityOf(volume), requestOf(claim)) >= 0 && !hasOtherMode(claim, volume) && sameAttributes(claim, volume) && !isBeingDeleted(volume)
}

/** What only volumes must meet that nobody pre-bound. */
function fitsClaim(claim: Readonly<PersistentVolumeClaim>): (volume: Readonly<PersistentVolume>) => boolean {
  const asked = claim.spec?.selector
  const selector = asked === undefined ? undefined : selectorOf(asked)
  const wanted = claimClass(claim) ?? ''
  return (volume) =>
    volume.status?.phase === 'Available' &&
    (selector?.matches(volume.metadata.labels) ?? true) &&
    volumeClass(volume) === wanted &&
    hasAccessModes(volume, claim.spec?.accessModes)
}
