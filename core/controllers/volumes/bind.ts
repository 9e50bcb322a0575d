/**
 * Binding: the writes that make a claim and a volume refer to each other, one after the other, each only where it is
 * missing, so that whoever is interrupted goes on where it was. What is bound to what is claimplan.ts's decision.
 */
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { annotate, annotationOf, bindingAnnotations, boundTo, capacityOf } from '../../api/core/volumebinding.ts'
import { compareQuantities } from '../../api/quantity.ts'
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimStatus } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import type { Newest } from '../../client/newest.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'

/** A volume that was enlarged before its file system was: the size that its claim still has. */
export const preResizeCapacity = 'volume.alpha.kubernetes.io/pre-resize-capacity'

type Volume = Readonly<PersistentVolume>
type Claim = Readonly<PersistentVolumeClaim>

/** Writes both kinds and remembers what was written. */
export interface Books {
  readonly client: Client
  readonly volumes: Newest<PersistentVolume>
  readonly claims: Newest<PersistentVolumeClaim>
}

export async function writeVolume(ctx: Ctx, { client, volumes }: Books, next: PersistentVolume, subresource?: 'status'): Promise<Volume> {
  const written = await client.update(ctx, persistentVolumes, next, subresource === undefined ? {} : { subresource })
  volumes.wrote(written)
  return written
}

export async function writeClaim(ctx: Ctx, { client, claims }: Books, next: PersistentVolumeClaim, subresource?: 'status'): Promise<Claim> {
  const written = await client.update(ctx, persistentVolumeClaims, next, subresource === undefined ? {} : { subresource })
  claims.wrote(written)
  return written
}

/** The volume first: nobody else gets it then. */
export async function bind(ctx: Ctx, books: Books, volume: Volume, claim: Claim): Promise<void> {
  const referring = boundTo(volume, claim)
  const held = referring === undefined ? volume : await writeVolume(ctx, books, referring)
  const bound = await setPhase(ctx, books, held, 'Bound')
  const naming = withVolume(claim, bound)
  const named = naming === undefined ? claim : await writeClaim(ctx, books, naming)
  await setClaimStatus(ctx, books, named, 'Bound', bound)
}

/** A volume that the user pre-bound stays so; any other is free again. */
export async function unbind(ctx: Ctx, books: Books, volume: Volume): Promise<void> {
  const next = cloneJson(volume) as PersistentVolume
  const { claimRef, ...spec } = next.spec ?? {}
  if (annotationOf(volume, bindingAnnotations.boundByController) !== undefined) {
    next.spec = spec
    delete next.metadata.annotations?.[bindingAnnotations.boundByController]
  } else delete claimRef?.uid
  await setPhase(ctx, books, await writeVolume(ctx, books, next), 'Available')
}

export async function setPhase(ctx: Ctx, books: Books, volume: Volume, phase: string, message?: string): Promise<Volume> {
  if (volume.status?.phase === phase) return volume
  const { message: _old, ...status } = volume.status ?? {}
  return await writeVolume(ctx, books, { ...volume, status: { ...status, phase, ...(message === undefined ? {} : { message }) } }, 'status')
}

/** Whether there was anything to write. */
export async function setClaimStatus(ctx: Ctx, books: Books, claim: Claim, phase: string, volume?: Volume): Promise<boolean> {
  const status = claimStatus(claim, phase, volume)
  if (equalJson(status, claim.status ?? {})) return false
  await writeClaim(ctx, books, { ...claim, status }, 'status')
  return true
}

/** The claim as it names the volume; undefined when it does already. */
function withVolume(claim: Claim, volume: Volume): PersistentVolumeClaim | undefined {
  const { name = '' } = volume.metadata
  const names = claim.spec?.volumeName === name
  if (names && annotationOf(claim, bindingAnnotations.bindCompleted) !== undefined) return undefined
  const next = cloneJson(claim) as PersistentVolumeClaim
  if (!names) {
    next.spec = { ...next.spec, volumeName: name }
    mark(next, bindingAnnotations.boundByController)
  }
  mark(next, bindingAnnotations.bindCompleted)
  return next
}

function mark(mine: PersistentVolumeClaim, key: string): void {
  if (annotationOf(mine, key) === undefined) annotate(mine, key, 'yes')
}

/** What a claim's status says with this volume, or with none. */
export function claimStatus(claim: Claim, phase: string, volume: Volume | undefined): PersistentVolumeClaimStatus {
  const { accessModes: _modes, capacity, currentVolumeAttributesClassName: attributes, ...rest } = claim.status ?? {}
  if (volume === undefined) return { ...rest, phase }
  const { accessModes } = volume.spec ?? {}
  // Only on becoming bound: later on, who enlarges or changes the volume has the say.
  const becomes = claim.status?.phase !== phase
  const size = becomes ? boundCapacity(capacity, volume) : capacity
  const named = claim.status?.phase === 'Pending' && phase === 'Bound' ? volume.spec?.volumeAttributesClassName : attributes
  return {
    ...rest,
    phase,
    ...(accessModes === undefined ? {} : { accessModes: [...accessModes] }),
    ...(size === undefined ? {} : { capacity: size }),
    ...(named === undefined ? {} : { currentVolumeAttributesClassName: named }),
  }
}

function boundCapacity(have: Record<string, string> | undefined, volume: Volume): Record<string, string> {
  const full = volume.spec?.capacity?.['storage']
  if (full === undefined) throw new Error(`PersistentVolume "${volume.metadata.name}" is without a storage capacity`)
  const before = annotationOf(volume, preResizeCapacity)
  if (before !== undefined) return { ...have, storage: Number.isNaN(compareQuantities(before, full)) ? full : before }
  return have?.['storage'] !== undefined && compareQuantities(have['storage'], capacityOf(volume)) === 0 ? have : { ...volume.spec?.capacity }
}
