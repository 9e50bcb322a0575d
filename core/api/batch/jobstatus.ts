/** What may be said of a Job's status, by whoever runs it (k8s.io/kubernetes/pkg/apis/batch/validation/validation.go, pkg/registry/batch/job/strategy.go). */
import { nonNegatives, type Errors } from '../checks.ts'
import { equalJson } from '../../lib/json.ts'
import { duplicate, invalidValue, omitted, path, required } from '../field.ts'
import type { StatusRules } from '../kind.ts'
import type { Job, JobStatus } from '../schema/types.ts'
import { readIndexes, readInterval, type Interval } from './jobpolicies.ts'

const at = path('status')
const holds = (job: Readonly<Job>, type: string): boolean => job.status?.conditions?.some((c) => c.type === type && c.status === 'True') ?? false
const isFinished = (job: Readonly<Job>): boolean => holds(job, 'Complete') || holds(job, 'Failed')

/** Rules apply where something they speak of has changed: what stands already is let stand. */
class Changes {
  readonly next: Readonly<Job>
  readonly prev: Readonly<Job>
  constructor(next: Readonly<Job>, prev: Readonly<Job>) {
    this.next = next
    this.prev = prev
  }
  of(...fields: readonly (keyof JobStatus)[]): boolean {
    return fields.some((field) => !equalJson(this.next.status?.[field] ?? null, this.prev.status?.[field] ?? null))
  }
  holding(...types: readonly string[]): boolean {
    return types.some((type) => holds(this.next, type) !== holds(this.prev, type))
  }
  get finished(): boolean {
    return isFinished(this.next) !== isFinished(this.prev)
  }
}

function validate(next: Readonly<Job>, prev: Readonly<Job>): Errors {
  const errors: Errors = []
  const status = next.status ?? {}
  nonNegatives(errors, status, at, 'active', 'succeeded', 'failed', 'ready', 'terminating')
  uncounted(errors, status)
  const changed = new Changes(next, prev)
  conditions(errors, next, changed)
  times(errors, next, prev, changed)
  finished(errors, next, changed)
  indexes(errors, next, changed)
  if (changed.of('ready', 'active') && status.ready !== undefined && status.ready > (status.active ?? 0)) errors.push(invalidValue(at.child('ready'), status.ready, 'cannot set more ready pods than active'))
  against(errors, next, prev)
  return errors
}

function uncounted(errors: Errors, status: Readonly<JobStatus>): void {
  const seen = new Set<string>()
  for (const field of ['succeeded', 'failed'] as const) {
    status.uncountedTerminatedPods?.[field]?.forEach((uid, i) => {
      const here = at.child('uncountedTerminatedPods', field).index(i)
      if (uid === '') errors.push(invalidValue(here, uid, 'must not be empty'))
      else if (seen.has(uid)) errors.push(duplicate(here, uid))
      seen.add(uid)
    })
  }
}

function conditions(errors: Errors, job: Readonly<Job>, changed: Changes): void {
  const wrong = (when: boolean, sentence: string): void => {
    if (when) errors.push(invalidValue(at.child('conditions'), omitted, sentence))
  }
  const [complete, failed, target, met] = [holds(job, 'Complete'), holds(job, 'Failed'), holds(job, 'FailureTarget'), holds(job, 'SuccessCriteriaMet')]
  wrong(changed.holding('Complete', 'Failed') && complete && failed, 'cannot set Complete=True and Failed=true conditions')
  wrong(changed.holding('Complete', 'FailureTarget') && complete && target, 'cannot set Complete=True and FailureTarget=true conditions')
  wrong((changed.holding('Failed') || changed.of('failedIndexes')) && failed && !target, 'cannot set Failed=True condition without the FailureTarget=true condition')
  wrong(changed.holding('Complete', 'SuccessCriteriaMet') && complete && !met, 'cannot set Complete=True condition without the SuccessCriteriaMet=true condition')
  wrong(met && failed, 'cannot set SuccessCriteriaMet=True and Failed=true conditions')
  wrong(met && target, 'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions')
  wrong(job.spec?.successPolicy !== undefined && !met && complete, 'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True')
}

function times(errors: Errors, job: Readonly<Job>, prev: Readonly<Job>, changed: Changes): void {
  const { startTime: start, completionTime: end } = job.status ?? {}
  const here = at.child('completionTime')
  const complete = holds(job, 'Complete')
  if (changed.holding('Complete') || changed.of('completionTime')) {
    if (end !== undefined && !complete) errors.push(invalidValue(here, end, 'cannot set completionTime when there is no Complete=True condition'))
    if (end === undefined && complete) errors.push(required(here, 'completionTime is required for Complete jobs'))
  }
  if (changed.of('startTime', 'completionTime') && start !== undefined && end !== undefined && Date.parse(end) < Date.parse(start)) {
    errors.push(invalidValue(here, end, 'must be equal to or after `startTime`'))
  }
  const before = prev.status?.completionTime
  if (end !== undefined && before !== undefined && end !== before) errors.push(invalidValue(here, end, 'field is immutable'))
  const resumes = holds(prev, 'Suspended') && (job.status?.conditions?.some((c) => c.type === 'Suspended' && c.status === 'False') ?? false)
  if (changed.of('startTime') && !resumes && prev.status?.startTime !== undefined && job.spec?.suspend !== true) {
    errors.push(invalidValue(at.child('startTime'), start ?? null, 'field is immutable for unsuspended job once set'))
  }
}

function finished(errors: Errors, job: Readonly<Job>, changed: Changes): void {
  if (!isFinished(job)) return
  const status = job.status ?? {}
  if ((changed.finished || changed.of('active')) && (status.active ?? 0) > 0) errors.push(invalidValue(at.child('active'), status.active, 'active>0 is invalid for finished job'))
  const asleep = job.spec?.suspend === true && job.spec.completions === 0
  if ((changed.finished || changed.of('startTime')) && !asleep && status.startTime === undefined) errors.push(required(at.child('startTime'), 'startTime is required for finished job'))
  const open = status.uncountedTerminatedPods
  if ((changed.finished || changed.of('uncountedTerminatedPods')) && (open?.failed ?? []).length + (open?.succeeded ?? []).length > 0) {
    errors.push(invalidValue(at.child('uncountedTerminatedPods'), { Succeeded: open?.succeeded ?? null, Failed: open?.failed ?? null }, 'must be empty for finished job'))
  }
  if ((changed.finished || changed.of('terminating')) && (status.terminating ?? 0) > 0) {
    errors.push(invalidValue(at.child('terminating'), status.terminating, 'terminating>0 is invalid for finished job'))
  }
}

function indexes(errors: Errors, job: Readonly<Job>, changed: Changes): void {
  const { completions, completionMode, backoffLimitPerIndex: limit } = job.spec ?? {}
  const { completedIndexes: completed = '', failedIndexes: failed } = job.status ?? {}
  const [ofCompleted, ofFailed] = [changed.of('completedIndexes'), changed.of('failedIndexes')]
  if (ofCompleted && completions !== undefined) {
    const read = readIndexes(completed, completions)
    if (typeof read === 'string') errors.push(invalidValue(at.child('completedIndexes'), completed, `error parsing completedIndexes: ${read}`))
  }
  if (ofFailed && completions !== undefined && limit !== undefined && failed !== undefined) {
    const read = readIndexes(failed, completions)
    if (typeof read === 'string') errors.push(invalidValue(at.child('failedIndexes'), failed, `error parsing failedIndexes: ${read}`))
  }
  if (ofCompleted && completed !== '' && completionMode !== 'Indexed') {
    errors.push(invalidValue(at.child('completedIndexes'), completed, 'cannot set non-empty completedIndexes when non-indexed completion mode'))
  }
  if (ofFailed && limit === undefined && failed !== undefined) {
    errors.push(invalidValue(at.child('failedIndexes'), failed, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'))
  }
  if ((ofFailed || ofCompleted) && completions !== undefined && failed !== undefined) {
    const both = overlap(completed, failed, completions)
    if (both !== undefined) errors.push(invalidValue(at.child('failedIndexes'), failed, `failedIndexes and completedIndexes overlap at index: ${both}`))
  }
}

/** The first index in both, passing over what cannot be read. */
function overlap(a: string, b: string, completions: number): number | undefined {
  const intervals = (text: string): Interval[] => text.split(',').map((part) => readInterval(part, completions)).filter((interval) => typeof interval !== 'string')
  const [left, right] = [intervals(a), intervals(b)]
  const shared = left.flatMap(([from, to]) => right.filter(([f, t]) => from <= t && f <= to).map(([f]) => Math.max(from, f)))
  return shared.length === 0 ? undefined : Math.min(...shared)
}

function against(errors: Errors, next: Readonly<Job>, prev: Readonly<Job>): void {
  const here = at.child('conditions')
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (holds(prev, type) && !holds(next, type)) errors.push(invalidValue(here, omitted, `cannot disable the terminal ${type}=True condition`))
  }
  const [now, before] = [next.status ?? {}, prev.status ?? {}]
  if ((now.failed ?? 0) < (before.failed ?? 0)) errors.push(invalidValue(at.child('failed'), now.failed ?? 0, 'cannot decrease the failed counter'))
  const elastic = next.spec?.completionMode === 'Indexed' && next.spec.completions === next.spec.parallelism
  if (!elastic && (now.succeeded ?? 0) < (before.succeeded ?? 0)) errors.push(invalidValue(at.child('succeeded'), now.succeeded ?? 0, 'cannot decrease the succeeded counter'))
  const met = 'SuccessCriteriaMet'
  if (holds(prev, met) && !holds(next, met)) errors.push(invalidValue(here, omitted, 'cannot disable the SuccessCriteriaMet=True condition'))
  if (holds(prev, 'Complete') && !holds(prev, met) && holds(next, met)) {
    errors.push(invalidValue(here, omitted, 'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions'))
  }
}

export const jobStatus: StatusRules<Job> = { validateUpdate: validate }
