import { describe, expect, it } from 'vitest'
import { Pace } from './pace.ts'

describe('a long look', () => {
  it('gives way to the rest of the process', async () => {
    const pace = new Pace(new AbortController().signal)
    let others = 0
    setImmediate(() => void others++)
    for (let i = 0; i < 1_000; i++) await pace.step()
    expect(others).toBe(1)
  })

  it('ends when nobody waits for it any more', async () => {
    const asker = new AbortController()
    const pace = new Pace(asker.signal)
    setImmediate(() => asker.abort(new Error('the sender has gone')))
    await expect(pace.turn()).rejects.toThrow('the sender has gone')
  })
})
