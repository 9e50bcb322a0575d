/**
 * Allocator: which devices claims get on a node (k8s.io/dynamic-resource-allocation/structured, with the features that are on by
 * default in v1.36). Made once a pod, asked once a node. It writes nothing: what it says is what would stand in the claims' status.
 */
import type { AllocationResult, DeviceAllocationConfiguration, DeviceClass, DeviceRequestAllocationResult, Node, NodeSelector, NodeSelectorRequirement, ResourceClaim } from '../../api/schema/types.ts'
import { equalJson } from '../../lib/json.ts'
import type { Random } from '../../lib/random.ts'
import { AvailableCounters } from './counters.ts'
import type { DevicesInUse } from './devices.ts'
import { gatherPools, Slices, type Slice } from './pools.ts'
import { type AskDeps, asksOf, type ClaimAsks, refOf, Unallocatable } from './requests.ts'
import { type Chosen, Search, SearchTooLong } from './search.ts'

export type Allocation =
  /** One for each claim. */
  | { readonly ok: true; readonly results: readonly AllocationResult[] }
  /** `reason`: what stood in the way beside that there is not enough. */
  | { readonly ok: false; readonly reason?: string }
  /** No node will do: the claim, a class or a slice is wrong. */
  | { readonly ok: false; readonly broken: string }

export interface AllocatorInit {
  readonly inUse: DevicesInUse
  readonly classOf: AskDeps['classOf']
  readonly slices: readonly Slice[]
  readonly random: Random
  /** Begins a node's time, and says from then on whether it is over. */
  readonly timer?: () => () => boolean
}

export class Allocator {
  readonly #init: AllocatorInit
  readonly #slices: Slices
  readonly #counters: AvailableCounters

  constructor(init: AllocatorInit) {
    this.#init = init
    this.#slices = new Slices(init.slices)
    this.#counters = new AvailableCounters(init.inUse)
  }

  allocate(node: Readonly<Node>, claims: readonly Readonly<ResourceClaim>[]): Allocation {
    try {
      return this.#search(node, claims)
    } catch (error) {
      if (error instanceof Unallocatable) return { ok: false, broken: error.message }
      if (error instanceof SearchTooLong) return { ok: false, broken: `node ${node.metadata.name}: timed out trying to allocate devices` }
      throw error
    }
  }

  #search(node: Readonly<Node>, claims: readonly Readonly<ResourceClaim>[]): Allocation {
    const { inUse, classOf, random, timer } = this.#init
    const pools = gatherPools(this.#slices, node)
    const deps = { node, pools, inUse, classOf, counters: this.#counters, ...(timer === undefined ? {} : { isLate: timer() }) }
    const asks = claims.map((claim) => asksOf(claim, deps))
    const search = new Search(asks, deps)
    if (!search.run()) return pools.some(({ invalid }) => invalid === true) ? { ok: false, reason: 'invalid resource pools were encountered' } : { ok: false }
    const results = asks.map((ask, i) => resultOf(ask, search.chosen[i] ?? [], search.picked[i] ?? [], node, random))
    return { ok: true, results }
  }
}

function resultOf(asks: ClaimAsks, chosen: readonly Chosen[], picked: readonly number[], node: Readonly<Node>, random: Random): AllocationResult {
  const nodeSelector = nodeSelectorOf(asks, chosen, node)
  const config = [...classConfig(asks, picked), ...claimConfig(asks, picked)]
  return {
    devices: { results: chosen.map((one) => deviceResult(one, random)), ...(config.length === 0 ? {} : { config }) },
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
  }
}

function deviceResult({ ask, device, pool, consumed }: Chosen, random: Random): DeviceRequestAllocationResult {
  const { bindingConditions, bindingFailureConditions } = device
  return {
    request: refOf(ask), driver: pool.driver, pool: pool.name, device: device.name,
    ...(ask.adminAccess ? { adminAccess: true } : {}),
    ...(ask.tolerations === undefined ? {} : { tolerations: [...ask.tolerations] }),
    ...(bindingConditions === undefined ? {} : { bindingConditions: [...bindingConditions] }),
    ...(bindingFailureConditions === undefined ? {} : { bindingFailureConditions: [...bindingFailureConditions] }),
    ...(consumed === undefined ? {} : { shareID: random.uuid() }),
    ...(consumed === undefined || Object.keys(consumed).length === 0 ? {} : { consumedCapacity: { ...consumed } }),
  }
}

/** What each class says, once, for all requests that came to it. */
function classConfig({ requests }: ClaimAsks, picked: readonly number[]): readonly DeviceAllocationConfiguration[] {
  const byClass = new Map<string, { readonly class: Readonly<DeviceClass>; readonly requests: string[] }>()
  requests.forEach((alternatives, i) => {
    const ask = alternatives[picked[i] ?? 0]
    if (ask === undefined) return
    const name = ask.class.metadata.name ?? ''
    const entry = byClass.get(name) ?? { class: ask.class, requests: [] }
    entry.requests.push(refOf(ask))
    byClass.set(name, entry)
  })
  return [...byClass.values()].flatMap((entry) => (entry.class.spec.config ?? []).map((config) => ({ source: 'FromClass', requests: [...entry.requests], ...config })))
}

/** As upstream has it, once for every request that it names. */
function claimConfig({ claim, requests }: ClaimAsks, picked: readonly number[]): readonly DeviceAllocationConfiguration[] {
  const names = requests.map((alternatives, i) => {
    const ask = alternatives[picked[i] ?? 0]
    return ask === undefined ? [] : [ask.parent ?? ask.name, refOf(ask)]
  })
  return (claim.spec.devices?.config ?? []).flatMap((config) => {
    const about = config.requests ?? []
    const times = about.length === 0 ? 1 : names.filter((mine) => mine.some((name) => about.includes(name))).length
    return Array.from({ length: times }, () => ({ source: 'FromClaim', ...config }))
  })
}

/** From where the devices can be used. Undefined: from everywhere. */
function nodeSelectorOf({ claim }: ClaimAsks, chosen: readonly Chosen[], node: Readonly<Node>): NodeSelector | undefined {
  const fields: NodeSelectorRequirement[] = []
  const expressions: NodeSelectorRequirement[] = []
  for (const { slice, device } of chosen) {
    const { nodeName, nodeSelector } = slice.spec.perDeviceNodeSelection === true ? device : slice.spec
    if (nodeName !== undefined || device.bindsToNode === true) {
      return { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node.metadata.name ?? ''] }] }] }
    }
    const terms = nodeSelector?.nodeSelectorTerms ?? []
    if (terms.length > 1) throw new Unallocatable(`create NodeSelector for claim ${claim.metadata.name}: unsupported ResourceSlice.NodeSelector with ${terms.length} terms`)
    addNew(fields, terms[0]?.matchFields ?? [])
    addNew(expressions, terms[0]?.matchExpressions ?? [])
  }
  if (fields.length + expressions.length === 0) return undefined
  return { nodeSelectorTerms: [{ ...(expressions.length === 0 ? {} : { matchExpressions: expressions }), ...(fields.length === 0 ? {} : { matchFields: fields }) }] }
}

function addNew(into: NodeSelectorRequirement[], from: readonly Readonly<NodeSelectorRequirement>[]): void {
  for (const requirement of from) {
    if (!into.some((known) => saysTheSame(known, requirement))) into.push({ ...requirement })
  }
}

function saysTheSame(a: Readonly<NodeSelectorRequirement>, b: Readonly<NodeSelectorRequirement>): boolean {
  const sorted = ({ values = [] }: Readonly<NodeSelectorRequirement>): readonly string[] => [...new Set(values)].toSorted()
  return a.key === b.key && a.operator === b.operator && equalJson(sorted(a), sorted(b))
}
