/** hostPath: a path of the node, of the type that the pod says it must have. */
import { lstat, mkdir, open, stat } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import type { HostPathVolumeSource } from '../../../core/api/schema/types.ts'
import type { VolumePlugin } from '../volumes.ts'

export const hostPathVolume: VolumePlugin<HostPathVolumeSource> = {
  name: 'host-path',
  source: (volume) => volume.hostPath,
  async setUp(_ctx, { path, type = '' }) {
    if (path.split('/').includes('..')) throw new Error(`hostPath ${path} must not contain '..'`)
    const there = await stat(path).catch(() => undefined)
    if (there === undefined && type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 })
    else if (there === undefined && type === 'FileOrCreate') await (await open(path, 'a', 0o644)).close()
    // Docker made missing folders in upstream's days of old, and programs count on it.
    else if (there === undefined && type === '') {
      if ((await lstat(path).catch(() => undefined)) === undefined) await mkdir(path, { recursive: true, mode: 0o755 })
    } else check(path, type, there)
    return { hostPath: path }
  },
}

const checks: Readonly<Record<string, readonly [(info: Stats) => boolean, string]>> = {
  Directory: [(info) => info.isDirectory(), 'a directory'],
  DirectoryOrCreate: [(info) => info.isDirectory(), 'a directory'],
  File: [(info) => info.isFile(), 'a file'],
  FileOrCreate: [(info) => info.isFile(), 'a file'],
  Socket: [(info) => info.isSocket(), 'a socket file'],
  CharDevice: [(info) => info.isCharacterDevice(), 'a character device'],
  BlockDevice: [(info) => info.isBlockDevice(), 'a block device'],
}

function check(path: string, type: string, info: Stats | undefined): void {
  if (type === '') return
  const rule = checks[type]
  if (rule === undefined) throw new Error(`${type} is an invalid volume type`)
  if (info === undefined || !rule[0](info)) throw new Error(`hostPath type check failed: ${path} is not ${rule[1]}`)
}
