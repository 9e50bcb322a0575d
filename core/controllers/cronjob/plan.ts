/** What a CronJob makes of its Jobs: those it keeps, those it forgets, the one it starts. Pure. */
import { cronJobs } from '../../api/batch/cronjob.ts'
import { apiVersionOf, controllerRef } from '../../api/meta.ts'
import { jobs } from '../../api/batch/job.ts'
import type { CronJob, Job, ObjectReference } from '../../api/schema/types.ts'
import { parseTime } from '../../api/time.ts'
import { cloneJson } from '../../lib/json.ts'
import { finishedCondition } from '../job/pods.ts'
import { timeInZone } from './times.ts'

const scheduledAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

/** One name for each time that the CronJob is due: no Job is made twice. */
export const jobName = (cron: Readonly<CronJob>, atMs: number): string => `${cron.metadata.name}-${Math.floor(atMs / 60_000)}`

export function jobFrom(cron: Readonly<CronJob>, atMs: number): Job {
  const { metadata = {}, spec } = cron.spec?.jobTemplate ?? {}
  return {
    apiVersion: apiVersionOf(jobs),
    kind: jobs.kind,
    metadata: {
      name: jobName(cron, atMs),
      namespace: cron.metadata.namespace ?? '',
      ...(metadata.labels === undefined ? {} : { labels: { ...metadata.labels } }),
      annotations: { ...metadata.annotations, [scheduledAnnotation]: timeInZone(atMs, cron.spec?.timeZone ?? 'UTC') },
      ownerReferences: [controllerRef(cron, cronJobs)],
    },
    ...(spec === undefined ? {} : { spec: cloneJson(spec) }),
  }
}

export function referenceTo(job: Readonly<Job>): ObjectReference {
  const { name = '', namespace = '', uid = '', resourceVersion = '' } = job.metadata
  return { kind: jobs.kind, namespace, name, uid, apiVersion: apiVersionOf(jobs), resourceVersion }
}

/** The oldest ended Jobs, past the limits of those that succeeded and of those that failed. */
export function pastHistory(cron: Readonly<CronJob>, owned: readonly Readonly<Job>[]): readonly Readonly<Job>[] {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cron.spec ?? {}
  return [...beyond(owned, 'Complete', successfulJobsHistoryLimit), ...beyond(owned, 'Failed', failedJobsHistoryLimit)]
}

function beyond(owned: readonly Readonly<Job>[], end: 'Complete' | 'Failed', max: number | undefined): readonly Readonly<Job>[] {
  if (max === undefined) return []
  const ended = owned.filter((job) => finishedCondition(job) === end)
  return ended.toSorted(byStart).slice(0, Math.max(0, ended.length - max))
}

/** What has not started comes last. */
function byStart(a: Readonly<Job>, b: Readonly<Job>): number {
  const [left, right] = [a, b].map((job) => (job.status?.startTime === undefined ? Infinity : (parseTime(job.status.startTime) ?? Infinity)))
  if (left !== right) return (left ?? 0) < (right ?? 0) ? -1 : 1
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}
