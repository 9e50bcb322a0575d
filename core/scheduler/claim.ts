/** What a pod takes from a node, computed once for each version of the pod (upstream's calculateResource). */
import { hostPortsOf } from '../api/core/hostports.ts'
import { podAmounts } from '../api/core/podresources.ts'
import type { ContainerPort, Pod } from '../api/schema/types.ts'
import { equalJson } from '../lib/json.ts'

export interface Claim {
  /** Thousandths of a core. */
  readonly cpuMilli: number
  readonly memoryBytes: number
  /** Every other resource it asks for, in units. */
  readonly others: Readonly<Record<string, number>>
  /** For scoring: a container that asks for nothing counts as 100m and 200 MiB (upstream's non-zero defaults). */
  readonly scoredCpuMilli: number
  readonly scoredMemoryBytes: number
  readonly ports: readonly Readonly<ContainerPort>[]
}

const claims = new WeakMap<object, Claim>()

export function claimOf(pod: Readonly<Pod>): Claim {
  let claim = claims.get(pod)
  if (claim === undefined) claims.set(pod, (claim = computeClaim(pod)))
  return claim
}

/** In thousandths, as podAmounts() counts. */
const assumed = { cpu: 100, memory: 200 * 1024 * 1024 * 1_000 } as const

function computeClaim(pod: Readonly<Pod>): Claim {
  const asked = podAmounts(pod, 'requests', { inEffect: true })
  const { cpu = 0, memory = 0, ...others } = asked
  const scored = podAmounts(pod, 'requests', { inEffect: true, missing: missingOf(pod, asked) })
  return {
    cpuMilli: cpu,
    memoryBytes: units(memory),
    others: Object.fromEntries(Object.entries(others).map(([name, milli]) => [name, units(milli)])),
    scoredCpuMilli: scored['cpu'] ?? 0,
    scoredMemoryBytes: units(scored['memory'] ?? 0),
    ports: hostPortsOf(pod),
  }
}

/** Of a pod that says what it asks for as a whole, only what nobody of it names is assumed. */
function missingOf({ spec }: Readonly<Pod>, asked: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  if (Object.keys(spec?.resources?.requests ?? {}).length === 0) return assumed
  return Object.fromEntries(Object.entries(assumed).filter(([name]) => asked[name] === undefined))
}

export function sameClaim(a: Claim, b: Claim): boolean {
  const { others, ports, ...amounts } = a
  const names = Object.keys(amounts) as (keyof typeof amounts)[]
  return names.every((name) => a[name] === b[name]) && equalJson(others, b.others) && equalJson(ports, b.ports)
}

/** As the strategies of NodeResourcesFit count a pod that is to be placed: upstream's look at its containers alone. */
export function containersClaimOf(pod: Readonly<Pod>): Claim {
  const claim = claimOf(pod)
  if (pod.spec?.resources === undefined) return claim
  const { cpu = 0, memory = 0, ...others } = podAmounts(pod, 'requests', { missing: assumed, containersOnly: true })
  return { ...claim, others: Object.fromEntries(Object.entries(others).map(([name, milli]) => [name, units(milli)])), scoredCpuMilli: cpu, scoredMemoryBytes: units(memory) }
}

/** Whole units, rounded up as Quantity.Value() is. */
export const units = (milli: number): number => Math.ceil(milli / 1_000)
