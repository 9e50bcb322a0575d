import { describe, expect, it } from 'vitest'
import { zoneOffsetMs } from './zone.ts'

const hours = (zone: string, time: string): number | undefined => {
  const ms = zoneOffsetMs(zone, Date.parse(time))
  return ms === undefined ? undefined : ms / 3_600_000
}

describe('zoneOffsetMs()', () => {
  it.each([
    ['Europe/Berlin', '2026-01-01T12:00:00Z', 1],
    ['Europe/Berlin', '2026-03-29T00:59:59.999Z', 1],
    ['Europe/Berlin', '2026-03-29T01:00:00Z', 2],
    ['Europe/Berlin', '2026-10-25T00:59:59Z', 2],
    ['Europe/Berlin', '2026-10-25T01:00:00Z', 1],
    ['Australia/Lord_Howe', '2026-04-04T14:59:59Z', 11],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00Z', 10.5],
    ['Pacific/Apia', '2011-12-30T09:59:59Z', -10],
    ['Pacific/Apia', '2011-12-30T10:00:00Z', 14],
    ['+05:30', '2026-01-01T00:00:00Z', 5.5],
    ['UTC', '2026-01-01T00:00:00Z', 0],
    ['', '2026-01-01T00:00:00Z', 0],
    ['No/Where', '2026-01-01T00:00:00Z', undefined],
  ])('of %s at %s is %s hours', (zone, time, want) => {
    expect(hours(zone, time)).toBe(want)
    expect(hours(zone, time)).toBe(want)
  })
})
