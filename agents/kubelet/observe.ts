/**
 * What the runtime has, pod by pod: one look at start, then an inspection for
 * each event. Pod workers read it; it decides nothing. After the event stream
 * breaks everything is looked at again.
 */
import { aborted, withTimeout, type Ctx } from '../../core/lib/ctx.ts'
import type { Runtime, RuntimeContainer } from '../host/runtime.ts'
import { attemptOf, containerNameOf, isHolder, isSandbox, label, podUidOf } from './labels.ts'

/** One pod in the runtime. */
export interface ObservedPod {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** Newest first. */
  readonly sandboxes: readonly RuntimeContainer[]
  /** Newest first; all of the pod's containers except sandboxes and holders. */
  readonly containers: readonly RuntimeContainer[]
  /** Containers that never run and hold the images of its volumes. */
  readonly holders: readonly RuntimeContainer[]
}

export interface Observer {
  run(ctx: Ctx): Promise<void>
  /** Resolves when everything has been looked at once. */
  readonly synced: Promise<void>
  pod(uid: string): ObservedPod | undefined
  pods(): readonly ObservedPod[]
  /** Looks at one container now; workers call it after acting, instead of waiting for the event. */
  refresh(ctx: Ctx, id: string): Promise<void>
  /** Since when (by the clock that never jumps) the runtime does not answer; undefined while it does. */
  lostMs(): number | undefined
}

/** Pause before a broken event stream is opened again. */
const reopenMs = 1_000
/** Longest time one inspection may take before it is given up. */
const inspectMsMax = 30_000
/** Everything is looked at again this often, in case Docker lost an event. */
const relistMs = 300_000

export function createObserver(runtime: Runtime, node: string, changed: (podUid: string) => void): Observer {
  const known = new Map<string, RuntimeContainer>()
  const byPod = new Map<string, Map<string, RuntimeContainer>>()
  /** Containers that were inspected while everything is looked at: what is known of them is newer than that look. */
  let inspected: Set<string> | undefined
  let lostMs: number | undefined
  const { promise: synced, resolve: isSynced } = Promise.withResolvers<void>()

  const put = (c: RuntimeContainer): void => {
    known.set(c.id, c)
    const uid = podUidOf(c)
    const pod = byPod.get(uid) ?? new Map<string, RuntimeContainer>()
    pod.set(c.id, c)
    byPod.set(uid, pod)
  }
  const drop = (id: string): string | undefined => {
    const uid = known.get(id) === undefined ? undefined : podUidOf(known.get(id) as RuntimeContainer)
    known.delete(id)
    if (uid === undefined) return undefined
    byPod.get(uid)?.delete(id)
    if (byPod.get(uid)?.size === 0) byPod.delete(uid)
    return uid
  }
  const refresh = async (ctx: Ctx, id: string): Promise<void> => {
    const seen = await withTimeout(ctx, inspectMsMax, (ctx) => runtime.inspect(ctx, id))
    inspected?.add(id)
    if (seen === undefined) {
      const uid = drop(id)
      if (uid !== undefined) changed(uid)
      return
    }
    if (seen.labels[label.node] !== node) return
    const before = known.get(id)
    put(seen)
    if (before === undefined || JSON.stringify(before) !== JSON.stringify(seen)) changed(podUidOf(seen))
  }
  const relist = async (ctx: Ctx): Promise<void> => {
    const newer = (inspected = new Set<string>())
    const all = (await runtime.containers(ctx, { [label.node]: node })).filter((c) => !newer.has(c.id))
    inspected = undefined
    lostMs = undefined
    const ids = new Set([...all.map((c) => c.id), ...newer])
    const touched = new Set<string>()
    for (const id of known.keys()) {
      if (ids.has(id)) continue
      const uid = drop(id)
      if (uid !== undefined) touched.add(uid)
    }
    for (const c of all) {
      if (JSON.stringify(known.get(c.id)) !== JSON.stringify(c)) touched.add(podUidOf(c))
      put(c)
    }
    for (const uid of touched) changed(uid)
    isSynced()
  }
  const follow = async (ctx: Ctx): Promise<void> => {
    // Events first: what happens while everything is looked at must not be lost.
    const stream = runtime.events(ctx, { [label.node]: node })[Symbol.asyncIterator]()
    const first = stream.next()
    first.catch(() => undefined)
    await relist(ctx)
    let next = await first
    while (next.done !== true) {
      await refresh(ctx, next.value.containerId).catch((error: unknown) => ctx.log.warn('container not inspected', { id: next.value?.containerId, error }))
      next = await stream.next()
    }
  }
  return {
    synced,
    refresh,
    lostMs: () => lostMs,
    pod(uid) {
      const of = byPod.get(uid)
      return of === undefined ? undefined : observedOf(uid, [...of.values()])
    },
    pods: () => [...byPod].map(([uid, of]) => observedOf(uid, [...of.values()])),
    async run(ctx) {
      while (!ctx.signal.aborted) {
        try {
          // A quiet stream may be a dead one: withTimeout opens it anew now and then, and everything is seen again.
          await withTimeout(ctx, relistMs, follow)
        } catch (error) {
          if (ctx.signal.aborted) break
          if (!(error instanceof DOMException && error.name === 'TimeoutError')) {
            lostMs ??= ctx.clock.monotonic()
            ctx.log.warn('container runtime events', { error })
            await Promise.race([ctx.clock.sleep(reopenMs, ctx.signal).catch(() => undefined), aborted(ctx.signal)])
          }
        }
      }
    },
  }
}

function observedOf(uid: string, all: readonly RuntimeContainer[]): ObservedPod {
  const newest = all.toSorted((a, b) => attemptOf(b) - attemptOf(a) || b.createdMs - a.createdMs)
  const any = newest[0]
  return {
    uid,
    namespace: any?.labels[label.podNamespace] ?? '',
    name: any?.labels[label.podName] ?? '',
    sandboxes: newest.filter(isSandbox),
    containers: newest.filter((c) => !isSandbox(c) && !isHolder(c)),
    holders: newest.filter(isHolder),
  }
}

/** The newest container of that name. */
export function newest(pod: ObservedPod | undefined, name: string): RuntimeContainer | undefined {
  return pod?.containers.find((c) => containerNameOf(c) === name)
}
