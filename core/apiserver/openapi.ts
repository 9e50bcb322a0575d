/**
 * /openapi/v2 and /openapi/v3: documents from core/api/schema/openapi.ts, made when they are first asked for and kept as
 * bytes until what they are made from changes. A hash is that of what a document is made from, so the index makes none.
 */
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Context, Hono } from 'hono'
import type { Kind } from '../api/kind.ts'
import { noDescriptions, type Descriptions } from '../api/schema/descriptions.ts'
import {
  openApiV3,
  openApiV3Index,
  type ServedResource,
} from '../api/schema/openapi.ts'
import { encodeOpenApiV2 } from '../api/schema/openapi/protobuf.ts'
import type { Aggregator } from './aggregator/aggregator.ts'
import type { ApiServerDeps } from './deps.ts'
import { servedResource } from './discovery.ts'
import { parseAccept } from './negotiate.ts'
import { Swaggers, type About } from './swaggers.ts'

interface Document {
  readonly hash: string
  readonly bytes: Uint8Array
  packed: Promise<Uint8Array> | undefined
}

interface Published {
  readonly kinds: readonly Kind[]
  /** Number of what aggregated servers describe. */
  readonly remotes: number
  /** The kinds of each document. */
  readonly paths: ReadonlyMap<string, readonly Kind[]>
  readonly hashes: ReadonlyMap<string, string>
  readonly about: About
  /** Outlive kinds that come and go, as long as their hash is the same. */
  readonly documents: Map<string, Document>
}

const jsonType = 'application/json'
const version2 = 'v2'
const version2Protobuf = 'v2 protobuf'
const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
/** As clients of client-go still ask for it. */
const oldProtobufType = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
const index = 'index'

export function openapiRoutes(app: Hono, deps: ApiServerDeps): void {
  let published: Published | undefined
  let descriptions: Descriptions | undefined
  const current = (): Published => {
    const kinds = deps.registry.kinds()
    const remotes = deps.aggregator?.openapi.version ?? 0
    if (published?.kinds === kinds && published.remotes === remotes) return published
    descriptions ??= deps.descriptions?.() ?? noDescriptions
    published = publish(kinds, remotes, { descriptions, version: deps.version.gitVersion }, published?.documents ?? new Map<string, Document>())
    return published
  }
  let whole: Swaggers | undefined
  app.get('/openapi/v2', async (c) => {
    const now = current()
    const type = formOf(c.req.header('accept'))
    if (type === undefined) return new Response(null, { status: 406, headers: { vary: 'Accept-Encoding, Accept' } })
    const text = (): string => {
      whole ??= new Swaggers(now.about, (kind) => facts(kind).resource)
      return whole.text(now.kinds, deps.aggregator?.openapi.swaggers() ?? [])
    }
    if (type === jsonType) return await serve(c, now, version2, text)
    return await serve(c, now, version2Protobuf, () => encodeOpenApiV2(JSON.parse(text()) as Record<string, unknown>), { type })
  })
  app.get('/openapi/v3', async (c) => await serveIndex(c, current(), deps.aggregator))
  app.get('/openapi/v3/', async (c) => await serveIndex(c, current(), deps.aggregator))
  app.get('/openapi/v3/:path{.+}', async (c) => {
    const now = current()
    const path = c.req.path.slice('/openapi/v3/'.length)
    const kinds = now.paths.get(path)
    const hash = now.hashes.get(path)
    const made = hash === undefined ? deps.aggregator?.openapi.made(path) : undefined
    if (made !== undefined) return new Response(made.text, { headers: { 'content-type': jsonType, etag: `"${made.hash}"`, vary: 'Accept', 'cache-control': 'no-cache, private' } })
    if (hash === undefined || kinds === undefined)
      return new Response('404 page not found\n', {
        status: 404,
        headers: { 'content-type': 'text/plain; charset=utf-8' },
      })
    const asked = c.req.query('hash')
    if (asked !== undefined && asked !== hash) return c.redirect(`/openapi/v3/${path}?hash=${hash}`, 301)
    const make = (): string => JSON.stringify(openApiV3(path, { ...now.about, resources: kinds.map((kind) => facts(kind).resource) }))
    return await serve(c, now, path, make, { immutable: asked === hash })
  })
}

/** Documents of aggregated servers are asked for through the proxy (handle.ts); here they are only named. */
async function serveIndex(c: Context, now: Published, aggregator: Aggregator | undefined): Promise<Response> {
  return await serve(c, now, index, () => {
    const own = openApiV3Index(new Map([...now.hashes].filter(([path]) => now.paths.has(path))))
    return JSON.stringify({ paths: { ...Object.fromEntries(aggregator?.openapi.index() ?? []), ...(own['paths'] as object) } })
  })
}

interface Facts {
  readonly resource: ServedResource
  readonly digest: string
}

const factsOf = new WeakMap<Kind, Facts>()

/** What documents say of a kind, looked at once: kinds are many, and most stay when one comes. */
function facts(kind: Kind): Facts {
  let found = factsOf.get(kind)
  if (found === undefined) {
    const resource = servedResource(kind)
    found = { resource, digest: digestOf(JSON.stringify(resource)) }
    factsOf.set(kind, found)
  }
  return found
}

function digestOf(text: string): string {
  return createHash('sha512').update(text).digest('hex').toUpperCase()
}

function publish(kinds: readonly Kind[], remotes: number, about: About, documents: Map<string, Document>): Published {
  const described = about.descriptions === noDescriptions ? '' : 'described'
  const hashOf = (parts: readonly string[]): string => digestOf(`${about.version} ${described} ${parts.join(' ')}`)
  const byPath = Map.groupBy(kinds, pathOf)
  const paths = new Map([...byPath.keys()].toSorted().map((path) => [path, byPath.get(path) ?? []]))
  const hashes = new Map([...paths].map(([path, of]) => [path, hashOf(of.map((kind) => facts(kind).digest))]))
  const own = hashOf([...hashes.values()])
  const all = remotes === 0 ? own : digestOf(`${own} ${remotes}`)
  hashes.set(version2, all).set(version2Protobuf, all).set(index, all)
  for (const [name, { hash }] of documents) if (hashes.get(name) !== hash) documents.delete(name)
  return { kinds, remotes, paths, hashes, about, documents }
}

function pathOf({ group, version }: Kind): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`
}

/** What version 2 is sent as; undefined: in no form that will do. */
function formOf(accept: string | undefined): string | undefined {
  if (accept === undefined || accept === '') return jsonType
  for (const { type } of parseAccept(accept)) {
    if (type === jsonType || type === '*/*' || type === 'application/*') return jsonType
    if (type === protobufType || type === oldProtobufType) return protobufType
  }
  return undefined
}

/** `immutable`: the client named the hash, so the answer under this URL never changes. */
async function serve(
  c: Context, now: Published, name: string, make: () => string | Uint8Array, { immutable = false, type = jsonType }: { readonly immutable?: boolean; readonly type?: string } = {},
): Promise<Response> {
  const etag = `"${now.hashes.get(name) ?? ''}"`
  const headers: Record<string, string> = {
    etag,
    vary: 'Accept-Encoding, Accept',
    'cache-control': immutable ? 'public, immutable' : 'no-cache, private',
  }
  if (c.req.header('if-none-match') === etag) return new Response(null, { status: 304, headers })
  let document = now.documents.get(name)
  if (document === undefined) {
    const made = make()
    document = { hash: now.hashes.get(name) ?? '', bytes: typeof made === 'string' ? new TextEncoder().encode(made) : made, packed: undefined }
    now.documents.set(name, document)
  }
  headers['content-type'] = type
  if (!(c.req.header('accept-encoding') ?? '').includes('gzip'))
    return new Response(document.bytes as BodyInit, { headers })
  document.packed ??= pack(document.bytes, { level: 1 })
  return new Response((await document.packed) as BodyInit, { headers: { ...headers, 'content-encoding': 'gzip' } })
}

/** Documents are large: another thread packs them. */
const pack = promisify(gzip)
