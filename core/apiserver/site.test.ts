import { expect, it } from 'vitest'
import { badRequest } from '../api/errors.ts'
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
