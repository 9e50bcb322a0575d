import { expect, it } from 'vitest'
import { badRequest } from '../api/errors.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Asked } from './deps.ts'
import { openRig } from './rig.fake.ts'

it.each([
  [new Error('EEXIST'), 500, 'Internal error occurred: EEXIST'],
  [badRequest('the file was changed by hand'), 400, 'the file was changed by hand'],
])('answers %s of what it was told to do as any other failure', async (error, code, message) => {
  const rig = await openRig({ actions: { '/kubun/v1/act': { POST: () => Promise.reject(error) } } })
  const answer = await rig.ask('POST', '/kubun/v1/act')
  expect({ code: answer.code, body: answer.json }).toMatchObject({ code, body: { kind: 'Status', code, message } })
  await rig.close()
})

it('what was asked is told when who asked has gone; what was told to be done is not', async () => {
  const ended: string[] = []
  const act = (what: string) => (life: Ctx, { ctx }: Asked) =>
    new Promise<object>((_resolve, reject) => {
      life.signal.addEventListener('abort', () => ended.push(`${what}: the server's life`))
      ctx.signal.addEventListener('abort', () => (ended.push(what), reject(ctx.signal.reason as Error)))
    })
  const rig = await openRig({ actions: { '/kubun/v1/ask': { GET: act('asked') } } })
  const outlet = rig.open('/kubun/v1/ask')
  await rig.clock.settle()
  outlet.left = true
  await rig.clock.advance(1_000)
  await outlet.done
  expect(ended).toEqual(['asked'])
  await rig.close()
})
