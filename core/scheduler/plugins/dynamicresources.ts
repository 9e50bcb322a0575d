/**
 * DynamicResources: a pod's claims can be used on the node, or allocated for it. Devices are chosen while nodes are filtered, kept
 * when the pod is placed, and written before it is bound (k8s.io/kubernetes/pkg/scheduler/framework/plugins/dynamicresources).
 */
import { selectorMatches } from '../../api/core/nodeaffinity.ts'
import { deviceClasses } from '../../api/resource/deviceclass.ts'
import { resourceClaims } from '../../api/resource/resourceclaim.ts'
import { resourceSlices } from '../../api/resource/resourceslice.ts'
import { isReservedFor } from '../../api/resource/podclaims.ts'
import type { DeviceClass, Pod, ResourceClaim } from '../../api/schema/types.ts'
import type { KindRef } from '../../api/kind.ts'
import type { Lister } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { equalJson } from '../../lib/json.ts'
import { errorPath } from '../../lib/log.ts'
import { type BindDeps, bindClaims, deallocate, deleteExtended, unbindClaims } from '../dynamicresources/bind.ts'
import { mustBeMadeReady, type Readiness, readinessOf } from '../dynamicresources/bindingconditions.ts'
import { type Claim, Claims, claimsOfPod } from '../dynamicresources/claims.ts'
import { type Cycle, isAllocated, type NodeAllocation, unallocated } from '../dynamicresources/cycle.ts'
import { classOf, extendedRequests, type ExtendedRequests } from '../dynamicresources/extended.ts'
import { extendedNames, prepare, refusal } from '../dynamicresources/prepare.ts'
import { type ClusterEvent, normalizeByMax, type Plugin, type PluginEnv, type Refusal, type Rescue } from '../framework.ts'
import type { NodeInfo } from '../world.ts'

/** How often is looked whether devices are ready. */
const readyEveryMs = 5_000
/** The first alternative of a request is worth so much; each further one, one less. */
const alternativesMax = 8

/** What the scheduler has decided counts for all its profiles. */
const shared = new WeakMap<PluginEnv, Claims>()

function claimsOf(env: PluginEnv): Claims {
  const claims = shared.get(env) ?? new Claims(env.read(resourceClaims), env.clock)
  shared.set(env, claims)
  return claims
}

export interface DynamicResourcesArgs {
  /** So long devices are looked for on one node; 0: until all has been tried. */
  readonly filterTimeoutMs: number
  /** So long devices may take to become ready for a pod. */
  readonly bindingTimeoutMs: number
}

export function dynamicResources(env: PluginEnv, { filterTimeoutMs, bindingTimeoutMs }: DynamicResourcesArgs): Plugin {
  const claims = claimsOf(env)
  const classes = env.read(deviceClasses)
  const slices = env.read(resourceSlices)
  const deps: BindDeps = { client: env.client, claims }
  const timer = (): (() => boolean) => {
    const began = env.clock.monotonic()
    return () => filterTimeoutMs > 0 && env.clock.monotonic() - began > filterTimeoutMs
  }
  /** Of each pod the try that is under way. 'none': it had nothing to do with claims. */
  const cycles = new WeakMap<Readonly<Pod>, Cycle | 'none'>()
  const cycleOf = (pod: Readonly<Pod>): Cycle | undefined => {
    const cycle = cycles.get(pod)
    return cycle === 'none' ? undefined : cycle
  }
  const prebind = async (ctx: Ctx, cycle: Cycle, nodeName: string): Promise<void> => {
    cycle.ctx = ctx
    await bindClaims(ctx, deps, cycle, nodeName)
    if (![...cycle.claims, ...(cycle.created === undefined ? [] : [cycle.created])].some(mustBeMadeReady)) return
    env.event(cycle.pod, 'Normal', 'BindingConditionsPending', `waiting for binding conditions for device on node ${nodeName}`)
    await madeReady(ctx, cycle, claims, bindingTimeoutMs)
  }
  return {
    name: 'DynamicResources',
    gate(pod) {
      const own = claimsOfPod(pod, claims)
      return 'problem' in own ? own.problem : undefined
    },
    begin: (pod) => void cycles.delete(pod),
    filter(pod) {
      cycles.set(pod, 'none')
      const cycle = prepare(pod, { claims, classes, slices, random: env.random, timer })
      if (cycle === undefined || 'reasons' in cycle) return cycle
      cycles.set(pod, cycle)
      return { check: (node) => check(cycle, node, classes, (claim) => readinessOf(claim, env.clock.now(), bindingTimeoutMs)) }
    },
    score(pod) {
      const cycle = cycleOf(pod)
      if (cycle?.allocator === undefined) return undefined
      return { score: ({ name }) => points(cycle, cycle.byNode.get(name)), normalize: (scores) => normalizeByMax(scores, { reverse: false }) }
    },
    wakes: (pod, event) => mayHelp(pod, event, claims),
    rescue(pod) {
      const cycle = cycles.get(pod)
      return cycle === undefined ? { message: 'not found', last: true } : rescue(cycle === 'none' ? undefined : cycle, deps)
    },
    reserve(pod, node) {
      const cycle = cycleOf(pod)
      return cycle === undefined ? undefined : reserve(cycle, node, claims)
    },
    release(pod) {
      const cycle = cycleOf(pod)
      if (cycle !== undefined) release(cycle, deps)
    },
    prebind(ctx, pod, nodeName) {
      const cycle = cycleOf(pod)
      return cycle === undefined ? undefined : prebind(ctx, cycle, nodeName)
    },
  }
}

// Filter

function check(cycle: Cycle, node: NodeInfo, classes: Lister<DeviceClass>, readiness: (claim: Claim) => Readiness): Refusal | undefined {
  const extended = extendedOn(cycle, node, classes)
  if (extended !== undefined && 'reasons' in extended) return extended
  if (extended === undefined && cycle.claims.length === 0) return undefined
  const unusable = [...cycle.claims.keys()].filter((i) => isAllocated(cycle.claims[i] as Claim) && !isUsable(cycle.claims[i] as Claim, node, readiness))
  const allocation = cycle.allocator === undefined ? undefined : allocate(cycle, node, extended)
  if (allocation !== undefined && 'reasons' in allocation) return allocation
  for (const i of unusable) cycle.unavailable.add(i)
  if (unusable.length > 0) return refusal('resourceclaim not available on the node')
  if (allocation !== undefined) cycle.byNode.set(node.name, allocation)
  return undefined
}

/** On this node, with devices that are ready or may become so. */
function isUsable(claim: Claim, { node }: NodeInfo, readiness: (claim: Claim) => Readiness): boolean {
  const selector = claim.status?.allocation?.nodeSelector
  if (selector !== undefined && !selectorMatches(selector, node)) return false
  const { is } = readiness(claim)
  return is === 'ready' || is === 'waiting'
}

/** What the pod asks for as resources and the node has as devices. Undefined: nothing. */
function extendedOn({ pod, extended }: Cycle, node: NodeInfo, classes: Lister<DeviceClass>): ExtendedRequests | Refusal | undefined {
  if (extended === undefined) return undefined
  if (extended.stale) return refusal('cannot schedule extended resource claim')
  const all = classes.list()
  const wanted = new Map<string, Readonly<DeviceClass>>()
  for (const name of extendedNames(pod)) {
    const behind = classOf(name, all)
    if (behind !== undefined && (node.others[name] ?? 0) === 0) wanted.set(name, behind)
    else if (node.others[name] === undefined) return refusal('cannot fit resource')
  }
  return wanted.size === 0 ? undefined : extendedRequests(pod, wanted)
}

function allocate(cycle: Cycle, { node }: NodeInfo, extended: ExtendedRequests | undefined): NodeAllocation | Refusal | undefined {
  const open: Claim[] = unallocated(cycle).map((i) => cycle.claims[i] as Claim)
  if (extended !== undefined && cycle.extended !== undefined) open.push({ ...cycle.extended.claim, spec: { devices: { requests: [...extended.requests] } } })
  const allocation = cycle.allocator?.allocate(node, open)
  if (allocation === undefined) return undefined
  if (allocation.ok) return { results: allocation.results, ...(extended === undefined ? {} : { extended }) }
  if ('broken' in allocation) throw new Error(allocation.broken)
  return refusal(allocation.reason ?? 'cannot allocate all claims')
}

// Score

/** The earlier the alternatives of requests that were taken, the better. */
function points(cycle: Cycle, on: NodeAllocation | undefined): number {
  if (on === undefined) return 0
  const open = unallocated(cycle)
  return cycle.claims.reduce((sum, claim, i) => {
    const allocation = claim.status?.allocation ?? on.results[open.indexOf(i)]
    const taken = new Set((allocation?.devices?.results ?? []).map(({ request }) => request))
    const alternatives = (claim.spec.devices?.requests ?? []).flatMap(({ name, firstAvailable = [] }) => firstAvailable.map((sub, place) => (taken.has(`${name}/${sub.name}`) ? alternativesMax - place : 0)))
    return alternatives.reduce((total, each) => total + each, sum)
  }, 0)
}

// Reserve

function reserve(cycle: Cycle, { name }: NodeInfo, claims: Claims): Refusal | undefined {
  const open = unallocated(cycle)
  const on = cycle.byNode.get(name)
  cycle.decided.clear()
  if (open.length > 0 && on === undefined) return refusal('claim allocation not found for node')
  const places = on?.extended === undefined ? open : [...open, cycle.claims.length]
  for (const [i, place] of places.entries()) {
    const result = on?.results[i]
    if (result === undefined) return refusal('claim allocation not found for node')
    cycle.decided.set(place, result)
    claims.takeOff(inFlightUid(cycle, place), result)
  }
  return undefined
}

const inFlightUid = (cycle: Cycle, place: number): string => cycle.claims[place]?.metadata.uid ?? cycle.extended?.uid ?? ''

function release(cycle: Cycle, deps: BindDeps): void {
  for (const place of cycle.decided.keys()) deps.claims.land(inFlightUid(cycle, place))
  cycle.decided.clear()
  const { ctx } = cycle
  delete cycle.ctx
  if (ctx === undefined || ctx.signal.aborted) return
  unbindClaims(ctx, deps, cycle).catch((error: unknown) => ctx.log.debug('a claim was not given back', { pod: cycle.pod.metadata.name, error: errorPath(error) }))
}

async function madeReady(ctx: Ctx, cycle: Cycle, claims: Claims, timeoutMs: number): Promise<void> {
  for (;;) {
    const late = [...cycle.claims, ...(cycle.created === undefined ? [] : [cycle.created])].map((claim) => {
      const now = claims.get({ namespace: claim.metadata.namespace ?? '', name: claim.metadata.name ?? '' })
      if (now === undefined) throw new Error(`could not find ResourceClaim "${claim.metadata.namespace}/${claim.metadata.name}"`)
      const readiness = readinessOf(now, ctx.clock.now(), timeoutMs)
      if (readiness.is === 'failed') throw new Error(readiness.why)
      if (readiness.is === 'late') throw new Error(`device binding timeout: claim=${now.metadata.name}`)
      return readiness.is === 'waiting'
    })
    if (!late.includes(true)) return
    await ctx.clock.sleep(readyEveryMs, ctx.signal)
  }
}

// When nothing fits

/** A claim that nobody else uses, and that stands in the way, may go elsewhere. */
function rescue(cycle: Cycle | undefined, deps: BindDeps): Rescue {
  if (cycle === undefined) return { message: 'no new claims to deallocate' }
  const idle = [...cycle.unavailable].map((i) => cycle.claims[i] as Claim).find((claim) => {
    const { reservedFor = [] } = claim.status ?? {}
    return reservedFor.length === 0 || (reservedFor.length === 1 && isReservedFor(cycle.pod, claim))
  })
  if (idle !== undefined) return { message: 'deallocation of ResourceClaim completed', act: async (ctx) => await deallocate(ctx, deps, idle) }
  const { extended } = cycle
  if (extended?.stale === true) return { message: 'deletion of ResourceClaim completed', act: async (ctx) => await deleteExtended(ctx, deps, extended.claim) }
  return { message: 'still not schedulable' }
}

// Queueing hints

function mayHelp(pod: Readonly<Pod>, event: ClusterEvent, claims: Claims): boolean {
  switch (event.type) {
    case 'node added':
      return true
    case 'node changed':
      return !equalJson(event.node.metadata.labels ?? {}, event.prev.metadata.labels ?? {}) || !equalJson(event.node.status?.allocatable ?? {}, event.prev.status?.allocatable ?? {})
    case 'pod changed':
      return toldOfClaims(event.pod, event.prev) && !('problem' in claimsOfPod(event.pod, claims))
    case 'object':
      if (event.object === undefined) return false
      if (isOf(event.kind, resourceClaims)) return claimMayHelp(pod, event.object as Claim, event.prev as Claim | undefined, claims)
      return isOf(event.kind, deviceClasses) || isOf(event.kind, resourceSlices)
    default:
      return false
  }
}

const isOf = (kind: KindRef, other: { readonly group: string; readonly plural: string }): boolean => kind.group === other.group && kind.plural === other.plural

function toldOfClaims(pod: Readonly<Pod>, prev: Readonly<Pod>): boolean {
  return !equalJson(pod.status?.resourceClaimStatuses ?? [], prev.status?.resourceClaimStatuses ?? []) || !equalJson(pod.status?.extendedResourceClaimStatus, prev.status?.extendedResourceClaimStatus)
}

/** Devices that another claim gave back may be what the pod waits for; else only its own claims matter. */
function claimMayHelp(pod: Readonly<Pod>, claim: Readonly<ResourceClaim>, prev: Readonly<ResourceClaim> | undefined, claims: Claims): boolean {
  const own = claimsOfPod(pod, claims)
  if ('problem' in own) return false
  if (prev !== undefined && isAllocated(prev) && !isAllocated(claim)) return true
  if (!own.claims.some(({ metadata }) => metadata.uid === claim.metadata.uid)) return false
  return prev === undefined || !equalJson(prev.status ?? {}, claim.status ?? {})
}
