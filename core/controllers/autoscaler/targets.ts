/** What an autoscaler scales: any kind with a scale subresource, found by group and kind, in whatever version has it. */
import { isApiError, notFound } from '../../api/errors.ts'
import type { Kind, KindRef } from '../../api/kind.ts'
import { parseApiVersion } from '../../api/meta.ts'
import type { HorizontalPodAutoscaler, Scale } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson } from '../../lib/json.ts'

/** Tries of one change against others who change the same. */
const triesMax = 5

export interface Target {
  readonly kind: KindRef<Scale>
  readonly scale: Readonly<Scale>
}

/** Throws why there is none. */
export async function findTarget(ctx: Ctx, client: Client, kinds: readonly Kind[], autoscaler: Readonly<HorizontalPodAutoscaler>): Promise<Target> {
  const { kind, name, apiVersion = '' } = autoscaler.spec.scaleTargetRef
  if (apiVersion.split('/').length > 2) throw new Error(`unexpected GroupVersion string: ${apiVersion}`)
  const { group } = parseApiVersion(apiVersion)
  const candidates = kinds.filter((k) => k.group === group && k.kind === kind)
  if (candidates.length === 0) throw new Error(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`)
  let first: unknown
  for (const candidate of candidates) {
    try {
      return { kind: candidate, scale: await scaleOf(ctx, client, candidate, { namespace: autoscaler.metadata.namespace ?? '', name }) }
    } catch (error) {
      if (ctx.signal.aborted) throw error
      first ??= error
    }
  }
  throw first
}

async function scaleOf(ctx: Ctx, client: Client, kind: Kind<Scale>, key: { readonly namespace: string; readonly name: string }): Promise<Readonly<Scale>> {
  const scale = await client.get(ctx, kind as KindRef<Scale>, key, { subresource: 'scale' })
  if (scale !== undefined) return scale
  if (kind.scale === undefined) throw new Error('the server could not find the requested resource')
  throw notFound({ group: kind.group, resource: kind.plural }, key.name)
}

/** Throws what the API refused. */
export async function rescale(ctx: Ctx, client: Client, { kind, scale }: Target, replicas: number): Promise<void> {
  const key = { namespace: scale.metadata.namespace ?? '', name: scale.metadata.name ?? '' }
  let now = scale
  for (let tries = 1; ; tries++) {
    try {
      await client.update(ctx, kind, { ...cloneJson(now), spec: { ...now.spec, replicas } }, { subresource: 'scale' })
      return
    } catch (error) {
      if (tries === triesMax || !isApiError(error, 'Conflict')) throw error
      now = (await client.get(ctx, kind, key, { subresource: 'scale' })) ?? now
    }
  }
}
