/** Bringing a granted resize into force on what runs: asks steps.ts what is to be done, and does it until something refuses. */
import type { Ctx } from '../../../core/lib/ctx.ts'
import type { Container, Pod } from '../../../core/api/schema/types.ts'
import type { Cgroups, GroupLimits } from '../../host/cgroups.ts'
import type { Runtime, RuntimeContainer } from '../../host/runtime.ts'
import { containerNameOf } from '../labels.ts'
import type { ObservedPod, Observer } from '../observe.ts'
import { cgroupPathOf, podResources } from '../resources.ts'
import { containersOf, podText, type PodContainer } from '../spec.ts'
import type { InForce, PodRecord, Records } from './records.ts'
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

function runningOf(pod: Readonly<Pod>, observed: ObservedPod | undefined, records: Records): readonly RunningContainer[] {
  return (observed?.containers ?? []).flatMap((target) => {
    const spec = containersOf(pod).find((c) => c.container.name === containerNameOf(target))
    return spec === undefined || target.state !== 'running' ? [] : [asItRuns(records.get(pod.metadata.uid ?? ''), target, spec)]
  })
}

/** What nobody wrote down is what the runtime says. */
export function asItRuns(record: PodRecord | undefined, target: RuntimeContainer, spec: PodContainer): RunningContainer {
  const known = record?.inForce[spec.container.name]
  return known?.id === target.id ? { target, spec, have: known.resources, memoryRequest: known.memoryRequest } : { target, spec, have: target.resources, memoryRequest: undefined }
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
  const { target, spec, memoryRequest } = step.container
  await runtime.update(ctx, target.id, step.resources)
  const before = records.get(uid)?.inForce[spec.container.name]?.memoryRequest ?? memoryRequest
  noteInForce(records, uid, spec.container, { id: target.id, resources: step.resources, ...(step.memory || before === undefined ? {} : { memoryRequest: before }) })
  await observer.refresh(ctx, target.id)
  return group
}

/** The container was given these; its memory request, if nothing else is said, is the one that was granted. */
export function noteInForce(records: Records, uid: string, container: Readonly<Container>, given: Pick<InForce, 'id' | 'resources'> & Partial<InForce>): void {
  const memoryRequest = container.resources?.requests?.['memory'] ?? '0'
  records.note(uid, { inForce: { ...records.get(uid)?.inForce, [container.name]: { memoryRequest, ...given } } })
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
