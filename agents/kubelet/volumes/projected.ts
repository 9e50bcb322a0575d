/** projected: several sources in one folder, among them the service account token, which is renewed in time. */
import type { ProjectedVolumeSource, VolumeProjection } from '../../../core/api/schema/types.ts'
import type { Ctx } from '../../../core/lib/ctx.ts'
import type { VolumeEnv, VolumePlugin } from '../volumes.ts'
import { configMapFiles, downwardFiles, publish, secretFiles, type Files } from './payload.ts'

export const projectedVolume: VolumePlugin<ProjectedVolumeSource> = {
  name: 'projected',
  source: (volume) => volume.projected,
  async setUp(ctx, { sources = [], defaultMode = 0o644 }, env, { path }) {
    const files: Files = new Map()
    let refreshMs: number | undefined
    for (const source of sources) {
      const part = await collect(ctx, env, source, defaultMode)
      for (const [at, file] of part.files) files.set(at, file)
      if (part.refreshMs !== undefined) refreshMs = Math.min(refreshMs ?? Infinity, part.refreshMs)
    }
    await publish(ctx, env, path, files, userOf(env))
    return { hostPath: path, ...(refreshMs === undefined ? {} : { refreshMs }) }
  },
}

async function collect(ctx: Ctx, env: VolumeEnv, source: Readonly<VolumeProjection>, mode: number): Promise<{ files: Files; refreshMs?: number }> {
  const { configMap, secret, downwardAPI, serviceAccountToken: token } = source
  if (configMap !== undefined) return { files: await configMapFiles(env, configMap.name ?? '', { items: configMap.items, optional: configMap.optional ?? false, mode }) }
  if (secret !== undefined) return { files: await secretFiles(env, secret.name ?? '', { items: secret.items, optional: secret.optional ?? false, mode }) }
  if (downwardAPI !== undefined) return { files: downwardFiles(env, downwardAPI.items ?? [], mode) }
  if (token !== undefined) {
    const issued = await env.tokens.get(ctx, env.pod, token)
    // Who else may read it is a matter of user and group, not of the default mode (pkg/volume/projected).
    const closed = userOf(env) !== undefined || env.pod.spec?.securityContext?.fsGroup !== undefined
    return { files: new Map([[token.path, { data: Buffer.from(issued.token), mode: closed ? 0o600 : mode }]]), refreshMs: issued.refreshMs }
  }
  throw new Error(`projection of ${Object.keys(source)[0] ?? 'nothing'} is not supported`)
}

/** The one user that every container runs as, if they agree. */
function userOf({ pod }: VolumeEnv): number | undefined {
  const { spec } = pod
  const users = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map((c) => c.securityContext?.runAsUser ?? spec?.securityContext?.runAsUser)
  return users.every((user) => user === users[0]) ? users[0] : undefined
}
