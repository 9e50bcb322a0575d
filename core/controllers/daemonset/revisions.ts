/**
 * Revisions of a DaemonSet: the one of its template now, found or made, and the old ones, of which as many are kept as the
 * set asks (upstream's constructHistory and cleanupHistory).
 */
import { controllerRevisions } from '../../api/apps/controllerrevision.ts'
import { daemonSets } from '../../api/apps/daemonset.ts'
import { pods } from '../../api/core/pod.ts'
import { isApiError } from '../../api/errors.ts'
import { keyOf } from '../../api/meta.ts'
import type { ControllerRevision, DaemonSet } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson } from '../../lib/json.ts'
import { templateHash } from '../hash.ts'
import { type Content, draftRevision, inOrder, maxRevision, type Revision, revisionLabel, sameData, templateData } from '../history.ts'
import type { Pods } from './plan.ts'

const limitDefault = 10

export interface Revisions {
  readonly hash: string
  /** Oldest first. */
  readonly old: readonly Revision[]
}

export const hashOf = (revision: Revision): string => revision.metadata.labels?.[revisionLabel] ?? ''

/** Undefined after a change that the next look has to see first. */
export async function findRevisions(ctx: Ctx, client: Client, set: Readonly<DaemonSet>, found: readonly Revision[], owned: Pods): Promise<Revisions | undefined> {
  const data = templateData(set)
  const known: Revision[] = []
  for (const revision of inOrder(found)) known.push(hashOf(revision) === '' ? await label(ctx, client, revision) : revision)
  const old = known.filter((revision) => !sameData(revision, { data }))
  const equal = known.filter((revision) => sameData(revision, { data }))
  const number = maxRevision(old) + 1
  const current = equal.at(-1)
  if (current === undefined) return { hash: hashOf(await create(ctx, client, set, { data, revision: number })), old }
  const twins = equal.slice(0, -1)
  for (const twin of twins) await merge(ctx, client, twin, hashOf(current), owned)
  if (twins.length > 0) return undefined
  if (current.revision < number) await client.update(ctx, controllerRevisions, { ...(cloneJson(current) as ControllerRevision), revision: number })
  return { hash: hashOf(current), old }
}

/** Revisions of old times have no label: their name serves as well. */
async function label(ctx: Ctx, client: Client, revision: Revision): Promise<Revision> {
  const mine = cloneJson(revision) as ControllerRevision
  mine.metadata.labels = { ...mine.metadata.labels, [revisionLabel]: mine.metadata.name ?? '' }
  return await client.update(ctx, controllerRevisions, mine)
}

/** Of two revisions with the same data the newer stays, and has the pods of both. */
async function merge(ctx: Ctx, client: Client, twin: Revision, hash: string, owned: Pods): Promise<void> {
  for (const pod of owned.filter(({ metadata }) => metadata.labels?.[revisionLabel] !== hash)) {
    await client.patch(ctx, pods, keyOf(pod), 'merge', { metadata: { labels: { [revisionLabel]: hash } } })
  }
  await client.delete(ctx, controllerRevisions, keyOf(twin))
}

async function create(ctx: Ctx, client: Client, set: Readonly<DaemonSet>, content: Content): Promise<Revision> {
  const { namespace = '' } = set.metadata
  const hash = templateHash(set.spec?.template, set.status?.collisionCount)
  const name = `${set.metadata.name}-${hash}`
  try {
    return await client.create(ctx, controllerRevisions, draftRevision(set, daemonSets, { name, labels: { [revisionLabel]: hash } }, content))
  } catch (error) {
    if (!isApiError(error, 'AlreadyExists')) throw error
    const standing = await client.get(ctx, controllerRevisions, { namespace, name })
    if (standing !== undefined && sameData(standing, content)) return standing
    if (standing !== undefined) await countCollision(ctx, client, set)
    throw error
  }
}

/** The next look takes another name. */
async function countCollision(ctx: Ctx, client: Client, set: Readonly<DaemonSet>): Promise<void> {
  const mine = cloneJson(set) as DaemonSet
  const none = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 }
  await client.update(ctx, daemonSets, { ...mine, status: { ...none, ...mine.status, collisionCount: (mine.status?.collisionCount ?? 0) + 1 } }, { subresource: 'status' })
}

/** Deletes old ones beyond the limit. What a pod is at is no history. */
export async function forgetRevisions(ctx: Ctx, client: Client, set: Readonly<DaemonSet>, { old }: Revisions, owned: Pods): Promise<void> {
  let surplus = old.length - (set.spec?.revisionHistoryLimit ?? limitDefault)
  const live = new Set(owned.map((pod) => pod.metadata.labels?.[revisionLabel] ?? ''))
  for (const revision of old) {
    if (surplus <= 0) return
    if (live.has(hashOf(revision))) continue
    await client.delete(ctx, controllerRevisions, keyOf(revision))
    surplus--
  }
}
