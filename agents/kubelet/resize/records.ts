/**
 * What was granted to each pod and what of it is in force, kept in the pod's folder, so that a kubelet that starts anew runs
 * its pods as the one before did. Memory first, disk soon after: nobody waits for it, because what is lost with a crash is
 * decided again, and what runs is looked at. It goes with the folder.
 */
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ctx } from '../../../core/lib/ctx.ts'
import type { Group } from '../../../core/lib/group.ts'
import type { GroupLimits } from '../../host/cgroups.ts'
import type { ContainerResources } from '../../host/runtime.ts'
import type { Allocation } from './allocation.ts'

export interface PodRecord {
  readonly allocation: Allocation
  /** Limits of the pod's control group as they were set last. */
  readonly group?: GroupLimits
  /** By name, what the container that runs was given last. */
  readonly inForce: Readonly<Record<string, InForce>>
}

/** What the runtime was told, not what it says: a machine may lack a controller, and memory requests it never hears of. */
export interface InForce {
  readonly id: string
  readonly resources: ContainerResources
  readonly memoryRequest: string
}

export interface Records {
  get(uid: string): PodRecord | undefined
  /** Changes a record, or begins one with this allocation. */
  set(uid: string, change: Partial<PodRecord> & Pick<PodRecord, 'allocation'>): void
  /** Changes a record that there is. */
  note(uid: string, change: Partial<PodRecord>): void
  /** Nothing of that pod is being written: its folder can go. */
  settled(uid: string): Promise<void>
  forget(uid: string): void
}

const fileName = 'allocation.json'

/** With every record that lies below `podsDir`. One that cannot be read is none: its pod is run as the API wants it. */
export async function openRecords(group: Group, podsDir: string): Promise<Records> {
  const known = new Map<string, PodRecord>()
  for (const uid of await readdir(podsDir)) {
    const text = await readFile(join(podsDir, uid, fileName), 'utf8').catch(() => undefined)
    if (text === undefined) continue
    try {
      known.set(uid, JSON.parse(text) as PodRecord)
    } catch (error) {
      group.ctx.log.warn('allocation not read', { uid, error })
    }
  }
  return recordsIn(group, podsDir, known)
}

export function recordsIn(group: Group, podsDir: string, known = new Map<string, PodRecord>()): Records {
  /** As they lie on disk. */
  const stored = new Map(known)
  const writing = new Map<string, Promise<void>>()

  const write = async (ctx: Ctx, uid: string): Promise<void> => {
    for (let now = known.get(uid); now !== undefined && stored.get(uid) !== now; now = known.get(uid)) {
      const dir = join(podsDir, uid)
      try {
        await mkdir(dir, { recursive: true, mode: 0o750 })
        await writeFile(join(dir, `${fileName}.new`), JSON.stringify(now), { mode: 0o600 })
        await rename(join(dir, `${fileName}.new`), join(dir, fileName))
      } catch (error) {
        ctx.log.warn('allocation not written', { uid, error }) // the next change brings it along
        return
      }
      stored.set(uid, now)
    }
  }
  const put = (uid: string, next: PodRecord): void => {
    if (JSON.stringify(known.get(uid)) === JSON.stringify(next)) return
    known.set(uid, next)
    if (writing.has(uid)) return
    const { promise, resolve } = Promise.withResolvers<void>()
    writing.set(uid, promise)
    group.go('allocation', (ctx) =>
      write(ctx, uid).finally(() => {
        writing.delete(uid)
        resolve()
      }),
    )
  }
  return {
    get: (uid) => known.get(uid),
    set: (uid, change) => put(uid, { inForce: {}, ...known.get(uid), ...change }),
    note(uid, change) {
      const before = known.get(uid)
      if (before !== undefined) put(uid, { ...before, ...change })
    },
    settled: async (uid) => await writing.get(uid),
    forget(uid) {
      known.delete(uid)
      stored.delete(uid)
    },
  }
}
