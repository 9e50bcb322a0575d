/**
 * Which resources a pod runs with. The API says what is wanted; what was granted on this node is its allocation, and until
 * a resize is granted the pod is run with that. Pure (pkg/kubelet/allocation/allocation_manager.go).
 */
import { podAmounts, qosClass } from '../../../core/api/core/podresources.ts'
import { compareQuantities } from '../../../core/api/quantity.ts'
import type { Container, Pod, ResourceRequirements } from '../../../core/api/schema/types.ts'

export interface Allocation {
  /** Of the pod as a whole, where it names any. */
  readonly pod?: ResourceRequirements
  /** By container: init, sidecar and app containers. */
  readonly containers: Readonly<Record<string, ResourceRequirements>>
}

export function allocationOf({ spec }: Readonly<Pod>): Allocation {
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
  return { ...(spec?.resources === undefined ? {} : { pod: spec.resources }), containers: Object.fromEntries(all.map((c) => [c.name, c.resources ?? {}])) }
}

/** The pod as it is run: the same object where nothing differs. */
export function withAllocation(pod: Readonly<Pod>, allocation: Allocation | undefined): Readonly<Pod> {
  if (allocation === undefined || pod.spec === undefined || isAllocated(pod, allocation)) return pod
  const { resources: _wanted, ...spec } = pod.spec
  const given = (c: Readonly<Container>): Container => {
    const resources = allocation.containers[c.name]
    return resources === undefined ? c : { ...c, resources }
  }
  return {
    ...pod,
    spec: {
      ...spec,
      ...(allocation.pod === undefined ? {} : { resources: allocation.pod }),
      containers: pod.spec.containers.map(given),
      ...(pod.spec.initContainers === undefined ? {} : { initContainers: pod.spec.initContainers.map(given) }),
    },
  }
}

/** Whether the pod has what it asks for. */
export function isAllocated(pod: Readonly<Pod>, allocation: Allocation): boolean {
  const wanted = allocationOf(pod)
  if (!sameResources(wanted.pod, allocation.pod)) return false
  return Object.entries(wanted.containers).every(([name, resources]) => allocation.containers[name] === undefined || sameResources(resources, allocation.containers[name]))
}

function sameResources(a: Readonly<ResourceRequirements> | undefined, b: Readonly<ResourceRequirements> | undefined): boolean {
  return sameAmounts(a?.requests, b?.requests) && sameAmounts(a?.limits, b?.limits)
}

function sameAmounts(a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => b[name] !== undefined && compareQuantities(a[name] ?? '', b[name] ?? '') === 0)
}

/** A resize that waits, as its place in the line is found. */
export interface Waiting {
  readonly pod: Readonly<Pod>
  readonly allocation: Allocation
  /** Since when it is known that it must wait; undefined: it was not looked at yet. */
  readonly sinceMs: number | undefined
}

/** Who asks for less goes first; then by priority, QoS class, and who waits longest. */
export function inLine(waiting: readonly Waiting[]): readonly Waiting[] {
  const never = Number.POSITIVE_INFINITY
  return waiting.toSorted(
    (a, b) =>
      Number(asksForMore(a)) - Number(asksForMore(b)) ||
      (b.pod.spec?.priority ?? 0) - (a.pod.spec?.priority ?? 0) ||
      Number(qosClass(b.pod) === 'Guaranteed') - Number(qosClass(a.pod) === 'Guaranteed') ||
      compare(a.sinceMs ?? never, b.sinceMs ?? never),
  )
}

const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1)

function asksForMore({ pod, allocation }: Waiting): boolean {
  const [wanted, has] = [podAmounts(pod, 'requests'), podAmounts(withAllocation(pod, allocation), 'requests')]
  return ['cpu', 'memory'].some((name) => (wanted[name] ?? 0) > (has[name] ?? 0))
}
