/** Cgroups for tests: remembers limits, uses nothing. */
import type { Cgroups, GroupLimits } from './cgroups.ts'

export interface FakeCgroups extends Cgroups {
  readonly groups: Map<string, GroupLimits>
}

export function fakeCgroups(): FakeCgroups {
  const groups = new Map<string, GroupLimits>()
  const nothing = { cpuNs: 0, memoryBytes: 0, workingSetBytes: 0 }
  return {
    groups,
    version: async () => 2,
    ensure: async (_ctx, path, limits) => void groups.set(path, limits),
    remove: async (_ctx, path) => void groups.delete(path),
    usage: async () => nothing,
    machine: async () => nothing,
  }
}
