/**
 * How many replicas a metric asks for: upstream's replica calculator (pkg/controller/podautoscaler/replica_calculator.go)
 * with its arithmetic. Pure: samples and pods in, a number out; a throw says why there is none.
 */
import type { Pod } from '../../api/schema/types.ts'
import { amountMax, replicasFrom } from './amounts.ts'
import { groupPods, readyCount, requestsOf, type Sample, type Samples } from './podgroups.ts'

export interface Tolerances {
  readonly up: number
  readonly down: number
}

export interface Proposal {
  readonly replicas: number
  /** What is used: of a pod in the mean, or altogether. In thousandths. */
  readonly usage: bigint
  /** In percent of what is asked for. */
  readonly utilization?: number
}

/** What is the same for all metrics of an autoscaler. */
export interface Scene {
  readonly pods: readonly Readonly<Pod>[]
  /** Replicas asked for now. */
  readonly current: number
  readonly tolerances: Tolerances
  readonly nowMs: number
}

export interface ResourceGoal {
  readonly resource: string
  /** '' for the whole pod. */
  readonly container: string
}

/** By percent of what pods ask for. */
export function byUtilization(scene: Scene, samples: Samples, goal: ResourceGoal, targetPercent: number): Proposal {
  return bySamples(scene, samples, goal.resource, () => {
    const requests = requestsOf(scene.pods, goal.resource, goal.container)
    const assumedPercent = BigInt(Math.max(100, targetPercent))
    return {
      measure: (counted) => utilizationOf(counted, requests, targetPercent),
      // Of a pod that nothing is known of, the most is assumed before others are taken away.
      assumed: (name) => ((requests.get(name) ?? 0n) * assumedPercent) / 100n,
    }
  })
}

/** By what a pod uses in the mean; `resource` is '' for metrics that are none. */
export function byAverage(scene: Scene, samples: Samples, resource: string, target: bigint): Proposal {
  return bySamples(scene, samples, resource, () => ({ measure: (counted) => averageOf(counted, target), assumed: () => target }))
}

interface Measured {
  readonly ratio: number
  readonly usage: bigint
  readonly utilization?: number
}

interface Yardstick {
  readonly measure: (samples: Samples) => Measured
  readonly assumed: (pod: string) => bigint
}

function bySamples(scene: Scene, given: Samples, resource: string, yardstick: () => Yardstick): Proposal {
  const { pods, current, tolerances, nowMs } = scene
  if (pods.length === 0) throw new Error('no pods returned by selector while calculating replica count')
  const groups = groupPods(pods, given, resource, nowMs)
  const samples = new Map(given)
  for (const name of [...groups.ignored, ...groups.unready]) samples.delete(name)
  if (samples.size === 0) throw new Error('did not receive metrics for targeted pods (pods might be unready)')
  const { measure, assumed } = yardstick()
  const { ratio, ...seen } = measure(samples)
  const upWithUnready = groups.unready.length > 0 && ratio > 1
  if (!upWithUnready && groups.missing.length === 0) {
    return { replicas: isWithin(tolerances, ratio) ? current : replicasFrom(ratio * groups.ready), ...seen }
  }
  if (ratio < 1) for (const name of groups.missing) samples.set(name, guess(assumed(name)))
  if (ratio > 1) for (const name of groups.missing) samples.set(name, guess(0n))
  if (upWithUnready) for (const name of groups.unready) samples.set(name, guess(0n))
  return { replicas: cautious(scene, ratio, measure(samples).ratio, samples.size), ...seen }
}

/** What was guessed must not turn the direction, and not go beyond what is there. */
function cautious({ current, tolerances }: Scene, ratio: number, guessed: number, counted: number): number {
  if (isWithin(tolerances, guessed) || (ratio < 1 && guessed > 1) || (ratio > 1 && guessed < 1)) return current
  const replicas = replicasFrom(guessed * counted)
  return (guessed < 1 && replicas > current) || (guessed > 1 && replicas < current) ? current : replicas
}

const guess = (value: bigint): Sample => ({ value, atMs: 0, windowMs: 0 })

const isWithin = ({ up, down }: Tolerances, ratio: number): boolean => 1 - down <= ratio && ratio <= 1 + up

function utilizationOf(samples: Samples, requests: ReadonlyMap<string, bigint>, targetPercent: number): Measured {
  let used = 0n
  let asked = 0n
  let counted = 0n
  for (const [name, { value }] of samples) {
    const request = requests.get(name)
    if (request === undefined) continue
    used += value
    asked += request
    counted++
  }
  if (asked === 0n) throw new Error('no metrics returned matched known pods')
  const utilization = Number(BigInt.asIntN(32, (used * 100n) / asked))
  return { ratio: utilization / targetPercent, utilization, usage: used / counted }
}

function averageOf(samples: Samples, target: bigint): Measured {
  let used = 0n
  for (const { value } of samples.values()) used += value
  const usage = used / BigInt(samples.size)
  return { ratio: Number(usage) / Number(target), usage }
}

/** By one value for all pods. Without any pod it is what starts the first ones. */
export function byValue({ pods, current, tolerances }: Scene, usage: bigint, target: bigint): Proposal {
  const ratio = Number(usage) / Number(target)
  if (current === 0) return { replicas: replicasFrom(ratio), usage }
  return { replicas: isWithin(tolerances, ratio) ? current : replicasFrom(ratio * readyCount(pods)), usage }
}

/** By one value that pods share; `have` pods there are now. */
export function byShare(tolerances: Tolerances, have: number, whole: bigint, target: bigint): Proposal {
  const ratio = Number(whole) / (Number(target) * have)
  const replicas = isWithin(tolerances, ratio) ? have : replicasFrom(Number(whole) / Number(target))
  return { replicas, usage: whole >= amountMax || have === 0 ? whole : BigInt(Math.ceil(Number(whole) / have)) }
}

export function sumOf(values: readonly bigint[]): bigint {
  const sum = values.reduce((total, value) => total + value, 0n)
  return sum > amountMax ? amountMax : sum
}
