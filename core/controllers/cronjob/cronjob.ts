/**
 * CronJob: starts a Job whenever its schedule is due, and keeps the last ones (upstream's cronjob_controllerv2.go). When
 * it is due is times.ts, what Job it makes and which it gives up is plan.ts; here it is done and told.
 */
import { cronJobs } from '../../api/batch/cronjob.ts'
import { jobs } from '../../api/batch/job.ts'
import { readSchedule, zoneError } from '../../api/batch/schedule.ts'
import { isApiError } from '../../api/errors.ts'
import { controllerOf, isBeingDeleted, keyOf } from '../../api/meta.ts'
import type { CronJob, CronJobStatus, Job, ObjectReference } from '../../api/schema/types.ts'
import { formatTime } from '../../api/time.ts'
import type { Client } from '../../client/client.ts'
import { byController, controllerIndex } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import type { Controller, Env, Reconcile } from '../controller.ts'
import { finishedCondition } from '../job/pods.ts'
import { isTerminatingNamespace, messageOf } from '../podcontrol.ts'
import { itself, ownerKey } from '../run.ts'
import { jobFrom, jobName, pastHistory, referenceTo } from './plan.ts'
import { dueStart, nextLookMs, type Plan } from './times.ts'

export const cronJobController: Controller = { name: 'cronjob-controller', workers: 5, setUp }

function setUp(env: Env): Reconcile {
  const jobInformer = env.informers.of(jobs)
  jobInformer.addIndex(controllerIndex, byController)
  env.watch(jobs, ownerKey(cronJobs))
  const informer = env.informers.of(cronJobs)
  const add = (cron: Readonly<CronJob>): void => itself(cron).forEach((key) => env.queue.add(key))
  informer.on({
    added: add,
    updated(next, prev) {
      const plan = rescheduled(next, prev) ? planOf(next, env.settings.timeZone) : undefined
      // Another schedule is not another start: what it has missed waits until it is due again.
      if (plan === undefined || typeof plan === 'string') add(next)
      else itself(next).forEach((key) => env.queue.after(key, nextLookMs(next, plan, env.clock.now())))
    },
  })
  return async (ctx, key, client) => {
    const cron = informer.lister.at(key)
    if (cron === undefined) return
    const waitMs = await new Turn(env, client, cron, jobInformer.lister.by(controllerIndex, cron.metadata.uid ?? '')).run(ctx)
    if (waitMs !== undefined) env.queue.after(key, waitMs)
  }
}

function rescheduled({ spec: next }: Readonly<CronJob>, { spec: prev }: Readonly<CronJob>): boolean {
  return next?.schedule !== prev?.schedule || next?.timeZone !== prev?.timeZone
}

/** What is wrong with the schedule, where it cannot be read. */
function planOf({ spec }: Readonly<CronJob>, local = 'UTC'): Plan | string {
  const schedule = readSchedule(spec?.schedule ?? '')
  return typeof schedule === 'string' ? schedule : { schedule, zone: spec?.timeZone ?? local }
}

type EventType = 'Normal' | 'Warning'

/** One look at one CronJob. */
class Turn {
  readonly #env: Env
  readonly #client: Client
  readonly #owned: readonly Readonly<Job>[]
  readonly #nowMs: number
  /** The one that is written: another than the lister's where that turns out to be behind. */
  #cron: Readonly<CronJob>
  #status: CronJobStatus

  constructor(env: Env, client: Client, cron: Readonly<CronJob>, owned: readonly Readonly<Job>[]) {
    this.#env = env
    this.#client = client
    this.#cron = cron
    this.#owned = owned
    this.#nowMs = env.clock.now()
    this.#status = cloneJson(cron.status ?? {})
  }

  /** Milliseconds until it is due again; undefined when nothing but a change will make it so. */
  async run(ctx: Ctx): Promise<number | undefined> {
    for (const job of pastHistory(this.#cron, this.#owned)) if (!isBeingDeleted(job)) await this.#delete(ctx, job)
    try {
      await this.#seeJobs(ctx)
      await this.#seeMissing(ctx)
      return await this.#start(ctx)
    } finally {
      // What was seen and done is written, also when the rest failed.
      if (!ctx.signal.aborted) await this.#write(ctx)
    }
  }

  get #active(): readonly ObjectReference[] {
    return this.#status.active ?? []
  }

  #tell(type: EventType, reason: string, message: string): void {
    this.#env.recorder.event(cronJobs, this.#cron, type, reason, message)
  }

  #forget(uid: string | undefined): void {
    const kept = this.#active.filter((reference) => reference.uid !== uid)
    if (kept.length === 0) delete this.#status.active
    else this.#status.active = kept
  }

  #isActive(uid: string | undefined): boolean {
    return this.#active.some((reference) => reference.uid === uid)
  }

  async #seeJobs(ctx: Ctx): Promise<void> {
    for (const job of this.#owned) {
      const { uid, name } = job.metadata
      const end = finishedCondition(job)
      if (end === undefined && !this.#isActive(uid) && !(await this.#isBehind(ctx, uid))) {
        this.#tell('Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${name}`)
      }
      if (end !== undefined && this.#isActive(uid)) {
        this.#forget(uid)
        this.#tell('Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${end}`)
      }
      if (end === 'Complete') this.#sawSuccess(job.status?.completionTime)
    }
  }

  #sawSuccess(time: string | undefined): void {
    const last = this.#status.lastSuccessfulTime
    if (time !== undefined && (last === undefined || Date.parse(time) > Date.parse(last))) this.#status.lastSuccessfulTime = time
  }

  /** Whether the Job is in the list by now; then the CronJob is taken as it is there. */
  async #isBehind(ctx: Ctx, uid: string | undefined): Promise<boolean> {
    const fresh = await this.#client.get(ctx, cronJobs, keyOf(this.#cron))
    if (fresh?.metadata.uid !== this.#cron.metadata.uid || fresh?.status?.active?.some((reference) => reference.uid === uid) !== true) return false
    this.#cron = fresh
    this.#status = cloneJson(fresh.status)
    return true
  }

  /** Jobs that are gone run no more. The lister may not show them yet, so they are asked for. */
  async #seeMissing(ctx: Ctx): Promise<void> {
    const known = new Set(this.#owned.map((job) => job.metadata.uid))
    for (const { uid, name = '', namespace = '' } of this.#active) {
      if (known.has(uid)) continue
      const job = await this.#client.get(ctx, jobs, { namespace, name })
      if (job?.metadata.uid === uid) continue
      this.#tell('Normal', 'MissingJob', `Active job went missing: ${name}`)
      this.#forget(uid)
    }
  }

  async #start(ctx: Ctx): Promise<number | undefined> {
    const { spec } = this.#cron
    if (isBeingDeleted(this.#cron) || !this.#zoneIsKnown() || spec?.suspend === true) return undefined
    if (spec?.schedule.includes('TZ') === true) this.#tellZoneInSchedule(spec.schedule)
    const plan = planOf(this.#cron, this.#env.settings.timeZone)
    if (typeof plan === 'string') {
      this.#tell('Warning', 'UnparseableSchedule', `unparseable schedule: ${JSON.stringify(spec?.schedule)} : ${plan}`)
      return undefined
    }
    const due = dueStart(this.#cron, plan, this.#nowMs)
    if (typeof due === 'string') {
      this.#tell('Warning', 'InvalidSchedule', `invalid schedule: ${spec?.schedule} : ${due}`)
      return undefined
    }
    if (due?.tooManyMissed === true) this.#tell('Warning', 'TooManyMissedTimes', 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew')
    if (due !== undefined && this.#mayStart(due.atMs)) await this.#run(ctx, due.atMs)
    return nextLookMs({ ...this.#cron, status: this.#status }, plan, this.#nowMs)
  }

  #zoneIsKnown(): boolean {
    const zone = this.#cron.spec?.timeZone
    const wrong = zone === undefined ? undefined : zoneError(zone)
    if (wrong !== undefined) this.#tell('Warning', 'UnknownTimeZone', `invalid timeZone: ${JSON.stringify(zone)}: ${wrong}`)
    return wrong === undefined
  }

  #tellZoneInSchedule(schedule: string): void {
    const more = 'see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details'
    this.#tell('Warning', 'UnsupportedSchedule', `CRON_TZ or TZ used in schedule ${JSON.stringify(schedule)} is not officially supported, ${more}`)
  }

  #mayStart(atMs: number): boolean {
    const { startingDeadlineSeconds: deadlineS, concurrencyPolicy } = this.#cron.spec ?? {}
    if (deadlineS !== undefined && atMs + deadlineS * 1_000 < this.#nowMs) {
      this.#tell('Warning', 'MissSchedule', `Missed scheduled time to start a job: ${new Date(atMs).toUTCString().replace('GMT', '+0000')}`)
      return false
    }
    if (this.#status.lastScheduleTime === formatTime(atMs) || this.#active.some(({ name }) => name === jobName(this.#cron, atMs))) return false
    if (concurrencyPolicy !== 'Forbid' || this.#active.length === 0) return true
    this.#tell('Normal', 'JobAlreadyActive', 'Not starting job because prior execution is running and concurrency policy is Forbid')
    return false
  }

  async #run(ctx: Ctx, atMs: number): Promise<void> {
    if (this.#cron.spec?.concurrencyPolicy === 'Replace') await this.#replace(ctx)
    const job = await this.#create(ctx, jobFrom(this.#cron, atMs))
    if (job === undefined) return
    this.#status.active = [...this.#active, referenceTo(job)]
    this.#status.lastScheduleTime = formatTime(atMs)
  }

  async #replace(ctx: Ctx): Promise<void> {
    for (const { namespace = '', name = '' } of this.#active) {
      const job = await this.#client.get(ctx, jobs, { namespace, name })
      if (job === undefined) {
        const gone = `jobs.batch "${name}" not found`
        this.#tell('Warning', 'FailedGet', `Get job: ${gone}`)
        throw new Error(gone)
      }
      if (!(await this.#delete(ctx, job))) throw new Error(`could not replace job ${namespace}/${name}`)
    }
  }

  /** undefined: the Job was made before, and is known or another's. */
  async #create(ctx: Ctx, wanted: Job): Promise<Readonly<Job> | undefined> {
    try {
      const made = await this.#client.create(ctx, jobs, wanted)
      this.#tell('Normal', 'SuccessfulCreate', `Created job ${made.metadata.name}`)
      return made
    } catch (error) {
      if (isApiError(error, 'AlreadyExists')) return await this.#made(ctx, wanted)
      if (!isTerminatingNamespace(error)) this.#tell('Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`)
      throw error
    }
  }

  /** Made in an earlier turn that did not come to writing it down. */
  async #made(ctx: Ctx, wanted: Readonly<Job>): Promise<Readonly<Job> | undefined> {
    const there = await this.#client.get(ctx, jobs, keyOf(wanted))
    if (there === undefined) throw new Error(`job ${wanted.metadata.name} has just been deleted`)
    const mine = controllerOf(there)?.uid === this.#cron.metadata.uid
    return mine && !this.#isActive(there.metadata.uid) ? there : undefined
  }

  async #delete(ctx: Ctx, job: Readonly<Job>): Promise<boolean> {
    const { name, uid } = job.metadata
    try {
      await this.#client.delete(ctx, jobs, keyOf(job), { propagationPolicy: 'Background', ...(uid === undefined ? {} : { preconditions: { uid } }) })
    } catch (error) {
      this.#tell('Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`)
      return false
    }
    this.#forget(uid)
    this.#tell('Normal', 'SuccessfulDelete', `Deleted job ${name}`)
    return true
  }

  async #write(ctx: Ctx): Promise<void> {
    if (equalJson(this.#status, this.#cron.status ?? {})) return
    await this.#client.update(ctx, cronJobs, { ...cloneJson(this.#cron), status: this.#status }, { subresource: 'status' })
  }
}
