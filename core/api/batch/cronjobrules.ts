/** How writes of CronJobs behave, and their rules (k8s.io/kubernetes/pkg/apis/batch/validation/validation.go, pkg/registry/batch/cronjob). */
import { needsOneOf, nonNegatives, type Errors } from '../checks.ts'
import { nameWarnings } from '../apps/templates.ts'
import { invalidValue, notSupported, path, required, type Path } from '../field.ts'
import type { Strategy } from '../kind.ts'
import type { CronJob } from '../schema/types.ts'
import { jobSpecWarnings, validateJobTemplate } from './jobrules.ts'
import { scheduleError, zoneError } from './schedule.ts'

const at = path('spec')
const emptyJob = { template: {} }

/** Jobs get the time as a suffix of eleven characters, and must still name pods. */
const nameMax = 52

function validate(cron: Readonly<CronJob>, prev?: Readonly<CronJob>): Errors {
  const errors: Errors = []
  const { spec } = cron
  if (spec === undefined) return [required(at.child('schedule'))]
  if (spec.schedule === '') errors.push(required(at.child('schedule')))
  else schedule(errors, spec.schedule, prev?.spec?.schedule.includes('TZ') ?? false, spec.timeZone, at.child('schedule'))
  nonNegatives(errors, spec, at, 'startingDeadlineSeconds')
  if (prev === undefined || prev.spec?.timeZone !== spec.timeZone) timeZone(errors, spec.timeZone, at.child('timeZone'))
  needsOneOf(errors, spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], at.child('concurrencyPolicy'))
  const job = spec.jobTemplate.spec ?? emptyJob
  const here = at.child('jobTemplate', 'spec')
  validateJobTemplate(errors, job, here)
  if ('selector' in job && job.selector !== undefined) errors.push(invalidValue(here.child('selector'), job.selector, '`selector` will be auto-generated'))
  if ('manualSelector' in job && job.manualSelector === true) errors.push(notSupported(here.child('manualSelector'), true, ['nil', 'false']))
  nonNegatives(errors, spec, at, 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit')
  return errors
}

function schedule(errors: Errors, text: string, zoneAllowed: boolean, zone: string | undefined, at: Path): void {
  const wrong = scheduleError(text)
  if (wrong !== undefined) errors.push(invalidValue(at, text, wrong))
  if (!text.includes('TZ')) return
  if (!zoneAllowed) errors.push(invalidValue(at, text, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'))
  else if (zone !== undefined) errors.push(invalidValue(at, text, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'))
}

function timeZone(errors: Errors, zone: string | undefined, at: Path): void {
  if (zone === undefined) return
  if (zone === '') {
    errors.push(invalidValue(at, zone, 'timeZone must be nil or non-empty string'))
    return
  }
  const bad = (part: string): boolean => part === '.' || part === '..' || part.startsWith('-') || !/^[A-Za-z.\-_0-9+]{1,14}$/.test(part)
  if (zone.split('/').some(bad)) {
    errors.push(invalidValue(at, zone, `unknown time zone ${zone}`))
    return
  }
  if (zone.toLowerCase() === 'local') errors.push(invalidValue(at, zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'))
  const wrong = zoneError(zone)
  if (wrong !== undefined) errors.push(invalidValue(at, zone, wrong))
}

export const cronJobStrategy: Strategy<CronJob> = {
  validateCreate(cron) {
    const errors = validate(cron)
    const name = cron.metadata.name ?? ''
    if (name.length > nameMax) errors.push(invalidValue(path('metadata', 'name'), name, `must be no more than ${nameMax} characters`))
    return errors
  },
  validateUpdate: (next, prev) => validate(next, prev),
  warnings(next, prev) {
    const changed = prev === undefined || prev.metadata.generation !== next.metadata.generation
    const zoned = prev !== undefined && (next.spec?.schedule.includes('TZ') ?? false)
    const text = 'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details'
    return [
      ...(prev === undefined ? nameWarnings(next) : []),
      ...(changed ? jobSpecWarnings(next.spec?.jobTemplate.spec ?? emptyJob, at.child('jobTemplate', 'spec')) : []),
      ...(zoned ? [text] : []),
    ]
  },
}
