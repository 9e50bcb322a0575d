/**
 * What every object has: identity, metadata, ownership, conditions. Pure readers
 * and small constructors over generated types; no defaulting, no validation.
 */
import type { ObjectMeta, OwnerReference } from './schema/types.ts'

/** Any Kubernetes object as the system holds it: decoded JSON. */
export interface KubeObject {
  apiVersion?: string
  kind?: string
  metadata: ObjectMeta
}

/** An object whose shape is not known to the caller. */
export interface AnyObject extends KubeObject {
  [field: string]: unknown
}

/** Where an object lives; namespace is '' for cluster-scoped kinds. */
export interface Key {
  readonly namespace: string
  readonly name: string
}

export function keyOf(object: KubeObject): Key {
  return { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' }
}

/** `namespace/name`, or `name`: the form of work queues and logs. */
export function keyText(key: Key): string {
  return key.namespace === '' ? key.name : `${key.namespace}/${key.name}`
}

export function parseKey(text: string): Key {
  const slash = text.indexOf('/')
  return slash < 0 ? { namespace: '', name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) }
}

/** The one owner that manages the object, if any. */
export function controllerOf(object: Readonly<KubeObject>): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true)
}

export function isBeingDeleted(object: Readonly<KubeObject>): boolean {
  return object.metadata.deletionTimestamp !== undefined && object.metadata.deletionTimestamp !== null
}

/** An owner reference that makes `owner` the managing controller. */
export function controllerRef(owner: Readonly<KubeObject>, gvk: { readonly group: string; readonly version: string; readonly kind: string }): OwnerReference {
  return {
    apiVersion: apiVersionOf(gvk),
    kind: gvk.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  }
}

export function apiVersionOf(gv: { readonly group: string; readonly version: string }): string {
  return gv.group === '' ? gv.version : `${gv.group}/${gv.version}`
}

export function parseApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}
