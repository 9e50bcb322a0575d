/** Volumes that show an image: pulled once in a pod's life, held, mounted, and told of where it cannot be. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Pod } from '../../core/api/schema/types.ts'
import { virtualClock } from '../../core/lib/clock.ts'
import { silentLog } from '../../core/lib/log.ts'
import { fakeRuntime } from '../host/docker.fake.ts'
import { fakeMounts } from '../host/mounts.fake.ts'
import type { PodDeps } from './deps.ts'
import { imageManager, StartError } from './images.ts'
import { mountImageVolumes } from './imagevolumes.ts'
import { label } from './labels.ts'
import { createObserver } from './observe.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubun-imagevolume-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const ref = 'registry.example/data:1'

function rig({ registry = [ref], layers = (): readonly string[] | undefined => ['/layers/top', '/layers/bottom'] } = {}) {
  const clock = virtualClock()
  const runtime = fakeRuntime({ clock, registry, layers: layers as (ref: string) => readonly string[] })
  const [mounts, events, unpacked] = [fakeMounts(), [] as string[], [] as string[]]
  const ctx = { signal: new AbortController().signal, clock, log: silentLog }
  const deps = {
    runtime, mounts,
    observer: createObserver(runtime, 'n', () => {}),
    images: imageManager(runtime),
    unpack: async (_ctx: unknown, _tar: unknown, into: string) => void unpacked.push(into),
    recorder: { event: (_about: unknown, _type: string, reason: string, message: string) => void events.push(`${reason}: ${message}`) },
    node: { name: 'n' },
  } as unknown as PodDeps
  const pod: Pod = { metadata: { name: 'p', namespace: 'd', uid: 'u' }, spec: { containers: [], volumes: [{ name: 'data', image: { reference: ref, pullPolicy: 'Always' } }, { name: 'other', emptyDir: {} }] } }
  const path = join(dir, 'data')
  const volumes = { paths: new Map([['data', path], ['other', join(dir, 'other')]]), readOnly: new Set(['data']), refreshMs: undefined }
  const start = (shows: readonly string[]): Promise<void> =>
    mountImageVolumes(ctx, deps, { pod, container: { name: 'a', volumeMounts: shows.map((name) => ({ name, mountPath: `/${name}` })) }, volumes, secrets: async () => [] })
  return { runtime, mounts, events, unpacked, path, start }
}

describe('an image volume', () => {
  it('shows the layers of its image, which a container that never runs holds', async () => {
    const r = rig()
    await r.start(['data', 'other'])
    expect([...r.mounts.table]).toEqual([[r.path, 'overlay /layers/top:/layers/bottom']])
    expect([...r.runtime.all.values()].map((c) => [c.name, c.state, c.imageId, c.labels[label.role]])).toEqual([['k8s_IMAGE.data_p_d_u_0', 'created', `sha256:sha256:${ref}`, 'imagevolume']])
    expect(r.events.map((e) => e.replace(/ in \d.*/, ''))).toEqual([`Pulling: Pulling image "${ref}"`, `Pulled: Successfully pulled image "${ref}"`])
  })

  it('is what it was for containers that start later, and after a reboot', async () => {
    const r = rig()
    await r.start(['data'])
    await r.start(['data'])
    r.mounts.table.clear()
    await r.start(['data'])
    expect([r.runtime.all.size, r.mounts.table.size, r.events.length]).toEqual([1, 1, 2])
  })

  it('concerns only containers that show it', async () => {
    const r = rig({ registry: [] })
    await r.start(['other'])
    expect([r.runtime.all.size, r.events]).toEqual([0, []])
  })

  it('whose image cannot be pulled keeps the container waiting as its own image would', async () => {
    const r = rig({ registry: [] })
    const failed = (): Promise<unknown> => r.start(['data']).catch((error: unknown) => (error instanceof StartError ? error.reason : error))
    expect([await failed(), await failed()]).toEqual(['ErrImagePull', 'ImagePullBackOff'])
    expect(r.events.at(-1)).toBe(`BackOff: Back-off pulling image "${ref}"`)
  })

  it('is unpacked where the engine keeps no layers as folders', async () => {
    const r = rig({ layers: () => undefined })
    await r.start(['data'])
    expect([r.unpacked, [...r.mounts.table], readdirSync(dir)]).toEqual([[`${r.path}.new`], [[r.path, `overlay ${r.path}.files`]], ['data.files']])
  })

  it('is unpacked where layers cannot be mounted, and says so where nothing can be', async () => {
    const r = rig()
    const { layers } = r.mounts
    r.mounts.layers = async (ctx, folders, target) => (folders.length > 1 ? Promise.reject(new Error('mount overlay: EINVAL')) : layers(ctx, folders, target))
    await r.start(['data'])
    expect(r.mounts.table.get(r.path)).toBe(`overlay ${r.path}.files`)
    r.mounts.table.clear()
    r.mounts.layers = async () => Promise.reject(new Error('mount overlay: EPERM'))
    await expect(r.start(['data'])).rejects.toMatchObject({ reason: 'CreateContainerError', message: 'ImageVolumeMountFailed: mount overlay: EPERM' })
  })
})
