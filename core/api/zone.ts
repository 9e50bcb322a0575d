/** Zones of time by their names in the IANA database: how far a zone is ahead of UTC at a time. */
import { memo } from '../lib/memo.ts'

const dayMs = 86_400_000
/** Asking the database is slow, and schedules ask for the same days again and again. */
const daysKeptMax = 4_096

/** Milliseconds; undefined for a zone that nobody knows. '' and Local are UTC: there is no place here but the API's. */
export function zoneOffsetMs(zone: string, ms: number): number | undefined {
  if (zone === '' || zone === 'UTC' || zone === 'Local') return 0
  return offsetOfDay(`${Math.floor(ms / dayMs)} ${zone}`) ?? askedOffsetMs(zone, ms)
}

/** Of a day (UTC) that has one offset from its begin to its end: no zone changes twice a day. */
const offsetOfDay = memo(daysKeptMax, (text) => {
  const [day = ''] = text.split(' ', 1)
  const zone = text.slice(day.length + 1)
  const begin = askedOffsetMs(zone, Number(day) * dayMs)
  return begin === askedOffsetMs(zone, (Number(day) + 1) * dayMs - 1) ? begin : undefined
})

function askedOffsetMs(zone: string, ms: number): number | undefined {
  const parts = formatter(zone)?.formatToParts(ms)
  if (parts === undefined) return undefined
  const part = (type: string): number => Number(parts.find((candidate) => candidate.type === type)?.value ?? 0)
  const date = new Date(0)
  date.setUTCFullYear(part('year'), part('month') - 1, part('day'))
  date.setUTCHours(part('hour'), part('minute'), part('second'))
  return date.getTime() - Math.floor(ms / 1_000) * 1_000
}

/** Making one is slow. There are not many zones, but whoever writes them may write them in many ways. */
const zonesKeptMax = 1_000

const formatter = memo(zonesKeptMax, (zone): Intl.DateTimeFormat | undefined => {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
    })
  } catch {
    return undefined
  }
})
