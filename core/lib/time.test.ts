/** Clock, group, ring, backoff and log: the leaves on which everything that waits stands. */
import { describe, expect, it } from 'vitest'
import { backoffMs } from './backoff.ts'
import { virtualClock } from './clock.ts'
import { childCtx, withTimeout, type Ctx } from './ctx.ts'
import { Group } from './group.ts'
import { createLog, errorPath, silentLog } from './log.ts'
import { seededRandom } from './random.ts'
import { Ring } from './ring.ts'

function testCtx(): { ctx: Ctx; clock: ReturnType<typeof virtualClock>; abort: (why?: unknown) => void } {
  const controller = new AbortController()
  const clock = virtualClock()
  return { ctx: { signal: controller.signal, clock, log: silentLog }, clock, abort: (why) => controller.abort(why) }
}

describe('virtualClock()', () => {
  it('fires timers in the order of their deadlines, then of their making', async () => {
    const clock = virtualClock(0)
    const fired: string[] = []
    clock.after(20, () => fired.push('b'))
    clock.after(10, () => fired.push('a'))
    clock.after(20, () => fired.push('c'))
    clock.after(10, () => fired.push('never')).stop()
    await clock.advance(20)
    expect(fired).toEqual(['a', 'b', 'c'])
    expect(clock.now()).toBe(20)
  })

  it('wakes a sleeper and forgets it when its signal is aborted', async () => {
    const { ctx, clock, abort } = testCtx()
    const outcome = ctx.clock.sleep(1_000, ctx.signal).catch((error: unknown) => error)
    abort('enough')
    expect(await outcome).toBe('enough')
    expect(clock.pending()).toBe(0)
  })

  it('a jump changes the time of day, and neither timers nor monotonic()', async () => {
    const clock = virtualClock(1_000)
    const fired: number[] = []
    clock.after(10, () => fired.push(clock.now()))
    clock.jump(-500)
    expect([clock.now(), clock.monotonic()]).toEqual([500, 0])
    await clock.advance(10)
    expect([fired, clock.monotonic()]).toEqual([[510], 10])
  })

  it('until() gives up after its limit', async () => {
    const clock = virtualClock()
    await expect(clock.until(() => false, 5_000)).rejects.toThrow('not reached within 5000 ms')
  })
})

describe('withTimeout()', () => {
  it('aborts the work when time is up and leaves no timer', async () => {
    const { ctx, clock } = testCtx()
    const work = withTimeout(ctx, 500, async (inner) => await inner.clock.sleep(10_000, inner.signal)).catch((error: unknown) => error)
    await clock.advance(500)
    expect(String(await work)).toContain('timed out after 500 ms')
    expect(clock.pending()).toBe(0)
  })

  it('a child ends with its parent', () => {
    const { ctx, abort } = testCtx()
    const child = childCtx(ctx)
    abort('parent')
    expect(child.ctx.signal.reason).toBe('parent')
  })
})

describe('Group', () => {
  it('stops every part at the first failure and throws it with the name of the part', async () => {
    const { ctx, clock } = testCtx()
    const group = new Group(ctx)
    let ended = false
    group.go('steady', async (inner) => {
      await inner.clock.sleep(60_000, inner.signal).finally(() => (ended = true))
    })
    group.go('broken', async (inner) => {
      await inner.clock.sleep(10, inner.signal)
      throw new Error('no such table')
    })
    const outcome = group.wait().catch((error: unknown) => errorPath(error))
    await clock.advance(10)
    expect(await outcome).toBe('broken: no such table')
    expect(ended).toBe(true)
    expect(group.running()).toEqual([])
  })
})

describe('Ring', () => {
  it('keeps order across growth and refuses beyond its limit', () => {
    const ring = new Ring<number>(40)
    const out: (number | undefined)[] = []
    for (let i = 0; i < 30; i++) ring.push(i)
    for (let i = 0; i < 25; i++) out.push(ring.shift())
    for (let i = 30; i < 65; i++) expect(ring.push(i)).toBe(true)
    expect(ring.push(99)).toBe(false)
    while (ring.size > 0) out.push(ring.shift())
    expect(out).toEqual(Array.from({ length: 65 }, (_, i) => i))
  })
})

describe('chance and waiting', () => {
  it('a seeded random repeats itself', () => {
    const draw = (): string => {
      const random = seededRandom(7)
      return `${random.uuid()} ${random.suffix(5)} ${random.int(1_000)}`
    }
    expect(draw()).toBe(draw())
    expect(draw()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/)
  })

  it.each([
    [0, 10_000],
    [3, 80_000],
    [50, 300_000],
  ])('backoffMs() after %i failures is %i', (failures, ms) => {
    expect(backoffMs({ firstMs: 10_000, maxMs: 300_000 }, failures)).toBe(ms)
  })

  it('a log line shows its fields and the path of an error', () => {
    const lines: string[] = []
    const log = createLog({ level: 'info', format: 'text', write: (line) => lines.push(line), now: () => 0 }).with({ part: 'kubelet' })
    log.debug('unseen')
    log.warn('sync pod', { pod: 'default/a', error: new Error('mount', { cause: new Error('EPERM') }) })
    expect(lines).toEqual(['00:00:00.000 warn  kubelet sync pod pod=default/a error="mount: EPERM"'])
  })
})
