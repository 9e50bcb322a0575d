/** Waiting for an object that the API does not tell. */
import { expect, it } from 'vitest'
import { configMaps } from '../../core/api/core/configmap.ts'
import type { Client } from '../../core/client/client.ts'
import { virtualClock } from '../../core/lib/clock.ts'
import { Group } from '../../core/lib/group.ts'
import { silentLog } from '../../core/lib/log.ts'
import { objectSource } from './objects.ts'

it('whoever waits for an object stops waiting when its work is over', async () => {
  const clock = virtualClock()
  const controller = new AbortController()
  const group = new Group({ signal: controller.signal, clock, log: silentLog })
  // An API that takes the question and never answers, but for the end of the asker.
  const client = {
    list: (ctx: { signal: AbortSignal }) => new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))),
  } as unknown as Client
  const source = objectSource(group, client, () => {})
  const over: string[] = []
  const wait = (name: string, signal: AbortSignal): void =>
    void source.get({ signal, clock, log: silentLog }, configMaps, { namespace: 'a', name }, 'u').catch(() => over.push(name))
  const pod = new AbortController()
  wait('first', pod.signal)
  wait('second', new AbortController().signal)
  await clock.settle()
  pod.abort()
  await clock.settle()
  expect(over).toEqual(['first'])
  controller.abort()
  await clock.settle()
  expect(over).toEqual(['first', 'second'])
  await group.wait()
})
