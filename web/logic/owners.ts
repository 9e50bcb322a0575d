/** Who owns whom: from an object up to its topmost owner, and down again to everything that comes of it. Pure. */
import { parseApiVersion, type AnyObject, type KubeObject } from '../../core/api/meta.ts'
import type { OwnerReference } from '../../core/api/schema/types.ts'

export interface Branch {
  readonly object: KubeObject
  readonly children: readonly Branch[]
}

/** Which kinds come of which; others are found by looking up only. */
const childKinds: Readonly<Record<string, readonly string[]>> = {
  'apps/Deployment': ['apps/ReplicaSet'],
  'apps/ReplicaSet': ['/Pod'],
  'apps/StatefulSet': ['/Pod'],
  'apps/DaemonSet': ['/Pod'],
  'batch/CronJob': ['batch/Job'],
  'batch/Job': ['/Pod'],
  '/ReplicationController': ['/Pod'],
  '/Service': ['discovery.k8s.io/EndpointSlice'],
}

export function kindKey(object: { readonly apiVersion?: string; readonly kind?: string }): string {
  return `${parseApiVersion(object.apiVersion ?? 'v1').group}/${object.kind ?? ''}`
}

/** Every kind, as GROUP/KIND, that has to be looked through to see what comes of this one. */
export function descendantKinds(kind: string): readonly string[] {
  const found = new Set<string>()
  const visit = (of: string): void => {
    for (const child of childKinds[of] ?? []) {
      if (found.has(child)) continue
      found.add(child)
      visit(child)
    }
  }
  visit(kind)
  return [...found]
}

/** The owner that counts: the controller, else the first. */
export function ownerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find((owner) => owner.controller === true) ?? metadata.ownerReferences?.[0]
}

/** Owner chains are short; a circle must not hold us. */
export const depthMax = 8

/** The tree under the first of `chain` (the topmost owner), which always shows the chain itself. */
export function ownerTree(chain: readonly KubeObject[], others: readonly KubeObject[]): Branch | undefined {
  const byUid = new Map([...others, ...chain].map((object) => [object.metadata.uid ?? '', object]))
  const children = new Map<string, KubeObject[]>()
  for (const object of byUid.values()) {
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const siblings = children.get(uid)
      if (siblings === undefined) children.set(uid, [object])
      else siblings.push(object)
    }
  }
  const [top] = chain
  return top === undefined ? undefined : branchOf(top, children, depthMax)
}

function branchOf(object: KubeObject, children: ReadonlyMap<string, readonly KubeObject[]>, depth: number): Branch {
  const mine = depth === 0 ? [] : (children.get(object.metadata.uid ?? '') ?? [])
  return { object, children: mine.toSorted(byActivity).map((child) => branchOf(child, children, depth - 1)) }
}

/** What has replicas comes before what once had some; then the newest first. */
function byActivity(a: KubeObject, b: KubeObject): number {
  return Number(isSpent(a)) - Number(isSpent(b)) || (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '') || (a.metadata.name ?? '').localeCompare(b.metadata.name ?? '')
}

/** An old ReplicaSet that is kept for rollbacks only. */
export function isSpent(object: KubeObject): boolean {
  const { spec } = object as AnyObject as { readonly spec?: { readonly replicas?: number } }
  return object.kind === 'ReplicaSet' && spec?.replicas === 0
}
