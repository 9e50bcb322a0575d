import { describe, expect, it } from 'vitest'
import { virtualClock } from './clock.ts'
import { silentLog } from './log.ts'
import { seededRandom } from './random.ts'
import { WorkQueue } from './workqueue.ts'

function setUp(options: { keysMax?: number; refill?: () => void } = {}) {
  const clock = virtualClock()
  const controller = new AbortController()
  const ctx = { signal: controller.signal, clock, log: silentLog }
  const queue = new WorkQueue({ clock, random: seededRandom(1), ...options })
  return { clock, ctx, queue, stop: () => controller.abort() }
}

describe('WorkQueue', () => {
  it('works on a key once for many adds, and again when it was added meanwhile', async () => {
    const { clock, ctx, queue, stop } = setUp()
    const done: string[] = []
    for (const key of ['a', 'b', 'a', 'a']) queue.add(key)
    const run = queue.run(ctx, async (_, key) => {
      done.push(key)
      if (done.length === 1) queue.add('a')
    }, { workers: 1 })
    await clock.settle()
    expect(done).toEqual(['a', 'b', 'a'])
    stop()
    await run
  })

  it('never works on one key twice at a time', async () => {
    const { clock, ctx, queue, stop } = setUp()
    let at = 0
    let most = 0
    const run = queue.run(ctx, async () => {
      most = Math.max(most, ++at)
      await ctx.clock.sleep(10)
      at--
    }, { workers: 4 })
    queue.add('a')
    await clock.settle()
    queue.add('a')
    await clock.advance(100)
    expect([most, at, queue.quiet]).toEqual([1, 0, true])
    stop()
    await run
  })

  it('retries what throws with a growing back-off, and forgets it when it works', async () => {
    const { clock, ctx, queue, stop } = setUp()
    const at: number[] = []
    const start = clock.now()
    const run = queue.run(ctx, async () => {
      at.push(clock.now() - start)
      if (at.length < 6) throw new Error('no')
    }, { workers: 1 })
    queue.add('a')
    await clock.advance(60_000)
    const waits = at.slice(1).map((t, i) => t - (at[i] ?? 0))
    waits.forEach((wait, i) => expect(wait).toSatisfy((w: number) => w >= 2.5 * 2 ** i && w <= 5 * 2 ** i))
    expect([at.length, queue.failures('a')]).toEqual([6, 0])
    stop()
    await run
  })

  it('takes the earliest of several asked times', async () => {
    const { clock, ctx, queue, stop } = setUp()
    const at: number[] = []
    const start = clock.now()
    const run = queue.run(ctx, async () => void at.push(clock.now() - start), { workers: 1 })
    queue.after('a', 500)
    queue.after('a', 100)
    queue.after('a', 900)
    await clock.advance(2_000)
    expect(at).toEqual([100])
    stop()
    await run
  })

  it('asks to be filled again after it passed keys over', async () => {
    let refills = 0
    const { clock, ctx, queue, stop } = setUp({ keysMax: 2, refill: () => refills++ })
    for (const key of ['a', 'b', 'c']) queue.add(key)
    const done: string[] = []
    const run = queue.run(ctx, async (_, key) => void done.push(key), { workers: 1 })
    await clock.settle()
    expect([done, refills]).toEqual([['a', 'b'], 1])
    stop()
    await run
  })

  it('waits at the end for what runs, and takes nothing new', async () => {
    const { clock, ctx, queue, stop } = setUp()
    const done: string[] = []
    const run = queue.run(ctx, async (_, key) => {
      await clock.sleep(50)
      done.push(key)
    }, { workers: 1 })
    queue.add('a')
    queue.add('b')
    await clock.settle()
    stop()
    queue.add('c')
    await clock.advance(200)
    await run
    expect([done, clock.pending()]).toEqual([['a'], 0])
  })
})
