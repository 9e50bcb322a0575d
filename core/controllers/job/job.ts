/**
 * Job: pods that run to their end, so and so many of them (upstream's job_controller.go). What the pods come to is
 * sight.ts, whether that is the end verdict.ts, what pods to make or delete plan.ts, how ended pods are counted
 * account.ts; here it is done, in that order. Pods that hold the finalizer for nobody are orphans.ts.
 */
import { jobs } from '../../api/batch/job.ts'
import { isPodReady } from '../../api/core/podstate.ts'
import { pods } from '../../api/core/pod.ts'
import { isApiError } from '../../api/errors.ts'
import { controllerOf, isBeingDeleted, keyOf } from '../../api/meta.ts'
import type { Job, JobCondition, JobStatus, Pod } from '../../api/schema/types.ts'
import { selectorOf, type Selector } from '../../api/selector.ts'
import { formatTime } from '../../api/time.ts'
import type { Client } from '../../client/client.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import { candidates, claim, claimants, indexForClaims, planClaims } from '../claim.ts'
import { conditionOf } from '../conditions.ts'
import type { Controller, Env, Reconcile } from '../controller.ts'
import { createPod, removePod, slowStart } from '../podcontrol.ts'
import { itself } from '../run.ts'
import { account, counted, ended, writtenStatus } from './account.ts'
import { type Failures, noFailures } from './backoff.ts'
import { planPods, type PodPlan } from './plan.ts'
import { isFinished, isSuspended, isTracked, timeMs, trackingFinalizer } from './pods.ts'
import { look, type Sight } from './sight.ts'
import { jobPod } from './template.ts'
import { completion, deadlineInMs, jobCondition, verdictOf } from './verdict.ts'

/** Pods change in crowds: their Job is looked at once for all that change within this time. */
const batchMs = 1_000
/** The value of spec.managedBy that means this controller. */
const managerName = 'kubernetes.io/job-controller'

export const jobController: Controller = { name: 'job-controller', workers: 5, setUp }

export const isManagedElsewhere = (job: Readonly<Job>): boolean => job.spec?.managedBy !== undefined && job.spec.managedBy !== managerName

function setUp(env: Env): Reconcile {
  const podInformer = env.informers.of(pods)
  indexForClaims(podInformer)
  const lister = env.watch(jobs, itself)
  const ofPod = claimants(jobs, lister, selectorFor)
  const changed = (pod: Readonly<Pod>): void => ofPod(pod).forEach((key) => env.queue.after(key, batchMs))
  podInformer.on({
    added: changed,
    updated(next, prev) {
      changed(next)
      if (controllerOf(next)?.uid !== controllerOf(prev)?.uid) changed(prev)
    },
    deleted: changed,
  })
  /** Failures of the Jobs that run now: a new start of the controller forgives them. */
  const failures = new Map<string, { readonly uid: string; readonly failures: Failures }>()

  return async (ctx, key, client) => {
    const job = lister.at(key)
    if (job === undefined || isFinished(job) || isManagedElsewhere(job)) return void failures.delete(key)
    const { completionMode = 'NonIndexed' } = job.spec ?? {}
    if (completionMode !== 'NonIndexed' && completionMode !== 'Indexed') {
      return env.recorder.event(jobs, job, 'Warning', 'UnknownCompletionMode', 'Skipped Job sync because completion mode is unknown')
    }
    const claims = planClaims(job, selectorFor(job), candidates(podInformer, job))
    const owned = await claim(ctx, client, { owner: jobs, owned: pods, finalizer: trackingFinalizer }, job, claims)
    const uid = job.metadata.uid ?? ''
    const known = failures.get(key)
    const turn = new Turn(env, client, key, job, owned, known?.uid === uid ? known.failures : noFailures)
    await turn.run(ctx, (next) => failures.set(key, { uid, failures: next }))
  }
}

const selectorFor = (job: Readonly<Job>): Selector => selectorOf(job.spec?.selector)

/** Running, ready and going pods, as they are after what was done. */
interface Tally {
  active: number
  ready: number
  terminating: number
}

/** One look at one Job. */
class Turn {
  readonly #env: Env
  readonly #client: Client
  readonly #key: string
  readonly #sight: Sight
  readonly #nowMs: number
  readonly #tally: Tally
  /** What stood in the way of making or deleting pods; the status is written all the same. */
  #failure: unknown

  constructor(env: Env, client: Client, key: string, job: Readonly<Job>, owned: readonly Readonly<Pod>[], failures: Failures) {
    this.#env = env
    this.#client = client
    this.#key = key
    this.#nowMs = env.clock.now()
    this.#sight = look(job, owned, failures, timeMs(job.status?.startTime) ?? (isSuspended(job) ? undefined : this.#nowMs))
    this.#tally = { active: this.#sight.active.length, ready: this.#sight.ready, terminating: this.#sight.terminating }
  }

  /** `remember` is told the Job's failures as soon as its status has them. */
  async run(ctx: Ctx, remember: (failures: Failures) => void): Promise<void> {
    const { job, startTimeMs } = this.#sight
    let verdict = verdictOf(this.#sight, this.#nowMs)
    const status: JobStatus = { ...job.status, ...(startTimeMs === undefined ? {} : { startTime: job.status?.startTime ?? formatTime(startTimeMs) }) }
    let told: (() => void) | undefined
    if (verdict !== undefined) verdict = await this.#endAll(ctx, verdict)
    else {
      this.#awaitDeadline()
      const managed = !isBeingDeleted(job)
      if (managed) await this.#manage(ctx, planPods(this.#sight, this.#nowMs))
      verdict = completion(this.#sight, this.#tally.active, this.#nowMs)
      if (verdict === undefined && managed) told = this.#suspension(status)
    }
    await this.#count(ctx, verdict, Object.assign(status, this.#tally), remember, told)
    if (this.#failure !== undefined) throw this.#failure
  }

  #awaitDeadline(): void {
    const ms = deadlineInMs(this.#sight, this.#nowMs)
    if (ms !== undefined) this.#env.queue.after(this.#key, ms)
  }

  /** Deletes what runs, which keeps its finalizer until it is counted. While some of it could not be deleted, the Job is not over. */
  async #endAll(ctx: Ctx, verdict: JobCondition): Promise<JobCondition | undefined> {
    await this.#remove(ctx, this.#sight.active, (pod) => removePod(ctx, this.#control, this.#owner, pod))
    return this.#tally.active > 0 ? undefined : verdict
  }

  async #manage(ctx: Ctx, plan: PodPlan): Promise<void> {
    if (plan.waitMs !== undefined) this.#env.queue.after(this.#key, Math.max(plan.waitMs, batchMs))
    // Surplus pods are not to be counted as failures: they lose the finalizer before they go.
    await this.#remove(ctx, plan.remove, async (pod) => {
      if (await this.#release(ctx, pod)) await removePod(ctx, this.#control, this.#owner, pod)
    })
    const { job, indexes } = this.#sight
    const refused = await slowStart(plan.create, async (i) => {
      const index = plan.indexes?.[i]
      await createPod(ctx, this.#control, this.#owner, jobPod(job, this.#owner, index, index === undefined ? undefined : indexes?.held.get(index)))
      this.#tally.active++
    })
    this.#failure ??= refused
  }

  async #remove(ctx: Ctx, going: readonly Readonly<Pod>[], remove: (pod: Readonly<Pod>) => Promise<void>): Promise<void> {
    const outcomes = await Promise.allSettled(going.map(remove))
    ctx.signal.throwIfAborted()
    going.forEach((pod, i) => {
      if (outcomes[i]?.status === 'rejected') return
      this.#tally.active--
      this.#tally.terminating++
      if (isPodReady(pod)) this.#tally.ready--
    })
    this.#failure ??= outcomes.find((o) => o.status === 'rejected')?.reason
  }

  /** Says in the status whether the Job rests. What is to be told of it is told once that is written. */
  #suspension(status: JobStatus): (() => void) | undefined {
    const { job } = this.#sight
    const rests = isSuspended(job)
    const have = conditionOf(status.conditions, 'Suspended')
    const next = rests
      ? jobCondition('Suspended', 'True', 'JobSuspended', 'Job suspended', this.#nowMs)
      : jobCondition('Suspended', 'False', 'JobResumed', 'Job resumed', this.#nowMs)
    if (have === undefined ? !rests : have.status === next.status && have.reason === next.reason && have.message === next.message) return undefined
    status.conditions = have === undefined ? [...(status.conditions ?? []), next] : (status.conditions ?? []).map((c) => (c === have ? next : c))
    // The deadline is about the time since the Job was last woken.
    if (rests) delete status.startTime
    else status.startTime = formatTime(this.#nowMs)
    return () => this.#env.recorder.event(jobs, job, 'Normal', rests ? 'Suspended' : 'Resumed', next.message ?? '')
  }

  async #count(ctx: Ctx, verdict: JobCondition | undefined, status: JobStatus, remember: (failures: Failures) => void, told: (() => void) | undefined): Promise<void> {
    const { job, failures } = this.#sight
    const plan = account(this.#sight, verdict, status)
    const first = await this.#write(ctx, job, plan.status)
    if (first !== job) remember(failures)
    told?.()
    const outcomes = await Promise.allSettled(plan.release.map((pod) => this.#release(ctx, pod)))
    const held = new Set(plan.tracked)
    plan.release.forEach((pod, i) => outcomes[i]?.status === 'fulfilled' && held.delete(pod.metadata.uid ?? ''))
    const next = counted(plan.status, held)
    const refused = outcomes.find((outcome) => outcome.status === 'rejected')
    const over = refused !== undefined || plan.more || verdict === undefined ? undefined : ended(next, verdict, this.#nowMs)
    await this.#write(ctx, first, over?.status ?? next)
    if (over !== undefined) this.#tellEnd(over.status, over.end)
    if (refused !== undefined) throw refused.reason
  }

  #tellEnd(status: Readonly<JobStatus>, end: Readonly<JobCondition>): void {
    const { job } = this.#sight
    const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void => this.#env.recorder.event(jobs, job, type, reason, message)
    if (end.type !== 'Complete') return tell('Warning', end.reason ?? '', end.message ?? '')
    const { completions } = job.spec ?? {}
    if (completions !== undefined && (status.succeeded ?? 0) > completions) tell('Warning', 'TooManySucceededPods', 'Too many succeeded pods running after completion count reached')
    tell('Normal', 'Completed', 'Job completed')
  }

  /** Gives the Job as it is then; the same one when there is nothing to write. */
  async #write(ctx: Ctx, job: Readonly<Job>, status: Readonly<JobStatus>): Promise<Readonly<Job>> {
    const next = writtenStatus(status)
    // An empty list of the uncounted alone is not worth a write.
    if (equalJson(next, { uncountedTerminatedPods: {}, ...writtenStatus(job.status) })) return job
    return await this.#client.update(ctx, jobs, { ...cloneJson(job), status: next }, { subresource: 'status' })
  }

  #release(ctx: Ctx, pod: Readonly<Pod>): Promise<boolean> {
    return releasePod(ctx, this.#client, pod)
  }

  get #control() {
    return { client: this.#client, recorder: this.#env.recorder }
  }

  get #owner() {
    return { kind: jobs, object: this.#sight.job }
  }
}

/** False when the pod is not there any more. */
export async function releasePod(ctx: Ctx, client: Client, pod: Readonly<Pod>, options: { readonly sameRevision?: boolean } = {}): Promise<boolean> {
  if (!isTracked(pod)) return true
  const { uid, resourceVersion } = pod.metadata
  const condition = options.sameRevision === true ? { uid, resourceVersion } : { uid }
  try {
    await client.patch(ctx, pods, keyOf(pod), 'strategic', { metadata: { ...condition, '$deleteFromPrimitiveList/finalizers': [trackingFinalizer] } })
    return true
  } catch (error) {
    if (isApiError(error, 'NotFound')) return false
    throw error
  }
}
