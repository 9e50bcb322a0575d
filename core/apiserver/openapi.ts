/**
 * /openapi/v2 and /openapi/v3: documents from core/api/schema/openapi.ts, made when they are first asked for and kept as
 * bytes until the served kinds change. A hash is that of what a document is made from, so the index makes none.
 */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { Context, Hono } from 'hono'
import type { Kind } from '../api/kind.ts'
import { noDescriptions, type Descriptions } from '../api/schema/descriptions.ts'
import {
  openApiV2,
  openApiV3,
  openApiV3Index,
  openApiV3Paths,
  type OpenApiInput,
  type ServedResource,
} from '../api/schema/openapi.ts'
import type { Aggregator } from './aggregator/aggregator.ts'
import { merged } from './aggregator/swagger.ts'
import type { ApiServerDeps } from './deps.ts'
import { servedResource } from './discovery.ts'

interface Document {
  readonly bytes: Uint8Array
  packed: Uint8Array | undefined
}

interface Published {
  readonly kinds: readonly Kind[]
  /** Number of what aggregated servers describe. */
  readonly remotes: number
  readonly input: OpenApiInput
  readonly hashes: ReadonlyMap<string, string>
  readonly documents: Map<string, Document>
}

const jsonType = 'application/json'
const version2 = 'v2'
const index = 'index'

export function openapiRoutes(app: Hono, deps: ApiServerDeps): void {
  let published: Published | undefined
  let descriptions: Descriptions | undefined
  const current = (): Published => {
    const kinds = deps.registry.kinds()
    const remotes = deps.aggregator?.openapi.version ?? 0
    if (published?.kinds === kinds && published.remotes === remotes) return published
    descriptions ??= deps.descriptions?.() ?? noDescriptions
    published = publish(kinds, remotes, { resources: kinds.map(servedResource), descriptions, version: deps.version.gitVersion })
    return published
  }
  app.get('/openapi/v2', (c) => {
    const now = current()
    return serve(c, now, version2, () => merged(openApiV2(now.input), deps.aggregator?.openapi.swaggers() ?? []))
  })
  app.get('/openapi/v3', (c) => serveIndex(c, current(), deps.aggregator))
  app.get('/openapi/v3/', (c) => serveIndex(c, current(), deps.aggregator))
  app.get('/openapi/v3/:path{.+}', (c) => {
    const now = current()
    const path = c.req.path.slice('/openapi/v3/'.length)
    const hash = now.hashes.get(path)
    if (hash === undefined)
      return new Response('404 page not found\n', {
        status: 404,
        headers: { 'content-type': 'text/plain; charset=utf-8' },
      })
    const asked = c.req.query('hash')
    if (asked !== undefined && asked !== hash) return c.redirect(`/openapi/v3/${path}?hash=${hash}`, 301)
    return serve(c, now, path, () => openApiV3(path, now.input), asked === hash)
  })
}

/** Documents of aggregated servers are asked for through the proxy (handle.ts); here they are only named. */
function serveIndex(c: Context, now: Published, aggregator: Aggregator | undefined): Response {
  return serve(c, now, index, () => {
    const own = openApiV3Index(new Map([...now.hashes].filter(([path]) => path !== version2 && path !== index)))
    return { paths: { ...Object.fromEntries(aggregator?.openapi.index() ?? []), ...(own['paths'] as object) } }
  })
}

function publish(kinds: readonly Kind[], remotes: number, input: OpenApiInput): Published {
  const described = input.descriptions === noDescriptions ? '' : 'described'
  const hashOf = (resources: readonly ServedResource[]): string =>
    createHash('sha512')
      .update(`${input.version} ${described} ${JSON.stringify(resources)}`)
      .digest('hex')
      .toUpperCase()
  const hashes = new Map<string, string>()
  for (const path of openApiV3Paths(input.resources)) {
    hashes.set(path, hashOf(input.resources.filter((of) => pathOf(of) === path)))
  }
  const own = hashOf(input.resources)
  const all = remotes === 0 ? own : createHash('sha512').update(`${own} ${remotes}`).digest('hex').toUpperCase()
  hashes.set(version2, all).set(index, all)
  return { kinds, remotes, input, hashes, documents: new Map() }
}

function pathOf({ group, version }: ServedResource): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`
}

/** `immutable`: the client named the hash, so the answer under this URL never changes. */
function serve(c: Context, now: Published, name: string, make: () => object, immutable = false): Response {
  const etag = `"${now.hashes.get(name) ?? ''}"`
  const headers: Record<string, string> = {
    etag,
    vary: 'Accept-Encoding, Accept',
    'cache-control': immutable ? 'public, immutable' : 'no-cache, private',
  }
  if (c.req.header('if-none-match') === etag) return new Response(null, { status: 304, headers })
  let document = now.documents.get(name)
  if (document === undefined) {
    document = { bytes: new TextEncoder().encode(JSON.stringify(make())), packed: undefined }
    now.documents.set(name, document)
  }
  headers['content-type'] = jsonType
  if (!(c.req.header('accept-encoding') ?? '').includes('gzip'))
    return new Response(document.bytes as BodyInit, { headers })
  document.packed ??= gzipSync(document.bytes, { level: 1 })
  return new Response(document.packed as BodyInit, { headers: { ...headers, 'content-encoding': 'gzip' } })
}
