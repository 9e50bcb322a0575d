/**
 * Pod statuses on their way to the API: the latest of each pod, one write at a
 * time, only what differs from what was written last, tried again until it is
 * taken or the pod is gone (pkg/kubelet/status/status_manager.go).
 */
import { backoffMs } from '../../core/lib/backoff.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Group } from '../../core/lib/group.ts'
import { isApiError } from '../../core/api/errors.ts'
import { keyOf } from '../../core/api/meta.ts'
import { pods } from '../../core/api/core/pod.ts'
import type { Pod, PodStatus } from '../../core/api/schema/types.ts'
import type { Client } from '../../core/client/client.ts'
import { resizeConditionTypes } from './resize/conditions.ts'

export interface Statuses {
  /** What was decided last; what the API has, until something was. */
  get(pod: Readonly<Pod>): Readonly<PodStatus>
  set(pod: Readonly<Pod>, status: PodStatus): void
  /** Resolves when everything set so far has been written, or cannot be (the pod is gone). */
  written(ctx: Ctx, uid: string): Promise<void>
  forget(uid: string): void
}

interface Entry {
  readonly pod: Readonly<Pod>
  written: Readonly<PodStatus>
  latest: PodStatus
  busy: boolean
  readonly waiters: Set<() => void>
}

const retry = { firstMs: 200, maxMs: 10_000 } as const

export function statusWriter(group: Group, client: Client): Statuses {
  const entries = new Map<string, Entry>()

  const write = async (ctx: Ctx, uid: string, entry: Entry): Promise<void> => {
    for (let failures = 0; entries.get(uid) === entry && !ctx.signal.aborted; ) {
      const next = entry.latest
      const change = statusPatch(entry.written, next)
      if (change === undefined) break
      try {
        await client.patch(ctx, pods, keyOf(entry.pod), 'strategic', { metadata: { uid }, status: change }, { subresource: 'status' })
        entry.written = next
        failures = 0
      } catch (error) {
        // Another pod of that name, or none: nobody will read this status.
        if (isApiError(error, 'NotFound') || isApiError(error, 'Conflict')) {
          entry.written = next
          continue
        }
        ctx.log.warn('pod status not written', { pod: entry.pod.metadata.name, error })
        await ctx.clock.sleep(backoffMs(retry, failures++), ctx.signal)
      }
    }
    for (const done of entry.waiters) done()
    entry.waiters.clear()
  }
  const kick = (uid: string, entry: Entry): void => {
    if (entry.busy) return
    entry.busy = true
    group.go('pod status', (ctx) =>
      write(ctx, uid, entry).finally(() => {
        entry.busy = false
      }),
    )
  }
  return {
    get: (pod) => entries.get(pod.metadata.uid ?? '')?.latest ?? pod.status ?? {},
    set(pod, status) {
      const uid = pod.metadata.uid ?? ''
      const entry = entries.get(uid) ?? { pod, written: pod.status ?? {}, latest: status, busy: false, waiters: new Set<() => void>() }
      entry.latest = status
      entries.set(uid, entry)
      if (statusPatch(entry.written, status) !== undefined) kick(uid, entry)
    },
    written(ctx, uid) {
      const entry = entries.get(uid)
      if (entry === undefined || !entry.busy) return Promise.resolve()
      return new Promise((resolve, reject) => {
        const stop = (): void => reject(ctx.signal.reason)
        entry.waiters.add(() => {
          ctx.signal.removeEventListener('abort', stop)
          resolve()
        })
        ctx.signal.addEventListener('abort', stop, { once: true })
      })
    },
    forget(uid) {
      const entry = entries.get(uid)
      entries.delete(uid)
      for (const done of entry?.waiters ?? []) done()
    },
  }
}

/** The strategic merge patch from one status to the next; undefined when nothing differs. */
export function statusPatch(prev: Readonly<PodStatus>, next: Readonly<PodStatus>): Record<string, unknown> | undefined {
  const change: Record<string, unknown> = {}
  const [before, after] = [prev as Record<string, unknown>, next as Record<string, unknown>]
  for (const field of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (!written.has(field) || JSON.stringify(before[field]) === JSON.stringify(after[field])) continue
    change[field] = after[field] ?? null
  }
  // Lists that merge by key: only what differs, and what is to go.
  if (change['conditions'] !== undefined) {
    const differ = (next.conditions ?? []).filter((c) => JSON.stringify(prev.conditions?.find((p) => p.type === c.type)) !== JSON.stringify(c))
    // Others' conditions may be newer at the API than here: only our own are taken away.
    const gone = resizeConditionTypes.filter((type) => prev.conditions?.some((p) => p.type === type) === true && next.conditions?.some((c) => c.type === type) !== true)
    change['conditions'] = [...differ, ...gone.map((type) => ({ $patch: 'delete', type }))]
  }
  for (const field of ['resources', 'allocatedResources'] as const) if (change[field] !== undefined) change[field] = replacing(prev[field], next[field])
  if ((change['conditions'] as unknown[] | undefined)?.length === 0) delete change['conditions']
  if (change['podIPs'] !== undefined) {
    const gone = (prev.podIPs ?? []).filter((p) => next.podIPs?.some((n) => n.ip === p.ip) !== true)
    change['podIPs'] = [...(next.podIPs ?? []), ...gone.map((p) => ({ $patch: 'delete', ip: p.ip }))]
  }
  return Object.keys(change).length === 0 ? undefined : change
}

/** What merges `prev` into `next`: what is gone is null. */
function replacing(prev: unknown, next: unknown): unknown {
  if (typeof prev !== 'object' || prev === null || typeof next !== 'object' || next === null) return next ?? null
  const gone = Object.keys(prev).filter((key) => !(key in next))
  return { ...Object.fromEntries(gone.map((key) => [key, null])), ...Object.fromEntries(Object.entries(next).map(([key, value]) => [key, replacing((prev as Record<string, unknown>)[key], value)])) }
}

/** Fields of the status that are the kubelet's to write. */
const written = new Set([
  'observedGeneration', 'phase', 'conditions', 'message', 'reason', 'hostIP', 'hostIPs', 'podIP', 'podIPs', 'startTime',
  'initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses', 'qosClass', 'resources', 'allocatedResources',
])
