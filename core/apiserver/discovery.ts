/**
 * What the server serves: /api, /apis and their groups and versions, plain and aggregated, from the registry's kinds.
 * Names, order and priorities are upstream's; kinds that come at run time (custom ones) appear at once.
 */
import { createHash } from 'node:crypto'
import type { Context, Hono } from 'hono'
import { apiVersionOf } from '../api/meta.ts'
import type { Kind } from '../api/kind.ts'
import type { ServedResource } from '../api/schema/openapi.ts'
import { groups as knownGroups, resources, type ResourceFacts, type SubresourceFacts } from '../api/schema/resources.ts'
import { genericNotFound, notAcceptable, type ApiError } from '../api/errors.ts'
import { printYaml } from './codec.ts'
import type { ApiServerDeps } from './deps.ts'
import { mediaTypes, parseAccept } from './negotiate.ts'
import { methodNotAllowed } from './route.ts'

const yamlType = 'application/yaml'
const jsonType = 'application/json'
const aggregatedType = `${jsonType};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`
const clientCidrs = [{ clientCIDR: '0.0.0.0/0' }]

export function discoveryRoutes(app: Hono, { registry }: ApiServerDeps): void {
  const cached = new Map<string, { readonly kinds: readonly Kind[]; readonly text: string; readonly etag: string }>()
  const serve = (c: Context, id: string, type: string, make: () => object | undefined): Response => {
    const yaml = type === jsonType && wantsYaml(c.req.header('accept'))
    if (yaml === undefined) return refuse(notAcceptable(`only the following media types are accepted: ${mediaTypes.join(', ')}`))
    const kinds = registry.kinds()
    let entry = cached.get(id)
    if (entry === undefined || entry.kinds !== kinds) {
      const made = make()
      if (made === undefined) return refuse(genericNotFound())
      const text = JSON.stringify(made)
      entry = { kinds, text, etag: `"${createHash('sha512').update(text).digest('hex').toUpperCase()}"` }
      cached.set(id, entry)
    }
    const headers = { etag: entry.etag, vary: 'Accept', 'cache-control': 'public', 'content-type': type }
    if (c.req.header('if-none-match') === entry.etag) return new Response(null, { status: 304, headers })
    return yaml ? new Response(printYaml(JSON.parse(entry.text) as object), { headers: { ...headers, 'content-type': yamlType } }) : new Response(entry.text, { headers })
  }
  for (const root of ['api', 'apis'] as const) {
    const route = (c: Context): Response => {
      if (wantsAggregated(c.req.header('accept')))
        return serve(c, `${root} aggregated`, aggregatedType, () => aggregated(registry.kinds(), root))
      if (root === 'apis')
        return serve(c, root, jsonType, () => ({
          kind: 'APIGroupList',
          apiVersion: 'v1',
          groups: groupNames(registry.kinds()).map((g) => groupObject(registry.kinds(), g)),
        }))
      const host = c.req.header('host') ?? new URL(c.req.url).host
      const serverAddressByClientCIDRs = clientCidrs.map((cidr) => ({ ...cidr, serverAddress: host }))
      const body = JSON.stringify({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs })
      return new Response(body, { headers: { 'content-type': jsonType } })
    }
    app.get(`/${root}`, route)
    app.get(`/${root}/`, route)
  }
  for (const path of ['/version', '/api/v1', '/apis/:group/:version']) app.on(['POST', 'PUT', 'PATCH', 'DELETE'], path, () => refuse(methodNotAllowed()))
  app.get('/api/v1', (c) => serve(c, 'v1', jsonType, () => resourceList(registry.kinds(), '', 'v1')))
  // a group answers to every method, as upstream's does
  app.all('/apis/:group', (c) =>
    oneGroup(registry.kinds(), c.req.param('group')) === undefined ? pageNotFound() : serve(c, `group ${c.req.param('group')}`, jsonType, () => oneGroup(registry.kinds(), c.req.param('group'))),
  )
  app.get('/apis/:group/:version', (c) =>
    oneGroup(registry.kinds(), c.req.param('group')) === undefined ? pageNotFound() : serve(c, `${c.req.param('group')}/${c.req.param('version')}`, jsonType, () =>
      resourceList(registry.kinds(), c.req.param('group'), c.req.param('version')),
    ),
  )
}

function refuse(error: ApiError): Response {
  return new Response(JSON.stringify(error.status()), { status: error.code, headers: { 'content-type': jsonType } })
}

function pageNotFound(): Response {
  return new Response('404 page not found\n', { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' } })
}

/** Undefined when neither YAML nor JSON will do; protobuf has no form of these here, and whoever asks for it reads JSON. */
function wantsYaml(accept: string | undefined): boolean | undefined {
  if (accept === undefined || accept === '') return false
  for (const { type } of parseAccept(accept)) {
    if (type === yamlType) return true
    if (type === '*/*' || type === 'application/*' || (mediaTypes as readonly string[]).includes(type)) return false
  }
  return undefined
}

/** v2beta1 has gone; whoever names it first and plain JSON later gets plain JSON. */
function wantsAggregated(accept: string | undefined): boolean {
  if (accept === undefined) return false
  for (const { type, params } of parseAccept(accept)) {
    if (type !== jsonType && type !== '*/*' && type !== 'application/*') continue
    if (params['as'] === undefined) return false
    if (params['as'] === 'APIGroupDiscoveryList' && params['g'] === 'apidiscovery.k8s.io' && params['v'] === 'v2')
      return true
  }
  return false
}

/** Built-in groups in upstream's order, others by name after them. */
function groupNames(kinds: readonly Kind[]): readonly string[] {
  const served = new Set(kinds.map((kind) => kind.group))
  served.delete('')
  const order = knownGroups.map((group) => group.name).filter((name) => served.delete(name))
  return [...order, ...[...served].toSorted()]
}

function versionsOf(kinds: readonly Kind[], group: string): readonly string[] {
  const served = [...new Set(kinds.filter((kind) => kind.group === group).map((kind) => kind.version))]
  const order = group === '' ? ['v1'] : (knownGroups.find((known) => known.name === group)?.versions ?? [])
  const rank = (version: string): number => (order.includes(version) ? order.indexOf(version) : order.length)
  return served.toSorted((a, b) => rank(a) - rank(b) || compareVersions(a, b))
}

/** Stable before beta before alpha, higher numbers first (apimachinery/pkg/version/helpers.go). */
function compareVersions(a: string, b: string): number {
  const parse = (version: string): readonly number[] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
    if (match === null) return [0, 0, 0]
    return [match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1, Number(match[1]), Number(match[3] ?? 0)]
  }
  const [left, right] = [parse(a), parse(b)]
  for (let i = 0; i < 3; i++) if (left[i] !== right[i]) return (right[i] ?? 0) - (left[i] ?? 0)
  return a < b ? -1 : a > b ? 1 : 0
}

function groupObject(kinds: readonly Kind[], name: string): object {
  const versions = versionsOf(kinds, name).map((version) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions, preferredVersion: versions[0] }
}

function oneGroup(kinds: readonly Kind[], name: string): object | undefined {
  return kinds.some((kind) => kind.group === name)
    ? { kind: 'APIGroup', apiVersion: 'v1', ...groupObject(kinds, name) }
    : undefined
}

const facts = new Map<string, ResourceFacts>(resources.map((of) => [`${of.group}/${of.version}/${of.resource}`, of]))

interface Subresource {
  readonly name: string
  readonly kind: string
  readonly group: string
  readonly version: string
  readonly verbs: readonly string[]
}

/** What a kind describes, with the names that upstream's discovery gives to the bodies of its subresources. */
function subresourcesOf(kind: Kind): readonly Subresource[] {
  const known = facts.get(`${kind.group}/${kind.version}/${kind.plural}`)?.subresources ?? []
  const names = [
    ...kind.subresources,
    ...(kind.status === undefined ? [] : ['status']),
    ...(kind.scale === undefined ? [] : ['scale']),
  ]
  return [...new Set(names)].toSorted().map((name) => {
    const fact: SubresourceFacts | undefined = known.find((of) => of.name === name)
    if (fact === undefined && name === 'scale')
      return { name, kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] }
    return {
      name,
      kind: fact?.kind ?? kind.kind,
      group: fact?.group ?? (fact?.version === undefined ? kind.group : ''),
      version: fact?.version ?? kind.version,
      verbs: fact?.verbs ?? ['get', 'patch', 'update'],
    }
  })
}

/** A kind as OpenAPI and others who read resources want it. */
export function servedResource(kind: Kind): ServedResource {
  return {
    group: kind.group,
    version: kind.version,
    kind: kind.kind,
    resource: kind.plural,
    namespaced: kind.namespaced,
    verbs: kind.verbs,
    subresources: subresourcesOf(kind).map((sub) => ({
      name: sub.name,
      kind: sub.kind,
      group: sub.group,
      version: sub.version,
      verbs: sub.verbs,
    })),
  }
}

function kindsIn(kinds: readonly Kind[], group: string, version: string): readonly Kind[] {
  return kinds.filter((kind) => kind.group === group && kind.version === version)
}

function resourceList(kinds: readonly Kind[], group: string, version: string): object | undefined {
  const served = kindsIn(kinds, group, version)
  if (served.length === 0) return undefined
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: apiVersionOf({ group, version }),
    resources: served.flatMap(plainResources),
  }
}

function plainResources(kind: Kind): readonly object[] {
  const hash = facts.get(`${kind.group}/${kind.version}/${kind.plural}`)?.storageVersionHash
  const own = {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: [...kind.verbs].toSorted(),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(hash === undefined ? {} : { storageVersionHash: hash }),
  }
  const subs = subresourcesOf(kind).map((sub) => ({
    name: `${kind.plural}/${sub.name}`,
    singularName: '',
    namespaced: kind.namespaced,
    ...(sub.group === kind.group && sub.version === kind.version
      ? {}
      : { ...(sub.group === '' ? {} : { group: sub.group }), version: sub.version }),
    kind: sub.kind,
    verbs: sub.verbs,
  }))
  return [own, ...subs]
}

function aggregated(kinds: readonly Kind[], root: 'api' | 'apis'): object {
  const names = root === 'api' ? [''] : groupNames(kinds)
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: names.map((name) => ({
      metadata: name === '' ? {} : { name },
      versions: versionsOf(kinds, name).map((version) => ({
        version,
        resources: kindsIn(kinds, name, version).map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
  }
}

/** Group and version are left empty where they are those of the list that this stands in. */
function responseKind(within: Kind, of: { readonly group: string; readonly version: string; readonly kind: string }): object {
  const same = of.group === within.group && of.version === within.version
  return same ? { group: '', version: '', kind: of.kind } : { group: of.group, version: of.version, kind: of.kind }
}

function aggregatedResource(kind: Kind): object {
  const subs = subresourcesOf(kind).map((sub) => ({
    subresource: sub.name,
    responseKind: responseKind(kind, sub),
    verbs: sub.verbs,
  }))
  return {
    resource: kind.plural,
    responseKind: responseKind(kind, kind),
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: [...kind.verbs].toSorted(),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(subs.length === 0 ? {} : { subresources: subs }),
  }
}
