/**
 * Resources as statuses show them: of what runs, those that are in force; of the rest, those that were granted. Pure
 * (pkg/kubelet/kubelet_pods.go convertToAPIContainerStatuses, convertToAPIPodLevelResourcesStatus).
 */
import { podAmounts, type Amounts } from '../../../core/api/core/podresources.ts'
import { canonicalQuantity, compareQuantities } from '../../../core/api/quantity.ts'
import type { Container, ContainerStatus, Pod, PodStatus, ResourceRequirements } from '../../../core/api/schema/types.ts'
import type { GroupLimits } from '../../host/cgroups.ts'
import type { RuntimeContainer } from '../../host/runtime.ts'
import { cpuPeriodUs, milli, milliOfShares } from '../resources.ts'

type Quantities = Record<string, string>

/** Below these the kernel has no smaller numbers: what was granted is shown. */
const requestMilliMin = 2
const limitMilliMin = 10

export function shownContainer({ resources }: Readonly<Container>, c: RuntimeContainer, memoryRequest: string | undefined): Pick<ContainerStatus, 'resources' | 'allocatedResources'> {
  const granted = resources?.requests === undefined ? {} : { allocatedResources: resources.requests }
  if (c.state !== 'running' || resources === undefined) return { ...granted, resources: resources ?? {} }
  const { limits, requests, ...rest } = resources
  return {
    ...granted,
    resources: {
      ...rest,
      ...(limits === undefined ? {} : { limits: inForce(limits, { cpu: limitMilli(c.resources), cpuMin: limitMilliMin, memory: bytes(c.resources.memoryBytes) }) }),
      ...(requests === undefined ? {} : { requests: inForce(requests, { cpu: milliOfShares(c.resources.cpuShares), cpuMin: requestMilliMin, memory: memoryRequest === '0' ? undefined : memoryRequest }) }),
    },
  }
}

interface Force {
  /** Thousandths; 0: there is none. */
  readonly cpu: number
  readonly cpuMin: number
  readonly memory: string | undefined
}

function inForce(granted: Readonly<Quantities>, { cpu, cpuMin, memory }: Force): Quantities {
  const shown: Quantities = { ...granted }
  if (cpu > 0 && (cpu > cpuMin || milli(granted['cpu']) > cpuMin)) put(shown, 'cpu', milliText(cpu))
  if (memory !== undefined) put(shown, 'memory', memory)
  return shown
}

/** The text that is there stays where it says the same. */
function put(into: Quantities, name: string, quantity: string): void {
  const there = into[name]
  if (there === undefined || compareQuantities(there, quantity) !== 0) into[name] = quantity
}

function limitMilli({ cpuQuotaUs, cpuPeriodUs: period }: GroupLimits): number {
  return Math.floor((cpuQuotaUs * 1000) / (period || cpuPeriodUs))
}

function milliText(thousandths: number): string {
  const form = canonicalQuantity(`${thousandths}m`)
  return form.ok ? form.text : `${thousandths}m`
}

/** undefined for 0: none. */
function bytes(count: number): string | undefined {
  if (count === 0) return undefined
  const form = count % 1024 === 0 ? canonicalQuantity(`${count / 1024}Ki`) : undefined
  return form?.ok === true ? form.text : String(count)
}

/** `group`: the limits of the pod's control group; undefined until it has one. */
export function shownPod(pod: Readonly<Pod>, group: GroupLimits | undefined, { running }: { readonly running: boolean }): Pick<PodStatus, 'resources' | 'allocatedResources'> {
  const requests = quantitiesOf(podAmounts(pod, 'requests'), pod.spec?.resources?.requests)
  const given: Readonly<ResourceRequirements> = pod.spec?.resources ?? {}
  const allocated = some('allocatedResources', requests)
  if (!running || group === undefined) return { ...allocated, resources: { ...given, ...some('requests', requests), ...some('limits', quantitiesOf(podAmounts(pod, 'limits'), given.limits)) } }
  const memory = requests['memory'] ?? given.requests?.['memory']
  return {
    ...allocated,
    resources: {
      ...given,
      ...some('requests', inForce(given.requests ?? {}, { cpu: milliOfShares(group.cpuShares), cpuMin: requestMilliMin, memory })),
      ...some('limits', inForce(given.limits ?? {}, { cpu: limitMilli(group), cpuMin: limitMilliMin, memory: bytes(group.memoryBytes) })),
    },
  }
}

function some<K extends string>(name: K, quantities: Quantities): Partial<Record<K, Quantities>> {
  return Object.keys(quantities).length === 0 ? {} : ({ [name]: quantities } as Record<K, Quantities>)
}

/** Amounts come in thousandths. */
function quantitiesOf(amounts: Readonly<Amounts>, written: Readonly<Quantities> = {}): Quantities {
  const shown: Quantities = {}
  for (const [name, thousandths] of Object.entries(amounts)) {
    if (written[name] !== undefined) shown[name] = written[name]
    put(shown, name, name === 'cpu' ? milliText(thousandths) : (bytes(Math.ceil(thousandths / 1000)) ?? '0'))
  }
  return shown
}
