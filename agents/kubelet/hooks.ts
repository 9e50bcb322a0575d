/** Lifecycle hooks: postStart and preStop by exec, HTTP or sleep (pkg/kubelet/lifecycle/handlers.go). Throws with upstream's words when a hook fails. */
import type { Ctx } from '../../core/lib/ctx.ts'
import type { LifecycleHandler, Pod } from '../../core/api/schema/types.ts'
import type { Runtime } from '../host/runtime.ts'
import { runExec, runHttp } from './probes/handlers.ts'
import { podText, type PodContainer } from './spec.ts'

export interface HookInput {
  readonly pod: Readonly<Pod>
  readonly spec: PodContainer
  readonly containerId: string
  readonly podIP: string
}

export async function runHook(ctx: Ctx, runtime: Runtime, hook: Readonly<LifecycleHandler>, input: HookInput): Promise<void> {
  const about = `for Container "${input.spec.container.name}" in Pod "${podText(input.pod)}" failed - error`
  if (hook.exec !== undefined) {
    const command = hook.exec.command ?? []
    const done = await runExec(ctx, runtime, input.containerId, command)
    if (!done.ok) {
      throw new Error(`Exec lifecycle hook ([${command.join(' ')}]) ${about}: command '${command.join(' ')}' exited with ${done.code}: ${done.output}, message: ${JSON.stringify(done.output)}`)
    }
  } else if (hook.httpGet !== undefined) {
    // Any answer will do: only a request that could not be made fails (upstream checks no status).
    await runHttp(ctx, hook.httpGet, input.spec.container, input.podIP, 'kube-lifecycle/1.36').catch((error: unknown) => {
      throw new Error(`HTTP lifecycle hook (${hook.httpGet?.path ?? ''}) ${about}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    })
  } else if (hook.sleep !== undefined) {
    await ctx.clock.sleep(hook.sleep.seconds * 1000, ctx.signal)
  }
}
