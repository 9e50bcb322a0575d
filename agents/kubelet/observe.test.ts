/** What the observer believes while the runtime changes under its look at everything. */
import { expect, it } from 'vitest'
import { virtualClock } from '../../core/lib/clock.ts'
import { silentLog } from '../../core/lib/log.ts'
import { fakeRuntime } from '../host/docker.fake.ts'
import type { ContainerSpec, Runtime } from '../host/runtime.ts'
import { label } from './labels.ts'
import { createObserver } from './observe.ts'

const spec = (name: string): ContainerSpec => ({ name, image: 'i', labels: { [label.node]: 'n', [label.podUid]: 'u', [label.container]: name } }) as unknown as ContainerSpec

it('a look at everything takes back nothing that was learned meanwhile', async () => {
  const clock = virtualClock()
  const controller = new AbortController()
  const ctx = { signal: controller.signal, clock, log: silentLog }
  const inner = fakeRuntime({ clock })
  let hold = Promise.resolve()
  // As Docker does: the list is made at once, and what it says is old when it comes.
  const runtime: Runtime = { ...inner, containers: async (c, labels) => {
    const list = await inner.containers(c, labels)
    await hold
    return list
  } }
  const old = await inner.create(ctx, spec('old'))
  await inner.start(ctx, old)
  const observer = createObserver(runtime, 'n', () => {})
  const seen = (): string[] => (observer.pod('u')?.containers ?? []).map((c) => `${c.name} ${c.state}`).toSorted()
  const run = observer.run(ctx)
  await clock.settle()
  expect(seen()).toEqual(['old running'])

  const { promise, resolve } = Promise.withResolvers<void>()
  hold = promise
  await clock.advance(300_000) // the look that is due now hangs
  const made = await inner.create(ctx, spec('made'))
  await inner.start(ctx, made)
  await observer.refresh(ctx, made)
  inner.die(old, 1)
  await observer.refresh(ctx, old)
  // Events come late or never: only what the refreshes said counts.
  const before = seen()
  runtime.inspect = () => Promise.reject(new Error('docker is busy'))
  resolve()
  await clock.settle()
  expect(before).toEqual(['made running', 'old exited'])
  expect(seen()).toEqual(before)
  controller.abort()
  await run
})

it('says since when the runtime does not answer', async () => {
  const clock = virtualClock()
  const controller = new AbortController()
  const runtime: Runtime = fakeRuntime({ clock })
  const { containers } = runtime
  runtime.containers = () => Promise.reject(new Error('docker does not answer on its socket'))
  const observer = createObserver(runtime, 'n', () => {})
  const run = observer.run({ signal: controller.signal, clock, log: silentLog })
  await clock.advance(10_000)
  expect(observer.lostMs()).toBe(0)
  runtime.containers = containers
  await clock.advance(2_000)
  expect(observer.lostMs()).toBeUndefined()
  controller.abort()
  await run
})
