/** Cgroups for tests: remembers limits, uses what a test says. */
import type { Cgroups, GroupLimits } from './cgroups.ts'

export interface FakeCgroups extends Cgroups {
  readonly groups: Map<string, GroupLimits>
  /** What was set on groups that were there, in order. */
  readonly sets: Partial<GroupLimits>[]
  /** What groups and processes are said to use; for tests to change. */
  readonly use: { podBytes: number; processBytes: number }
}

export function fakeCgroups(): FakeCgroups {
  const groups = new Map<string, GroupLimits>()
  const sets: Partial<GroupLimits>[] = []
  const use = { podBytes: 0, processBytes: 0 }
  const nothing = { cpuNs: 0, memoryBytes: 0, workingSetBytes: 0 }
  return {
    groups,
    sets,
    use,
    version: async () => 2,
    ensure: async (_ctx, path, limits) => void groups.set(path, limits),
    state: async (path) => {
      const limits = groups.get(path)
      return limits === undefined ? undefined : { ...limits, usageBytes: use.podBytes }
    },
    resize: async (path, limits) => {
      const before = groups.get(path)
      if (before === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`)
      sets.push(limits)
      groups.set(path, { ...before, ...limits })
    },
    remove: async (_ctx, path) => void groups.delete(path),
    usage: async () => ({ ...nothing, memoryBytes: use.processBytes }),
    machine: async () => nothing,
  }
}
