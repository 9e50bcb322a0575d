/**
 * Writes a set of files so that readers see the old set or the new one, never a
 * mixture: the files live in a folder named after the time, `..data` points to it,
 * and each visible name points through `..data`. Layout and names are upstream's
 * (pkg/volume/util/atomic_writer.go); programs rely on them.
 */
import { chmod, chown, lstat, mkdir, readFile, readdir, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface FileContent {
  readonly data: Uint8Array
  readonly mode: number
}

export interface Owner {
  /** undefined: root. */
  readonly uid?: number
  /** fsGroup: group of everything, with read permission. */
  readonly gid?: number
}

const dataName = '..data'
const nextName = '..data_tmp'

/** True when something changed. `stamp` names the new folder: unique and not empty. */
export async function writeAtomically(target: string, files: ReadonlyMap<string, FileContent>, owner: Owner, stamp: string): Promise<boolean> {
  for (const path of files.keys()) checkPath(path)
  const old = await readlink(join(target, dataName)).catch(() => undefined)
  if (old !== undefined && (await same(join(target, old), files))) {
    await linkVisible(target, files)
    return false
  }
  const folder = `..${stamp}`
  await mkdir(join(target, folder), { mode: 0o755 })
  await chmod(join(target, folder), 0o755)
  for (const [path, file] of files) await writeOne(join(target, folder), path, file, owner)
  if (owner.gid !== undefined) {
    await chown(target, 0, owner.gid)
    await chmod(target, 0o2775)
    await chown(join(target, folder), 0, owner.gid)
    await chmod(join(target, folder), 0o2775)
  }
  await rm(join(target, nextName), { force: true })
  await symlink(folder, join(target, nextName))
  await rename(join(target, nextName), join(target, dataName))
  await linkVisible(target, files)
  await removeStale(target, files)
  if (old !== undefined) await rm(join(target, old), { recursive: true, force: true })
  return true
}

/** Paths come from users' objects: they must stay inside. */
function checkPath(path: string): void {
  if (path === '' || path.startsWith('/') || path.startsWith('..') || path.split('/').includes('..')) throw new Error(`invalid path: ${path}`)
}

async function writeOne(folder: string, path: string, { data, mode }: FileContent, owner: Owner): Promise<void> {
  const at = join(folder, path)
  await mkdir(dirname(at), { recursive: true, mode: 0o755 })
  await writeFile(at, data)
  // Ownership first: a change of owner clears mode bits.
  if (owner.uid !== undefined || owner.gid !== undefined) await chown(at, owner.uid ?? 0, owner.gid ?? 0)
  await chmod(at, owner.gid === undefined ? mode : mode | 0o440)
}

async function same(folder: string, files: ReadonlyMap<string, FileContent>): Promise<boolean> {
  const have = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  if (have.filter((entry) => entry.isFile()).length !== files.size) return false
  for (const [path, file] of files) {
    const at = join(folder, path)
    const [data, info] = await Promise.all([readFile(at).catch(() => undefined), stat(at).catch(() => undefined)])
    if (data === undefined || info === undefined || !data.equals(file.data) || (info.mode & file.mode) !== file.mode) return false
  }
  return true
}

const topOf = (path: string): string => path.split('/')[0] ?? path

async function linkVisible(target: string, files: ReadonlyMap<string, FileContent>): Promise<void> {
  for (const name of new Set([...files.keys()].map(topOf))) {
    const there = await lstat(join(target, name)).catch(() => undefined)
    if (there === undefined) await symlink(join(dataName, name), join(target, name))
  }
}

async function removeStale(target: string, files: ReadonlyMap<string, FileContent>): Promise<void> {
  const wanted = new Set([...files.keys()].map(topOf))
  for (const name of await readdir(target)) if (!name.startsWith('..') && !wanted.has(name)) await rm(join(target, name), { recursive: true, force: true })
}
