/**
 * The containers of a pod that are to start: each is tried, those that could not be started wait, and what they wait for is
 * remembered for the pod's status. Which are to start is plan.ts's, how one is started start.ts's.
 */
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Pod } from '../../core/api/schema/types.ts'
import type { PodDeps } from './deps.ts'
import { StartError } from './images.ts'
import { containerNameOf } from './labels.ts'
import type { LastWords } from './messages.ts'
import { newest } from './observe.ts'
import type { Plan } from './plan.ts'
import { refOf } from './ports.ts'
import { findContainer, podText, type PodContainer } from './spec.ts'
import { startContainer } from './start.ts'
import type { VolumesReady } from './volumes.ts'

/** A container that could not be started is tried again after this long, if nothing else happens. */
const startRetryMs = 10_000

export interface Reason {
  readonly reason: string
  readonly message: string
}

/** What containers start with; asked anew for each. */
export interface Ground {
  readonly pod: Readonly<Pod>
  readonly podIPs: readonly string[]
  readonly volumes: VolumesReady | undefined
}

export class Starts {
  readonly #deps: PodDeps
  readonly #uid: string
  readonly #lastWords: LastWords
  readonly #reasons = new Map<string, Reason>()
  readonly #retryAt = new Map<string, number>()
  readonly #told = new Set<string>()

  constructor(deps: PodDeps, uid: string, lastWords: LastWords) {
    this.#deps = deps
    this.#uid = uid
    this.#lastWords = lastWords
  }

  /** By name, why containers wait. */
  get reasons(): ReadonlyMap<string, Reason> {
    return this.#reasons
  }

  /** What was missing may be there now. */
  tryAllAgain(): void {
    this.#retryAt.clear()
  }

  /** When one that could not be started is tried again; 'again': everything is to be looked at anew. `failed` hears of each that could not be started. */
  async start(ctx: Ctx, wanted: readonly PodContainer[], ground: () => Ground, failed: () => void): Promise<number | undefined | 'again'> {
    let retryMs: number | undefined
    let began = false
    const laterAt = (at: number): void => void (retryMs = Math.min(retryMs ?? Infinity, at))
    for (const spec of wanted) {
      const { name } = spec.container
      const wait = this.#retryAt.get(name)
      if (wait !== undefined && wait > ctx.clock.now()) {
        laterAt(wait)
        continue
      }
      const { volumes, ...rest } = ground()
      const observed = this.#deps.observer.pod(this.#uid)
      const sandbox = observed?.sandboxes[0]
      if (observed === undefined || sandbox === undefined || volumes === undefined) return 'again'
      const statuses = this.#deps.statuses.get(rest.pod)
      const prev = [...(statuses.containerStatuses ?? []), ...(statuses.initContainerStatuses ?? []), ...(statuses.ephemeralContainerStatuses ?? [])].find((s) => s.name === name)
      try {
        await startContainer(ctx, this.#deps, { ...rest, spec, observed, sandbox, volumes, prev })
        this.#reasons.delete(name)
        this.#retryAt.delete(name)
        began = true
        await this.#prune(ctx, name)
      } catch (error) {
        ctx.signal.throwIfAborted()
        if (!(error instanceof StartError)) throw error
        this.#reasons.set(name, { reason: error.reason, message: error.message })
        const at = error.retryMs ?? ctx.clock.now() + startRetryMs
        this.#retryAt.set(name, at)
        laterAt(at)
        failed()
      }
    }
    return began ? 'again' : retryMs
  }

  /** Containers that wait for their back-off say so. */
  hold(pod: Readonly<Pod>, held: Plan['held']): void {
    for (const { name, reason, message } of held) {
      this.#reasons.set(name, { reason, message })
      const last = newest(this.#deps.observer.pod(this.#uid), name)
      const spec = findContainer(pod, name)
      if (last === undefined || spec === undefined || this.#told.has(last.id)) continue
      this.#told.add(last.id)
      this.#deps.recorder.event(refOf(pod, 'Pod', `spec.${spec.kind === 'app' ? 'containers' : 'initContainers'}{${name}}`), 'Warning', 'BackOff', `Back-off restarting failed container ${name} in pod ${podText(pod)}`)
    }
  }

  /** Of the ended containers of one name the last is kept, for its logs and its state. */
  async #prune(ctx: Ctx, name: string): Promise<void> {
    const ended = this.#deps.observer.pod(this.#uid)?.containers.filter((c) => containerNameOf(c) === name && c.state === 'exited') ?? []
    for (const c of ended.slice(1)) {
      await this.#deps.runtime.remove(ctx, c.id)
      this.#lastWords.forget(c.id)
    }
  }
}
