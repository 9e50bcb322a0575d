/**
 * Makes a plan: reads the cluster, lets a fork of it come to rest, applies the files there, lets it come to rest again,
 * and says what is different. The cluster itself is only read.
 */
import { mutatingWebhookConfigurations } from '../api/admissionregistration/mutatingwebhookconfiguration.ts'
import { validatingWebhookConfigurations } from '../api/admissionregistration/validatingwebhookconfiguration.ts'
import { customKinds } from '../api/apiextensions/customkinds.ts'
import { customResourceDefinitions } from '../api/apiextensions/customresourcedefinition.ts'
import { replicaSets } from '../api/apps/replicaset.ts'
import { pods } from '../api/core/pod.ts'
import { kinds as builtIn } from '../api/kinds.ts'
import { isBeingDeleted, keyText, type AnyObject } from '../api/meta.ts'
import type { CustomResourceDefinition, EndpointSlice, Event, ServiceCIDR } from '../api/schema/types.ts'
import type { Client } from '../client/client.ts'
import { bootFork, forkAddresses } from '../fork/fork.ts'
import { Plane, type Settled } from '../fork/plane.ts'
import type { World } from '../fork/journal.ts'
import type { Ctx } from '../lib/ctx.ts'
import { why } from '../why/why.ts'
import { actsFor, applyDocument, kindFor, type Applying } from './applying.ts'
import type { Document } from './documents.ts'
import { effectsOf, isNothing, type EffectsFound } from './effects.ts'
import { idOf } from './family.ts'
import type { Effects, FileOutcome, Plan, Stuck } from './plan.ts'
import { readCluster, type Reading } from './reading.ts'
import { forbiddenActs, whoAmI } from './rights.ts'
import { complaintText, type StuckFound } from './stuck.ts'
import { SilentWebhooks, type Configured } from './webhooks.ts'

export interface PlanInit {
  /** Of the real cluster, as the user; only read. */
  readonly client: Client
  readonly documents: readonly Document[]
  /** Of objects that name none. */
  readonly namespace: string
  /** What is in the files is to be deleted. */
  readonly deletes: boolean
}

/** Throws what the server or the fork breaks with; what is wrong with objects is in the plan. */
export async function makePlan(ctx: Ctx, init: PlanInit): Promise<Plan> {
  const { client, documents } = init
  const names = new Set([init.namespace, ...documents.map(({ object }) => object.metadata.namespace ?? init.namespace)])
  const [reading, user] = [await readCluster(ctx, client, [...names]), await whoAmI(ctx, client)]
  const forbidden = await forbiddenActs(ctx, client, acts(init, reading))
  const webhooks = new SilentWebhooks(configured(reading))
  const plane = await openPlane(ctx, reading, webhooks)
  try {
    const initial = plane.journal.world()
    const rested = await plane.settle(patience(initial))
    const before = plane.journal.world()
    const heard = plane.journal.happenings.length
    webhooks.clear()
    const applying: Applying = { plane, client: plane.clientAs(reading.unread.has('rbac.authorization.k8s.io/clusterroles') ? { ...user, groups: [...user.groups, 'system:masters'] } : user), namespace: init.namespace, forbidden, deletes: init.deletes, versionOf: versions(reading), kinds: plane.kinds() }
    const files: FileOutcome[] = []
    for (const document of documents) files.push(await applyDocument(applying, document))
    const ended = await plane.settle(patience(plane.journal.world()))
    const after = plane.journal.world()
    const [earlier, later] = [plane.journal.happenings.slice(0, heard), plane.journal.happenings.slice(heard)]
    const named = new Set(files.filter(({ verb }) => verb !== 'refuse').map(idOf))
    const { unread } = reading
    const known = new Set(earlier.filter(({ prefix }) => prefix === 'events').map(({ object }) => complaintText(object as unknown as Event)))
    const always = effectsOf({ before: initial, after: before, happenings: earlier, named: () => false, unread, waiting: true })
    const found = effectsOf({ before, after, happenings: later, named: (thing) => named.has(idOf(thing)), unread, known })
    const [effects, anyway] = [{ ...found, stuck: await explained(plane, found.stuck, newPods(before, after)) }, unlessHidden(always, hidesPods(unread))]
    return {
      verdict: verdictOf(files, effects), revision: reading.revision, objects: reading.state.length, files: files.map((file) => kept(file, after)), effects, anyway,
      webhooks: webhooks.calls(), unknown: [...reading.notes, ...(hidesPods(unread) ? ['without all pods and ReplicaSets nobody knows what would happen anyway'] : []), ...cut(rested, 'before the files'), ...cut(ended, 'after the files')],
    }
  } finally {
    await plane.close()
  }
}

function versions({ objects }: Reading): Applying['versionOf'] {
  const known = new Map<string, ReadonlyMap<string, string | undefined>>()
  const of = (prefix: string): ReadonlyMap<string, string | undefined> => {
    const found = known.get(prefix) ?? new Map((objects.get(prefix) ?? []).map(({ metadata: { namespace = '', name = '', resourceVersion } }) => [`${namespace}/${name}`, resourceVersion]))
    known.set(prefix, found)
    return found
  }
  return ({ prefix }, { namespace, name }) => of(prefix).get(`${namespace}/${name}`)
}

/** Pods that are there and may not be read look as if they were to be made: nothing is said of any then. */
function unlessHidden(always: EffectsFound, hidden: boolean): Effects {
  const { stuck, ...rest } = always
  return hidden ? { ...rest, placed: [], gone: [], rollouts: [], stuck: [] } : { ...rest, stuck: stuck.map(stripped) }
}

const hidesPods = (unread: ReadonlySet<string>): boolean => unread.has(pods.prefix) || unread.has(replicaSets.prefix)

const explainedMax = 20

/** One pod of each group speaks for all. */
async function explained(plane: Plane, stuck: readonly StuckFound[], made: readonly string[]): Promise<readonly Stuck[]> {
  const told: Stuck[] = []
  for (const one of stuck) {
    const finding = one.sample === undefined || told.length >= explainedMax ? undefined : await plane.during(why(plane.ctx, plane.client, pods, one.sample)).then(({ findings }) => findings[0])
    const help = finding?.sections.find(({ title }) => title.startsWith('what would help'))?.lines.filter((line) => !made.some((name) => line.includes(name)))
    told.push({ ...stripped(one), ...(finding === undefined || one.because.includes(finding.because) ? {} : { cause: finding.because }), ...(help === undefined || help.length === 0 ? {} : { help }) })
  }
  return told
}

/** Their names are the fork's alone: nobody can be told to do anything about them. */
function newPods(before: World, after: World): readonly string[] {
  return [...(after.get(pods.prefix)?.entries() ?? [])].filter(([key]) => before.get(pods.prefix)?.has(key) !== true).map(([, { metadata }]) => metadata.name ?? '')
}

function stripped({ about, pods: count, because }: StuckFound): Stuck {
  return { about, pods: count, because }
}

function verdictOf(files: readonly FileOutcome[], effects: Effects): Plan['verdict'] {
  if (effects.stuck.length > 0 || effects.rollouts.some(({ heldUpBy }) => heldUpBy !== undefined) || files.some(({ verb }) => verb === 'refuse')) return 'trouble'
  return isNothing(effects) && files.every(({ verb }) => verb === 'none') ? 'nothing' : 'changes'
}

function cut(settled: Settled, when: string): readonly string[] {
  if (settled === 'quiet') return []
  return [settled === 'time' ? `${when} things still change after ten minutes: what comes later is not shown` : `${when} there is no end of changes: what comes later is not shown`]
}

/** What is deleted and still there says what it waits for. */
function kept(file: FileOutcome, after: World): FileOutcome {
  if (file.verb !== 'delete') return file
  for (const objects of after.values()) {
    const object = objects.get(`${file.namespace}/${file.name}`)
    if (object?.kind === file.kind) return { ...file, notes: [...file.notes, held(object)] }
  }
  return file
}

function held(object: Readonly<AnyObject>): string {
  const { finalizers = [] } = object.metadata
  if (!isBeingDeleted(object)) return 'is made again'
  if (finalizers.length > 0) return `stays until its finalizers are gone: ${finalizers.join(', ')}`
  return object.kind === 'Pod' ? 'stays until its node says that it has stopped' : 'stays until all that it holds is gone'
}

/** Of kinds that the files bring along nothing is known yet. */
function acts({ documents, namespace, deletes }: PlanInit, { objects }: Reading): ReturnType<typeof actsFor> {
  const definitions = (objects.get(customResourceDefinitions.prefix) ?? []) as unknown as readonly CustomResourceDefinition[]
  const known = [...builtIn, ...definitions.flatMap((crd) => customKinds(crd))]
  return documents.flatMap(({ object }) => {
    const kind = kindFor(known, object)
    if (kind === undefined) return []
    const key = { namespace: kind.namespaced ? (object.metadata.namespace ?? namespace) : '', name: object.metadata.name ?? '' }
    const exists = (objects.get(kind.prefix) ?? []).some(({ metadata }) => keyText({ namespace: metadata.namespace ?? '', name: metadata.name ?? '' }) === keyText(key))
    return actsFor(kind, key, { exists, deletes })
  })
}

function configured({ objects }: Reading): readonly Configured[] {
  return [mutatingWebhookConfigurations, validatingWebhookConfigurations].flatMap(({ prefix }) =>
    (objects.get(prefix) ?? []).flatMap(({ metadata, ...rest }) => ((rest['webhooks'] ?? []) as readonly Configured[]).map(({ name, clientConfig }) => ({ name: `${name} (${metadata.name ?? ''})`, clientConfig }))))
}

async function openPlane(ctx: Ctx, reading: Reading, webhooks: SilentWebhooks): Promise<Plane> {
  const { objects, unread } = reading
  const serviceCidr = (objects.get('networking.k8s.io/servicecidrs')?.find(({ metadata }) => metadata.name === 'kubernetes') as unknown as ServiceCIDR | undefined)?.spec?.cidrs?.[0]
  const slices = (objects.get('discovery.k8s.io/endpointslices') ?? []) as unknown as readonly EndpointSlice[]
  const apiAddresses = slices.find(({ metadata }) => metadata.name === 'kubernetes' && metadata.namespace === 'default')?.endpoints?.flatMap(({ addresses }) => addresses)
  const rootCa = authorityOf(reading)
  const addresses = { ...forkAddresses, ...(serviceCidr === undefined ? {} : { serviceCidr }) }
  return await Plane.open(ctx, {
    state: reading.state, nowMs: ctx.clock.now(), remote: webhooks.remote, addresses, collects: unread.size === 0,
    settings: { serviceCidr: addresses.serviceCidr, ...(apiAddresses === undefined ? {} : { apiAddresses }), ...(rootCa === undefined ? {} : { rootCa }) },
    // Rights cannot be judged by half of the roles; the real server has judged the user's already.
    ...([...unread].some((prefix) => prefix.startsWith('rbac.')) ? { authorizer: { authorize: () => ({ answer: 'allow' as const, reason: '' }) } } : {}),
    ...(unread.size === 0 ? {} : { prepare: bootFork }),
  })
}

function authorityOf({ objects }: Reading): string | undefined {
  const map = (objects.get('configmaps') ?? []).find(({ metadata }) => metadata.name === 'kube-root-ca.crt')
  return (map?.['data'] as Readonly<Record<string, string>> | undefined)?.['ca.crt']
}

/** As long as anybody's pods must be ready before they count. */
function patience(world: World): number {
  const seconds = ['apps/deployments', 'apps/replicasets', 'apps/statefulsets', 'apps/daemonsets'].flatMap((prefix) =>
    [...(world.get(prefix)?.values() ?? [])].map((object) => ((object as AnyObject)['spec'] as { readonly minReadySeconds?: number } | undefined)?.minReadySeconds ?? 0))
  return Math.min(Math.max(0, ...seconds), 300) * 1_000
}
