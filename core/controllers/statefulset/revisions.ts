/**
 * Revisions of a StatefulSet: the one that its pods are at, and the one that they are to be at. The latter is found or made
 * (upstream's getStatefulSetRevisions); those that nobody needs any more are forgotten.
 */
import { controllerRevisions } from '../../api/apps/controllerrevision.ts'
import { statefulSets } from '../../api/apps/statefulset.ts'
import { isApiError } from '../../api/errors.ts'
import { keyOf } from '../../api/meta.ts'
import { applyDefaults } from '../../api/schema/defaults.ts'
import type { Pod, StatefulSet } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import { type Content, dataHash, draftRevision, type Revision, restored, revisionName, sameData, templateData } from '../history.ts'
import { revisionOf } from './identity.ts'

const hashLabel = 'controller.kubernetes.io/hash'
const limitDefault = 10

type Set = Readonly<StatefulSet>

export interface Revisions {
  readonly current: Revision
  readonly update: Revision
  /** Names that were taken by other data, so far. */
  readonly collisions: number
}

/** `known`: oldest first. */
export async function findRevisions(ctx: Ctx, client: Client, set: Set, known: readonly Revision[]): Promise<Revisions> {
  const collisions = set.status?.collisionCount ?? 0
  const { update, collisions: after } = await findUpdate(ctx, client, set, known, collisions)
  const current = known.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update
  return { current, update, collisions: after }
}

async function findUpdate(ctx: Ctx, client: Client, set: Set, known: readonly Revision[], collisions: number): Promise<{ readonly update: Revision; readonly collisions: number }> {
  const data = templateData(set)
  const latest = known.at(-1)
  const equal = known.findLast((revision) => sameData(revision, { data }))
  if (latest !== undefined && (equal === undefined ? isSameInFull(set, latest, data) : sameData(latest, equal))) return { update: latest, collisions }
  const number = (latest?.revision ?? 0) + 1
  if (equal !== undefined) return { update: await renumber(ctx, client, equal, number), collisions }
  return await create(ctx, client, set, { data, revision: number }, collisions)
}

/** A revision that was written before a field had its default says the same all the same. */
function isSameInFull(set: Set, revision: Revision, data: unknown): boolean {
  try {
    const whole = restored(statefulSets, set, revision)
    applyDefaults(statefulSets, whole)
    return equalJson(templateData(whole), data)
  } catch {
    return false
  }
}

async function renumber(ctx: Ctx, client: Client, revision: Revision, number: number): Promise<Revision> {
  return await client.update(ctx, controllerRevisions, { ...cloneJson(revision), revision: number })
}

async function create(ctx: Ctx, client: Client, set: Set, content: Content, before: number): Promise<{ readonly update: Revision; readonly collisions: number }> {
  const { namespace = '', name: owner = '' } = set.metadata
  const labels = { [hashLabel]: dataHash(content.data, before) }
  for (let collisions = before; ; collisions++) {
    const name = revisionName(owner, dataHash(content.data, collisions))
    try {
      return { update: await client.create(ctx, controllerRevisions, draftRevision(set, statefulSets, { name, labels }, content)), collisions }
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists')) throw error
      const standing = await client.get(ctx, controllerRevisions, { namespace, name })
      if (standing === undefined) throw error
      if (sameData(standing, content)) return { update: standing, collisions }
    }
  }
}

/** Deletes what is older than the limit allows. What a pod is at is no history. */
export async function forgetRevisions(ctx: Ctx, client: Client, set: Set, known: readonly Revision[], live: { readonly revisions: readonly Revision[]; readonly pods: readonly Readonly<Pod>[] }): Promise<void> {
  const limit = set.spec?.revisionHistoryLimit ?? limitDefault
  const needed = new Set([...live.revisions.map(({ metadata }) => metadata.name ?? ''), ...live.pods.map(revisionOf)])
  const old = known.filter(({ metadata }) => !needed.has(metadata.name ?? ''))
  if (limit < 0 || old.length <= limit) return
  for (const revision of old.slice(0, old.length - limit)) await client.delete(ctx, controllerRevisions, keyOf(revision))
}
