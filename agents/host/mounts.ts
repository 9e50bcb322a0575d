/**
 * Mounts of the machine: tmpfs and bind mounts for volumes. Through mount(2)
 * (0.1 ms), or the mount command (16 ms) where bun:ffi cannot be used.
 */
import { readFile } from 'node:fs/promises'
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Exec } from './exec.ts'
import { libc, type Libc } from './libc.ts'

export interface Mounts {
  /** sizeBytes 0: the kernel's own limit (half of memory). */
  tmpfs(ctx: Ctx, target: string, options: { readonly sizeBytes: number; readonly mode: number }): Promise<void>
  bind(ctx: Ctx, source: string, target: string): Promise<void>
  /** Shows these folders as one, the first on top; nobody can write to it. */
  layers(ctx: Ctx, folders: readonly string[], target: string): Promise<void>
  /** Lets go of everything mounted at `target`; quiet when nothing is. */
  unmount(ctx: Ctx, target: string): Promise<void>
  /** Mount points at or below `path`, deepest first. */
  under(ctx: Ctx, path: string): Promise<readonly string[]>
}

const msBind = 4096
const msRec = 16384
const msNosuidNodev = 2 | 4
const msReadOnly = 1
const msRemount = 32
const mntDetach = 2
/** mount(2) takes no more data than this. */
const pageBytes = 4096

export function systemMounts(exec: Exec): Mounts {
  return {
    async tmpfs(ctx, target, { sizeBytes, mode }) {
      const data = [`mode=${mode.toString(8)}`, ...(sizeBytes > 0 ? [`size=${sizeBytes}`] : [])].join(',')
      const c = await libc()
      if (c !== undefined) c.mount('tmpfs', target, 'tmpfs', msNosuidNodev, data)
      else await exec.run(ctx, 'mount', ['-t', 'tmpfs', '-o', `nosuid,nodev,${data}`, 'tmpfs', target])
    },
    async bind(ctx, source, target) {
      const c = await libc()
      if (c !== undefined) c.mount(source, target, '', msBind | msRec, '')
      else await exec.run(ctx, 'mount', ['--rbind', source, target])
    },
    async layers(ctx, folders, target) {
      const c = await libc()
      const [only, ...below] = folders
      if (only !== undefined && below.length === 0) return bindReadOnly(ctx, c, exec, { source: only, target })
      const data = `lowerdir=${folders.map((folder) => folder.replaceAll(/[\\:,]/g, String.raw`\$&`)).join(':')}`
      if (c !== undefined && data.length < pageBytes) c.mount('overlay', target, 'overlay', msReadOnly | msNosuidNodev, data)
      else await exec.run(ctx, 'mount', ['-t', 'overlay', '-o', `ro,nosuid,nodev,${data}`, 'overlay', target])
    },
    async unmount(ctx, target) {
      if (!(await mountPoints()).includes(target)) return
      const c = await libc()
      if (c !== undefined) c.umount(target, mntDetach)
      else await exec.run(ctx, 'umount', ['-l', target])
    },
    under: async (_ctx, path) => (await mountPoints()).filter((at) => at === path || at.startsWith(`${path}/`)).toReversed(),
  }
}

/** An overlay wants two folders at least; of one the kernel takes "read-only" only once it is mounted. */
async function bindReadOnly(ctx: Ctx, c: Libc | undefined, exec: Exec, { source, target }: { readonly source: string; readonly target: string }): Promise<void> {
  if (c === undefined) {
    await exec.run(ctx, 'mount', ['--bind', source, target])
    await exec.run(ctx, 'mount', ['-o', 'remount,bind,ro,nosuid,nodev', target])
    return
  }
  c.mount(source, target, '', msBind, '')
  c.mount('', target, '', msRemount | msBind | msReadOnly | msNosuidNodev, '')
}

/** Every mount point this process sees, in mount order. */
async function mountPoints(): Promise<readonly string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
  return lines.flatMap((line) => {
    const at = line.split(' ')[4]
    return at === undefined ? [] : [at.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))]
  })
}
