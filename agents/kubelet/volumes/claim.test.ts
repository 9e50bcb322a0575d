/** A pod has what its claim is bound to, where that is a path of this node. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec, PodSpec } from '../../../core/api/schema/types.ts'
import { virtualClock } from '../../../core/lib/clock.ts'
import { silentLog } from '../../../core/lib/log.ts'
import { claimOf, volumeOf } from '../../../test/support/storage.ts'
import { fakeMounts } from '../../host/mounts.fake.ts'
import { setUpVolumes, type VolumeEnv } from '../volumes.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubun-claim-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const ctx = { signal: new AbortController().signal, clock: virtualClock(), log: silentLog }

interface World {
  readonly spec?: Partial<PodSpec>
  readonly volume?: Partial<PersistentVolumeSpec>
  readonly claim?: PersistentVolumeClaim
  readonly readOnly?: boolean
}

function envOf({ spec = {}, volume = {}, claim, readOnly }: World) {
  const bound: PersistentVolumeClaim = claim ?? { ...claimOf('c', { volumeName: 'v' }, { uid: 'u' }), status: { phase: 'Bound' } }
  const pv: PersistentVolume = volumeOf('v', { claimRef: { namespace: 'default', name: 'c', uid: 'u' }, ...volume })
  const mounts = fakeMounts()
  const env = {
    pod: {
      metadata: { name: 'p', namespace: 'default', uid: 'p' },
      spec: { containers: [{ name: 'a', volumeMounts: [{ name: 'd', mountPath: '/d' }] }], volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'c', ...(readOnly === undefined ? {} : { readOnly }) } }], ...spec },
    },
    podDir: join(dir, 'pod'), mounts, claim: async () => bound, persistentVolume: async () => pv,
  }
  return { env: env as unknown as VolumeEnv, mounts }
}

describe('a claim', () => {
  it('bound to a hostPath', async () => {
    const path = join(dir, 'data')
    const { env } = envOf({ volume: { hostPath: { path } } })
    expect((await setUpVolumes(ctx, env)).paths.get('d')).toBe(path)
    expect(statSync(path).isDirectory()).toBe(true)
  })

  it('bound to a local volume is mounted into the folder of the pod, once', async () => {
    const { env, mounts } = envOf({ volume: { local: { path: dir } } })
    const at = (await setUpVolumes(ctx, env)).paths.get('d') ?? ''
    expect(mounts.table.get(at)).toBe(dir)
    expect((await setUpVolumes(ctx, env)).paths.get('d')).toBe(at)
  })

  it('bound to a local volume is the group of the pod\'s', async () => {
    const group = process.getgid?.() ?? 0
    const { env, mounts } = envOf({ volume: { local: { path: dir } }, spec: { securityContext: { fsGroup: group } } })
    mounts.bind = async (_ctx, _source, target) => writeFileSync(join(target, 'file'), '', { mode: 0o600 })
    const at = (await setUpVolumes(ctx, env)).paths.get('d') ?? ''
    expect(statSync(at).mode & 0o7777).toBe(0o2770)
    expect(statSync(join(at, 'file')).mode & 0o7777).toBe(0o660)
  })

  it('bound to a local volume that cannot be given to a group is tried again as a whole', async () => {
    const { env, mounts } = envOf({ volume: { local: { path: dir } }, spec: { securityContext: { fsGroup: process.getgid?.() ?? 0 } } })
    mounts.bind = async (_ctx, source, target) => {
      mounts.table.set(target, source)
      rmSync(target, { recursive: true })
    }
    await expect(setUpVolumes(ctx, env)).rejects.toThrow('ENOENT')
    expect([...mounts.table]).toEqual([])
  })

  it('that is only read', async () => {
    const { env } = envOf({ volume: { hostPath: { path: dir } }, readOnly: true })
    expect((await setUpVolumes(ctx, env)).readOnly).toEqual(new Set(['d']))
  })

  const pending = claimOf('c', {}, { uid: 'u' })
  it.each<readonly [World, string]>([
    [{ claim: pending }, 'error processing PVC default/c: PVC is not bound'],
    [{ claim: { ...pending, metadata: { ...pending.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } } }, 'error processing PVC default/c: PVC is being deleted'],
    [{ volume: { claimRef: { namespace: 'default', name: 'c', uid: 'other' } } }, 'error processing PVC default/c: found PV object v but its pv.Spec.ClaimRef.UID other does not point to claim.UID u'],
    [{ volume: { volumeMode: 'Block' } }, 'volume d has volumeMode Block, but is specified in volumeMounts'],
    [{ volume: { csi: { driver: 'd', volumeHandle: 'h' } } }, 'no volume plugin for a persistent volume of type csi: this node knows hostPath and local'],
  ])('%j is refused', async (world, why) => {
    await expect(setUpVolumes(ctx, envOf(world).env)).rejects.toThrow(`MountVolume.SetUp failed for volume "d" : ${why}`)
  })
})
