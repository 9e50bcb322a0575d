/** Bringing a granted resize into force on what runs: asks steps.ts what is to be done, and does it until something refuses. */
import type { Ctx } from '../../../core/lib/ctx.ts'
import type { Pod } from '../../../core/api/schema/types.ts'
import type { Cgroups, GroupLimits } from '../../host/cgroups.ts'
import type { Runtime } from '../../host/runtime.ts'
import { containerNameOf } from '../labels.ts'
import type { ObservedPod, Observer } from '../observe.ts'
import { cgroupPathOf, podResources } from '../resources.ts'
import { containersOf, podText } from '../spec.ts'
import type { Records } from './records.ts'
import { loweredMemory, resizeSteps, type RunningContainer, type Step } from './steps.ts'

export interface ActuateDeps {
  readonly runtime: Runtime
  readonly cgroups: Cgroups
  readonly observer: Observer
  readonly records: Records
  readonly cgroupRoot: string
  readonly node: { readonly cgroupDriver: 'cgroupfs' | 'systemd' }
}

/** undefined when the pod has what it was granted; else why it cannot have it now, in upstream's words. */
export async function actuate(ctx: Ctx, deps: ActuateDeps, pod: Readonly<Pod>, observed: ObservedPod | undefined): Promise<string | undefined> {
  const { uid = '' } = pod.metadata
  const path = cgroupPathOf(pod, deps.cgroupRoot, deps.node.cgroupDriver)
  const group = deps.records.get(uid)?.group ?? (await deps.cgroups.state(path)) ?? podResources(pod)
  const running = runningOf(pod, observed, deps.records)
  const steps = resizeSteps(pod, running, group)
  if (steps.length === 0) return undefined
  try {
    await refuseBelowUsage(deps, pod, { steps, group, path })
    let now = group
    for (const step of steps) now = await take(ctx, deps, pod, step, { path, group: now })
    return undefined
  } catch (error) {
    ctx.signal.throwIfAborted()
    ctx.log.info('pod not resized', { pod: podText(pod), error })
    return error instanceof Error ? error.message : String(error)
  }
}

export function runningOf(pod: Readonly<Pod>, observed: ObservedPod | undefined, records: Records): readonly RunningContainer[] {
  const requests = records.get(pod.metadata.uid ?? '')?.memoryRequests ?? {}
  return (observed?.containers ?? []).flatMap((target) => {
    const spec = containersOf(pod).find((c) => c.container.name === containerNameOf(target))
    return spec === undefined || target.state !== 'running' ? [] : [{ target, spec, memoryRequest: requests[spec.container.name] }]
  })
}

interface Place {
  readonly path: string
  readonly group: GroupLimits
}

/** The group's limits after the step. */
async function take(ctx: Ctx, { runtime, cgroups, observer, records }: ActuateDeps, pod: Readonly<Pod>, step: Step, { path, group }: Place): Promise<GroupLimits> {
  const { uid = '' } = pod.metadata
  if ('group' in step) {
    await cgroups.resize(path, step.group)
    const next = { cpuShares: group.cpuShares, cpuQuotaUs: group.cpuQuotaUs, cpuPeriodUs: group.cpuPeriodUs, memoryBytes: group.memoryBytes, ...step.group }
    records.note(uid, { group: next })
    return next
  }
  const { target, spec } = step.container
  await runtime.update(ctx, target.id, step.resources)
  if (step.memory) noteMemoryRequest(records, uid, spec.container)
  await observer.refresh(ctx, target.id)
  return group
}

/** This container runs with the memory request that it was granted. */
export function noteMemoryRequest(records: Records, uid: string, container: RunningContainer['spec']['container']): void {
  records.note(uid, { memoryRequests: { ...records.get(uid)?.memoryRequests, [container.name]: container.resources?.requests?.['memory'] ?? '0' } })
}

/** Below what is used the kernel would kill, or refuse half way. */
async function refuseBelowUsage({ cgroups }: ActuateDeps, pod: Readonly<Pod>, at: Place & { readonly steps: readonly Step[] }): Promise<void> {
  const { podBytes, containers } = loweredMemory(at.steps, at.group)
  const reasons: string[] = []
  if (podBytes !== undefined) {
    const used = (await cgroups.state(at.path))?.usageBytes
    if (used === undefined) throw new Error(`unable to read memory usage for pod ${JSON.stringify(podText(pod))}`)
    if (used >= podBytes) reasons.push(`attempting to set pod memory limit (${podBytes}) below current usage (${used})`)
  }
  for (const { container, bytes } of containers) {
    const name = JSON.stringify(container.spec.container.name)
    const used = (await cgroups.usage(container.target.pid))?.memoryBytes
    if (used === undefined) reasons.push(`missing container ${name} memory usage`)
    else if (used >= bytes) reasons.push(`attempting to set container ${name} memory limit (${bytes}) below current usage (${used})`)
  }
  if (reasons.length > 0) throw new Error(`cannot decrease memory limits: ${reasons.length === 1 ? reasons[0] : `[${reasons.join(', ')}]`}`)
}
