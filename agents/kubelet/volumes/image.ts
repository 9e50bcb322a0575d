/**
 * image: an image's file system, which nobody can write to. Here is only its place: the image is pulled and mounted when the
 * first container that shows it starts (../imagevolumes.ts), for what can go wrong then is told of the container.
 */
import { mkdir } from 'node:fs/promises'
import type { ImageVolumeSource } from '../../../core/api/schema/types.ts'
import type { VolumePlugin } from '../volumes.ts'

export const imageVolume: VolumePlugin<ImageVolumeSource> = {
  name: 'image',
  source: (volume) => volume.image,
  async setUp(_ctx, _source, _env, { path }) {
    await mkdir(path, { recursive: true, mode: 0o755 })
    return { hostPath: path, readOnly: true }
  },
}
