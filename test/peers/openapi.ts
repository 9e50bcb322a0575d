/**
 * What of a document of OpenAPI version 3 must be upstream's: every path and every schema, as a hash of what is left without prose
 * and without what is not published here. `bun test/peers/openapi.ts` asks upstream and writes the golden data that
 * openapi.test.ts holds against ours.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Sends } from './send.ts'
import { startUpstream, upstreamPrograms } from './upstream.ts'

/** By path or by the schema's id. */
export type Reduced = Readonly<Record<'paths' | 'schemas', Readonly<Record<string, string>>>>

export const goldenPath = new URL('../golden/api/openapi3.json', import.meta.url).pathname

/** What upstream publishes and we do not, each with its reason. */
export const unpublished: readonly { readonly paths?: RegExp; readonly parameter?: string; readonly documents?: RegExp; readonly reason: string }[] = [
  { documents: /^(?!(api|apis\/[^/]+)\/v)/, reason: 'lists of groups and versions, the version and OpenID documents: no client reads what is said of these' },
  { paths: /^\/(api|apis\/[^/]+)\/v\d+\/watch\//, reason: 'deprecated since 1.11; the parameter watch does the same' },
  { parameter: 'shardSelector', reason: 'of a feature that is off: upstream ignores it' },
]

interface Document {
  readonly paths?: Readonly<Record<string, unknown>>
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> }
}

export function reduce({ paths = {}, components }: Document): Reduced {
  const published = Object.entries(paths).filter(([path]) => !unpublished.some((each) => each.paths?.test(path) === true))
  const hashes = (of: readonly (readonly [string, unknown])[]): Record<string, string> => Object.fromEntries(of.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => [name, hash(value)]))
  return { paths: hashes(published), schemas: hashes(Object.entries(components?.schemas ?? {})) }
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(bare(value))).digest('hex').slice(0, 8)
}

/** Without descriptions; in an order of its own; references alone, which may stand in allOf to have neighbours. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((each) => !isUnpublished(each)).map(bare)
  if (typeof value !== 'object' || value === null) return value
  const { description: _description, allOf, ...rest } = value as Record<string, unknown>
  const only: unknown = Array.isArray(allOf) && allOf.length === 1 ? allOf[0] : undefined
  const all = only === undefined ? { ...rest, ...(allOf === undefined ? {} : { allOf }) } : { ...rest, ...(only as object) }
  const entries = Object.entries(all).map(([key, inner]) => [key, key === 'properties' ? bareProperties(inner as object) : bare(inner)] as const)
  return Object.fromEntries(entries.filter(([key, inner]) => key !== 'parameters' || (inner as unknown[]).length > 0).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** A field may be called `description`. */
function bareProperties(properties: object): object {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, bare(schema)] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function isUnpublished(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'name' in value && unpublished.some(({ parameter }) => parameter === value.name)
}

async function record(): Promise<void> {
  const programs = upstreamPrograms()
  if (typeof programs === 'string') throw new Error(programs)
  const dir = mkdtempSync(join(tmpdir(), 'kubun-openapi-'))
  const upstream = await startUpstream(join(dir, 'upstream'), programs)
  const sends = new Sends(upstream)
  try {
    const get = async (path: string): Promise<unknown> => (await sends.send({ name: path, path }, new Map())).body
    const index = (await get('/openapi/v3')) as { readonly paths: Readonly<Record<string, unknown>> }
    const lines: string[] = []
    for (const path of Object.keys(index.paths).toSorted()) {
      if (unpublished.some(({ documents }) => documents?.test(path) === true)) continue
      lines.push(`${JSON.stringify(path)}: ${JSON.stringify(reduce((await get(`/openapi/v3/${path}`)) as Document))}`)
    }
    writeFileSync(goldenPath, `{\n${lines.join(',\n')}\n}\n`)
  } finally {
    sends.close()
    await upstream.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

if (import.meta.main) await record()
