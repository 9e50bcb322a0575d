/**
 * When a schedule is due next, as upstream reckons it (github.com/robfig/cron/v3, SpecSchedule.Next), the hours that a
 * zone skips or has twice included: a time that does not exist passes by, a time that is there twice is due twice.
 */
import { zoneOffsetMs } from '../zone.ts'
import type { Calendar, Schedule } from './schedule.ts'

const secondMs = 1_000
const minuteMs = 60_000
const hourMs = 3_600_000
/** A schedule that is not due within so many years never is: `0 0 31 2 *`. */
const yearsMax = 5

/** The first time after `ms` that the schedule is due; undefined when it never is. `local` is the zone of a schedule that names none. */
export function nextDue(schedule: Schedule, ms: number, local = 'UTC'): number | undefined {
  const second = Math.floor(ms / secondMs) * secondMs
  if ('everyMs' in schedule) return second + schedule.everyMs
  if (isEmpty(schedule)) return undefined
  return search(schedule, second + secondMs, schedule.zone ?? local)
}

/** A field may hold nothing, as in `, * * * *`. The search would go through every minute of five years to find that out. */
function isEmpty({ minutes, hours, days, months, weekdays, bothDays }: Calendar): boolean {
  const dayless = bothDays ? days === 0n || weekdays === 0n : days === 0n && weekdays === 0n
  return minutes === 0n || hours === 0n || months === 0n || dayless
}

function search(calendar: Calendar, fromMs: number, zone: string): number | undefined {
  let t = fromMs
  const limit = partsOf(t, zone).year + yearsMax
  for (let first = true; partsOf(t, zone).year <= limit; first = false) {
    const found = pass(calendar, t, zone, first)
    if (found.due) return found.at
    t = found.at
  }
  return undefined
}

/**
 * From the month down to the second: moves on what does not fit, and gives up as soon as that carries into a larger
 * part, which has to be looked at again. What is below the first part that moves begins at its beginning.
 */
function pass(calendar: Calendar, fromMs: number, zone: string, first: boolean): { readonly at: number; readonly due: boolean } {
  let t = fromMs
  let moved = !first
  const begin = (at: (now: Parts) => number): void => {
    if (!moved) t = at(partsOf(t, zone))
    moved = true
  }
  const again = (): { readonly at: number; readonly due: boolean } => ({ at: t, due: false })
  while (!has(calendar.months, partsOf(t, zone).month)) {
    begin(({ year, month }) => timeIn(zone, year, month, 1, 0))
    t = dateAfter(t, zone, { months: 1 })
    if (partsOf(t, zone).month === 1) return again()
  }
  while (!dayFits(calendar, partsOf(t, zone))) {
    begin(({ year, month, day }) => timeIn(zone, year, month, day, 0))
    t = nearMidnight(dateAfter(t, zone, { days: 1 }), zone)
    if (partsOf(t, zone).day === 1) return again()
  }
  while (!has(calendar.hours, partsOf(t, zone).hour)) {
    begin(({ year, month, day, hour }) => timeIn(zone, year, month, day, hour))
    t += hourMs
    if (partsOf(t, zone).hour === 0) return again()
  }
  while (!has(calendar.minutes, partsOf(t, zone).minute)) {
    begin(() => Math.floor(t / minuteMs) * minuteMs)
    t += minuteMs
    if (partsOf(t, zone).minute === 0) return again()
  }
  while (partsOf(t, zone).second !== 0) {
    moved = true
    t += secondMs
    if (partsOf(t, zone).second === 0) return again()
  }
  return { at: t, due: true }
}

interface Parts {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly weekday: number
}

const has = (bits: bigint, value: number): boolean => ((bits >> BigInt(value)) & 1n) === 1n
const offset = (zone: string, ms: number): number => zoneOffsetMs(zone, ms) ?? 0

function partsOf(ms: number, zone: string): Parts {
  const date = new Date(ms + offset(zone, ms))
  return {
    year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate(),
    hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds(), weekday: date.getUTCDay(),
  }
}

function dayFits(calendar: Calendar, { day, weekday }: Parts): boolean {
  const ofMonth = has(calendar.days, day)
  const ofWeek = has(calendar.weekdays, weekday)
  return calendar.bothDays ? ofMonth && ofWeek : ofMonth || ofWeek
}

/** A wall clock's time in the zone. One that is skipped is read with the offset on the one side or the other, as Go's time.Date does. */
function timeIn(zone: string, year: number, month: number, day: number, hour: number, minute = 0, second = 0): number {
  const wall = Date.UTC(year, month - 1, day, hour, minute, second)
  return wall - offset(zone, wall - offset(zone, wall))
}

function dateAfter(ms: number, zone: string, by: { readonly months?: number; readonly days?: number }): number {
  const { year, month, day, hour, minute, second } = partsOf(ms, zone)
  return timeIn(zone, year, month + (by.months ?? 0), day + (by.days ?? 0), hour, minute, second)
}

/** Where midnight is skipped, the day begins an hour off. */
function nearMidnight(ms: number, zone: string): number {
  const { hour } = partsOf(ms, zone)
  return hour === 0 ? ms : ms + (hour > 12 ? 24 - hour : -hour) * hourMs
}
