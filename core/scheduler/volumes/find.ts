/**
 * Which volumes a pod would have on a node: those that its claims are bound to, free ones that fit, and those that
 * would have to be made there. Pure; what is done with them is binding.ts (upstream's plugins/volumebinding/binder.go).
 */
import { annotationOf, bindingAnnotations, claimClass, isReachable, matchingVolume, noProvisioner, requestOf, waitsForConsumer } from '../../api/core/volumebinding.ts'
import { foreignClaim, podClaims } from '../../api/core/podvolumes.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import { compareQuantities, quantityValue } from '../../api/quantity.ts'
import type { CSIDriver, CSIStorageCapacity, Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass, TopologySelectorTerm } from '../../api/schema/types.ts'
import { selectorOf } from '../../api/selector.ts'

type Claim = Readonly<PersistentVolumeClaim>

/** What is known of the cluster's storage, with what was decided and is not written yet. */
export interface StorageWorld {
  readonly claim: (key: string) => Claim | undefined
  readonly volume: (name: string) => Readonly<PersistentVolume> | undefined
  /** Those of a class. */
  readonly volumes: (className: string) => readonly Readonly<PersistentVolume>[]
  readonly storageClass: (name: string) => Readonly<StorageClass> | undefined
  readonly driver: (name: string) => Readonly<CSIDriver> | undefined
  readonly capacities: () => readonly Readonly<CSIStorageCapacity>[]
}

/** Why a pod with such claims cannot be tried at all; undefined when it can. */
export function unusable(pod: Readonly<Pod>, world: StorageWorld): string | undefined {
  for (const { name, ephemeral } of podClaims(pod)) {
    const claim = world.claim(`${pod.metadata.namespace}/${name}`)
    if (claim === undefined) return ephemeral ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"` : missing('persistentvolumeclaim', name)
    if (claim.status?.phase === 'Lost') return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName ?? ''}"`
    if (isBeingDeleted(claim)) return `persistentvolumeclaim "${name}" is being deleted`
    const foreign = ephemeral ? foreignClaim(pod, claim) : undefined
    if (foreign !== undefined) return foreign
  }
  return undefined
}

/** As listers of upstream say it. */
export const missing = (resource: 'persistentvolumeclaim' | 'persistentvolume' | 'storageclass.storage.k8s.io', name: string): string => `${resource} "${name}" not found`

export interface ClaimsByState {
  readonly bound: readonly Claim[]
  /** They wait for a node. */
  readonly waiting: readonly Claim[]
  /** They should be bound already. */
  readonly immediate: readonly Claim[]
}

export function claimsByState(pod: Readonly<Pod>, world: StorageWorld): ClaimsByState {
  const sorted = Map.groupBy(podClaims(pod).flatMap(({ name }) => world.claim(`${pod.metadata.namespace}/${name}`) ?? []), (claim) => stateOf(claim, world))
  return { bound: sorted.get('bound') ?? [], waiting: sorted.get('waiting') ?? [], immediate: sorted.get('immediate') ?? [] }
}

export function isFullyBound(claim: Claim): boolean {
  return (claim.spec?.volumeName ?? '') !== '' && annotationOf(claim, bindingAnnotations.bindCompleted) !== undefined
}

function stateOf(claim: Claim, world: StorageWorld): keyof ClaimsByState {
  if (isFullyBound(claim)) return 'bound'
  const delayed = waitsForConsumer(world.storageClass(claimClass(claim) ?? ''))
  return delayed && (claim.spec?.volumeName ?? '') === '' ? 'waiting' : 'immediate'
}

export const conflicts = {
  affinity: "node(s) didn't match PersistentVolume's node affinity",
  binding: "node(s) didn't find available persistent volumes to bind",
  space: 'node(s) did not have enough free storage',
  absent: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
} as const

export interface Binding {
  readonly claim: Claim
  readonly volume: Readonly<PersistentVolume>
}

export interface Found {
  readonly bindings: readonly Binding[]
  /** Claims whose volumes are to be made. */
  readonly provisions: readonly Claim[]
  /** Why the node will not do; empty where it will. */
  readonly reasons: readonly string[]
}

/** Throws where a class is missing. */
export function findVolumes(claims: ClaimsByState, world: StorageWorld, node: Readonly<Node>): Found {
  const bound = boundConflict(claims.bound, world, node)
  const before = bound === 'affinity' ? [conflicts.affinity] : []
  const after = bound === 'absent' ? [conflicts.absent] : []
  const chosen = (claim: Claim): string | undefined => annotationOf(claim, bindingAnnotations.selectedNode)
  const nowhere = { bindings: [], provisions: [] }
  if (claims.waiting.some((claim) => chosen(claim) !== undefined && chosen(claim) !== node.metadata.name)) return { ...nowhere, reasons: [...before, conflicts.binding, ...after] }
  const matched = matchWaiting(claims.waiting.filter((claim) => chosen(claim) === undefined), world, node)
  const provisions = [...claims.waiting.filter((claim) => chosen(claim) !== undefined), ...matched.left]
  const why = provisionConflict(provisions, world, node)
  return { bindings: matched.bindings, provisions: why === undefined ? provisions : [], reasons: [...before, ...(why === undefined ? [] : [conflicts[why]]), ...after] }
}

function boundConflict(claims: readonly Claim[], world: StorageWorld, node: Readonly<Node>): 'affinity' | 'absent' | undefined {
  for (const claim of claims) {
    const volume = world.volume(claim.spec?.volumeName ?? '')
    if (volume === undefined) return 'absent'
    if (!isReachable(volume, node)) return 'affinity'
  }
  return undefined
}

/** Small claims first, so that they take small volumes. */
function matchWaiting(claims: readonly Claim[], world: StorageWorld, node: Readonly<Node>): { readonly bindings: readonly Binding[]; readonly left: readonly Claim[] } {
  const bindings: Binding[] = []
  const left: Claim[] = []
  const taken = new Set<string>()
  for (const claim of claims.toSorted((a, b) => compareQuantities(requestOf(a), requestOf(b)))) {
    const volume = matchingVolume(claim, world.volumes(claimClass(claim) ?? ''), { node, taken })
    if (volume === undefined) left.push(claim)
    else {
      taken.add(volume.metadata.name ?? '')
      bindings.push({ claim, volume })
    }
  }
  return { bindings, left }
}

function provisionConflict(claims: readonly Claim[], world: StorageWorld, node: Readonly<Node>): 'binding' | 'space' | undefined {
  for (const claim of claims) {
    const className = claimClass(claim) ?? ''
    if (className === '') throw new Error(`no class for claim "${claim.metadata.namespace}/${claim.metadata.name}"`)
    const storageClass = world.storageClass(className)
    if (storageClass === undefined) throw new Error(`failed to find storage class "${className}"`)
    const { provisioner, allowedTopologies } = storageClass
    if (provisioner === '' || provisioner === noProvisioner || !isAllowed(allowedTopologies, node)) return 'binding'
    if (!hasRoom(claim, className, provisioner, { world, node })) return 'space'
  }
  return undefined
}

/** Any of the terms; all of a term's expressions. No terms allow every node. */
function isAllowed(terms: readonly Readonly<TopologySelectorTerm>[] = [], node: Readonly<Node>): boolean {
  const labels = node.metadata.labels ?? {}
  return terms.length === 0 || terms.some(({ matchLabelExpressions: all = [] }) => all.length > 0 && all.every(({ key, values }) => values.includes(labels[key] ?? '')))
}

/** Where a driver tells how much room there is. */
function hasRoom(claim: Claim, className: string, provisioner: string, { world, node }: { readonly world: StorageWorld; readonly node: Readonly<Node> }): boolean {
  const size = claim.spec?.resources?.requests?.['storage']
  if (size === undefined || world.driver(provisioner)?.spec.storageCapacity !== true) return true
  return world.capacities().some((capacity) => capacity.storageClassName === className && limitOf(capacity) >= quantityValue(size) && serves(capacity, node))
}

/** The largest volume that fits; the more exact number where there is one. */
export function limitOf({ maximumVolumeSize, capacity }: Readonly<CSIStorageCapacity>): number {
  const limit = maximumVolumeSize ?? capacity
  return limit === undefined ? -1 : quantityValue(limit)
}

function serves({ nodeTopology }: Readonly<CSIStorageCapacity>, node: Readonly<Node>): boolean {
  return nodeTopology !== undefined && selectorOf(nodeTopology).matches(node.metadata.labels)
}
