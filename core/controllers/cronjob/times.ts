/**
 * When a CronJob is to start a Job: the last time that it was due and has not been served, and when to look again
 * (upstream's cronjob/utils.go). Pure. What a schedule means is core/api/batch.
 */
import { nextDue } from '../../api/batch/duetimes.ts'
import type { Schedule } from '../../api/batch/schedule.ts'
import type { CronJob } from '../../api/schema/types.ts'
import { parseTime } from '../../api/time.ts'
import { zoneOffsetMs } from '../../api/zone.ts'

/** Clocks differ a little: a look comes so much after the time it is for. */
const marginMs = 100
/** More times missed than this are worth a warning. */
const missedMax = 100
const secondMs = 1_000

/** A schedule, and the zone in which it is read where it names none. */
export interface Plan {
  readonly schedule: Schedule
  readonly zone: string
}

interface Recent {
  readonly earliestMs: number
  /** undefined: never due since. */
  readonly lastMs: number | undefined
  readonly missed: number
}

export interface DueStart {
  readonly atMs: number
  readonly tooManyMissed: boolean
}

const neverDue = 'time difference between two schedules is less than 1 second'

/** undefined: nothing is due. A sentence: nothing ever will be. */
export function dueStart(cron: Readonly<CronJob>, plan: Plan, nowMs: number): DueStart | string | undefined {
  const recent = mostRecent(cron, plan, nowMs, { withDeadline: true })
  if (typeof recent === 'string') return recent
  return recent.lastMs === undefined ? undefined : { atMs: recent.lastMs, tooManyMissed: recent.missed > missedMax }
}

/** Milliseconds until the CronJob is due again. */
export function nextLookMs(cron: Readonly<CronJob>, plan: Plan, nowMs: number): number {
  const recent = mostRecent(cron, plan, nowMs, { withDeadline: false })
  const from = typeof recent === 'string' ? nowMs : (recent.lastMs ?? (recent.missed === 0 ? recent.earliestMs : nowMs))
  return Math.max(0, (nextDue(plan.schedule, from, plan.zone) ?? nowMs) + marginMs - nowMs)
}

/**
 * Does not go from one missed time to the next, of which there may be very many: by the distance of the first two it
 * jumps close to now.
 */
function mostRecent(cron: Readonly<CronJob>, { schedule, zone }: Plan, nowMs: number, options: { readonly withDeadline: boolean }): Recent | string {
  const earliestMs = earliest(cron, nowMs, options.withDeadline)
  const next = (ms: number): number | undefined => nextDue(schedule, ms, zone)
  const first = next(earliestMs)
  if (first === undefined) return neverDue
  if (nowMs < first) return { earliestMs, lastMs: undefined, missed: 0 }
  const second = next(first)
  if (second === undefined) return neverDue
  if (nowMs < second) return { earliestMs, lastMs: first, missed: 0 }
  const between = Math.round((second - first) / secondMs) * secondMs
  if (between < secondMs) return neverDue
  const missed = Math.floor((nowMs - first) / between) + 1
  let lastMs: number | undefined
  for (let t = next(first + (missed - 2) * between); t !== undefined && t <= nowMs; t = next(t)) lastMs = t
  return { earliestMs, lastMs, missed }
}

function earliest(cron: Readonly<CronJob>, nowMs: number, withDeadline: boolean): number {
  const since = parseTime(cron.status?.lastScheduleTime ?? cron.metadata.creationTimestamp ?? '') ?? nowMs
  const deadlineS = cron.spec?.startingDeadlineSeconds
  return withDeadline && deadlineS !== undefined ? Math.max(since, nowMs - deadlineS * secondMs) : since
}

/** As Go writes RFC 3339 in a zone: `2026-01-01T09:00:00+09:00`. */
export function timeInZone(ms: number, zone: string): string {
  const minutes = Math.round((zoneOffsetMs(zone, ms) ?? 0) / 60_000)
  const local = new Date(ms + minutes * 60_000).toISOString().slice(0, 19)
  if (minutes === 0) return `${local}Z`
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((n) => String(n).padStart(2, '0'))
  return `${local}${minutes < 0 ? '-' : '+'}${hours}:${rest}`
}
