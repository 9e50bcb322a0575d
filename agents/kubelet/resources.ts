/**
 * Requests and limits in the kernel's numbers: quality of service, CPU shares and
 * quota, memory, OOM score, and the name of a pod's control group. Pure.
 */
import { quantityMilli, quantityValue } from '../../core/api/quantity.ts'
import type { Container, Pod } from '../../core/api/schema/types.ts'
import type { ContainerResources } from '../host/runtime.ts'

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'
type Amounts = Readonly<Record<string, string>> | undefined

/** A quantity in thousandths. 0 for what is absent or not a quantity. */
export function milli(quantity: string | undefined): number {
  return quantity === undefined ? 0 : quantityMilli(quantity) || 0
}

/** A quantity in whole units. */
export function units(quantity: string | undefined): number {
  return quantity === undefined ? 0 : quantityValue(quantity) || 0
}

/** pkg/apis/core/v1/helper/qos: decided by cpu and memory of all containers. */
export function qosOf(pod: Readonly<Pod>): QosClass {
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  const lists = pod.spec?.resources === undefined ? all.map((c) => c.resources) : [pod.spec.resources]
  const set = (amounts: Amounts, name: string): boolean => milli(amounts?.[name]) > 0
  const any = lists.some((r) => ['cpu', 'memory'].some((name) => set(r?.limits, name) || set(r?.requests, name)))
  if (!any) return 'BestEffort'
  const equal = lists.every((r) =>
    ['cpu', 'memory'].every((name) => set(r?.limits, name) && (!set(r?.requests, name) || milli(r?.requests?.[name]) === milli(r?.limits?.[name]))),
  )
  return equal ? 'Guaranteed' : 'Burstable'
}

export const cpuPeriodUs = 100_000
const sharesMin = 2
const sharesMax = 262_144
const quotaUsMin = 1_000

export function sharesOf(cpuMilli: number): number {
  return cpuMilli === 0 ? sharesMin : Math.min(sharesMax, Math.max(sharesMin, Math.floor((cpuMilli * 1024) / 1000)))
}

/** The CPU that shares stand for, in thousandths. */
export function milliOfShares(shares: number): number {
  return Math.ceil((shares * 1000) / 1024)
}

export function quotaOf(cpuMilli: number): number {
  return cpuMilli === 0 ? 0 : Math.max(quotaUsMin, Math.floor((cpuMilli * cpuPeriodUs) / 1000))
}

/** Where a container has no limit of its own the pod's holds. */
export function containerResources(container: Readonly<Container>, pod?: Readonly<Pod>): ContainerResources {
  const { limits, requests } = container.resources ?? {}
  const whole = pod?.spec?.resources?.limits
  const limit = milli(limits?.['cpu']) || milli(whole?.['cpu'])
  // Without a request the limit is the request.
  const request = requests?.['cpu'] === undefined ? limit : milli(requests['cpu'])
  return { cpuShares: sharesOf(request), cpuQuotaUs: quotaOf(limit), cpuPeriodUs, memoryBytes: units(limits?.['memory']) || units(whole?.['memory']) }
}

/** Limits of the pod's own group: the sum where every container has a limit (pkg/kubelet/cm ResourceConfigForPod). */
export function podResources(pod: Readonly<Pod>): ContainerResources {
  const sidecars = (pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')
  const together = [...(pod.spec?.containers ?? []), ...sidecars]
  const alone = (pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy !== 'Always')
  const total = (read: (c: Readonly<Container>) => number): number =>
    Math.max(together.reduce((sum, c) => sum + read(c), 0), ...alone.map(read))
  const limited = (name: string): boolean => [...together, ...alone].every((c) => milli(c.resources?.limits?.[name]) > 0)
  const cpu = pod.spec?.resources?.limits?.['cpu'] ?? undefined
  const memory = pod.spec?.resources?.limits?.['memory'] ?? undefined
  const requested = total((c) => milli(c.resources?.requests?.['cpu'] ?? c.resources?.limits?.['cpu']))
  return {
    cpuShares: sharesOf(milli(pod.spec?.resources?.requests?.['cpu']) || requested),
    cpuQuotaUs: quotaOf(cpu !== undefined ? milli(cpu) : limited('cpu') ? total((c) => milli(c.resources?.limits?.['cpu'])) : 0),
    cpuPeriodUs,
    memoryBytes: memory !== undefined ? units(memory) : limited('memory') ? total((c) => units(c.resources?.limits?.['memory'])) : 0,
  }
}

/** pkg/kubelet/qos/policy.go: the less of its request a container may exceed, the later it is killed. */
export function oomScoreOf(pod: Readonly<Pod>, container: Readonly<Container>, machineBytes: number): number {
  if ((pod.spec?.priority ?? 0) >= nodeCriticalPriority) return -997
  const qos = qosOf(pod)
  if (qos === 'Guaranteed') return -997
  if (qos === 'BestEffort') return 1000
  const score = 1000 - Math.floor((1000 * units(container.resources?.requests?.['memory'])) / machineBytes)
  return Math.min(999, Math.max(3, score))
}

const nodeCriticalPriority = 2_000_001_000

/** The Docker cgroup parent of a pod: a path for cgroupfs, a slice for systemd. */
export function cgroupParentOf(pod: Readonly<Pod>, root: string, driver: 'cgroupfs' | 'systemd'): string {
  return parentOf(pod.metadata.uid ?? '', qosOf(pod), root, driver)
}

function parentOf(uid: string, qos: QosClass, root: string, driver: 'cgroupfs' | 'systemd'): string {
  const middle = qos === 'Guaranteed' ? [] : [qos.toLowerCase()]
  if (driver === 'cgroupfs') return ['', root, ...middle, `pod${uid}`].join('/')
  return `${[root, ...middle, `pod${uid.replaceAll('-', '_')}`].join('-')}.slice`
}

/** Where that is below the cgroup file system. */
export function cgroupPathOf(pod: Readonly<Pod>, root: string, driver: 'cgroupfs' | 'systemd'): string {
  return pathOf(cgroupParentOf(pod, root, driver), driver)
}

/** Name of the control group under which pods live: upstream's. */
export const cgroupRoot = 'kubepods'

/** Every place where a pod of that uid may have had its group: for pods whose spec nobody knows any more. */
export function cgroupPathsOf(uid: string, root: string, driver: 'cgroupfs' | 'systemd'): readonly string[] {
  return (['Guaranteed', 'Burstable', 'BestEffort'] as const).map((qos) => pathOf(parentOf(uid, qos, root, driver), driver))
}

function pathOf(name: string, driver: 'cgroupfs' | 'systemd'): string {
  if (driver === 'cgroupfs') return name
  const steps = name.replace(/\.slice$/, '').split('-')
  return steps.map((_, i) => `/${steps.slice(0, i + 1).join('-')}.slice`).join('')
}
