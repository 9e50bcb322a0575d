import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { giveTo } from './owners.ts'

const group = process.getgid?.() ?? 0
let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'owners-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const modeOf = (...path: readonly string[]): number => statSync(join(dir, ...path)).mode & 0o7777

function folder(name: string, files = 0): void {
  mkdirSync(join(dir, name), { mode: 0o700, recursive: true })
  for (let i = 0; i < files; i++) writeFileSync(join(dir, name, `f${i}`), '', { mode: 0o600 })
}

describe('giveTo()', () => {
  it('gives all that is in a folder, and keeps modes that files have besides', async () => {
    folder('volume/a', 1)
    writeFileSync(join(dir, 'volume', 'run'), '', { mode: 0o755 })
    await giveTo(join(dir, 'volume'), group)
    expect([modeOf('volume'), modeOf('volume', 'a'), modeOf('volume', 'a', 'f0'), modeOf('volume', 'run')]).toEqual([0o2770, 0o2770, 0o660, 0o775])
  })

  it('leaves what links lead to', async () => {
    folder('outside', 1)
    folder('volume')
    symlinkSync(join(dir, 'outside'), join(dir, 'volume', 'folder'))
    symlinkSync(join(dir, 'outside', 'f0'), join(dir, 'volume', 'file'))
    await giveTo(join(dir, 'volume'), group)
    expect([modeOf('outside'), modeOf('outside', 'f0')]).toEqual([0o700, 0o600])
  })

  it('leaves it, too, where a folder becomes a link meanwhile', async () => {
    const files = 300
    folder('outside', files)
    folder('volume/a', files)
    const given = giveTo(join(dir, 'volume'), group)
    while (modeOf('volume', 'a', readdirSync(join(dir, 'volume', 'a'))[0] ?? '') === 0o600) await new Promise(setImmediate)
    renameSync(join(dir, 'volume', 'a'), join(dir, 'volume', 'b'))
    symlinkSync(join(dir, 'outside'), join(dir, 'volume', 'a'))
    await given
    expect(readdirSync(join(dir, 'outside')).filter((name) => modeOf('outside', name) !== 0o600)).toEqual([])
    expect(readdirSync(join(dir, 'volume', 'b')).filter((name) => modeOf('volume', 'b', name) !== 0o660)).toEqual([])
  })
})
