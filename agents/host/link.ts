/**
 * Network devices, addresses, routes, neighbours and network sysctls through
 * iproute2's batch mode: many changes in one process. It knows no pods and no
 * nodes; callers write the lines. Every call can run in another namespace.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Exec } from './exec.ts'
import { libc } from './libc.ts'

export interface LinkOptions {
  /** Path of the namespace to work in, e.g. /proc/1234/ns/net; the link's own when left out. */
  readonly netns?: string
  /** Goes on after a line that fails (what is gone already), and fails for none. */
  readonly force?: boolean
}

export interface Link {
  /** Lines of `ip -batch`: `link add ...`, `route replace ...`. */
  ip(ctx: Ctx, lines: readonly string[], options?: LinkOptions): Promise<void>
  /** Lines of `bridge -batch`: `fdb replace ...`. */
  bridge(ctx: Ctx, lines: readonly string[], options?: LinkOptions): Promise<void>
  /** What `ip -j ...` prints; [] when the device is not there. */
  show(ctx: Ctx, args: readonly string[], options?: LinkOptions): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** What `bridge -j fdb show dev ...` prints; [] when the device is not there. */
  fdb(ctx: Ctx, device: string): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** Writes under /proc/sys/net: `{ 'ipv4/ip_forward': '1' }`; what is so already is not written. */
  sysctl(ctx: Ctx, values: Readonly<Record<string, string>>, options?: LinkOptions): Promise<void>
}

/** `netns`: path of a network namespace that is not the process's own. */
export function createLink(exec: Exec, netns?: string): Link {
  const batch = async (ctx: Ctx, tool: string, lines: readonly string[], options: LinkOptions): Promise<void> => {
    if (lines.length === 0) return
    const args = options.force === true ? ['-force', '-batch', '-'] : ['-batch', '-']
    // iproute2 ends with 1 when any forced line failed; that is no news to the caller.
    const okCodes = options.force === true ? [1, 2, 255] : []
    await inNamespace(exec, options.netns ?? netns).run(ctx, tool, args, { input: `${lines.join('\n')}\n`, okCodes })
  }
  const json = async (ctx: Ctx, tool: string, args: readonly string[], path: string | undefined): Promise<readonly Record<string, unknown>[]> => {
    const done = await inNamespace(exec, path).run(ctx, tool, ['-j', ...args], { okCodes: [1, 255] })
    return done.code !== 0 || done.stdout.trim() === '' ? [] : (JSON.parse(done.stdout) as Record<string, unknown>[])
  }
  return {
    ip: (ctx, lines, options = {}) => batch(ctx, 'ip', lines, options),
    bridge: (ctx, lines, options = {}) => batch(ctx, 'bridge', lines, options),
    show: (ctx, args, options = {}) => json(ctx, 'ip', args, options.netns ?? netns),
    fdb: (ctx, device) => json(ctx, 'bridge', ['fdb', 'show', 'dev', device], netns),
    async sysctl(_ctx, values, options = {}) {
      const path = options.netns ?? netns
      const write = (): void => {
        for (const [name, value] of Object.entries(values)) {
          const file = `/proc/sys/net/${name}`
          if (readFileSync(file, 'utf8').trim() !== value) writeFileSync(file, value)
        }
      }
      if (path === undefined) return write()
      // /proc/sys/net shows the namespace of the thread that opens it.
      const c = await libc()
      if (c === undefined) throw new Error(`set sysctls in ${path}: setns is not available`)
      c.inNetns(path, write)
    },
  }
}

/** The same door, but every command runs in the network namespace at `path`. */
export function inNamespace(exec: Exec, path: string | undefined): Exec {
  if (path === undefined) return exec
  return { run: (ctx, command, args, options) => exec.run(ctx, 'nsenter', [`--net=${path}`, command, ...args], options) }
}
