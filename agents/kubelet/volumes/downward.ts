/** downwardAPI: what the pod may know of itself as files; labels and annotations are kept up to date. */
import type { DownwardAPIVolumeSource } from '../../../core/api/schema/types.ts'
import type { VolumePlugin } from '../volumes.ts'
import { downwardFiles, publish } from './payload.ts'

export const downwardVolume: VolumePlugin<DownwardAPIVolumeSource> = {
  name: 'downward-api',
  source: (volume) => volume.downwardAPI,
  async setUp(ctx, { items = [], defaultMode = 0o644 }, env, { path }) {
    await publish(ctx, env, path, downwardFiles(env, items, defaultMode))
    return { hostPath: path }
  },
}
