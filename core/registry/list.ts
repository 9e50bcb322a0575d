/**
 * list: an array of shared items, from memory as of now, or as of an earlier revision where a
 * continue token or resourceVersionMatch=Exact asks for one. A list in pages shows one moment.
 */
import { ApiError, badRequest, expired } from '../api/errors.ts'
import { parseJson } from '../api/codec/json.ts'
import type { Kind } from '../api/kind.ts'
import type { Ctx } from '../lib/ctx.ts'
import { Compacted, type Revision } from '../store/store.ts'
import { shelf, type Base } from './base.ts'
import { viewOf } from './item.ts'
import type { Item, ListQuery, ListResult } from './registry.ts'
import { shown } from './remote.ts'
import { selectionOf, type Selection } from './select.ts'
import { checkListOptions, parseVersion, tooOldList, waitFor } from './version.ts'

/** Where a list goes on; upstream's form (k8s.io/apiserver/pkg/storage/continue.go). */
interface Continue {
  readonly v: string
  readonly rv: number
  readonly start: string
}

interface Start {
  /** undefined: now. */
  readonly at: Revision | undefined
  readonly after: string
}

/** What stands under a selection's range, in order. */
interface Source {
  slice(range: string, after: string, limit: number): { readonly values: readonly Item[]; readonly remaining: number }
  entries(range: string, after: string): Iterable<[string, Item]>
}

export async function list(base: Base, ctx: Ctx, kind: Kind, query: ListQuery): Promise<ListResult> {
  checkListOptions(query)
  const selection = selectionOf(kind, query)
  const start = await startOf(base, ctx, kind, selection, query)
  const at = start.at ?? base.cache.revision()
  if (start.at !== undefined && at < base.horizon.oldest) throw tooOld(kind, query, start.after)
  const items = shelf(base, kind)
  const limit = query.limit !== undefined && query.limit > 0 ? query.limit : Infinity
  if (start.at === undefined || !items.changedSince(at)) {
    const now: Source = { slice: (range, after, max) => items.list(range, after, max), entries: (range, after) => items.entries(range, after) }
    const source = kind.remote === undefined ? now : await convertedSource(base, ctx, kind, now, selection, start.after, limit)
    return page(source, kind, selection, start.after, limit, at)
  }
  const then = await sourceAt(base, ctx, kind, selection, query, at, start.after)
  const source = kind.remote === undefined ? then : await convertedSource(base, ctx, kind, then, selection, start.after, limit)
  return page(source, kind, selection, start.after, limit, at)
}

/** What stands in the source now, kept as it is while it is converted: all that may have to be shown. */
async function convertedSource(base: Base, ctx: Ctx, kind: Kind, source: Source, selection: Selection, after: string, limit: number): Promise<Source> {
  const entries = [...source.entries(selection.range, after)]
  const values = entries.map(([, item]) => item)
  await shown(base, ctx, kind, selection.filters ? values : values.slice(0, limit))
  return { slice: (_range, _after, max) => ({ values: values.slice(0, max), remaining: Math.max(0, values.length - max) }), entries: () => entries }
}

async function sourceAt(base: Base, ctx: Ctx, kind: Kind, selection: Selection, query: ListQuery, at: Revision, after: string): Promise<Source> {
  try {
    return await shelf(base, kind).listAt(ctx, selection.range, at)
  } catch (error) {
    throw error instanceof Compacted ? tooOld(kind, query, after) : error
  }
}

/** A list in pages may go on without being of one moment. */
function tooOld(kind: Kind, query: ListQuery, after: string): ApiError {
  if ((query.continue ?? '') === '') return expired(tooOldList)
  return new ApiError({ code: 410, reason: 'Expired', message: inconsistentSentence, continue: encodeContinue(kind, after, -1) })
}

function page(source: Source, kind: Kind, selection: Selection, after: string, limit: number, at: Revision): ListResult {
  const resourceVersion = String(at)
  if (!selection.filters) {
    const { values, remaining } = source.slice(selection.range, after, limit)
    const items = kind.conversion === undefined && kind.remote === undefined ? values : values.map((item) => viewOf(kind, item))
    const last = values.at(-1)
    if (remaining === 0 || last === undefined) return { items, resourceVersion }
    return { items, resourceVersion, continue: encodeContinue(kind, `${keyIn(kind, last)}\0`, at), remainingItemCount: remaining }
  }
  const items: Item[] = []
  let last = ''
  for (const [key, item] of source.entries(selection.range, after)) {
    if (selection.exact && key !== selection.range) continue
    const shown = viewOf(kind, item)
    if (!selection.matches(shown)) continue
    if (items.length === limit) return { items, resourceVersion, continue: encodeContinue(kind, `${last}\0`, at) }
    items.push(shown)
    last = key
  }
  return { items, resourceVersion }
}

function keyIn(kind: Kind, item: Item): string {
  const { namespace = '', name = '' } = item.object.metadata
  return `${kind.prefix}/${namespace}/${name}`
}

async function startOf(base: Base, ctx: Ctx, kind: Kind, selection: Selection, query: ListQuery): Promise<Start> {
  if (query.continue !== undefined && query.continue !== '') {
    const { rv, start } = decodeContinue(query.continue)
    if (!['', '0'].includes(query.resourceVersion ?? '')) throw badRequest('specifying resource version is not allowed when using continue')
    const after = `${kind.prefix}/${start}`
    if (!after.startsWith(selection.range) && !selection.filters) throw badRequest('invalid continue token: continue key is not valid')
    if (rv > 0) await waitFor(base, ctx, rv)
    return { at: rv < 0 ? undefined : rv, after }
  }
  const version = parseVersion(query.resourceVersion)
  if (version === undefined || version === 0) return { at: undefined, after: '' }
  await waitFor(base, ctx, version)
  const limited = query.limit !== undefined && query.limit > 0
  const exact = query.resourceVersionMatch === 'Exact' || ((query.resourceVersionMatch ?? '') === '' && limited)
  return { at: exact ? version : undefined, after: '' }
}

const tokenVersion = 'meta.k8s.io/v1'

/** `after` ends in a zero character: the next key there can be. */
function encodeContinue(kind: Kind, after: string, rv: Revision): string {
  const token: Continue = { v: tokenVersion, rv, start: after.slice(kind.prefix.length + 1) }
  return Buffer.from(JSON.stringify(token)).toString('base64url')
}

function decodeContinue(text: string): Continue {
  const bad = (why: string): ApiError => badRequest(`invalid continue token: ${why}`)
  const illegal = text.search(/[^\w-]/)
  if (illegal >= 0) throw bad(`continue key is not valid: illegal base64 data at input byte ${illegal}`)
  // a letter alone holds no byte
  if (text.length % 4 === 1) throw bad(`continue key is not valid: illegal base64 data at input byte ${text.length - 1}`)
  // byte by byte, as Go's decoder names what it cannot read
  const parsed = parseJson(Buffer.from(text, 'base64url').toString('latin1'))
  if (!parsed.ok) throw bad(`continue key is not valid: ${parsed.error}`)
  const token = parsed.value as Partial<Continue> | null
  if (token?.v !== tokenVersion) throw bad(`continue key is not valid: server does not recognize this encoded version ${token?.v ?? ''}`)
  if (typeof token.rv !== 'number' || token.rv === 0) throw bad('continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
  if (typeof token.start !== 'string' || token.start === '') throw bad('continue key is not valid: encoded start key empty (version meta.k8s.io/v1)')
  if (token.start.split('/').some((part) => part === '.' || part === '..')) throw bad(`continue key is not valid: ${token.start}`)
  return token as Continue
}

const inconsistentSentence =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, ' +
  'or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - ' +
  'objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'
