/**
 * What was granted to each pod and what of it is in force, kept in the pod's folder, so that a kubelet that starts anew runs
 * its pods as the one before did. Memory first, disk after: who acts on a record waits for saved(). It goes with the folder. The
 * disk is not waited for: a machine that loses power starts its pods anew anyway.
 */
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ctx } from '../../../core/lib/ctx.ts'
import type { GroupLimits } from '../../host/cgroups.ts'
import type { Allocation } from './allocation.ts'

export interface PodRecord {
  readonly allocation: Allocation
  /** Limits of the pod's control group as they were set last. */
  readonly group?: GroupLimits
  /** Memory requests that are in force, by container: the kernel does not know them. */
  readonly memoryRequests: Readonly<Record<string, string>>
}

export interface Records {
  get(uid: string): PodRecord | undefined
  /** Changes a record, or begins one with this allocation. */
  set(uid: string, change: Partial<PodRecord> & Pick<PodRecord, 'allocation'>): void
  note(uid: string, change: Partial<PodRecord>): void
  /** The record as it is now is on disk. */
  saved(ctx: Ctx, uid: string): Promise<void>
  forget(uid: string): void
}

const fileName = 'allocation.json'

/** With every record that lies below `podsDir`. One that cannot be read is none: its pod is run as the API wants it. */
export async function openRecords(ctx: Ctx, podsDir: string): Promise<Records> {
  const known = new Map<string, PodRecord>()
  for (const uid of await readdir(podsDir)) {
    const text = await readFile(join(podsDir, uid, fileName), 'utf8').catch(() => undefined)
    if (text === undefined) continue
    try {
      known.set(uid, JSON.parse(text) as PodRecord)
    } catch (error) {
      ctx.log.warn('allocation not read', { uid, error })
    }
  }
  return recordsIn(podsDir, known)
}

export function recordsIn(podsDir: string, known = new Map<string, PodRecord>()): Records {
  /** As they lie on disk. */
  const stored = new Map(known)
  const put = (uid: string, next: PodRecord): void => {
    if (JSON.stringify(known.get(uid)) !== JSON.stringify(next)) known.set(uid, next)
  }
  return {
    get: (uid) => known.get(uid),
    set: (uid, change) => put(uid, { memoryRequests: {}, ...known.get(uid), ...change }),
    note(uid, change) {
      const before = known.get(uid)
      if (before !== undefined) put(uid, { ...before, ...change })
    },
    async saved(_ctx, uid) {
      const now = known.get(uid)
      if (now === undefined || stored.get(uid) === now) return
      const dir = join(podsDir, uid)
      await mkdir(dir, { recursive: true, mode: 0o750 })
      await writeFile(join(dir, `${fileName}.new`), JSON.stringify(now), { mode: 0o600 })
      await rename(join(dir, `${fileName}.new`), join(dir, fileName))
      stored.set(uid, now)
    },
    forget(uid) {
      known.delete(uid)
      stored.delete(uid)
    },
  }
}
