/**
 * A pod's sandbox and its place in the network: made where there is none, found again where it ran before this Kubun did.
 * When one is needed is worker.ts's, the steps are start.ts's.
 */
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Pod } from '../../core/api/schema/types.ts'
import type { RuntimeContainer } from '../host/runtime.ts'
import type { PodDeps } from './deps.ts'
import type { ObservedPod } from './observe.ts'
import { refOf } from './ports.ts'
import { stopSandboxes } from './remove.ts'
import { attachNetwork, sandboxProblem, startSandbox, writePodFiles } from './start.ts'

export class PodSandbox {
  readonly #deps: PodDeps
  readonly #uid: string
  /** As it is run now. */
  readonly #pod: () => Readonly<Pod>
  #podIPs: readonly string[]
  #attached: string | undefined

  constructor(deps: PodDeps, uid: string, pod: () => Readonly<Pod>) {
    this.#deps = deps
    this.#uid = uid
    this.#pod = pod
    this.#podIPs = (pod().status?.podIPs ?? []).map(({ ip }) => ip)
  }

  get podIPs(): readonly string[] {
    return this.#podIPs
  }

  /** In place of those that are there. */
  async make(ctx: Ctx, observed: ObservedPod | undefined, attempt: number): Promise<void> {
    const deps = this.#deps
    if (observed !== undefined && observed.sandboxes.length > 0) {
      this.#tell('Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
      await stopSandboxes(ctx, deps, this.#uid, observed, { remove: true })
      this.#keptIPs()
      this.#attached = undefined
    }
    const missing = await sandboxProblem(ctx, deps, this.#pod())
    if (missing !== undefined) {
      this.#tell('Warning', missing.reason, missing.message)
      throw new Error(missing.message)
    }
    try {
      const id = await startSandbox(ctx, deps, this.#pod(), attempt)
      await deps.observer.refresh(ctx, id)
      await this.#join(ctx, deps.observer.pod(this.#uid)?.sandboxes[0])
    } catch (error) {
      ctx.signal.throwIfAborted()
      this.#tell('Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${error instanceof Error ? error.message : String(error)}`)
      throw error
    }
  }

  /** One that ran before this Kubun did: its network is learned again, nothing is restarted. Says whether there was one. */
  async adopt(ctx: Ctx, observed: ObservedPod | undefined): Promise<boolean> {
    const sandbox = observed?.sandboxes[0]
    if (sandbox?.state !== 'running' || this.#attached === sandbox.id) return false
    await this.#join(ctx, sandbox)
    return true
  }

  async #join(ctx: Ctx, sandbox: RuntimeContainer | undefined): Promise<void> {
    if (sandbox === undefined || sandbox.state !== 'running') throw new Error('the sandbox ended at once')
    this.#podIPs = this.#keptIPs() ?? (await attachNetwork(ctx, this.#deps, this.#pod(), sandbox))
    await writePodFiles(this.#deps, this.#pod(), this.#podIPs)
    this.#attached = sandbox.id
  }

  /** Addresses that the pod has kept from before this Kubun started; attaching it again would cut its connections. */
  #keptIPs(): readonly string[] | undefined {
    const kept = this.#deps.adopted.get(this.#uid)
    this.#deps.adopted.delete(this.#uid)
    return kept
  }

  #tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#deps.recorder.event(refOf(this.#pod(), 'Pod'), type, reason, message)
  }
}
