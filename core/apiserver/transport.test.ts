import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { plainOutlet, streamOutlet } from './transport.ts'

it.each([
  ['HTTP/2', (stream: object) => streamOutlet(stream as never, undefined as never)],
  ['http/1.1', (stream: object) => plainOutlet(stream as never)],
])('says of a client that has left that it has left, however late one asks: %s', async (_, outlet) => {
  const heard: string[] = []
  const open = Object.assign(new EventEmitter(), { destroyed: false })
  outlet(open).onClose(() => heard.push('open'))
  outlet(Object.assign(new EventEmitter(), { destroyed: true })).onClose(() => heard.push('gone'))
  await Promise.resolve()
  expect(heard).toEqual(['gone'])
  open.emit('close')
  expect(heard).toEqual(['gone', 'open'])
})
