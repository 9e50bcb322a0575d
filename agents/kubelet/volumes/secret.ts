/** secret: an object's keys as files in memory, kept up to date. */
import type { SecretVolumeSource } from '../../../core/api/schema/types.ts'
import type { VolumePlugin } from '../volumes.ts'
import { publish, secretFiles } from './payload.ts'

export const secretVolume: VolumePlugin<SecretVolumeSource> = {
  name: 'secret',
  source: (volume) => volume.secret,
  async setUp(ctx, { secretName = '', items, optional = false, defaultMode = 0o644 }, env, { path }) {
    await publish(ctx, env, path, await secretFiles(env, secretName, { items, optional, mode: defaultMode }))
    return { hostPath: path }
  },
}
