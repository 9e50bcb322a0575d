/** Mounts for tests: a map of mount points, nothing on the machine. */
import type { Mounts } from './mounts.ts'

export interface FakeMounts extends Mounts {
  /** target -> what is there: `tmpfs size=N`, or the bind's source. */
  readonly table: Map<string, string>
}

export function fakeMounts(): FakeMounts {
  const table = new Map<string, string>()
  return {
    table,
    tmpfs: async (_ctx, target, { sizeBytes }) => void table.set(target, `tmpfs size=${sizeBytes}`),
    bind: async (_ctx, source, target) => void table.set(target, source),
    layers: async (_ctx, folders, target) => void table.set(target, `overlay ${folders.join(':')}`),
    unmount: async (_ctx, target) => void table.delete(target),
    under: async (_ctx, path) => [...table.keys()].filter((at) => at === path || at.startsWith(`${path}/`)).toReversed(),
  }
}
