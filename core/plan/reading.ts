/**
 * The cluster as the user may read it: every kind, custom ones too, page by page at one revision each, as it lies in a
 * store. What may not be read is said, and never taken for absent: where the fork cannot do without, something stands in.
 */
import { customResourceDefinitions } from '../api/apiextensions/customresourcedefinition.ts'
import { isEstablished } from '../api/apiextensions/conditions.ts'
import { customKinds, storageKind } from '../api/apiextensions/customkinds.ts'
import { events } from '../api/core/event.ts'
import { namespaces } from '../api/core/namespace.ts'
import { nodes } from '../api/core/node.ts'
import { isApiError } from '../api/errors.ts'
import type { Kind } from '../api/kind.ts'
import { kinds as builtIn } from '../api/kinds.ts'
import type { AnyObject } from '../api/meta.ts'
import type { CustomResourceDefinition, Pod } from '../api/schema/types.ts'
import type { Client } from '../client/client.ts'
import type { Ctx } from '../lib/ctx.ts'
import { laid, type Laid } from '../fork/fork.ts'

export interface Reading {
  readonly state: readonly Laid[]
  /** By the prefixes of their kinds. */
  readonly objects: ReadonlyMap<string, readonly Readonly<AnyObject>[]>
  /** The newest revision of all lists. */
  readonly revision: string
  /** Prefixes of what could not be read, or not everywhere. */
  readonly unread: ReadonlySet<string>
  readonly notes: readonly string[]
}

const pageItems = 500
const listsMax = 8

interface Shelf {
  readonly kind: Kind
  readonly items: readonly Readonly<AnyObject>[]
  readonly revision: string
  readonly missing: 'nothing' | 'all' | 'other namespaces'
}

/** `known`: namespaces to look into where all of them may not be read. */
export async function readCluster(ctx: Ctx, client: Client, known: readonly string[]): Promise<Reading> {
  const definitions = await readKind(ctx, client, customResourceDefinitions, [])
  const places = await readKind(ctx, client, namespaces, known)
  const within = places.missing === 'all' ? known : places.items.map(({ metadata }) => metadata.name ?? '')
  const done = new Set<Kind>([customResourceDefinitions, namespaces])
  const rest = [...shelves(), ...definitions.items.flatMap((crd) => customShelf(crd as unknown as CustomResourceDefinition))].filter((kind) => !done.has(kind))
  const waiting = rest.values()
  const read: Shelf[] = [definitions, places]
  await Promise.all(Array.from({ length: listsMax }, async () => {
    for (const kind of waiting) read.push(await readKind(ctx, client, kind, within))
  }))
  return gather(read, known)
}

/** One kind for what lies in one place; those of old shapes are shown in new ones. */
function shelves(): readonly Kind[] {
  const byPrefix = new Map<string, Kind>()
  for (const kind of builtIn) {
    if (!kind.stored || kind.prefix === events.prefix || !kind.verbs.includes('list')) continue
    if (!byPrefix.has(kind.prefix) || kind.conversion === undefined) byPrefix.set(kind.prefix, kind)
  }
  return [...byPrefix.values()]
}

function customShelf(crd: Readonly<CustomResourceDefinition>): readonly Kind[] {
  if (!isEstablished(crd)) return []
  const stored = storageKind(crd)
  const served = customKinds(crd)
  return served.filter((kind, at) => (served.some(({ version }) => version === stored?.version) ? kind.version === stored?.version : at === 0))
}

async function readKind(ctx: Ctx, client: Client, kind: Kind, within: readonly string[]): Promise<Shelf> {
  const all = await readList(ctx, client, kind, '')
  if (all !== undefined) return { kind, ...all, missing: 'nothing' }
  const none: Shelf = { kind, items: [], revision: '0', missing: 'all' }
  if (kind === namespaces) return await readNames(ctx, client, none, within)
  if (!kind.namespaced) return none
  const parts = (await Promise.all(within.map((namespace) => readList(ctx, client, kind, namespace)))).filter((part) => part !== undefined)
  if (parts.length === 0) return none
  return { kind, items: parts.flatMap(({ items }) => items), revision: parts[0]?.revision ?? '0', missing: 'other namespaces' }
}

/** Who may not list namespaces may know some. */
async function readNames(ctx: Ctx, client: Client, none: Shelf, names: readonly string[]): Promise<Shelf> {
  const read = names.map((name) => client.get<AnyObject>(ctx, namespaces as Kind, { namespace: '', name }).catch((error: unknown) => {
    if (isApiError(error, 'Forbidden')) return undefined
    throw error
  }))
  const items = (await Promise.all(read)).filter((one) => one !== undefined)
  return { ...none, items }
}

/** Undefined: it may not be read. */
async function readList(ctx: Ctx, client: Client, kind: Kind, namespace: string): Promise<Pick<Shelf, 'items' | 'revision'> | undefined> {
  const items: Readonly<AnyObject>[] = []
  let next = ''
  try {
    for (;;) {
      const page = await client.list<AnyObject>(ctx, kind, { namespace, limit: pageItems, ...(next === '' ? {} : { continue: next }) })
      for (const item of page.items) items.push(item)
      next = page.metadata.continue ?? ''
      if (next === '') return { items, revision: page.metadata.resourceVersion ?? '0' }
    }
  } catch (error) {
    if (isApiError(error, 'Forbidden')) return undefined
    if (isApiError(error, 'NotFound')) return { items: [], revision: '0' } // not served there
    throw error
  }
}

function gather(read: readonly Shelf[], known: readonly string[]): Reading {
  const objects = new Map<string, readonly Readonly<AnyObject>[]>(read.map(({ kind, items }) => [kind.prefix, items]))
  const kindOf = new Map(read.map(({ kind }) => [kind.prefix, kind]))
  const unread = read.filter(({ missing }) => missing !== 'nothing')
  if (unread.some(({ kind }) => kind.prefix === nodes.prefix)) objects.set(nodes.prefix, nodeStandIns(objects))
  if (unread.some(({ kind }) => kind.prefix === namespaces.prefix)) objects.set(namespaces.prefix, namespaceStandIns(objects, known))
  const state = [...objects].flatMap(([prefix, items]) => {
    const kind = kindOf.get(prefix)
    return kind === undefined ? [] : items.map((object) => laid(kind, object))
  })
  const revision = read.reduce((most, shelf) => Math.max(most, Number(shelf.revision)), 0)
  return { state, objects, revision: String(revision), unread: new Set(unread.map(({ kind }) => kind.prefix)), notes: notesOf(unread) }
}

function notesOf(unread: readonly Shelf[]): readonly string[] {
  const names = (missing: Shelf['missing']): string => unread.filter((shelf) => shelf.missing === missing).map(({ kind }) => (kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`)).toSorted().join(', ')
  const all = names('all')
  const some = names('other namespaces')
  const has = (prefix: string): boolean => unread.some(({ kind }) => kind.prefix === prefix)
  return [
    ...(all === '' ? [] : [`you may not read ${all}: the plan knows nothing of them`]),
    ...(some === '' ? [] : [`you may not read ${some} of all namespaces: the plan knows only those of namespaces that you may read`]),
    ...(has(nodes.prefix) ? ['without nodes nobody knows what fits: pods are taken to fit somewhere'] : []),
    ...(has('pods') && !has(nodes.prefix) ? ['without all pods nobody knows what is free: nodes are taken to hold only those that you may read'] : []),
    ...(unread.length === 0 ? [] : ['not all owners are known: nothing is taken for orphaned, and what the garbage collector would delete is not shown']),
  ]
}

/** Where pods run there are nodes; and one more, on which everything fits. */
function nodeStandIns(objects: Reading['objects']): readonly Readonly<AnyObject>[] {
  const names = (objects.get('pods') ?? []).map((pod) => (pod as unknown as Pod).spec?.nodeName ?? '').filter((name) => name !== '')
  const size = { cpu: '1000000', memory: '1000Ti', pods: '1000000', 'ephemeral-storage': '1000Ti' }
  const now = { lastHeartbeatTime: null, lastTransitionTime: null }
  return [...new Set([...names, unknownNode])].map((name) => ({
    apiVersion: 'v1', kind: 'Node',
    metadata: { name, uid: `unread-${name}`, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    status: { capacity: size, allocatable: size, conditions: [{ type: 'Ready', status: 'True', ...now }] },
  }))
}

const unknownNode = 'some-node'

function namespaceStandIns(objects: Reading['objects'], known: readonly string[]): readonly Readonly<AnyObject>[] {
  const seen = [...objects.values()].flatMap((items) => items.map(({ metadata }) => metadata.namespace ?? '')).filter((name) => name !== '')
  const have = objects.get(namespaces.prefix) ?? []
  const missing = new Set([...seen, ...known, 'default', 'kube-system', 'kube-node-lease', 'kube-public'])
  for (const { metadata } of have) missing.delete(metadata.name ?? '')
  return [...have, ...[...missing].map((name) => ({
    apiVersion: 'v1', kind: 'Namespace', metadata: { name, uid: `unread-${name}`, labels: { 'kubernetes.io/metadata.name': name } }, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' },
  }))]
}
