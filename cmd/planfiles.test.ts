import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { readSources } from './planfiles.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'kubun-planfiles-'))
  folders.push(path)
  mkdirSync(join(path, 'below'))
  mkdirSync(join(path, 'empty'))
  for (const name of ['b.yaml', 'a.json', 'notes.txt', 'below/c.yml']) writeFileSync(join(path, name), name)
  return path
}

const names = async (paths: readonly string[], recursive = false): Promise<readonly string[]> =>
  (await readSources(paths, { recursive, stdin: () => Promise.resolve('from stdin') })).map(({ text }) => text)

it('reads files, folders by name, folders below when asked, and standard input', async () => {
  const path = folder()
  expect(await names([path])).toEqual(['a.json', 'b.yaml'])
  expect(await names([path], true)).toEqual(['a.json', 'b.yaml', 'below/c.yml'])
  expect(await names([join(path, 'notes.txt'), '-'])).toEqual(['notes.txt', 'from stdin'])
})

it('follows links to files, and leaves what is no file', async () => {
  const path = folder()
  execFileSync('mkfifo', [join(path, 'pipe.yaml')]) // it would be waited for without end
  symlinkSync(path, join(path, 'around.yaml'))
  symlinkSync('notes.txt', join(path, 'z.yaml'))
  expect(await names([path], true)).toEqual(['a.json', 'b.yaml', 'below/c.yml', 'notes.txt'])
  symlinkSync('nowhere', join(path, 'gone.yaml'))
  await expect(names([path])).rejects.toThrow(`there is no file ${path}/gone.yaml`)
})

it('says what is wrong in a sentence', async () => {
  const path = folder()
  await expect(names([join(path, 'none.yaml')])).rejects.toThrow(`there is no file ${path}/none.yaml`)
  await expect(names([join(path, 'empty')])).rejects.toThrow(`there is no .json, .yaml or .yml file in ${path}/empty (-R looks into its folders, too)`)
  await expect(names(['https://example.org/x.yaml'])).rejects.toThrow('is not fetched')
})
