/** Files out of objects: what configMap, secret, downwardAPI and projected volumes share. */
import { mkdir } from 'node:fs/promises'
import { notFound } from '../../../core/api/errors.ts'
import type { Ctx } from '../../../core/lib/ctx.ts'
import type { DownwardAPIVolumeFile, KeyToPath } from '../../../core/api/schema/types.ts'
import { writeAtomically, type FileContent } from '../atomic.ts'
import { fieldValue, resourceValue } from '../fields.ts'
import { findContainer } from '../spec.ts'
import type { VolumeEnv } from '../volumes.ts'

export type Files = Map<string, FileContent>

export interface KeySelection {
  readonly items: readonly KeyToPath[] | undefined
  readonly optional: boolean
  readonly mode: number
}

/** Chosen keys (or all) of an object's data. `missing` is upstream's sentence for a key that is not there. */
export function chosen(data: ReadonlyMap<string, Uint8Array>, { items, optional, mode }: KeySelection, missing: string): Files {
  const files: Files = new Map()
  if (items === undefined || items.length === 0) {
    for (const [key, bytes] of data) files.set(key, { data: bytes, mode })
    return files
  }
  for (const item of items) {
    const bytes = data.get(item.key)
    if (bytes !== undefined) files.set(item.path, { data: bytes, mode: item.mode ?? mode })
    else if (!optional) throw new Error(`${missing}: ${item.key}`)
  }
  return files
}

export async function configMapFiles(env: VolumeEnv, name: string, selection: KeySelection): Promise<Files> {
  const object = await env.configMap(name)
  if (object === undefined) {
    if (selection.optional) return new Map()
    throw notFound({ group: '', resource: 'configmap' }, name)
  }
  const data = new Map<string, Uint8Array>()
  for (const [key, value] of Object.entries(object.data ?? {})) data.set(key, Buffer.from(value))
  for (const [key, value] of Object.entries(object.binaryData ?? {})) data.set(key, Buffer.from(value, 'base64'))
  return chosen(data, selection, 'configmap references non-existent config key')
}

export async function secretFiles(env: VolumeEnv, name: string, selection: KeySelection): Promise<Files> {
  const object = await env.secret(name)
  if (object === undefined) {
    if (selection.optional) return new Map()
    throw notFound({ group: '', resource: 'secret' }, name)
  }
  const data = new Map(Object.entries(object.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]))
  return chosen(data, selection, 'references non-existent secret key')
}

export function downwardFiles(env: VolumeEnv, items: readonly DownwardAPIVolumeFile[], mode: number): Files {
  const files: Files = new Map()
  for (const item of items) files.set(item.path.replace(/^\.\//, ''), { data: Buffer.from(downwardText(env, item)), mode: item.mode ?? mode })
  return files
}

function downwardText(env: VolumeEnv, item: DownwardAPIVolumeFile): string {
  if (item.fieldRef !== undefined) return fieldValue(env.pod, item.fieldRef, env.fields)
  const name = item.resourceFieldRef?.containerName ?? ''
  const container = findContainer(env.pod, name)?.container
  if (item.resourceFieldRef === undefined || container === undefined) throw new Error(`container ${name} not found`)
  return resourceValue(container, item.resourceFieldRef, env.fields)
}

/** Puts the files into a folder in memory, as upstream does for everything that comes from the API. */
export async function publish(ctx: Ctx, env: VolumeEnv, path: string, files: Files, uid?: number): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o777 })
  if ((await env.mounts.under(ctx, path)).length === 0) await env.mounts.tmpfs(ctx, path, { sizeBytes: 0, mode: 0o777 })
  const gid = env.pod.spec?.securityContext?.fsGroup
  await writeAtomically(path, files, { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) }, stampOf(ctx))
}

/** Upstream's folder names: the time, then something unique. */
function stampOf(ctx: Ctx): string {
  const at = new Date(ctx.clock.now()).toISOString().slice(0, 19).replaceAll('-', '_').replaceAll(':', '_').replace('T', '_')
  return `${at}.${Math.round(ctx.clock.monotonic() * 1000)}`
}
