/** Why a Job does not get done, and why a CronJob starts none. */
import { jobs } from '../api/batch/job.ts'
import { nextDue } from '../api/batch/duetimes.ts'
import { readSchedule, zoneError } from '../api/batch/schedule.ts'
import { pods } from '../api/core/pod.ts'
import { since } from '../api/age.ts'
import type { CronJob, Job } from '../api/schema/types.ts'
import { crowdFindings, crowdOf, ownedBy, type Crowd } from './crowd.ts'
import { count, section, type Finding, type Subject } from './finding.ts'
import { oneLine } from './crash.ts'
import type { Reader } from './reader.ts'
import { refusalText } from './refused.ts'

/** spec.managedBy of jobs that are not somebody else's. */
const builtIn = 'kubernetes.io/job-controller'

const reasons: Readonly<Record<string, (job: Readonly<Job>) => string>> = {
  BackoffLimitExceeded: ({ spec, status }) => `its pods failed ${count(status?.failed ?? 0, 'time')}, and it gives up after ${count(spec?.backoffLimit ?? 6, 'retry', 'retries')} (backoffLimit)`,
  DeadlineExceeded: ({ spec }) => `it ran longer than its activeDeadlineSeconds of ${spec?.activeDeadlineSeconds}`,
  PodFailurePolicy: () => 'a rule of its podFailurePolicy says so',
  FailedIndexes: ({ status }) => `the indexes ${status?.failedIndexes ?? '?'} have failed`,
  MaxFailedIndexesExceeded: ({ spec, status }) => `more than ${spec?.maxFailedIndexes} indexes have failed (${status?.failedIndexes ?? '?'})`,
  SuccessPolicy: () => 'its successPolicy is met',
}

export async function whyJob(reader: Reader, about: Subject, job: Readonly<Job>): Promise<readonly Finding[]> {
  const one = (because: string, sections: Finding['sections'] = []): readonly Finding[] => [{ because, about, sections }]
  const holds = (type: string) => job.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True')
  if (holds('Complete') !== undefined || holds('SuccessCriteriaMet') !== undefined) return []
  const crowd = await crowdOf(reader, ownedBy(job, (await reader.list(pods, about.namespace)) ?? []), { ended: true })
  const end = holds('Failed') ?? holds('FailureTarget')
  if (end !== undefined) {
    const why = reasons[end.reason ?? '']?.(job) ?? oneLine(end.message ?? end.reason ?? '')
    const last = lastFailure(crowd)
    return one(`has failed: ${why}${last === undefined ? '' : `; ${last.text}`}`, [...section('the controller says', [`${end.reason}: ${end.message}`]), ...(last?.sections ?? [])])
  }
  if (job.spec?.suspend === true) return one('is suspended: it starts no pods until spec.suspend is false')
  const [told] = (await reader.eventsOf(job)).filter(({ reason }) => reason === 'FailedCreate' || reason === 'SuccessfulCreate')
  if (told?.reason === 'FailedCreate') return one(`may make no pods: ${refusalText(told.message ?? '')}`, section('the refusal', [told.message ?? '']))
  const found = crowdFindings(about, `has ${job.status?.succeeded ?? 0} of ${count(job.spec?.completions ?? 1, 'completion')}`, crowd)
  if (found.length > 0) return found
  const { managedBy = builtIn, parallelism = 1, completions = 1 } = job.spec ?? {}
  if (job.status?.startTime === undefined && managedBy !== builtIn) return one(`waits for ${managedBy} (managedBy), which has not begun it`)
  if (parallelism === 0 && (job.status?.active ?? 0) === 0) return one(`starts no pods: its parallelism is 0; it has ${job.status?.succeeded ?? 0} of ${count(completions, 'completion')}`)
  if (job.status?.startTime === undefined) return one('has not been seen by its controller yet: it was made just now, or no controller runs')
  return []
}

/** What the pods ended with, where they are still there to tell. */
function lastFailure({ causes }: Crowd): { readonly text: string; readonly sections: Finding['sections'] } | undefined {
  const failed = causes.find(({ because }) => because.startsWith('has failed'))
  if (failed === undefined) return undefined
  return { text: `pod ${failed.pods[0]?.metadata.name} ${failed.because}`, sections: failed.sections }
}

export function jobState(job: Readonly<Job>): string {
  const done = job.status?.conditions?.some(({ type, status }) => type === 'Complete' && status === 'True') === true
  return done ? `is complete: ${job.status?.succeeded ?? 0} of ${count(job.spec?.completions ?? 1, 'completion')}` : `is at work: ${job.status?.active ?? 0} active, ${job.status?.succeeded ?? 0} of ${count(job.spec?.completions ?? 1, 'completion')}`
}

export async function whyCronJob(reader: Reader, about: Subject, cron: Readonly<CronJob>): Promise<readonly Finding[]> {
  const one = (because: string, sections: Finding['sections'] = []): readonly Finding[] => [{ because, about, sections }]
  const { spec } = cron
  if (spec?.suspend === true) return one('is suspended: it starts no jobs until spec.suspend is false')
  const zone = spec?.timeZone ?? ''
  const zoneWrong = zone === '' ? undefined : zoneError(zone)
  if (zoneWrong !== undefined) return one(`starts no jobs: its time zone ${JSON.stringify(zone)} is unknown`)
  const schedule = readSchedule(spec?.schedule ?? '')
  if (typeof schedule === 'string') return one(`starts no jobs: its schedule ${JSON.stringify(spec?.schedule)} cannot be read: ${schedule}`)
  if (nextDue(schedule, reader.now, zone === '' ? 'UTC' : zone) === undefined) return one(`starts no jobs: its schedule ${JSON.stringify(spec?.schedule)} is never due`)
  const events = await reader.eventsOf(cron)
  const [failed] = events.filter(({ reason }) => reason === 'FailedCreate' || reason === 'SuccessfulCreate')
  if (failed?.reason === 'FailedCreate') return one(`may make no jobs: ${refusalText((failed.message ?? '').replace(/^Error creating job: /, ''))}`, section('the refusal', [failed.message ?? '']))
  const mine = ownedBy(cron, (await reader.list(jobs, about.namespace)) ?? []).toSorted((a, b) => Date.parse(b.metadata.creationTimestamp ?? '') - Date.parse(a.metadata.creationTimestamp ?? ''))
  const active = (cron.status?.active ?? []).length
  const [last] = mine
  if (active > 0 && spec?.concurrencyPolicy === 'Forbid' && events[0]?.reason === 'JobAlreadyActive') {
    const inner = last === undefined ? [] : await whyJob(reader, { kind: 'Job', namespace: about.namespace, name: last.metadata.name ?? '' }, last)
    return one(`starts no further job while job ${last?.metadata.name} runs (concurrencyPolicy Forbid)${inner[0] === undefined ? '' : `, and that ${inner[0].because}`}`, inner[0]?.sections)
  }
  if (events[0]?.reason === 'MissSchedule' || events[0]?.reason === 'TooManyMissedTimes') return one(`has missed its time: ${oneLine(events[0].message ?? '')}${spec?.startingDeadlineSeconds === undefined ? '' : ` (startingDeadlineSeconds ${spec.startingDeadlineSeconds})`}`)
  if (last === undefined) return []
  const [inner] = await whyJob(reader, { kind: 'Job', namespace: about.namespace, name: last.metadata.name ?? '' }, last)
  return inner === undefined ? [] : one(`starts jobs, and the last, ${last.metadata.name}, ${inner.because}`, inner.sections)
}

export function cronState(cron: Readonly<CronJob>, now: number): string {
  const schedule = readSchedule(cron.spec?.schedule ?? '')
  const next = typeof schedule === 'string' ? undefined : nextDue(schedule, now, cron.spec?.timeZone ?? 'UTC')
  const last = cron.status?.lastScheduleTime
  return `is on time${last === undefined ? '' : `: its last job was due ${since(last, now)} ago`}${next === undefined ? '' : `, the next is due at ${new Date(next).toISOString().replace('.000', '')}`}`
}
