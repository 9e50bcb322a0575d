/**
 * Cron schedules of five fields as upstream reads them, with its complaints (github.com/robfig/cron/v3, ParseStandard).
 * When a schedule is due next is duetimes.ts.
 */
import { parseDuration } from '../../lib/duration.ts'
import { zoneOffsetMs } from '../zone.ts'

interface Bounds {
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

const months = ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const fields: readonly Bounds[] = [
  { min: 0, max: 59 }, { min: 0, max: 23 }, { min: 1, max: 31 }, { min: 1, max: 12, names: months }, { min: 0, max: 6, names: days },
]
const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *', '@annually': '0 0 1 1 *', '@monthly': '0 0 1 * *', '@weekly': '0 0 * * 0', '@daily': '0 0 * * *', '@midnight': '0 0 * * *', '@hourly': '0 * * * *',
}

class ScheduleError extends Error {}

/** When a schedule is due: at minutes of a calendar, or again and again after a time. */
export type Schedule = Calendar | { readonly everyMs: number }

export interface Calendar {
  /** Each holds what fits, as bits: minutes, hours, days of the month, months, days of the week. */
  readonly minutes: bigint
  readonly hours: bigint
  readonly days: bigint
  readonly months: bigint
  readonly weekdays: bigint
  /** Both must fit, because one of them is open to all; otherwise one is enough. */
  readonly bothDays: boolean
  /** Where the schedule names one itself: `TZ=Europe/Berlin ...`. */
  readonly zone?: string
}

/** undefined when the schedule can be read. */
export function scheduleError(schedule: string): string | undefined {
  const read = readSchedule(schedule)
  return typeof read === 'string' ? read : undefined
}

/** The schedule, or what is wrong with it. */
export function readSchedule(schedule: string): Schedule | string {
  try {
    return read(schedule)
  } catch (error) {
    if (error instanceof ScheduleError) return error.message
    throw error
  }
}

function read(schedule: string): Schedule {
  if (schedule === '') throw new ScheduleError('empty spec string')
  let text = schedule
  const zone = /^(?:CRON_)?TZ=(\S*) ?(.*)$/s.exec(schedule)
  if (zone !== null) {
    const name = zone[1] ?? ''
    if (zoneError(name) !== undefined) throw new ScheduleError(`provided bad location ${name}: unknown time zone ${name}`)
    text = (zone[2] ?? '').trim()
  }
  const within = zone === null ? {} : { zone: zone[1] ?? '' }
  if (text.startsWith('@every ')) return every(text)
  if (text.startsWith('@')) {
    const calendar = descriptors[text]
    if (calendar === undefined) throw new ScheduleError(`unrecognized descriptor: ${text}`)
    return { ...calendarOf(calendar.split(' ')), ...within }
  }
  const parts = text.split(/\s+/).filter((part) => part !== '')
  if (parts.length !== fields.length) throw new ScheduleError(`expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`)
  return { ...calendarOf(parts), ...within }
}

function calendarOf(parts: readonly string[]): Calendar {
  const read = parts.map((part, i) => part.split(',').filter((range) => range !== '').map((range) => readRange(range, fields[i] as Bounds)))
  const [minutes = 0n, hours = 0n, days = 0n, months = 0n, weekdays = 0n] = read.map((ranges) => ranges.reduce((all, { bits }) => all | bits, 0n))
  return { minutes, hours, days, months, weekdays, bothDays: [read[2], read[4]].some((ranges) => ranges?.some(({ open }) => open)) }
}

/** Go counts nanoseconds in 64 bits. */
const durationMsMax = Number(2n ** 63n / 1_000_000n)

function every(text: string): Schedule {
  const duration = text.slice('@every '.length)
  const isOne = duration === '0' || /^[-+]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(duration)
  const ms = isOne ? parseDuration(duration) : Number.NaN
  if (!(Math.abs(ms) <= durationMsMax)) throw new ScheduleError(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`)
  return { everyMs: Math.max(1_000, ms - (ms % 1_000)) }
}

function readRange(text: string, bounds: Bounds): { readonly bits: bigint; readonly open: boolean } {
  const [range = '', step, ...more] = text.split('/')
  const [low = '', high, ...rest] = range.split('-')
  const open = low === '*' || low === '?'
  let [start, end] = [bounds.min, bounds.max]
  if (!open) {
    start = number(low, bounds)
    if (rest.length > 0) throw new ScheduleError(`too many hyphens: ${text}`)
    end = high === undefined ? start : number(high, bounds)
  }
  if (more.length > 0) throw new ScheduleError(`too many slashes: ${text}`)
  const stride = step === undefined ? 1 : plain(step)
  if (step !== undefined && !open && high === undefined) end = bounds.max
  if (start < bounds.min) throw new ScheduleError(`beginning of range (${start}) below minimum (${bounds.min}): ${text}`)
  if (end > bounds.max) throw new ScheduleError(`end of range (${end}) above maximum (${bounds.max}): ${text}`)
  if (start > end) throw new ScheduleError(`beginning of range (${start}) beyond end of range (${end}): ${text}`)
  if (stride === 0) throw new ScheduleError(`step of range should be a positive number: ${text}`)
  let bits = 0n
  for (let i = start; i <= end; i += stride) bits |= 1n << BigInt(i)
  return { bits, open: open && stride === 1 }
}

function number(text: string, bounds: Bounds): number {
  const named = bounds.names?.indexOf(text.toLowerCase()) ?? -1
  return text !== '' && named >= 0 ? named : plain(text)
}

function plain(text: string): number {
  if (!/^[-+]?\d+$/.test(text)) throw new ScheduleError(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  const value = Number(text)
  if (value < 0) throw new ScheduleError(`negative number (${value}) not allowed: ${text}`)
  return value
}

/** What is wrong with the name of a time zone, besides its characters. */
export function zoneError(name: string): string | undefined {
  if (name === '' || name === 'UTC' || name === 'Local') return undefined
  // Offsets are zones here, but no files of Go's.
  return zoneOffsetMs(name, 0) === undefined || /^[+-]/.test(name) ? `unknown time zone ${name}` : undefined
}
