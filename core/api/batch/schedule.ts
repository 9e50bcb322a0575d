/**
 * Cron schedules of five fields as upstream reads them, with its complaints (github.com/robfig/cron/v3, ParseStandard).
 * When a schedule is due is the CronJob controller's business.
 */

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
const descriptors = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'])

class ScheduleError extends Error {}

/** undefined when the schedule can be read. */
export function scheduleError(schedule: string): string | undefined {
  try {
    read(schedule)
    return undefined
  } catch (error) {
    if (error instanceof ScheduleError) return error.message
    throw error
  }
}

function read(schedule: string): void {
  if (schedule === '') throw new ScheduleError('empty spec string')
  let text = schedule
  const zone = /^(?:CRON_)?TZ=(\S*) ?(.*)$/s.exec(schedule)
  if (zone !== null) {
    const name = zone[1] ?? ''
    if (zoneError(name) !== undefined) throw new ScheduleError(`provided bad location ${name}: unknown time zone ${name}`)
    text = (zone[2] ?? '').trim()
  }
  if (text.startsWith('@')) {
    descriptor(text)
    return
  }
  const parts = text.split(/\s+/).filter((part) => part !== '')
  if (parts.length !== fields.length) throw new ScheduleError(`expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`)
  parts.forEach((part, i) => part.split(/,/).filter((range) => range !== '').forEach((range) => checkRange(range, fields[i] as Bounds)))
}

function descriptor(text: string): void {
  if (descriptors.has(text)) return
  if (!text.startsWith('@every ')) throw new ScheduleError(`unrecognized descriptor: ${text}`)
  const duration = text.slice('@every '.length)
  if (!/^[-+]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(duration) && duration !== '0') {
    throw new ScheduleError(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`)
  }
}

function checkRange(text: string, bounds: Bounds): void {
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
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions()
    // Offsets are zones here, but no files of Go's.
    return /^[+-]/.test(name) ? `unknown time zone ${name}` : undefined
  } catch {
    return `unknown time zone ${name}`
  }
}
