/** What a pod's volumes are on the node when they are set up, and set up again. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { virtualClock } from '../../core/lib/clock.ts'
import { silentLog } from '../../core/lib/log.ts'
import type { EmptyDirVolumeSource } from '../../core/api/schema/types.ts'
import { fakeMounts } from '../host/mounts.fake.ts'
import { setUpVolumes, type VolumeEnv } from './volumes.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubun-volumes-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

it.each<EmptyDirVolumeSource>([{}, { medium: 'Memory' }])('an emptyDir %j keeps the mode that its pod gave it', async (emptyDir) => {
  const ctx = { signal: new AbortController().signal, clock: virtualClock(), log: silentLog }
  const env = { pod: { metadata: { uid: 'u' }, spec: { containers: [], volumes: [{ name: 'v', emptyDir }] } }, podDir: dir, mounts: fakeMounts() } as unknown as VolumeEnv
  const path = (await setUpVolumes(ctx, env)).paths.get('v') ?? ''
  expect(statSync(path).mode & 0o7777).toBe(0o777)
  await chmod(path, 0o700) // as databases do, which refuse any other
  expect((await setUpVolumes(ctx, env)).paths.get('v')).toBe(path)
  expect(statSync(path).mode & 0o7777).toBe(0o700)
  expect(readdirSync(join(path, '..'))).toEqual(['v'])
})
