/** The parts of a fork that act by themselves, each of which can be ended and begun again with an empty mind. */
import { partIdentity } from '../auth/policy.ts'
import type { Controller, Settings } from '../controllers/controller.ts'
import { runControllers, type RunningControllers } from '../controllers/run.ts'
import { childCtx, type Ctx } from '../lib/ctx.ts'
import { defaultProfile } from '../scheduler/plugins.ts'
import { runScheduler } from '../scheduler/run.ts'
import type { Fork } from './fork.ts'

export interface Running {
  /** Why it ended by itself. */
  readonly failure: unknown
  /** Ends it; resolves when nothing of it runs any more. */
  stop(): Promise<void>
}

export interface RunningManager extends Running {
  /** What the controllers keep in mind; undefined until they work. */
  readonly state: RunningControllers | undefined
}

export function startControllers(fork: Fork, controllers: readonly Controller[], options: { readonly settings: Settings; readonly freeze?: boolean }): RunningManager {
  const own: { state?: RunningControllers } = {}
  const { settings, freeze = false } = options
  const running = start(fork.ctx, (ctx) =>
    runControllers(ctx, { clientAs: fork.clientAs, random: fork.random, settings, freeze }, controllers, { ready: (state) => (own.state = state) }),
  )
  return {
    get failure() {
      return running.failure
    },
    get state() {
      return own.state
    },
    stop: () => running.stop(),
  }
}

export function startScheduler(fork: Fork): Running {
  const client = fork.clientAs(partIdentity('system:kube-scheduler'))
  return start(fork.ctx, (ctx) => runScheduler(ctx, { client, random: fork.random, profiles: [defaultProfile] }))
}

/** Runs until it is stopped, or ctx ends. */
export function start(parent: Ctx, work: (ctx: Ctx) => Promise<void>): Running {
  const { ctx, end } = childCtx(parent)
  const own: { failure: unknown } = { failure: undefined }
  const over = work(ctx).catch((error: unknown) => {
    if (!ctx.signal.aborted) own.failure = error
  })
  return {
    get failure() {
      return own.failure
    },
    async stop() {
      end()
      await over
    },
  }
}
