/** A node makes the folders of its volumes, and removes what nobody has any more: that, and nothing else. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { nodes } from '../../core/api/core/node.ts'
import { persistentVolumes } from '../../core/api/core/persistentvolume.ts'
import type { PersistentVolume } from '../../core/api/schema/types.ts'
import { Informers } from '../../core/client/informers.ts'
import { Group } from '../../core/lib/group.ts'
import { testApi, type TestApi } from '../../test/support/api.ts'
import { onLabel, volumeOf } from '../../test/support/storage.ts'
import { fakeMounts } from '../host/mounts.fake.ts'
import { runLocalStorage } from './localstorage.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubun-local-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const me = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'], agent: 'kubelet' }

async function open() {
  const api = await testApi()
  await api.create(nodes, { metadata: { name: 'n1' }, spec: {} })
  const root = join(dir, 'storage')
  const [mounts, told] = [fakeMounts(), [] as string[]]
  const client = api.clientAs(me)
  const informers = new Informers({ client, random: api.random, freeze: true })
  const group = new Group(api.ctx)
  const recorder = { event: (_about: unknown, type: string, reason: string, message: string) => void told.push(`${type} ${reason} ${message}`) }
  group.go('storage', (ctx) => runLocalStorage(ctx, { client, informers, recorder, mounts, random: api.random, nodeName: 'n1', root }))
  group.go('informers', (ctx) => informers.run(ctx))
  return {
    ...api, root, mounts, told,
    /** Real files take real time: one more trip to the disk is as long as theirs. */
    async until(done: () => boolean | Promise<boolean>) {
      for (let i = 0; i < 20_000 && !(await done()); i++) {
        await stat(dir)
        await api.clock.settle()
      }
    },
    async [Symbol.asyncDispose]() {
      await group[Symbol.asyncDispose]()
      await api.stop()
    },
  }
}
type Rig = Awaited<ReturnType<typeof open>>

function local(path: string, { node = 'n1', policy = 'Delete' }: { readonly node?: string; readonly policy?: string } = {}): PersistentVolume {
  const metadata = { labels: { 'kubun.io/node': node }, annotations: { 'pv.kubernetes.io/provisioned-by': 'kubun.io/local-path' }, finalizers: ['kubun.io/local-path'] }
  return volumeOf('v', { local: { path }, ...onLabel('kubernetes.io/hostname', node), persistentVolumeReclaimPolicy: policy }, metadata)
}

async function put(rig: Rig, volume: PersistentVolume): Promise<void> {
  const path = volume.spec?.local?.path ?? ''
  await rig.create(persistentVolumes, volume)
  await (existsSync(path) ? trips(rig) : rig.until(() => existsSync(path) && mode(path) === '777'))
}

async function remove(rig: Rig): Promise<void> {
  await rig.client.delete(rig.ctx, persistentVolumes, { namespace: '', name: 'v' })
}

const gone = (rig: Rig): Promise<void> => rig.until(async () => (await volume(rig)) === undefined)
const refused = (rig: Rig): Promise<void> => rig.until(() => rig.told.length > 0)

/** Where nothing is to happen. */
async function trips(rig: Rig, left = 100): Promise<void> {
  await rig.until(() => left-- === 0)
}

const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8)
const volume = (rig: TestApi) => rig.get(persistentVolumes, 'v')

it('says where its volumes are to lie', async () => {
  await using rig = await open()
  await rig.until(async () => (await rig.get(nodes, 'n1'))?.metadata.annotations !== undefined)
  expect((await rig.get(nodes, 'n1'))?.metadata.annotations).toEqual({ 'kubun.io/local-storage-path': rig.root })
})

it('makes the folder of a volume for all, in one for nobody', async () => {
  await using rig = await open()
  await put(rig, local(join(rig.root, 'v')))
  expect([mode(rig.root), mode(join(rig.root, 'v'))]).toEqual(['700', '777'])
})

it('leaves a folder that is there as it is', async () => {
  await using rig = await open()
  mkdirSync(join(rig.root, 'v'), { recursive: true, mode: 0o750 })
  writeFileSync(join(rig.root, 'v', 'file'), '')
  await put(rig, local(join(rig.root, 'v')))
  expect([mode(join(rig.root, 'v')), readdirSync(join(rig.root, 'v'))]).toEqual(['750', ['file']])
})

it('removes what is on a volume that nobody has, not where links in it lead, and lets the volume go', async () => {
  await using rig = await open()
  const other = join(dir, 'other')
  mkdirSync(other)
  writeFileSync(join(other, 'file'), '')
  const path = join(rig.root, 'v')
  await put(rig, local(path))
  mkdirSync(join(path, 'deep', 'er'), { recursive: true })
  symlinkSync(other, join(path, 'deep', 'link'))
  writeFileSync(join(path, 'deep', 'er', 'file'), '')
  await remove(rig)
  await gone(rig)
  expect([readdirSync(rig.root), readdirSync(other), await volume(rig)]).toEqual([[], ['file'], undefined])
})

it('a link in the place of a volume is removed, not what it leads to', async () => {
  await using rig = await open()
  mkdirSync(rig.root)
  mkdirSync(join(dir, 'other'))
  symlinkSync(join(dir, 'other'), join(rig.root, 'v'))
  await put(rig, local(join(rig.root, 'v')))
  await remove(rig)
  await gone(rig)
  expect([readdirSync(rig.root), existsSync(join(dir, 'other')), await volume(rig)]).toEqual([[], true, undefined])
})

it.each([
  ['retained', { policy: 'Retain' }],
  ["another node's", { node: 'n2' }],
])('a volume that is %s keeps what is on it', async (_what, how) => {
  await using rig = await open()
  const path = join(rig.root, 'v')
  mkdirSync(path, { recursive: true })
  await put(rig, local(path, how))
  await remove(rig)
  await trips(rig)
  expect([existsSync(path), (await volume(rig))?.metadata.finalizers]).toEqual([true, ['kubun.io/local-path']])
})

it('a volume that somebody has keeps what is on it until it is free', async () => {
  await using rig = await open()
  const path = join(rig.root, 'v')
  await put(rig, local(path))
  await rig.change(persistentVolumes, 'v', (mine) => (mine.status = { phase: 'Bound' }), { subresource: 'status' })
  await remove(rig)
  await trips(rig)
  expect(existsSync(path)).toBe(true)
  await rig.change(persistentVolumes, 'v', (mine) => (mine.status = { phase: 'Released' }), { subresource: 'status' })
  await gone(rig)
  expect([existsSync(path), await volume(rig)]).toEqual([false, undefined])
})

it.each([
  ['deeper', (rig: Rig) => join(rig.root, 'deep', 'v')],
  ['elsewhere', () => join(dir, 'elsewhere')],
  ['the folder itself', (rig: Rig) => `${rig.root}/`],
  ['the folder itself, by another name', (rig: Rig) => `${rig.root}/.`],
])('a volume that lies %s is not touched, and the user is told', async (_where, at) => {
  await using rig = await open()
  const path = at(rig)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'file'), '')
  await put(rig, local(path))
  await remove(rig)
  await refused(rig)
  expect(existsSync(join(path, 'file'))).toBe(true)
  expect(rig.told[0]).toBe(`Warning VolumeFailedDelete ${path} is not removed: it does not lie in ${rig.root}, where volumes of this node are`)
})

it('what is mounted into a volume is nobody\'s to delete: it goes when that is gone', async () => {
  await using rig = await open()
  const path = join(rig.root, 'v')
  await put(rig, local(path))
  rig.mounts.table.set(join(path, 'disk'), '/dev/sdb1')
  await remove(rig)
  await refused(rig)
  expect([existsSync(path), rig.told[0]]).toEqual([true, `Warning VolumeFailedDelete ${path} is not removed: something is mounted on ${join(path, 'disk')}`])
  rig.mounts.table.clear()
  await rig.clock.advance(60_000)
  await gone(rig)
  expect([existsSync(path), await volume(rig)]).toEqual([false, undefined])
})
