import { describe, expect, it } from 'vitest'
import { scheduleError } from './schedule.ts'

describe('scheduleError()', () => {
  it.each(['*/5 * * * *', '@every 1h30m', '@every 1.5h', '@every .5s', '@every 0', 'TZ=UTC 0 0 * * sun', '0-10/2 ? 1,15 jan-mar *'])('takes %s', (schedule) => {
    expect(scheduleError(schedule)).toBeUndefined()
  })

  it.each(['@every 1h30', '@every .s', '@every 1..5s', '@ever 1s', '61 * * * *'])('refuses %s', (schedule) => {
    expect(scheduleError(schedule)).toBeDefined()
  })

  it('a long interval that ends badly is refused as fast as a short one', () => {
    expect(scheduleError(`@every ${'30m'.repeat(5_000)}-`)).toMatch(/time: invalid duration/)
  })
})
