/**
 * A pod's claims before nodes are asked: whether it can be scheduled with them at all, and what is to be allocated
 * (dynamicresources.go, PreFilter).
 */
import type { DeviceClass, Pod, ResourceSlice } from '../../api/schema/types.ts'
import type { Lister } from '../../client/lister.ts'
import { keyOf, keyText } from '../../api/meta.ts'
import type { Random } from '../../lib/random.ts'
import { claimOf } from '../claim.ts'
import type { Refusal } from '../framework.ts'
import { Allocator } from './allocator.ts'
import { type Claim, type Claims, claimsOfPod } from './claims.ts'
import { type Cycle, type Extended, isAllocated } from './cycle.ts'
import { classOf, extendedClaimFor, leftBehind } from './extended.ts'

export interface PrepareDeps {
  readonly claims: Claims
  readonly classes: Lister<DeviceClass>
  readonly slices: Lister<ResourceSlice>
  readonly random: Random
  readonly timer: () => () => boolean
}

/** Evicting other pods would not help. */
export function refusal(reason: string): Refusal {
  return { reasons: [reason], unresolvable: true }
}

/** Undefined: the pod has no claims, and needs none. */
export function prepare(pod: Readonly<Pod>, deps: PrepareDeps): Cycle | Refusal | undefined {
  const own = claimsOfPod(pod, deps.claims)
  if ('problem' in own) return refusal(own.problem)
  const extended = extendedOf(pod, deps)
  if (own.claims.length === 0 && extended === undefined) return undefined
  const open = own.claims.filter((claim) => !isAllocated(claim))
  for (const claim of open) {
    const problem = deps.claims.isInFlight(claim.metadata.uid ?? '') ? `resource claim ${keyText(keyOf(claim))} is in the process of being allocated` : classProblem(claim, deps.classes)
    if (problem !== undefined) return refusal(problem)
  }
  const allocator = open.length === 0 && extended === undefined ? undefined : new Allocator({
    inUse: deps.claims.inUse(), classOf: (name) => deps.classes.at(name), slices: deps.slices.list(), random: deps.random, timer: deps.timer,
  })
  return { pod, claims: [...own.claims], extended, allocator, byNode: new Map(), unavailable: new Set(), decided: new Map() }
}

/** Whether nodes may have as devices what the pod asks for as a resource. */
export function extendedNames(pod: Readonly<Pod>): readonly string[] {
  return Object.entries(claimOf(pod).others).flatMap(([name, amount]) => (amount > 0 && name.includes('/') ? [name] : []))
}

function extendedOf(pod: Readonly<Pod>, { claims, classes, random }: PrepareDeps): Extended | undefined {
  const names = extendedNames(pod)
  if (names.length === 0) return undefined
  const all = classes.list()
  if (!names.some((name) => classOf(name, all) !== undefined)) return undefined
  const stale = leftBehind(pod, claims.list())
  return stale === undefined ? { uid: random.uuid(), claim: extendedClaimFor(pod), stale: false } : { uid: stale.metadata.uid ?? '', claim: stale, stale: true }
}

function classProblem(claim: Claim, classes: Lister<DeviceClass>): string | undefined {
  for (const { name, exactly, firstAvailable = [] } of claim.spec.devices?.requests ?? []) {
    const asked = exactly === undefined ? firstAvailable.map((sub) => [`${name}/${sub.name}`, sub.deviceClassName] as const) : [[name, exactly.deviceClassName] as const]
    if (asked.length === 0) return `resource claim ${keyText(keyOf(claim))}, request ${name}: unknown request type`
    const missing = asked.find(([, className]) => classes.at(className) === undefined)
    if (missing !== undefined) return `request ${missing[0]}: device class ${missing[1]} does not exist`
  }
  return undefined
}
