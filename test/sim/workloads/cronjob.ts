/** CronJobs: a Job each minute, one at a time or several, of which few are kept. Suspended in the end, so that they come to rest. */
import { cronJobs } from '../../../core/api/batch/cronjob.ts'
import { controllerOf } from '../../../core/api/meta.ts'
import type { CronJob, Job } from '../../../core/api/schema/types.ts'
import { simNamespace } from '../cluster.ts'
import type { History } from '../history.ts'
import { pick, type Place, type Workload, type WorkloadKind } from '../workload.ts'
import { endOf, jobSpec } from './job.ts'
import { changeSpec } from './pods.ts'

export const cronJobWorkload: WorkloadKind = { name: 'cronjob', draw }

function draw({ random, index }: Place): Workload {
  const name = `cron${index}`
  const cron: CronJob = {
    metadata: { name },
    spec: {
      schedule: '* * * * *',
      concurrencyPolicy: pick(random, ['Allow', 'Forbid', 'Replace']),
      successfulJobsHistoryLimit: random.int(3), failedJobsHistoryLimit: random.int(2),
      jobTemplate: { spec: jobSpec(random, name) },
    },
  }
  return {
    name,
    begin: (user) => user.create(cronJobs, cron),
    acts: [() => changeSpec(cronJobs, name, 'suspend', (spec) => (spec.suspend = true)), () => changeSpec(cronJobs, name, 'resume', (spec) => (spec.suspend = false))],
    last: changeSpec(cronJobs, name, 'suspend', (spec) => (spec.suspend = true)),
    lacks: (history) => lacks(history, name),
  }
}

function lacks(history: History, name: string): string | undefined {
  const cron = history.all<CronJob>('batch/cronjobs').get(`${simNamespace}/${name}`)
  const mine = [...history.all<Job>('batch/jobs').values()].filter((job) => controllerOf(job)?.uid === cron?.metadata.uid)
  const open = mine.filter((job) => endOf(job) === undefined)
  if (open.length > 0) return `${name}: ${open.map(({ metadata }) => metadata.name).join()} has not ended`
  const { successfulJobsHistoryLimit: good = 3, failedJobsHistoryLimit: bad = 1 } = cron?.spec ?? {}
  const completed = mine.filter((job) => endOf(job) === 'Complete').length
  if (completed > good || mine.length - completed > bad) return `${name} keeps ${completed} completed and ${mine.length - completed} failed jobs, ${good} and ${bad} are to be kept`
  return (cron?.status?.active ?? []).length === 0 ? undefined : `${name} says that jobs are active, and none is`
}
