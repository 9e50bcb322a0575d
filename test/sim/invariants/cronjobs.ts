/** A CronJob that forbids it has never two Jobs that run at a time; of a Job that was made and not answered it cannot know. */
import { controllerOf } from '../../../core/api/meta.ts'
import type { CronJob, Job } from '../../../core/api/schema/types.ts'
import type { Invariant } from '../invariant.ts'

export const oneJobAtATime: Invariant = {
  name: 'jobs that are forbidden to run beside each other do not',
  begin: ({ history, faults }) => ({
    after({ prefix, type, object, key }) {
      if (prefix !== 'batch/jobs' || type !== 'added') return undefined
      const owner = controllerOf(object)
      const cron = history.all<CronJob>('batch/cronjobs').get(`${object.metadata.namespace ?? ''}/${owner?.name ?? ''}`)
      if (owner === undefined || cron?.spec?.concurrencyPolicy !== 'Forbid') return undefined
      for (const [other, job] of history.all<Job>('batch/jobs')) {
        const ended = job.status?.conditions?.some((c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True') === true
        if (other !== key && !ended && !faults.unheard.has(job.metadata.uid ?? '') && controllerOf(job)?.uid === owner.uid) return `${key} was made while ${other} ran`
      }
      return undefined
    },
  }),
}
