/** Whether a Job is over, and why: its status first, then failures, then success. Pure. */
import type { Job, JobCondition, Pod } from '../../api/schema/types.ts'
import { formatTime } from '../../api/time.ts'
import { conditionOf } from '../conditions.ts'
import { judgeFailure } from './failurepolicy.ts'
import { countIndexes } from './indexes.ts'
import { hasFailed, isSuspended } from './pods.ts'
import type { Sight } from './sight.ts'
import { metSuccessRule } from './successpolicy.ts'

export function jobCondition(type: string, status: 'True' | 'False', reason: string, message: string, nowMs: number): JobCondition {
  const now = formatTime(nowMs)
  return { type, status, reason, message, lastProbeTime: now, lastTransitionTime: now }
}

/**
 * FailureTarget or SuccessCriteriaMet says what the Job will come to once its pods are gone and counted; Failed is
 * given where the status says FailureTarget already.
 */
export function verdictOf(sight: Sight, nowMs: number): JobCondition | undefined {
  const { job } = sight
  const met = standing(job, 'SuccessCriteriaMet')
  if (met !== undefined) return met
  const target = standing(job, 'FailureTarget')
  if (target !== undefined) return jobCondition('Failed', 'True', target.reason ?? '', target.message ?? '', nowMs)
  const failure = policyFailure(sight) ?? limitFailure(sight, nowMs) ?? indexFailure(sight)
  if (failure !== undefined) return jobCondition('FailureTarget', 'True', failure.reason, failure.message, nowMs)
  const rule = sight.indexes === undefined ? undefined : metSuccessRule(job, sight.indexes.succeeded)
  return rule === undefined ? undefined : jobCondition('SuccessCriteriaMet', 'True', 'SuccessPolicy', rule, nowMs)
}

/** What comes after the verdict, once nothing of the Job runs any more. */
export function endOf(verdict: Readonly<JobCondition>, nowMs: number): JobCondition {
  return jobCondition(verdict.type === 'SuccessCriteriaMet' ? 'Complete' : 'Failed', 'True', verdict.reason ?? '', verdict.message ?? '', nowMs)
}

/** With so many pods running. */
export function completion(sight: Sight, active: number, nowMs: number): JobCondition | undefined {
  const { completions } = sight.job.spec ?? {}
  const enough = completions === undefined ? sight.succeeded > 0 : sight.succeeded >= completions
  return enough && active === 0 ? jobCondition('SuccessCriteriaMet', 'True', 'CompletionsReached', 'Reached expected number of succeeded pods', nowMs) : undefined
}

/** Milliseconds until the Job's deadline, which rests while the Job does. */
export function deadlineInMs({ job, startTimeMs }: Sight, nowMs: number): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds
  return seconds === undefined || startTimeMs === undefined || isSuspended(job) ? undefined : startTimeMs + seconds * 1_000 - nowMs
}

interface Failure {
  readonly reason: string
  readonly message: string
}

function standing(job: Readonly<Job>, type: string): JobCondition | undefined {
  const condition = conditionOf(job.status?.conditions, type)
  return condition?.status === 'True' ? condition : undefined
}

function policyFailure({ job, pods }: Sight): Failure | undefined {
  if (job.spec?.podFailurePolicy === undefined) return undefined
  for (const pod of pods) {
    const message = hasFailed(job, pod) ? judgeFailure(job, pod).message : undefined
    if (message !== undefined) return { reason: 'PodFailurePolicy', message }
  }
  return undefined
}

function limitFailure(sight: Sight, nowMs: number): Failure | undefined {
  const { job, pods, failed } = sight
  if (failed > (job.spec?.backoffLimit ?? 0) || restartsTooOften(job, pods)) return { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
  if ((deadlineInMs(sight, nowMs) ?? 1) <= 0) return { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
  return undefined
}

/** Where containers are started again in their pod, each start counts. */
function restartsTooOften(job: Readonly<Job>, pods: readonly Readonly<Pod>[]): boolean {
  if (job.spec?.template.spec?.restartPolicy !== 'OnFailure') return false
  const alive = pods.filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending')
  const containers = alive.flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
  const restarts = containers.reduce((sum, { restartCount }) => sum + restartCount, 0)
  return restarts >= Math.max(1, job.spec.backoffLimit ?? 0)
}

function indexFailure({ job, indexes }: Sight): Failure | undefined {
  if (indexes?.failed === undefined) return undefined
  const failed = countIndexes(indexes.failed)
  const { completions = 0, maxFailedIndexes } = job.spec ?? {}
  if (maxFailedIndexes !== undefined && failed > maxFailedIndexes) return { reason: 'MaxFailedIndexesExceeded', message: 'Job has exceeded the specified maximal number of failed indexes' }
  if (failed > 0 && failed + countIndexes(indexes.succeeded) >= completions) return { reason: 'FailedIndexes', message: 'Job has failed indexes' }
  return undefined
}
