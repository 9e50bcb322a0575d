/** Files that change all at once: layout, modes, what is left alone and what goes. */
import { mkdtempSync, lstatSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeAtomically, type FileContent } from './atomic.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubun-atomic-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const files = (map: Record<string, string>, mode = 0o644): Map<string, FileContent> => new Map(Object.entries(map).map(([path, text]) => [path, { data: Buffer.from(text), mode }]))

describe('writeAtomically()', () => {
  it('shows files through ..data, nested ones too', async () => {
    expect(await writeAtomically(dir, files({ a: '1', 'sub/b': '2' }, 0o400), {}, 't1')).toBe(true)
    expect(readlinkSync(join(dir, '..data'))).toBe('..t1')
    expect([readlinkSync(join(dir, 'a')), readlinkSync(join(dir, 'sub'))]).toEqual(['..data/a', '..data/sub'])
    expect(readFileSync(join(dir, 'sub/b'), 'utf8')).toBe('2')
    expect(statSync(join(dir, 'a')).mode & 0o777).toBe(0o400)
  })
  it('writes nothing when nothing changed', async () => {
    await writeAtomically(dir, files({ a: '1' }), {}, 't1')
    expect(await writeAtomically(dir, files({ a: '1' }), {}, 't2')).toBe(false)
    expect(readdirSync(dir).toSorted()).toEqual(['..data', '..t1', 'a'])
  })
  it('replaces the set: old folder, old names gone, links kept', async () => {
    await writeAtomically(dir, files({ a: '1', b: '1' }), {}, 't1')
    const link = lstatSync(join(dir, 'a')).ino
    await writeAtomically(dir, files({ a: '2', c: '3' }), {}, 't2')
    expect(readdirSync(dir).toSorted()).toEqual(['..data', '..t2', 'a', 'c'])
    expect(readFileSync(join(dir, 'a'), 'utf8')).toBe('2')
    expect(lstatSync(join(dir, 'a')).ino).toBe(link)
  })
  it.each(['../x', '/etc/passwd', 'a/../../x', ''])('refuses the path %j', async (path) => {
    await expect(writeAtomically(dir, files({ [path]: 'x' }), {}, 't1')).rejects.toThrow('invalid path')
  })
})
