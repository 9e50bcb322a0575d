/** The folder server/manifests of the data dir, as the manifests controller reads it. */
import { watch } from 'node:fs'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ManifestFiles } from './controllers/manifests.ts'

/** A manifest larger than this is passed over: no object may be larger than 3 MiB. */
const fileBytesMax = 16 * 1_024 * 1_024

export async function manifestFolder(directory: string): Promise<ManifestFiles> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  return {
    async read(ctx) {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true })
      const names = entries.filter((e) => e.isFile() && /\.(ya?ml|json)$/.test(e.name)).map((e) => join(e.parentPath, e.name).slice(directory.length + 1))
      const files = await Promise.all(names.toSorted().map(async (name) => ({ name, text: await readFile(join(directory, name), 'utf8') })))
      return files.filter((file) => {
        if (file.text.length <= fileBytesMax) return true
        ctx.log.warn('manifest is too large', { file: file.name })
        return false
      })
    },
    watch(ctx, bell) {
      const watcher = watch(directory, { recursive: true }, () => bell.ring())
      watcher.on('error', (error) => ctx.log.warn('manifests are not watched', { error }))
      ctx.signal.addEventListener('abort', () => watcher.close(), { once: true })
    },
  }
}
