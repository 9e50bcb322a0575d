/**
 * Which pods count for a metric, and what they ask for: pods that go are left out, those that are not ready yet or have
 * no sample are guessed at later. A CPU sample of a pod that just starts says nothing. Pure.
 */
import { podAmounts } from '../../api/core/podresources.ts'
import { podCondition } from '../../api/core/podstate.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import { quantityMilli } from '../../api/quantity.ts'
import type { Pod } from '../../api/schema/types.ts'
import { parseTime } from '../../api/time.ts'

/** While a pod is so young, CPU samples from before it was ready do not count. */
const startingMs = 300_000
/** A pod that was never ready after so long is still on its way there. */
const firstReadyMs = 30_000

export interface Sample {
  /** Thousandths. */
  readonly value: bigint
  readonly atMs: number
  /** How long it was measured for. */
  readonly windowMs: number
}

export type Samples = ReadonlyMap<string, Sample>
type Pods = readonly Readonly<Pod>[]

export interface Groups {
  readonly ready: number
  readonly unready: readonly string[]
  /** Running, without a sample. */
  readonly missing: readonly string[]
  readonly ignored: readonly string[]
}

export function groupPods(pods: Pods, samples: Samples, resource: string, nowMs: number): Groups {
  const unready: string[] = []
  const missing: string[] = []
  const ignored: string[] = []
  let ready = 0
  for (const pod of pods) {
    const name = pod.metadata.name ?? ''
    const sample = samples.get(name)
    if (isBeingDeleted(pod) || pod.status?.phase === 'Failed') ignored.push(name)
    else if (pod.status?.phase === 'Pending') unready.push(name)
    else if (sample === undefined) missing.push(name)
    else if (resource === 'cpu' && isStarting(pod, sample, nowMs)) unready.push(name)
    else ready++
  }
  return { ready, unready, missing, ignored }
}

function isStarting(pod: Readonly<Pod>, sample: Sample, nowMs: number): boolean {
  const condition = podCondition(pod, 'Ready')
  const start = timeOf(pod.status?.startTime)
  if (condition === undefined || start === undefined) return true
  const since = timeOf(condition.lastTransitionTime) ?? Number.NEGATIVE_INFINITY
  const isUnready = condition.status === 'False'
  if (start + startingMs > nowMs) return isUnready || sample.atMs < since + sample.windowMs
  return isUnready && start + firstReadyMs > since
}

const timeOf = (time: string | undefined): number | undefined => (time === undefined ? undefined : parseTime(time))

/** Pods that run and are ready. Throws when there are no pods at all. */
export function readyCount(pods: Pods): number {
  if (pods.length === 0) throw new Error('no pods returned by selector while calculating replica count')
  return pods.filter((pod) => pod.status?.phase === 'Running' && podCondition(pod, 'Ready')?.status === 'True').length
}

/** What each pod asks for of a resource, or one container of it; in thousandths. Throws where one asks for none. */
export function requestsOf(pods: Pods, resource: string, container: string): ReadonlyMap<string, bigint> {
  return new Map(pods.map((pod) => [pod.metadata.name ?? '', BigInt(asksAsPod(pod) && container === '' ? podRequest(pod, resource) : containerRequest(pod, resource, container))]))
}

function asksAsPod({ spec }: Readonly<Pod>): boolean {
  return Object.keys(spec?.resources?.requests ?? {}).some((name) => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-'))
}

function podRequest(pod: Readonly<Pod>, resource: string): number {
  const amount = podAmounts(pod, 'requests')[resource]
  if (amount === undefined) throw new Error(`missing pod-level request for ${resource} in Pod ${pod.metadata.name}`)
  return amount
}

function containerRequest({ spec, metadata: { name } }: Readonly<Pod>, resource: string, container: string): number {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  const chosen = [...(spec?.containers ?? []), ...sidecars].filter((c) => container === '' || c.name === container)
  if (container !== '' && chosen.length === 0) throw new Error(`container ${container} not found in Pod ${name}`)
  return chosen.reduce((sum, c) => {
    const request = c.resources?.requests?.[resource]
    if (request === undefined) throw new Error(`missing request for ${resource} in container ${c.name} of Pod ${name}`)
    return sum + quantityMilli(request)
  }, 0)
}
