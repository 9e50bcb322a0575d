/**
 * From a decision to a bound pod: what plugins keep for it (reserve), what has to be ready before (prebind), and the
 * binding itself. What fails is taken back in the opposite order.
 */
import type { Ctx } from '../lib/ctx.ts'
import { errorPath } from '../lib/log.ts'
import type { Pod } from '../api/schema/types.ts'
import type { Refused } from './evaluate.ts'
import type { Extender } from './extender.ts'
import type { Plugin, Profile } from './framework.ts'
import type { NodeInfo } from './world.ts'

/** The first refusal; then nothing is kept, nor when a plugin throws. */
export function reserve(pod: Readonly<Pod>, node: NodeInfo, profile: Profile): Refused | undefined {
  const asked: Plugin[] = []
  let complete = false
  try {
    for (const { plugin } of profile.plugins) {
      asked.unshift(plugin)
      const refusal = plugin.reserve?.(pod, node)
      if (refusal !== undefined) return { plugin, refusal }
    }
    complete = true
    return undefined
  } finally {
    if (!complete) for (const plugin of asked) plugin.release?.(pod, node.name)
  }
}

export function release(pod: Readonly<Pod>, nodeName: string, profile: Profile): void {
  for (const { plugin } of profile.plugins.toReversed()) plugin.release?.(pod, nodeName)
}

/** What has to be made ready before the binding, by all plugins at a time. Undefined: nothing. */
export function prebind(ctx: Ctx, pod: Readonly<Pod>, nodeName: string, profile: Profile): Promise<void> | undefined {
  const parts = profile.plugins.flatMap(({ plugin }) => plugin.prebind?.(ctx, pod, nodeName) ?? [])
  return parts.length === 0 ? undefined : allReady(parts)
}

/** What the API refuses here is about other objects than the pod, and must not pass for a word about the pod. */
async function allReady(parts: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(parts)).find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw new Error(failed.reason instanceof Error ? failed.reason.message : String(failed.reason), { cause: failed.reason })
}

/** By the first extender that binds and wants this pod, else by the profile's own binder; one that may be passed over is, when it fails. */
export async function bind(ctx: Ctx, pod: Readonly<Pod>, nodeName: string, { profile, extenders }: { readonly profile: Profile; readonly extenders: readonly Extender[] }): Promise<void> {
  for (const extender of extenders) {
    if (extender.bind === undefined || !extender.isInterested(pod)) continue
    try {
      return await extender.bind(ctx, pod, nodeName)
    } catch (error) {
      if (!extender.ignorable) throw error
      ctx.log.warn('an extender is passed over', { extender: extender.name, error: errorPath(error) })
    }
  }
  await profile.plugins.find(({ plugin }) => plugin.bind !== undefined)?.plugin.bind?.(ctx, pod, nodeName)
}
