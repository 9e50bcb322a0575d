/**
 * The few system calls that have no Node API, through bun:ffi: mount(2),
 * umount2(2), setns(2). All are synchronous and quick. Where bun:ffi or the C
 * library cannot be loaded, libc() is undefined and callers take another way.
 */
import { openSync, closeSync } from 'node:fs'

export interface Libc {
  /** Each throws an Error with the errno's name. */
  mount(source: string, target: string, type: string, flags: number, data: string): void
  umount(target: string, flags: number): void
  /** Runs `work`, which must not wait, in the network namespace at `path`, and comes back. */
  inNetns<T>(path: string, work: () => T): T
}

let loaded: Libc | undefined | 'not tried' = 'not tried'

export async function libc(): Promise<Libc | undefined> {
  if (loaded === 'not tried') loaded = await load().catch(() => undefined)
  return loaded
}

const cloneNewnet = 0x40000000

async function load(): Promise<Libc | undefined> {
  const { dlopen, FFIType, read } = await import('bun:ffi')
  const { i32, u64, ptr } = FFIType
  const shared = dlopen('libc.so.6', {
    mount: { args: [ptr, ptr, ptr, u64, ptr], returns: i32 },
    umount2: { args: [ptr, i32], returns: i32 },
    setns: { args: [i32, i32], returns: i32 },
    __errno_location: { args: [], returns: ptr },
  })
  const c = shared.symbols
  const check = (code: number, what: string): void => {
    if (code === 0) return
    const where = c.__errno_location()
    const errno = where === null ? 0 : read.i32(where, 0)
    throw new Error(`${what}: ${errnoNames[errno] ?? `errno ${errno}`}`)
  }
  const text = (value: string): Buffer => Buffer.from(`${value}\0`)
  return {
    mount: (source, target, type, flags, data) =>
      check(c.mount(text(source), text(target), text(type), flags, text(data)), `mount ${type || source} at ${target}`),
    umount: (target, flags) => check(c.umount2(text(target), flags), `unmount ${target}`),
    inNetns(path, work) {
      const home = openSync('/proc/self/ns/net', 'r')
      try {
        const there = openSync(path, 'r')
        try {
          check(c.setns(there, cloneNewnet), `enter ${path}`)
          try {
            return work()
          } finally {
            check(c.setns(home, cloneNewnet), 'come back from a network namespace')
          }
        } finally {
          closeSync(there)
        }
      } finally {
        closeSync(home)
      }
    },
  }
}

const errnoNames: Readonly<Record<number, string>> = {
  1: 'EPERM', 2: 'ENOENT', 12: 'ENOMEM', 13: 'EACCES', 16: 'EBUSY', 19: 'ENODEV', 20: 'ENOTDIR', 22: 'EINVAL', 30: 'EROFS', 40: 'ELOOP',
}
