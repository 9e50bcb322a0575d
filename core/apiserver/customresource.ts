/**
 * What discovery says of custom kinds otherwise than of built-in ones: the order of verbs, subresources, the hash of
 * what is stored (apiextensions-apiserver/pkg/apiserver/customresource_discovery_controller.go); and the kinds of each
 * group, found once for thousands of them.
 */
import { createHash } from 'node:crypto'
import type { Kind } from '../api/kind.ts'

export interface Subresource {
  readonly name: string
  readonly kind: string
  readonly group: string
  readonly version: string
  readonly verbs: readonly string[]
}

const subresourceVerbs = ['get', 'patch', 'update']

export function customSubresources({ group, version, kind, status, scale }: Kind): readonly Subresource[] {
  return [
    ...(status === undefined ? [] : [{ name: 'status', kind, group, version, verbs: subresourceVerbs }]),
    ...(scale === undefined ? [] : [{ name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: subresourceVerbs }]),
  ]
}

const customVerbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']
/** Of kinds whose definition goes. */
const goingVerbs = ['delete', 'deletecollection', 'get', 'list', 'watch']

/** As discovery lists them. */
export function verbsOf(kind: Kind): readonly string[] {
  if (kind.custom === undefined) return [...kind.verbs].toSorted()
  return kind.custom.terminating === true ? goingVerbs : customVerbs
}

/** k8s.io/apiserver/pkg/endpoints/discovery/storageversionhash.go */
export function storageVersionHash(group: string, version: string, kind: string): string {
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64')
}

const ofGroups = new WeakMap<readonly Kind[], ReadonlyMap<string, readonly Kind[]>>()

/** The kinds of each group. */
export function byGroup(kinds: readonly Kind[]): ReadonlyMap<string, readonly Kind[]> {
  let found = ofGroups.get(kinds)
  if (found === undefined) ofGroups.set(kinds, (found = Map.groupBy(kinds, (kind) => kind.group)))
  return found
}
