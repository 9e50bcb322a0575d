import { expect, it } from 'vitest'
import { virtualClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { Deadlines } from './deadlines.ts'
import { never, openRig } from './rig.fake.ts'

it('a request that takes too long is told, one that has ended is not, and an idle server has no timer', async () => {
  const clock = virtualClock()
  const server = new AbortController()
  const deadlines = new Deadlines({ clock, log: silentLog, signal: server.signal }, () => new Error('late'))
  const [long, short, done, last] = [deadlines.begin(60_000), deadlines.begin(200), deadlines.begin(60_000), deadlines.begin(600_000)]
  deadlines.end(done)
  await clock.advance(201)
  expect([long.reason, short.reason?.message, short.signal.aborted]).toEqual([undefined, 'late', true])
  await clock.advance(61_000)
  expect([long.reason?.message, done.reason, last.reason]).toEqual(['late', undefined, undefined])
  server.abort(new Error('stop'))
  expect(last.reason?.message).toBe('stop')
  for (const request of [long, short, last]) deadlines.end(request)
  await clock.advance(1_001)
  expect(clock.pending()).toBe(0)
})

it('a body that never comes is answered with 504 when its time is over', async () => {
  const rig = await openRig()
  const asked = rig.ask('POST', '/api/v1/namespaces?timeout=2s', never)
  await rig.clock.advance(2_001)
  expect(await asked).toMatchObject({ code: 504, json: { reason: 'Timeout', message: 'Timeout: request did not complete within the allotted timeout' } })
  await rig.close()
})
