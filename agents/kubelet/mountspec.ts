/**
 * A container's mounts: its volumes (with sub-paths), hosts, resolv.conf and the
 * termination message. A sub-path is walked step by step without following links
 * and pinned with a bind mount, so that a container that swaps a folder for a link
 * cannot lead the next one out of its volume (CVE-2017-1002101).
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Container, VolumeMount } from '../../core/api/schema/types.ts'
import type { Mounts } from '../host/mounts.ts'
import type { ContainerMount } from '../host/runtime.ts'
import { expand } from './env.ts'

export interface MountInput {
  readonly container: Readonly<Container>
  readonly podDir: string
  /** Volume name to its path on the host. */
  readonly volumes: ReadonlyMap<string, string>
  /** Volumes that no container may write to. */
  readonly readOnly?: ReadonlySet<string>
  readonly env: ReadonlyMap<string, string>
  /** Files that every container gets, by path in it; a volume at the same path wins. */
  readonly given: ReadonlyMap<string, string>
  readonly attempt: number
}

export async function mountsOf(ctx: Ctx, mounts: Mounts, input: MountInput): Promise<readonly ContainerMount[]> {
  const { container, volumes, given } = input
  const list: ContainerMount[] = []
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    const root = volumes.get(mount.name)
    if (root === undefined) throw new Error(`cannot find volume "${mount.name}" to mount into container "${container.name}"`)
    if (mount.recursiveReadOnly === 'Enabled') throw new Error(`volume "${mount.name}" requested recursive read-only mode, but it is not supported by the runtime`)
    const sub = subPathOf(mount, input.env)
    const source = sub === '' ? root : await pin(ctx, mounts, input, { root, sub, mount, index: i })
    list.push({ source, target: mount.mountPath, readOnly: mount.readOnly === true || input.readOnly?.has(mount.name) === true, propagation: propagationOf(mount.mountPropagation) })
  }
  const taken = new Set(list.map((m) => m.target.replace(/\/+$/, '')))
  for (const [target, source] of given) if (!taken.has(target)) list.push({ source, target, readOnly: false, propagation: 'rprivate' })
  return list
}

function propagationOf(mode: string | undefined): ContainerMount['propagation'] {
  return mode === 'Bidirectional' ? 'rshared' : mode === 'HostToContainer' ? 'rslave' : 'rprivate'
}

function subPathOf(mount: Readonly<VolumeMount>, env: ReadonlyMap<string, string>): string {
  let sub = mount.subPath ?? ''
  if (mount.subPathExpr !== undefined && mount.subPathExpr !== '') {
    const missing: string[] = []
    sub = expand(mount.subPathExpr, (name) => {
      const value = env.get(name)
      if (value === undefined) missing.push(name)
      return value ?? ''
    })
    if (missing.length > 0) throw new Error(`missing value for ${missing.toSorted().join(', ')}`)
  }
  if (sub.startsWith('/')) throw new Error(`error SubPath \`${sub}\` must not be an absolute path`)
  if (sub.split('/').includes('..')) throw new Error(`unable to provision SubPath \`${sub}\`: must not contain '..'`)
  return sub.split('/').filter((step) => step !== '' && step !== '.').join('/')
}

interface Pin {
  readonly root: string
  readonly sub: string
  readonly mount: Readonly<VolumeMount>
  readonly index: number
}

/** Binds `root/sub` to a place of the pod's own and returns that place. */
async function pin(ctx: Ctx, mounts: Mounts, input: MountInput, { root, sub, mount, index }: Pin): Promise<string> {
  const fail = (why: string): Error => new Error(`failed to prepare subPath for volumeMount "${mount.name}" of container "${input.container.name}": ${why}`)
  const rootReal = await realpath(root)
  await makeInside(rootReal, sub).catch((error: unknown) => {
    throw new Error(`failed to create subPath directory for volumeMount "${mount.name}" of container "${input.container.name}"`, { cause: error })
  })
  const wanted = await realpath(join(rootReal, sub))
  const inside = relative(rootReal, wanted)
  if (outside(inside)) throw fail(`subpath "${sub}" not within volume path`)
  const fd = openStepwise(rootReal, inside)
  try {
    const place = join(input.podDir, 'volume-subpaths', mount.name, input.container.name, String(index))
    await mounts.unmount(ctx, place)
    mkdirSync(dirname(place), { recursive: true, mode: 0o750 })
    if (fstatSync(fd).isDirectory()) mkdirSync(place, { recursive: true, mode: 0o750 })
    else writeFileSync(place, '', { mode: 0o640 })
    await mounts.bind(ctx, `/proc/self/fd/${fd}`, place)
    return place
  } finally {
    closeSync(fd)
  }
}

/** Not a matter of the first two letters: volumes of objects have folders named `..data`. */
const outside = (path: string): boolean => path === '..' || path.startsWith('../')

/** Makes what is missing of the sub-path. What is there may have links, as long as they lead nowhere else. */
async function makeInside(root: string, sub: string): Promise<void> {
  let at = root
  const steps = sub.split('/')
  for (const [i, step] of steps.entries()) {
    const real = await realpath(join(at, step)).catch(() => undefined)
    if (real === undefined) return makeBelow(openStepwise(root, relative(root, at)), steps.slice(i))
    if (outside(relative(root, real))) throw new Error(`${sub} leads out of its volume`)
    at = real
  }
}

/** Each folder in the one that is open, whatever became of its path. Takes the descriptor over. */
function makeBelow(folder: number, steps: readonly string[]): void {
  let fd = folder
  try {
    for (const step of steps) {
      mkdirSync(`/proc/self/fd/${fd}/${step}`, { mode: 0o777 })
      fd = stepInto(fd, step)
    }
  } finally {
    closeSync(fd)
  }
}

/** Opens a path one folder at a time, refusing links: what was checked is what is opened. */
function openStepwise(root: string, inside: string): number {
  let fd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    for (const step of inside.split('/').filter((s) => s !== '')) fd = stepInto(fd, step)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

const oPath = 0x200000

/** What is there of that name, instead of the folder that was open. */
function stepInto(fd: number, step: string): number {
  const next = openSync(`/proc/self/fd/${fd}/${step}`, oPath | constants.O_NOFOLLOW)
  if (fstatSync(next).isSymbolicLink()) {
    closeSync(next)
    throw new Error(`${step} became a link`)
  }
  closeSync(fd)
  return next
}
