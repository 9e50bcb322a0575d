/** Deletes Jobs some time after they ended, where their spec says so; what hangs on them goes first. */
import { jobs } from '../api/batch/job.ts'
import { isBeingDeleted, keyOf } from '../api/meta.ts'
import type { Job } from '../api/schema/types.ts'
import type { Controller } from './controller.ts'
import { finishedCondition, timeMs } from './job/pods.ts'
import { itself } from './run.ts'

export const ttlAfterFinished: Controller = {
  name: 'ttl-after-finished-controller',
  workers: 5,
  setUp(env) {
    const lister = env.watch(jobs, (job) => (expiresAtMs(job) === undefined ? [] : itself(job)))
    return async (ctx, key, client) => {
      const known = lister.at(key)
      const at = known === undefined ? undefined : expiresAtMs(known)
      if (known === undefined || at === undefined) return
      if (at > env.clock.now()) return env.queue.after(key, at - env.clock.now())
      // Somebody may have given it more time a moment ago.
      const job = await client.get(ctx, jobs, keyOf(known))
      const lastly = job === undefined ? undefined : expiresAtMs(job)
      if (job === undefined || lastly === undefined) return
      if (lastly > env.clock.now()) return env.queue.after(key, lastly - env.clock.now())
      const { uid = '' } = job.metadata
      await client.delete(ctx, jobs, keyOf(job), { propagationPolicy: 'Foreground', preconditions: { uid } })
    }
  },
}

/** undefined: never, or it goes already. */
function expiresAtMs(job: Readonly<Job>): number | undefined {
  const ttlS = job.spec?.ttlSecondsAfterFinished
  const end = finishedCondition(job)
  if (ttlS === undefined || end === undefined || isBeingDeleted(job)) return undefined
  const finishedMs = timeMs(job.status?.conditions?.find((c) => c.type === end)?.lastTransitionTime)
  return finishedMs === undefined ? undefined : finishedMs + ttlS * 1_000
}
