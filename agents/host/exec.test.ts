/** Commands as they are run for real. */
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../core/lib/clock.ts'
import { silentLog } from '../../core/lib/log.ts'
import { systemExec } from './exec.ts'

const ctx = { signal: new AbortController().signal, clock: systemClock, log: silentLog }

async function* breaking(): AsyncGenerator<Buffer> {
  yield await Promise.resolve(Buffer.from('half'))
  throw new Error('the engine went away')
}

describe('a command', () => {
  it('gets what streams to it', async () => {
    expect(await systemExec.run(ctx, 'cat', [], { input: Readable.from([Buffer.from('a'), Buffer.from('b')]) })).toEqual({ code: 0, stdout: 'ab', stderr: '' })
  })

  it('may leave the rest of it', async () => {
    const much = Array.from({ length: 64 }, () => Buffer.alloc(65_536, 'x'))
    expect((await systemExec.run(ctx, 'head', ['-c1'], { input: Readable.from(much) })).stdout).toBe('x')
  })

  it('has failed when that breaks off, whatever it made of the part that came', async () => {
    await expect(systemExec.run(ctx, 'cat', [], { input: Readable.from(breaking()) })).rejects.toThrow('cat: its input ended early: the engine went away')
  })

  it('fails with its own words, or answers with a code that is one', async () => {
    await expect(systemExec.run(ctx, 'sh', ['-c', 'echo no such thing >&2; exit 3'])).rejects.toThrow('no such thing')
    expect((await systemExec.run(ctx, 'sh', ['-c', 'exit 3'], { okCodes: [3] })).code).toBe(3)
  })
})
