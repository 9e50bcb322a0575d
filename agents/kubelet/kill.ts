/**
 * Ending containers: preStop hook, stop signal, grace, and the order of sidecars
 * (pkg/kubelet/kuberuntime killContainer and its termination ordering).
 */
import { withTimeout, type Ctx } from '../../core/lib/ctx.ts'
import type { Pod } from '../../core/api/schema/types.ts'
import type { RuntimeContainer } from '../host/runtime.ts'
import type { PodDeps } from './deps.ts'
import { runHook } from './hooks.ts'
import { containerNameOf } from './labels.ts'
import type { Kill } from './plan.ts'
import { refOf } from './ports.ts'
import { containersOf, fieldPathOf, podText, type PodContainer } from './spec.ts'

/** A container always gets this long after its stop signal. */
export const graceSMin = 2

export interface KillInput {
  readonly pod: Readonly<Pod>
  readonly target: RuntimeContainer
  /** undefined: the pod's spec no longer knows it. */
  readonly spec: PodContainer | undefined
  readonly message: string
  readonly graceS: number
  readonly podIP: string
}

export async function killContainer(ctx: Ctx, deps: PodDeps, { pod, target, spec, message, graceS, podIP }: KillInput): Promise<void> {
  const name = containerNameOf(target)
  const about = refOf(pod, 'Pod', spec === undefined ? undefined : fieldPathOf(spec))
  deps.recorder.event(about, 'Normal', 'Killing', message === '' ? `Stopping container ${name}` : message)
  const began = ctx.clock.now()
  const hook = spec?.container.lifecycle?.preStop
  if (hook !== undefined && spec !== undefined && graceS > 0) {
    try {
      await withTimeout(ctx, graceS * 1000, (ctx) => runHook(ctx, deps.runtime, hook, { pod, spec, containerId: target.id, podIP }))
    } catch (error) {
      ctx.signal.throwIfAborted()
      ctx.log.info('preStop hook failed', { pod: podText(pod), container: name, error })
      deps.recorder.event(about, 'Warning', 'FailedPreStopHook', 'PreStopHook failed')
    }
  }
  const left = graceS - Math.floor((ctx.clock.now() - began) / 1000)
  await deps.runtime.stop(ctx, target.id, Math.max(graceSMin, left))
  await deps.observer.refresh(ctx, target.id)
}

/** Every running container of the pod: the others together, then sidecars, last started first. */
export async function killAll(ctx: Ctx, deps: PodDeps, pod: Readonly<Pod>, running: readonly RuntimeContainer[], options: { readonly graceS: number; readonly podIP: string }): Promise<void> {
  const specs = containersOf(pod)
  const specOf = (c: RuntimeContainer): PodContainer | undefined => specs.find((s) => s.container.name === containerNameOf(c))
  const began = ctx.clock.now()
  const left = (): number => Math.max(graceSMin, options.graceS - Math.floor((ctx.clock.now() - began) / 1000))
  const kill = (target: RuntimeContainer): Promise<void> =>
    killContainer(ctx, deps, { pod, target, spec: specOf(target), message: '', graceS: left(), podIP: options.podIP })
  const sidecars = running.filter((c) => specOf(c)?.kind === 'sidecar')
  await Promise.all(running.filter((c) => !sidecars.includes(c)).map(kill))
  const order = specs.filter((s) => s.kind === 'sidecar').map((s) => s.container.name)
  for (const c of sidecars.toSorted((a, b) => order.indexOf(containerNameOf(b)) - order.indexOf(containerNameOf(a)))) await kill(c)
}

/** Grace of a container that is ended while its pod goes on. */
export function graceOf(pod: Readonly<Pod>, { why, spec }: Kill): number {
  const { livenessProbe, startupProbe } = spec.container
  const own = why === 'liveness' ? livenessProbe : why === 'startup' ? startupProbe : undefined
  return own?.terminationGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30
}
