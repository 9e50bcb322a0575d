/**
 * Gives a folder and all that is in it to a group. Other pods may have the volume, too, and change it meanwhile: what was
 * looked at is what is given away, and a folder that becomes a link leads nowhere. (Paths below /proc/self/fd are those
 * of what is open, whatever its name is by then.)
 */
import { constants } from 'node:fs'
import { chmod, chown, open, readdir } from 'node:fs/promises'

const forFiles = 0o660
const forFolders = 0o2770
/** Opened for nothing but being named. */
const oPath = 0x200000
/** Each level holds a descriptor. */
const levelsMax = 256

/** The group may read and write everything, and what is made is the group's. */
export async function giveTo(path: string, group: number, level = 0): Promise<void> {
  if (level > levelsMax) throw new Error(`folders are nested more than ${levelsMax} deep`)
  const handle = await open(path, oPath | constants.O_NOFOLLOW)
  try {
    const info = await handle.stat()
    if (info.isSymbolicLink()) return
    const self = `/proc/self/fd/${handle.fd}`
    await chown(self, info.uid, group)
    await chmod(self, (info.mode & 0o7777) | (info.isDirectory() ? forFolders : forFiles))
    if (!info.isDirectory()) return
    for (const name of await readdir(self)) await giveTo(`${self}/${name}`, group, level + 1).catch(unlessGone)
  } finally {
    await handle.close()
  }
}

/** Taken away by another pod since it was listed. */
function unlessGone(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}

/** Whether the folder itself is the group's already. */
export function belongs({ gid, mode }: { readonly gid: number; readonly mode: number }, group: number): boolean {
  return gid === group && (mode & forFolders) === forFolders
}
