/**
 * Topology-aware hints: zones get endpoints in proportion to their CPUs, as few as possible of them from elsewhere, and
 * none at all where a zone would be overloaded by it (k8s.io/endpointslice/topologycache). Pure, but for Topology, which
 * remembers what was hinted.
 */
import { quantityMilli } from '../../api/quantity.ts'
import type { Endpoint, EndpointSlice, Node } from '../../api/schema/types.ts'
import { conditionOf } from '../conditions.ts'
import { type Family, zoneLabel } from './endpoint.ts'
import { hinted, type Hints, isReady, type Slices, withHints } from './hints.ts'

/** How much more than its share an endpoint may have to do. */
const overload = 0.2

/** Share of each zone in the CPUs of ready nodes; undefined where that cannot be said of at least two zones. */
export type ZoneShares = ReadonlyMap<string, number>
/** Ready endpoints that are hinted for each zone. */
export type ZoneCounts = ReadonlyMap<string, number>

const excludedLabels = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master']

export function zoneShares(nodes: readonly Readonly<Node>[]): ZoneShares | undefined {
  const cpus = new Map<string, number>()
  for (const node of nodes) {
    const labels = node.metadata.labels ?? {}
    if (excludedLabels.some((label) => labels[label] !== undefined) || !isReadyNode(node)) continue
    const zone = labels[zoneLabel] ?? ''
    const cpu = quantityMilli(node.status?.allocatable?.['cpu'] ?? 0)
    // One node that is not known well enough, and no share can be trusted.
    if (zone === '' || cpu === 0) return undefined
    cpus.set(zone, (cpus.get(zone) ?? 0) + cpu)
  }
  if (cpus.size < 2) return undefined
  const total = [...cpus.values()].reduce((sum, cpu) => sum + cpu, 0)
  return new Map([...cpus].map(([zone, cpu]) => [zone, cpu / total]))
}

export const isReadyNode = (node: Readonly<Node>): boolean => conditionOf(node.status?.conditions, 'Ready')?.status === 'True'

interface Allocation {
  readonly desired: number
  readonly max: number
}

/** How many endpoints each zone should have, or why that cannot be. */
export function allocate(shares: ZoneShares | undefined, endpoints: number): ReadonlyMap<string, Allocation> | string {
  if (shares === undefined) return 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes'
  const counts = `(${endpoints} endpoints, ${shares.size} zones)`
  if (shares.size > endpoints) return `Insufficient number of endpoints ${counts}`
  const least = new Map([...shares].map(([zone, share]) => [zone, Math.ceil(share * endpoints * (1 / (1 + overload)))]))
  const spare = endpoints - [...least.values()].reduce((sum, n) => sum + n, 0)
  if (spare < 0) return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${counts}`
  return new Map([...shares].map(([zone, share]) => {
    const min = least.get(zone) ?? 0
    return [zone, { desired: Math.max(share * endpoints, min), max: min + spare }]
  }))
}

export type Outcome = { readonly slices: Slices } & ({ readonly counts: ZoneCounts } | { readonly refused: string })

export function topologyHints(slices: Slices, shares: ZoneShares | undefined): Outcome {
  const refuse = (refused: string): Outcome => ({ slices: withHints(slices, () => undefined), refused })
  const ready = [...slices.create, ...slices.update, ...slices.unchanged].flatMap((slice) => (slice.endpoints ?? []).filter(isReady))
  const allocations = allocate(shares, ready.length)
  if (typeof allocations === 'string') return refuse(allocations)
  const counts = new Map<string, number>()
  const kept = slices.unchanged.filter((slice) => keepsHints(slice, allocations, counts))
  const open = { create: slices.create, update: [...slices.update, ...slices.unchanged.filter((slice) => !kept.includes(slice))] }
  const free = [...open.create, ...open.update].flatMap((slice) => (slice.endpoints ?? []).filter(isReady))
  if (free.some(({ zone }) => (zone ?? '') === '')) return refuse('One or more endpoints do not have a zone specified')
  for (const { zone = '' } of free) counts.set(zone, (counts.get(zone) ?? 0) + 1)
  const zones = redistribute(free, exchange(allocations, counts), counts)
  if (counts.size === 0) return refuse('No hints allocated for zones')
  const hint = (slice: Readonly<EndpointSlice>): EndpointSlice => hinted(slice, (endpoint) => zones.get(endpoint))
  return { slices: { create: open.create.map(hint), update: open.update.map(hint), unchanged: kept }, counts }
}

/** Whether the hints that a slice has may stay; then they are counted. */
function keepsHints(slice: Readonly<EndpointSlice>, allocations: ReadonlyMap<string, Allocation>, counts: Map<string, number>): boolean {
  const mine = new Map<string, number>()
  for (const endpoint of (slice.endpoints ?? []).filter(isReady)) {
    const zones = endpoint.hints?.forZones ?? []
    if (zones.length === 0 || zones.some(({ name }) => !allocations.has(name))) return false
    for (const { name } of zones) mine.set(name, (mine.get(name) ?? 0) + 1)
  }
  for (const [zone, n] of mine) if (n + (counts.get(zone) ?? 0) > (allocations.get(zone)?.max ?? 0)) return false
  for (const [zone, n] of mine) counts.set(zone, n + (counts.get(zone) ?? 0))
  return true
}

interface Exchange {
  readonly give: Map<string, number>
  readonly take: Map<string, number>
}

/** Zones that have too many endpoints, and those that have too few: whole ones, the largest differences first. */
function exchange(allocations: ReadonlyMap<string, Allocation>, counts: ZoneCounts): Exchange {
  const over = new Map<string, number>()
  const under = new Map<string, number>()
  for (const [zone, { desired }] of allocations) {
    const difference = (counts.get(zone) ?? 0) - desired
    if (difference > 0) over.set(zone, difference)
    else if (difference < 0) under.set(zone, -difference)
  }
  const whole: Exchange = { give: new Map(), take: new Map() }
  for (;;) {
    const [from, give] = most(over)
    const [to, take] = most(under)
    if (give < 0.5 || take < 0.5 || (give < 1 && take < 1)) return whole
    whole.give.set(from, (whole.give.get(from) ?? 0) + 1)
    whole.take.set(to, (whole.take.get(to) ?? 0) + 1)
    over.set(from, give - 1)
    under.set(to, take - 1)
  }
}

function most(zones: ReadonlyMap<string, number>): readonly [zone: string, n: number] {
  let best: readonly [string, number] = ['', 0]
  for (const [zone, n] of zones) if (n > best[1]) best = [zone, n]
  return best
}

/** Every endpoint is hinted for its own zone, but for those that are given away. */
function redistribute(endpoints: readonly Readonly<Endpoint>[], { give, take }: Exchange, counts: Map<string, number>): ReadonlyMap<Readonly<Endpoint>, Hints> {
  const add = (map: Map<string, number>, zone: string, n: number): unknown => map.set(zone, (map.get(zone) ?? 0) + n)
  return new Map(endpoints.map((endpoint) => {
    const own = endpoint.zone ?? ''
    const to = (give.get(own) ?? 0) > 0 ? [...take].find(([, n]) => n > 0)?.[0] : undefined
    if (to === undefined) return [endpoint, { forZones: [{ name: own }] }]
    add(give, own, -1)
    add(take, to, -1)
    add(counts, own, -1)
    add(counts, to, 1)
    return [endpoint, { forZones: [{ name: to }] }]
  }))
}

/** Whether endpoints of some zone have more to do than they may, now that the shares are others. */
export function isOverloaded(counts: ZoneCounts, shares: ZoneShares | undefined): boolean {
  if (counts.size === 0) return false
  if (shares === undefined) return true
  const total = [...counts.values()].reduce((sum, n) => sum + n, 0)
  return [...shares].some(([zone, share]) => {
    const have = counts.get(zone)
    return have === undefined || have < Math.ceil(total * share * (1 / (1 + overload)))
  })
}

/** What was hinted for which Service: so that a node's coming and going looks again at those alone that it concerns. */
export class Topology {
  readonly #counts = new Map<string, Map<Family, ZoneCounts>>()
  readonly #enabled = new Set<string>()
  shares: ZoneShares | undefined

  isEnabled(service: string): boolean {
    return this.#enabled.has(service)
  }

  set(service: string, family: Family, counts: ZoneCounts): void {
    const mine = this.#counts.get(service) ?? new Map<Family, ZoneCounts>()
    this.#counts.set(service, mine.set(family, counts))
    this.#enabled.add(service)
  }

  remove(service: string, family?: Family): void {
    const mine = this.#counts.get(service)
    if (family !== undefined) mine?.delete(family)
    if (family === undefined || mine?.size === 0) this.#counts.delete(service)
    this.#enabled.delete(service)
  }

  overloaded(): readonly string[] {
    return [...this.#counts].filter(([, families]) => [...families.values()].some((counts) => isOverloaded(counts, this.shares))).map(([service]) => service)
  }
}
