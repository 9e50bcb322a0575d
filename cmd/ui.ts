/** The dashboard's files, out of the executable. */
import { readFileSync } from 'node:fs'
import { asset } from './assets.ts'

export function uiFile(name: string): Uint8Array | undefined {
  const path = asset(`ui/${name}`)
  return path === undefined ? undefined : readFileSync(path)
}
