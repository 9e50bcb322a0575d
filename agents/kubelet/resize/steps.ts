/**
 * What is to be done so that a running pod has the resources that it was granted: a pure function of the pod and of what
 * its containers and its control group have now. The group grows before its containers and shrinks after them, and among
 * containers who gives goes before who takes (pkg/kubelet/kuberuntime computePodResizeAction, doPodResizeAction).
 */
import type { Pod } from '../../../core/api/schema/types.ts'
import type { GroupLimits } from '../../host/cgroups.ts'
import type { ContainerResources, RuntimeContainer } from '../../host/runtime.ts'
import { containerResources, podResources, units } from '../resources.ts'
import type { PodContainer } from '../spec.ts'

export interface RunningContainer {
  readonly target: RuntimeContainer
  readonly spec: PodContainer
  /** What it was given last. */
  readonly have: ContainerResources
  /** The memory request that is in force; undefined: nobody knows, and it is taken for the one that was granted. */
  readonly memoryRequest: string | undefined
}

export type Step =
  | { readonly group: Partial<GroupLimits> }
  | { readonly container: RunningContainer; readonly resources: ContainerResources; readonly memory: boolean }

/** Where a container's resources go: less, as they are, more. */
interface Course {
  readonly cpu: number
  readonly memory: number
}

function courseOf(pod: Readonly<Pod>, { spec, have, memoryRequest }: RunningContainer): Course {
  const want = wantedOf(pod, spec, have)
  const request = spec.container.resources?.requests?.['memory']
  const asked = memoryRequest === undefined ? 0 : Math.sign(units(request) - units(memoryRequest))
  return {
    cpu: towards(want.cpuQuotaUs, have.cpuQuotaUs) || Math.sign(want.cpuShares - have.cpuShares),
    memory: towards(want.memoryBytes, have.memoryBytes) || asked,
  }
}

/** A limit that it is not to have any more is left as it is: the runtime cannot take it away. */
function wantedOf(pod: Readonly<Pod>, { container }: PodContainer, have: ContainerResources): ContainerResources {
  const want = containerResources(container, pod)
  return { ...want, cpuQuotaUs: want.cpuQuotaUs || have.cpuQuotaUs, memoryBytes: want.memoryBytes || have.memoryBytes }
}

/** Limits, of which 0 is none at all. */
function towards(want: number, have: number): number {
  return want === have ? 0 : limitOf(want) > limitOf(have) ? 1 : -1
}

const limitOf = (limit: number): number => (limit === 0 ? Number.POSITIVE_INFINITY : limit)

/** Whether a container must be started anew to have what it was granted. */
export function resizeRestarts(pod: Readonly<Pod>, container: RunningContainer): boolean {
  if (container.spec.kind === 'ephemeral') return false
  const course = courseOf(pod, container)
  return (container.spec.container.resizePolicy ?? []).some((p) => p.restartPolicy === 'RestartContainer' && (p.resourceName === 'cpu' || p.resourceName === 'memory') && course[p.resourceName] !== 0)
}

export function resizeSteps(pod: Readonly<Pod>, running: readonly RunningContainer[], group: GroupLimits): readonly Step[] {
  const resizable = running.filter(({ spec }) => spec.kind !== 'ephemeral')
  const want = wantedGroup(pod, group)
  const memory = towards(want.memoryBytes, group.memoryBytes)
  const [quota, shares] = [towards(want.cpuQuotaUs, group.cpuQuotaUs), Math.sign(want.cpuShares - group.cpuShares)]
  const step = (holds: boolean, limits: Partial<GroupLimits>): readonly Step[] => (holds ? [{ group: limits }] : [])
  const [memoryLimit, cpuLimit, cpuRequest] = [{ memoryBytes: want.memoryBytes }, { cpuQuotaUs: want.cpuQuotaUs, cpuPeriodUs: want.cpuPeriodUs }, { cpuShares: want.cpuShares }]
  return [
    ...step(memory > 0, memoryLimit),
    ...ordered(pod, resizable, 'memory').map((container): Step => ({ container, memory: true, resources: { ...container.have, memoryBytes: wantedOf(pod, container.spec, container.have).memoryBytes } })),
    ...step(memory < 0, memoryLimit),
    ...step(quota > 0, cpuLimit),
    ...step(shares > 0, cpuRequest),
    ...ordered(pod, resizable, 'cpu').map((container): Step => ({ container, memory: false, resources: wantedOf(pod, container.spec, container.have) })),
    ...step(shares < 0, cpuRequest),
    ...step(quota < 0, cpuLimit),
  ]
}

/** And so is a limit of the pod. */
function wantedGroup(pod: Readonly<Pod>, group: GroupLimits): GroupLimits {
  const want = podResources(pod)
  return { ...want, cpuQuotaUs: want.cpuQuotaUs || group.cpuQuotaUs, memoryBytes: want.memoryBytes || group.memoryBytes }
}

function ordered(pod: Readonly<Pod>, running: readonly RunningContainer[], of: keyof Course): readonly RunningContainer[] {
  const changed = running.map((container) => ({ container, course: courseOf(pod, container)[of] })).filter(({ course }) => course !== 0)
  return changed.toSorted((a, b) => a.course - b.course).map(({ container }) => container)
}

/** Memory limits that the steps lower: of the pod (undefined: it is not lowered) and of containers. */
export interface Lowered {
  readonly podBytes: number | undefined
  readonly containers: readonly { readonly container: RunningContainer; readonly bytes: number }[]
}

export function loweredMemory(steps: readonly Step[], group: GroupLimits): Lowered {
  const pod = steps.flatMap((s) => ('group' in s && s.group.memoryBytes !== undefined ? [s.group.memoryBytes] : [])).find((bytes) => towards(bytes, group.memoryBytes) < 0)
  return {
    podBytes: pod,
    containers: steps.flatMap((s) => ('container' in s && s.memory && towards(s.resources.memoryBytes, s.container.have.memoryBytes) < 0 ? [{ container: s.container, bytes: s.resources.memoryBytes }] : [])),
  }
}
