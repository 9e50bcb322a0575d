import { describe, expect, it } from 'vitest'
import { virtualClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { charactersHereMax, idleMs, readYaml, YamlReader } from './yaml.ts'

const large = (items: number): string => Array.from({ length: items }, (_, i) => `- {name: item-${i}, size: ${i}, yes: on, none: ~}`).join('\n')

function world() {
  const clock = virtualClock()
  const controller = new AbortController()
  return { clock, controller, ctx: { signal: controller.signal, clock, log: silentLog } }
}

describe('readYaml()', () => {
  it('reads what is small at once', () => {
    expect(readYaml(world().ctx, 'a: 0644')).toEqual({ ok: true, value: { a: 420 }, duplicates: [] })
  })

  it('reads what is large elsewhere, to the same end', async () => {
    const text = large(2_000)
    expect(text.length).toBeGreaterThan(charactersHereMax)
    const read = await readYaml(world().ctx, text)
    expect(read).toMatchObject({ ok: true, duplicates: [] })
    if (read.ok) expect((read.value as unknown[])[1_999]).toEqual({ name: 'item-1999', size: 1_999, true: true, none: null })
    expect(await readYaml(world().ctx, `${text}\n- {`)).toMatchObject({ ok: false })
    expect(await readYaml(world().ctx, `a: 1\na: 2\nb:\n${text}`)).toMatchObject({ ok: true, duplicates: [expect.stringContaining('already set in map')] })
  })
})

describe('YamlReader', () => {
  it('gives up what nobody waits for, and reads on', async () => {
    const reader = new YamlReader()
    const { clock, controller, ctx } = world()
    const [left, alsoLeft] = [reader.read(ctx, large(20_000)), reader.read(ctx, 'never: read')]
    const stays = reader.read(world().ctx, 'b: 2')
    const reasons: unknown[] = []
    for (const gone of [left, alsoLeft]) gone.catch((error: unknown) => void reasons.push(error))
    controller.abort(new Error('too late'))
    await clock.settle() // a few turns of the loop: the thread reads for much longer
    expect(reasons).toEqual([new Error('too late'), new Error('too late')])
    expect(await stays).toEqual({ ok: true, value: { b: 2 }, duplicates: [] })
  })

  it('ends its thread when there is nothing to read', async () => {
    const reader = new YamlReader()
    const { clock, ctx } = world()
    await reader.read(ctx, 'a: 1')
    await clock.advance(idleMs - 1)
    expect(reader.running).toBe(true)
    await clock.advance(1)
    expect(reader.running).toBe(false)
    expect(await reader.read(ctx, 'a: 2')).toMatchObject({ value: { a: 2 } })
    await clock.advance(idleMs)
  })
})
