/**
 * What claims ask for, made ready for a search: classes looked up, devices that "all" means counted, alternatives side by side
 * (allocator_incubating.go, validateDeviceRequest). What is wrong with a claim itself is thrown as Unallocatable.
 */
import { CelError } from '../../api/cel/value.ts'
import { deviceMatches, DeviceValue } from '../../api/resource/devicevalues.ts'
import type { Device, DeviceClass, DeviceRequest, DeviceSelector, DeviceToleration, ExactDeviceRequest, Node, ResourceClaim } from '../../api/schema/types.ts'
import { isEnough, type Wanted } from './capacity.ts'
import { type Constraint, constraintOf } from './constraints.ts'
import { deviceId, type DeviceId, type DevicesInUse } from './devices.ts'
import { type Pool, reaches, type Slice } from './pools.ts'

/** Devices that one claim may have. */
export const resultsMax = 32

/** The claim or a class is broken: no node will do. The message is upstream's. */
export class Unallocatable extends Error {}

export interface Choice {
  readonly id: DeviceId
  readonly device: Readonly<Device>
  readonly slice: Slice
  readonly pool: Pool
}

/** One request, or one alternative of it. */
export interface Ask {
  readonly name: string
  /** Of the request that this is an alternative of. */
  readonly parent?: string
  readonly class: Readonly<DeviceClass>
  readonly selectors: readonly Readonly<DeviceSelector>[]
  readonly tolerations?: readonly Readonly<DeviceToleration>[]
  readonly wanted: Wanted
  readonly adminAccess: boolean
  readonly count: number
  /** Where all that match are asked for: those. */
  readonly all?: readonly Choice[]
  /** What was found out about devices. */
  readonly matches: Map<DeviceId, boolean>
}

export interface ClaimAsks {
  readonly claim: Readonly<ResourceClaim>
  /** Of each request one or, where it has alternatives, these in order. */
  readonly requests: readonly (readonly Ask[])[]
  readonly constraints: readonly Constraint[]
}

export function refOf({ parent, name }: Pick<Ask, 'parent' | 'name'>): string {
  return parent === undefined ? name : `${parent}/${name}`
}

export interface AskDeps {
  readonly node: Readonly<Node>
  readonly pools: readonly Pool[]
  readonly inUse: DevicesInUse
  readonly classOf: (name: string) => Readonly<DeviceClass> | undefined
}

/** Of devices as slices have them: what was found out about one serves for all pods, until its slice is written anew. */
const values = new WeakMap<Readonly<Device>, DeviceValue>()

const shown = ({ metadata: { namespace = '', name = '' } }: Readonly<ResourceClaim>): string => (namespace === '' ? name : `${namespace}/${name}`)

export function asksOf(claim: Readonly<ResourceClaim>, deps: AskDeps): ClaimAsks {
  const { requests = [], constraints = [] } = claim.spec.devices ?? {}
  const asked = requests.map((request) => alternativesOf(request).map((one) => prepare(claim, one, deps)))
  const least = asked.reduce((sum, alternatives) => sum + Math.min(...alternatives.map(({ count }) => count)), 0)
  if (least > resultsMax) throw new Unallocatable(`claim ${shown(claim)}: number of requested devices ${least} exceeds the claim limit of ${resultsMax}`)
  return { claim, requests: asked, constraints: constraints.map((constraint, i) => {
    const made = constraintOf(constraint)
    if (made === undefined) throw new Unallocatable(`claim ${shown(claim)}, constraint #${i}: empty constraint (unsupported constraint type?)`)
    return made
  }) }
}

interface Alternative {
  readonly name: string
  readonly parent?: string
  readonly of: Readonly<ExactDeviceRequest>
}

/** An alternative says the same as a request, but never asks for admin access. */
function alternativesOf({ name, exactly, firstAvailable = [] }: Readonly<DeviceRequest>): readonly Alternative[] {
  if (firstAvailable.length > 0) return firstAvailable.map((of) => ({ name: of.name, parent: name, of }))
  return exactly === undefined ? [] : [{ name, of: exactly }]
}

function prepare(claim: Readonly<ResourceClaim>, { name, parent, of }: Alternative, deps: AskDeps): Ask {
  const where = `claim ${shown(claim)}, request ${name}`
  const { deviceClassName, selectors = [], tolerations, capacity, adminAccess = false, allocationMode = '', count = 0 } = of
  const empty = selectors.findIndex(({ cel }) => cel === undefined)
  if (empty >= 0) throw new Unallocatable(`${where}, selector #${empty}: CEL expression empty (unsupported selector type?)`)
  if (deviceClassName === '') throw new Unallocatable(`${where}: missing device class name (unsupported request type?)`)
  const found = deps.classOf(deviceClassName)
  if (found === undefined) throw new Unallocatable(`${where}: could not retrieve device class ${deviceClassName}: deviceclass.resource.k8s.io "${deviceClassName}" not found`)
  const ask: Ask = {
    name, class: found, selectors, wanted: capacity?.requests ?? {}, adminAccess, count, matches: new Map(),
    ...(parent === undefined ? {} : { parent }), ...(tolerations === undefined ? {} : { tolerations }),
  }
  if (allocationMode === 'ExactCount') return ask
  if (allocationMode !== 'All') throw new Unallocatable(`${where}: unsupported count mode ${allocationMode}`)
  const all = everything(claim, where, ask, deps)
  return { ...ask, all, count: all.length }
}

/** Every device that matches, in use or not; a pool that is not whole leaves it open what that is. */
function everything(claim: Readonly<ResourceClaim>, where: string, ask: Ask, deps: AskDeps): readonly Choice[] {
  const all: Choice[] = []
  for (const pool of deps.pools) {
    const id = `${pool.driver}/${pool.name}`
    if (pool.incomplete === true) throw new Unallocatable(`${where}: asks for all devices, but resource pool ${id} is currently being updated`)
    if (pool.invalid === true) throw new Unallocatable(`${where}: asks for all devices, but resource pool ${id} is currently invalid`)
    for (const choice of choicesOf(pool)) {
      if (matches(claim, ask, choice, deps) && isEnough(ask.wanted, choice.device.capacity ?? {}, [deps.inUse.shared.get(choice.id)])) all.push(choice)
    }
  }
  return all
}

/** In the order in which they are tried. */
export function choicesOf(pool: Pool): readonly Choice[] {
  return pool.near.flatMap((slice) => (slice.spec.devices ?? []).map((device) => ({
    id: deviceId({ driver: pool.driver, pool: pool.name, device: device.name }), device, slice, pool,
  })))
}

/** Whether class, request and node go with the device, whoever has it. */
export function matches(claim: Readonly<ResourceClaim>, ask: Ask, { id, device, slice }: Choice, deps: AskDeps): boolean {
  const known = ask.matches.get(id)
  if (known !== undefined) return known
  const value = values.get(device) ?? new DeviceValue(slice.spec.driver, device)
  values.set(device, value)
  const answer = chosen(ask.class.spec.selectors ?? [], value, () => `class ${ask.class.metadata.name}`)
    && chosen(ask.selectors, value, () => `claim ${shown(claim)}`)
    && (slice.spec.perDeviceNodeSelection !== true || reaches(device, deps.node))
  ask.matches.set(id, answer)
  return answer
}

function chosen(selectors: readonly Readonly<DeviceSelector>[], value: DeviceValue, where: () => string): boolean {
  return selectors.every(({ cel }, i) => {
    try {
      return deviceMatches(cel?.expression ?? '', value)
    } catch (error) {
      if (error instanceof CelError) throw new Unallocatable(`${where()}: selector #${i}: ${error.message}`)
      throw error
    }
  })
}
