/** House rules that a machine can see. A ban says why in its message. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { doors, layers, owners, roots } from './layers.ts'

const root = join(dirname(new URL(import.meta.url).pathname), '..', '..')
const folders = ['cmd', 'core', 'agents', 'web', 'test']

interface Source {
  readonly path: string
  readonly text: string
  readonly code: string
  readonly test: boolean
}

function sources(): Source[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|tsx)$/.test(entry.name))
      .map((entry) => {
        const path = normalize(join(entry.parentPath, entry.name)).slice(normalize(root).length + 1)
        const text = readFileSync(join(root, path), 'utf8')
        const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '')
        return { path, text, code, test: /\.(test|contract|fake|e2e)\.tsx?$/.test(path) || path.startsWith('test/') }
      }),
  )
}

const all = sources()
const generated = (path: string): boolean => path === 'core/api/schema/types.ts'

function imports(source: Source): string[] {
  return [...source.text.matchAll(/^\s*(?:import|export)\b[^'"\n]*?(?:from\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|^\} from ['"]([^'"]+)['"]/gm)].map((m) => m[1] ?? m[2] ?? m[3] ?? '')
}

function roomOf(path: string): string {
  const parts = path.split('/')
  return ['core', 'agents'].includes(parts[0] ?? '') ? parts.slice(0, 2).join('/') : (parts[0] ?? '')
}

describe('tidy', () => {
  it('a room imports only the rooms below it', () => {
    const wrong = all.filter((s) => !s.test && !roots.includes(s.path)).flatMap((source) => {
      const room = roomOf(source.path)
      const allowed = layers[room] ?? []
      return imports(source)
        .filter((name) => name.startsWith('.'))
        .map((name) => normalize(join(dirname(source.path), name)))
        .filter((target) => target.includes('/') && roomOf(target) !== room && !allowed.includes(roomOf(target)) && !allowed.includes(target))
        .map((target) => `${source.path} imports ${target}`)
    })
    expect(wrong).toEqual([])
  })

  it('nothing but tests imports tests', () => {
    const wrong = all.filter((s) => !s.test).flatMap((s) => imports(s).filter((name) => /\.(test|contract|fake)\.ts$|\/test\//.test(name)).map((name) => `${s.path} imports ${name}`))
    expect(wrong).toEqual([])
  })

  it('the API is pure: no node modules, no waiting', () => {
    const wrong = all.filter((s) => s.path.startsWith('core/api/') && !s.test && !/core\/api\/schema\/(generate|build)/.test(s.path))
      .flatMap((s) => [...imports(s).filter((name) => name.startsWith('node:')).map((name) => `${s.path} imports ${name}`), ...(/\basync\b|\bawait\b/.test(s.code) ? [`${s.path} waits`] : [])])
    expect(wrong).toEqual([])
  })

  it('an outside package has one door', () => {
    const wrong = all.filter((s) => !s.path.startsWith('test/')).flatMap((s) =>
      Object.entries(doors)
        .filter(([name, door]) => imports(s).some((i) => i === name || i.startsWith(`${name}/`)) && !door.only.some((p) => s.path.startsWith(p)))
        .map(([name, door]) => `${s.path} imports ${name}: ${door.why}`),
    )
    expect(wrong).toEqual([])
  })

  it('time, chance, console and the command line have one owner each', () => {
    const wrong = all.filter((s) => !s.test && !generated(s.path)).flatMap((s) =>
      owners.filter((o) => o.pattern.test(s.code) && !o.only.some((p) => s.path.startsWith(p)) && !/core\/api\/schema\/generate/.test(s.path)).map((o) => `${s.path} uses ${o.what}: ${o.why}`),
    )
    expect(wrong).toEqual([])
  })

  it('a file opens with what it is', () => {
    const wrong = all.filter((s) => !s.test && !/^(#!.*\n)?\s*(\/\*\*|\/\/)/.test(s.text)).map((s) => s.path)
    expect(wrong).toEqual([])
  })

  it('names carry no hyphen and no catch-all word', () => {
    const wrong = all.map((s) => s.path).filter((p) => !generated(p) && (/-/.test(p.split('/').at(-1) ?? '') || /(^|\/)(utils?|helpers?|common|types)\.tsx?$/.test(p)))
    expect(wrong).toEqual([])
  })

  it('nothing is left for later in the code', () => {
    const wrong = all.filter((s) => s.path !== 'test/tidy/tidy.test.ts' && /\b(TODO|FIXME|XXX)\b/.test(s.text)).map((s) => s.path)
    expect(wrong).toEqual([])
  })
})
