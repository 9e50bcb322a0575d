/** Parts of timestamps and durations: getHours() and the like, in UTC or in a zone by name or offset. */
import { zoneOffsetMs } from '../../zone.ts'
import type { FunctionDeclaration, Overload } from '../library.ts'
import { floorSeconds, nanosPerSecond, secondsOf } from '../moment.ts'
import { duration, int, string, timestamp } from '../type.ts'
import { CelError, type Duration, type Timestamp, type Value } from '../value.ts'
import { separate } from './declare.ts'

export const time: readonly FunctionDeclaration[] = [
  getter('getFullYear', 'year', (date) => date.getUTCFullYear()),
  getter('getMonth', 'month', (date) => date.getUTCMonth()),
  getter('getDayOfYear', 'day_of_year', (date) => dayOfYear(date)),
  getter('getDayOfMonth', 'day_of_month', (date) => date.getUTCDate() - 1),
  getter('getDate', 'day_of_month_1_based', (date) => date.getUTCDate()),
  getter('getDayOfWeek', 'day_of_week', (date) => date.getUTCDay()),
  getter('getHours', 'hours', (date) => date.getUTCHours(), (length) => BigInt(Math.trunc(secondsOf(length) / 3_600))),
  getter('getMinutes', 'minutes', (date) => date.getUTCMinutes(), (length) => BigInt(Math.trunc(secondsOf(length) / 60))),
  getter('getSeconds', 'seconds', (date) => date.getUTCSeconds(), (length) => BigInt(Math.trunc(secondsOf(length)))),
  getter('getMilliseconds', 'milliseconds', (date) => date.getUTCMilliseconds(), (length) => length.nanos / 1_000_000n),
]

function getter(name: string, part: string, ofDate: (local: Date) => number, ofDuration?: (length: Duration) => bigint): FunctionDeclaration {
  const withZone = part === 'seconds' ? 'timestamp_to_seconds_tz' : `timestamp_to_${part}_with_tz`
  const get = (at: Value, zone: string) => BigInt(ofDate(local(at as Timestamp, zone)))
  const overloads: Overload[] = [
    { id: `timestamp_to_${part}`, member: true, params: [timestamp], result: int, apply: ([at]) => get(at as Value, 'UTC') },
    { id: withZone, member: true, params: [timestamp, string], result: int, apply: ([at, zone]) => get(at as Value, zone as string) },
  ]
  if (ofDuration !== undefined) {
    overloads.push({ id: `duration_to_${part}`, member: true, params: [duration], result: int, apply: ([length]) => ofDuration(length as Duration) })
  }
  return separate(name, overloads)
}

function dayOfYear(date: Date): number {
  const start = new Date(date)
  start.setUTCMonth(0, 1)
  return Math.round((date.getTime() - start.getTime()) / 86_400_000)
}

/** A date whose UTC parts are the parts in the zone. */
function local(at: Timestamp, zone: string): Date {
  const seconds = floorSeconds(at.nanos)
  const millis = Number(seconds) * 1_000 + Number((at.nanos - seconds * nanosPerSecond) / 1_000_000n)
  return new Date(millis + zoneOffset(millis, zone))
}

function zoneOffset(millis: number, zone: string): number {
  const colon = zone.indexOf(':')
  if (colon === -1) return namedOffset(millis, zone)
  const [hours, minutes] = [integer(zone.slice(0, colon)), integer(zone.slice(colon + 1))]
  return (zone.startsWith('-') ? hours * 60 - minutes : hours * 60 + minutes) * 60_000
}

function integer(text: string): number {
  if (!/^[-+]?\d+$/.test(text)) throw new CelError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

function namedOffset(millis: number, zone: string): number {
  if (zone.includes('..') || zone.startsWith('/') || zone.includes('\\')) throw new CelError('time: invalid location name')
  const offset = zoneOffsetMs(zone, millis)
  if (offset === undefined) throw new CelError(`unknown time zone ${zone}`)
  return offset
}
