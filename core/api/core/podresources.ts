/**
 * What a pod asks for: requests and limits over all its containers, and its QoS
 * class. Shared by scheduler, kubelet and quota
 * (k8s.io/component-helpers/resource/helpers.go, k8s.io/kubernetes/pkg/apis/core/v1/helper/qos).
 */
import { quantityMilli } from '../quantity.ts'
import type { Container, Pod } from '../schema/types.ts'

/** Resource name -> thousandths of its unit. */
export type Amounts = Record<string, number>

type Which = 'requests' | 'limits'

const isSidecar = (container: Readonly<Container>): boolean => container.restartPolicy === 'Always'

function amountsOf(quantities: Readonly<Record<string, string | number>> | undefined): Amounts {
  const amounts: Amounts = {}
  for (const name in quantities) amounts[name] = quantityMilli(quantities[name] ?? 0)
  return amounts
}

export function addAmounts(into: Amounts, more: Readonly<Amounts>): Amounts {
  for (const name in more) into[name] = (into[name] ?? 0) + (more[name] ?? 0)
  return into
}

function raise(into: Amounts, floor: Readonly<Amounts>): Amounts {
  for (const name in floor) into[name] = Math.max(into[name] ?? 0, floor[name] ?? 0)
  return into
}

export interface AmountOptions {
  /** Requests of a container that names none of the resource. */
  readonly missing?: Readonly<Amounts>
  /** While a resize is under way: the largest of what is asked, allocated and in effect. */
  readonly inEffect?: boolean
  /** What containers ask for, whatever the pod as a whole says. */
  readonly containersOnly?: boolean
}

/**
 * Requests or limits of the pod as a whole: what runs together is added, init containers that run before it count by the
 * largest, each with the sidecars started before it; pod-level resources and overhead on top.
 */
export function podAmounts(pod: Readonly<Pod>, which: Which, options: AmountOptions = {}): Amounts {
  const spec = pod.spec
  if (spec === undefined) return {}
  const of = (container: Readonly<Container>): Amounts => containerAmounts(pod, container, which, options)
  const total: Amounts = {}
  for (const container of spec.containers ?? []) addAmounts(total, of(container))
  const sidecars: Amounts = {}
  const start: Amounts = {}
  for (const container of spec.initContainers ?? []) {
    const own = of(container)
    if (isSidecar(container)) {
      addAmounts(total, own)
      addAmounts(sidecars, own)
      raise(start, sidecars)
    } else raise(start, addAmounts({ ...own }, sidecars))
  }
  raise(total, start)
  const podLevel = options.containersOnly === true ? {} : amountsOf(spec.resources?.[which])
  for (const name in podLevel) total[name] = podLevel[name] ?? 0
  if (spec.overhead !== undefined) {
    const overhead = amountsOf(spec.overhead)
    for (const name in overhead) if (which === 'requests' || total[name] !== undefined) total[name] = (total[name] ?? 0) + (overhead[name] ?? 0)
  }
  return total
}

function containerAmounts(pod: Readonly<Pod>, container: Readonly<Container>, which: Which, { missing, inEffect }: AmountOptions): Amounts {
  let amounts = amountsOf(container.resources?.[which])
  if (inEffect === true && which === 'requests') amounts = requestsInEffect(pod, container, amounts)
  for (const name in missing) amounts[name] ??= missing[name] ?? 0
  return amounts
}

/** Of a container that may be resized; a resize that can never be does not count (determineEffectiveRequests). */
function requestsInEffect(pod: Readonly<Pod>, container: Readonly<Container>, asked: Amounts): Amounts {
  const { containerStatuses = [], initContainerStatuses = [], conditions = [] } = pod.status ?? {}
  const statuses = isSidecar(container) ? initContainerStatuses : containerStatuses
  const status = statuses.find(({ name }) => name === container.name)
  if (status?.resources === undefined) return asked
  const infeasible = conditions.find(({ type }) => type === 'PodResizePending')?.reason === 'Infeasible'
  const amounts = infeasible ? {} : { ...asked }
  return raise(raise(amounts, amountsOf(status.resources.requests)), amountsOf(status.allocatedResources))
}

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

const qosResources = ['cpu', 'memory'] as const

export function qosClass(pod: Readonly<Pod>): QosClass {
  const podLevel = pod.spec?.resources
  const holders = podLevel !== undefined ? [{ resources: podLevel }] : [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
  let any = false
  let all = true
  for (const { resources } of holders) {
    for (const name of qosResources) {
      const request = quantityMilli(resources?.requests?.[name] ?? 0)
      const limit = quantityMilli(resources?.limits?.[name] ?? 0)
      if (request > 0 || limit > 0) any = true
      if (limit === 0 || (request !== 0 && request !== limit)) all = false
    }
  }
  return !any ? 'BestEffort' : all && holders.length > 0 ? 'Guaranteed' : 'Burstable'
}
