/** configMap: an object's keys as files, kept up to date. */
import type { ConfigMapVolumeSource } from '../../../core/api/schema/types.ts'
import type { VolumePlugin } from '../volumes.ts'
import { configMapFiles, publish } from './payload.ts'

export const configMapVolume: VolumePlugin<ConfigMapVolumeSource> = {
  name: 'configmap',
  source: (volume) => volume.configMap,
  async setUp(ctx, { name = '', items, optional = false, defaultMode = 0o644 }, env, { path }) {
    await publish(ctx, env, path, await configMapFiles(env, name, { items, optional, mode: defaultMode }))
    return { hostPath: path }
  },
}
