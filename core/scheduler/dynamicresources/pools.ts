/**
 * Pools of devices as one node sees them: the newest generation of each, whether all of it is there, and whether it can be
 * believed (k8s.io/dynamic-resource-allocation/structured/internal/incubating/pools_incubating.go). Pure.
 */
import { selectorMatches } from '../../api/core/nodeaffinity.ts'
import type { CounterSet, Device, Node, NodeSelector, ResourceSlice } from '../../api/schema/types.ts'

export type Slice = Readonly<ResourceSlice>

export interface Pool {
  readonly driver: string
  readonly name: string
  /** Being written: nothing is taken from it yet. */
  readonly incomplete?: boolean
  /** It contradicts itself: nothing is taken from it. */
  readonly invalid?: boolean
  /** With devices that the node may have. */
  readonly near: readonly Slice[]
  /** With devices that only other nodes may have; they count against the same counters. */
  readonly far: readonly Slice[]
  readonly counterSets: ReadonlyMap<string, Readonly<CounterSet>>
}

interface Reach {
  readonly nodeName?: string
  readonly allNodes?: boolean
  readonly nodeSelector?: NodeSelector
}

export function reaches({ nodeName, allNodes, nodeSelector }: Readonly<Reach>, node: Readonly<Node>): boolean {
  if (nodeName !== undefined && nodeName !== '') return nodeName === node.metadata.name
  return allNodes === true || (nodeSelector !== undefined && selectorMatches(nodeSelector, node))
}

const hasCounters = ({ spec }: Slice): boolean => (spec.sharedCounters?.length ?? 0) > 0

/** Counters are needed wherever their pool is. */
function isNear(slice: Slice, node: Readonly<Node>): boolean {
  const { spec } = slice
  if (hasCounters(slice)) return true
  if ((spec.nodeName ?? '') !== '' || spec.allNodes === true || spec.nodeSelector !== undefined) return reaches(spec, node)
  return spec.perDeviceNodeSelection === true && (spec.devices ?? []).some((device) => reaches(device, node))
}

/** Slices that any node, or this one, has to look at. */
export class Slices {
  readonly all: readonly Slice[]
  readonly #byNode = new Map<string, Slice[]>()
  readonly #anywhere: Slice[] = []

  constructor(all: readonly Slice[]) {
    this.all = all
    for (const slice of all) {
      const { nodeName = '' } = slice.spec
      if (nodeName === '' || hasCounters(slice)) this.#anywhere.push(slice)
      else this.#byNode.set(nodeName, [...(this.#byNode.get(nodeName) ?? []), slice])
    }
  }

  of(node: Readonly<Node>): readonly Slice[] {
    return [...(this.#byNode.get(node.metadata.name ?? '') ?? []), ...this.#anywhere]
  }
}

/** In the order in which devices are tried; those that must be waited for after they were chosen come last. */
export function gatherPools(slices: Slices, node: Readonly<Node>): readonly Pool[] {
  const pools = [...newest(slices.of(node).filter((slice) => isNear(slice, node))).values()].flatMap((near): Pool[] => {
    const pool = poolOf(near, slices.all)
    return pool === undefined ? [] : [pool]
  })
  const sorted = pools.toSorted((a, b) => compare(a.driver, b.driver) || compare(a.name, b.name))
  return [...sorted.filter((pool) => !mustWait(pool)), ...sorted.filter(mustWait)]
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const poolKey = ({ spec }: Slice): string => `${spec.driver}/${spec.pool.name}`
const mustWait = (pool: Pool): boolean => pool.near.some(({ spec }) => spec.devices?.some((device) => device.bindingConditions !== undefined))

/** Of each pool those of its newest generation. */
function newest(slices: readonly Slice[]): ReadonlyMap<string, readonly Slice[]> {
  const pools = new Map<string, Slice[]>()
  for (const slice of slices) {
    const key = poolKey(slice)
    const known = pools.get(key)
    const age = slice.spec.pool.generation - (known?.[0]?.spec.pool.generation ?? -Infinity)
    if (known === undefined || age > 0) pools.set(key, [slice])
    else if (age === 0) known.push(slice)
  }
  return pools
}

/** Undefined: slices that the node does not see are newer already. */
function poolOf(near: readonly Slice[], all: readonly Slice[]): Pool | undefined {
  const [first] = near
  if (first === undefined) return undefined
  const { driver, pool } = first.spec
  if (near.length === pool.resourceSliceCount) return build(near, [])
  const whole = all.filter((slice) => slice.spec.driver === driver && slice.spec.pool.name === pool.name)
  if (whole.some((slice) => slice.spec.pool.generation > pool.generation)) return undefined
  const current = whole.filter((slice) => slice.spec.pool.generation === pool.generation)
  if (current.length !== pool.resourceSliceCount) return { driver, name: pool.name, incomplete: true, near: [], far: [], counterSets: new Map() }
  const names = new Set(near.map(({ metadata }) => metadata.name))
  return build(near, current.length === near.length ? [] : current.filter(({ metadata }) => !names.has(metadata.name)))
}

function build(near: readonly Slice[], far: readonly Slice[]): Pool {
  const sorted = near.toSorted((a, b) => compare(a.metadata.name ?? '', b.metadata.name ?? ''))
  const { driver = '', pool } = sorted[0]?.spec ?? {}
  const withDevices = sorted.filter((slice) => !hasCounters(slice))
  const sets = sorted.flatMap(({ spec }) => spec.sharedCounters ?? [])
  const counterSets = new Map(sets.map((set) => [set.name, set]))
  const names = withDevices.flatMap(({ spec }) => (spec.devices ?? []).map(({ name }) => name))
  const devices = [...sorted, ...far].flatMap(({ spec }) => spec.devices ?? [])
  const valid = new Set(names).size === names.length && counterSets.size === sets.length && devices.every((device) => countersExist(device, counterSets))
  const id = { driver, name: pool?.name ?? '' }
  return valid ? { ...id, near: withDevices, far, counterSets } : { ...id, invalid: true, near: [], far: [], counterSets: new Map() }
}

function countersExist({ consumesCounters = [] }: Readonly<Device>, sets: Pool['counterSets']): boolean {
  return consumesCounters.every(({ counterSet, counters }) => {
    const set = sets.get(counterSet)
    return set !== undefined && Object.keys(counters).every((name) => Object.hasOwn(set.counters, name))
  })
}
