/** The answers are upstream's own (robfig/cron v3). */
import { describe, expect, it } from 'vitest'
import { nextDue } from './duetimes.ts'
import { readSchedule } from './schedule.ts'

const due = (schedule: string, zone: string, after: string): string => {
  const read = readSchedule(schedule)
  if (typeof read === 'string') throw new Error(read)
  const at = nextDue(read, Date.parse(after), zone)
  return at === undefined ? 'never' : new Date(at).toISOString().replace('.000Z', 'Z')
}

describe('nextDue()', () => {
  it.each([
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-30T00:30:00Z'],
    ['30 2 * * *', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'],
    ['0 * * * *', 'America/New_York', '2026-11-01T05:30:00Z', '2026-11-01T06:00:00Z'],
    ['0 0 * * *', 'Asia/Beirut', '2026-03-28T12:00:00Z', '2026-03-29T21:00:00Z'],
    ['0 0 31 2 *', 'UTC', '2026-01-01T00:00:00Z', 'never'],
    [', * * * *', 'Europe/Berlin', '2026-01-01T00:00:00Z', 'never'],
    ['* , * * *', 'Europe/Berlin', '2026-01-01T00:00:00Z', 'never'],
    ['0 0 , * *', 'Europe/Berlin', '2026-01-01T00:00:00Z', 'never'],
    ['0 0 , * 5', 'Europe/Berlin', '2026-01-01T00:00:00Z', '2026-01-01T23:00:00Z'],
    ['0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['0 0 13 * 5', 'UTC', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
    ['0 0 */1 * 5', 'UTC', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
    ['*/15 6-16/4 * * 1-5', 'Asia/Kathmandu', '2026-01-02T12:00:00Z', '2026-01-05T00:15:00Z'],
    ['@every 1.5s', 'UTC', '2026-01-01T00:00:00.7Z', '2026-01-01T00:00:01Z'],
    ['@every 90m', 'UTC', '2026-01-01T00:00:00.7Z', '2026-01-01T01:30:00Z'],
    ['@every 2562047h', 'UTC', '2026-01-01T00:00:00Z', '2318-04-12T23:00:00Z'],
    ['@every -5s', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z'],
    ['@weekly', 'UTC', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00Z'],
  ])('%s in %s is due after %s at %s', (schedule, zone, after, expected) => {
    expect(due(schedule, zone, after)).toBe(expected)
  })

  it.each(['2562048h', '99999999999999999999h', `1${'0'.repeat(400)}h`, '1d'])('what comes after %s is no schedule', (duration) => {
    expect(readSchedule(`@every ${duration}`)).toBe(`failed to parse duration @every ${duration}: time: invalid duration "${duration}"`)
  })

  it("a schedule's own zone goes before that of the cluster", () => {
    expect(due('TZ=Asia/Tokyo 0 9 * * *', 'Europe/Berlin', '2026-01-01T12:00:00Z')).toBe('2026-01-02T00:00:00Z')
  })
})
