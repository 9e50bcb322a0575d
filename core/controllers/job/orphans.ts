/**
 * Pods that hold a Job's finalizer though no Job will ever count them: theirs is over or gone, or was taken from them.
 * The finalizer is removed, so that they can go (upstream's orphan queue in job_controller.go).
 */
import { jobs } from '../../api/batch/job.ts'
import { pods } from '../../api/core/pod.ts'
import { apiVersionOf, controllerOf } from '../../api/meta.ts'
import type { Job, OwnerReference, Pod } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import { byController, controllerIndex } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import type { Controller } from '../controller.ts'
import { itself } from '../run.ts'
import { isManagedElsewhere, releasePod } from './job.ts'
import { isFinished, isTracked } from './pods.ts'

/** Acts as the Job controller, of which it is a part. */
export const jobOrphans: Controller = {
  name: 'job-controller',
  setUp(env) {
    const podInformer = env.informers.of(pods)
    podInformer.addIndex(controllerIndex, byController)
    const lister = env.watch(pods, (pod) => (isTracked(pod) ? itself(pod) : []))
    const jobInformer = env.informers.of(jobs)
    const free = (job: Readonly<Job>): void => {
      for (const pod of podInformer.lister.by(controllerIndex, job.metadata.uid ?? '')) if (isTracked(pod)) itself(pod).forEach((key) => env.queue.add(key))
    }
    jobInformer.on({ updated: (job) => isFinished(job) && free(job), deleted: free })
    return async (ctx, key, client) => {
      const pod = lister.at(key)
      if (pod === undefined || !isTracked(pod)) return
      const owner = controllerOf(pod)
      if (owner !== undefined && !isOfJob(owner)) return
      const job = owner === undefined ? undefined : (jobInformer.lister.byUid(owner.uid) ?? (await asked(ctx, client, pod, owner)))
      // Somebody may adopt the pod meanwhile: then it is another revision, and the finalizer another's.
      if (!stillCounts(job, owner?.uid)) await releasePod(ctx, client, pod, { sameRevision: true })
    }
  },
}

const isOfJob = ({ kind, apiVersion }: OwnerReference): boolean => kind === jobs.kind && apiVersion === apiVersionOf(jobs)

/** The lister may not know the Job yet. */
async function asked(ctx: Ctx, client: Client, pod: Readonly<Pod>, owner: OwnerReference): Promise<Readonly<Job> | undefined> {
  return await client.get(ctx, jobs, { namespace: pod.metadata.namespace ?? '', name: owner.name })
}

function stillCounts(job: Readonly<Job> | undefined, uid: string | undefined): boolean {
  return job !== undefined && job.metadata.uid === uid && (!isFinished(job) || isManagedElsewhere(job))
}
