/** A container's mounts: what is given, what a volume replaces, and sub-paths that must not lead out. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/lib/clock.ts'
import { silentLog } from '../../core/lib/log.ts'
import type { VolumeMount } from '../../core/api/schema/types.ts'
import { fakeMounts } from '../host/mounts.fake.ts'
import { mountsOf } from './mountspec.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubun-mounts-'))
  mkdirSync(join(dir, 'vol/..data/in'), { recursive: true })
  writeFileSync(join(dir, 'vol/..data/file'), 'x')
  symlinkSync('..data/file', join(dir, 'vol/file'))
  symlinkSync('/etc', join(dir, 'vol/out'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const ctx = { signal: new AbortController().signal, clock: systemClock, log: silentLog }
const mounts = fakeMounts()
const of = (mount: Partial<VolumeMount>, env = new Map<string, string>()) =>
  mountsOf(ctx, mounts, {
    container: { name: 'c', volumeMounts: [{ name: 'v', mountPath: '/at', ...mount }] },
    podDir: join(dir, 'pod'),
    volumes: new Map([['v', join(dir, 'vol')]]),
    env,
    given: new Map([['/etc/hosts', '/pod/etc-hosts']]),
    attempt: 0,
  })

describe('mountsOf()', () => {
  it('gives hosts unless a volume is mounted there', async () => {
    expect((await of({ readOnly: true, mountPropagation: 'HostToContainer' })).map((m) => [m.source, m.target, m.readOnly, m.propagation])).toEqual([
      [join(dir, 'vol'), '/at', true, 'rslave'],
      ['/pod/etc-hosts', '/etc/hosts', false, 'rprivate'],
    ])
    expect((await of({ mountPath: '/etc/hosts' })).length).toBe(1)
  })
  it('pins sub-paths, follows links inside the volume, and makes what is missing', async () => {
    const place = join(dir, 'pod/volume-subpaths/v/c/0')
    expect((await of({ subPath: 'file' }))[0]?.source).toBe(place)
    expect(statSync(place).isFile()).toBe(true)
    expect(mounts.table.get(place)).toMatch(/^\/proc\/self\/fd\/\d+$/)
    rmSync(place)
    await of({ subPathExpr: 'logs/$(POD)' }, new Map([['POD', 'p']]))
    expect(statSync(join(dir, 'vol/logs/p')).isDirectory()).toBe(true)
  })
  it('makes nothing elsewhere, whatever a container makes of its folders meanwhile', async () => {
    const [folder, aside, elsewhere] = [join(dir, 'vol/a'), join(dir, 'vol/aside'), join(dir, 'elsewhere')]
    mkdirSync(elsewhere)
    for (let i = 0; i < 200; i++) {
      rmSync(aside, { recursive: true, force: true })
      rmSync(folder, { force: true, recursive: true })
      mkdirSync(folder)
      const made = of({ subPath: 'a/new' }).catch(() => undefined)
      for (let turn = 0; turn < i % 12; turn++) await new Promise(setImmediate)
      renameSync(folder, aside)
      symlinkSync(elsewhere, folder)
      await made
    }
    expect(readdirSync(elsewhere)).toEqual([])
  })
  it.each([
    ['a link that leads out', { subPath: 'out' }, 'failed to create subPath directory'],
    ['a way below such a link', { subPath: 'out/ssh' }, 'failed to create subPath directory'],
    ['an absolute path', { subPath: '/etc' }, 'must not be an absolute path'],
    ['steps upwards', { subPath: 'in/../../x' }, "must not contain '..'"],
    ['an unknown variable', { subPathExpr: '$(NOPE)' }, 'missing value for NOPE'],
    ['a volume that is not there', { name: 'w' }, 'cannot find volume "w" to mount into container "c"'],
  ])('refuses %s', async (_name, mount, message) => {
    await expect(of(mount)).rejects.toThrow(message)
  })
})
