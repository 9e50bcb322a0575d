/** emptyDir: a folder of the pod's own on disk, or in memory (tmpfs). */
import { chmod, chown, mkdir, rename, rm, stat } from 'node:fs/promises'
import type { EmptyDirVolumeSource } from '../../../core/api/schema/types.ts'
import { units } from '../resources.ts'
import type { VolumePlugin } from '../volumes.ts'

export const emptyDirVolume: VolumePlugin<EmptyDirVolumeSource> = {
  name: 'empty-dir',
  source: (volume) => volume.emptyDir,
  async setUp(ctx, source, env, { path }) {
    const { medium = '', sizeLimit } = source
    if (medium !== '' && medium !== 'Memory') throw new Error(`storage medium "${medium}" is not supported`)
    const group = env.pod.spec?.securityContext?.fsGroup
    // Once: from then on owner and mode are the pod's own business.
    if (medium === 'Memory') {
      if ((await env.mounts.under(ctx, path)).length > 0) return { hostPath: path }
      await mkdir(path, { recursive: true, mode: 0o777 })
      await env.mounts.tmpfs(ctx, path, { sizeBytes: memoryLimit(env.pod.spec?.containers ?? [], sizeLimit), mode: 0o777 })
      await open(path, group)
    } else if ((await stat(path).catch(() => undefined)) === undefined) {
      // Whole or not at all; no volume's name has a dot.
      const draft = `${path}.new`
      await rm(draft, { recursive: true, force: true })
      await mkdir(draft, { recursive: true, mode: 0o777 })
      await open(draft, group)
      await rename(draft, path)
    }
    return { hostPath: path }
  },
}

/** After making it: the process's umask takes bits from mkdir's mode, and a mount hides it. */
async function open(path: string, group: number | undefined): Promise<void> {
  if (group !== undefined) await chown(path, 0, group)
  await chmod(path, group === undefined ? 0o777 : 0o2777)
}

/** Memory of a tmpfs counts for the pod, so its limits bound it too. */
function memoryLimit(containers: readonly { readonly resources?: { readonly limits?: Readonly<Record<string, string>> } }[], sizeLimit: string | undefined): number {
  const limits = containers.map((c) => units(c.resources?.limits?.['memory']))
  const pod = limits.every((limit) => limit > 0) ? limits.reduce((sum, limit) => sum + limit, 0) : 0
  const asked = units(sizeLimit)
  return asked > 0 && pod > 0 ? Math.min(asked, pod) : asked || pod
}
