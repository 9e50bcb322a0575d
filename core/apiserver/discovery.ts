/**
 * What the server serves: /api, /apis and their groups and versions, plain and aggregated, from the registry's kinds and
 * from what aggregated servers say of themselves. Names, order and priorities are upstream's; kinds that come at run time
 * (custom ones) appear at once.
 */
import { createHash } from 'node:crypto'
import type { Context, Hono } from 'hono'
import { apiVersionOf } from '../api/meta.ts'
import type { Kind } from '../api/kind.ts'
import type { ServedResource } from '../api/schema/openapi.ts'
import { resources, type ResourceFacts, type SubresourceFacts } from '../api/schema/resources.ts'
import { inOrder, localPriority, type Placed, type PlacedGroup } from '../api/apiregistration/priorities.ts'
import { genericNotFound, notAcceptable, type ApiError } from '../api/errors.ts'
import { printYaml } from './codec.ts'
import type { Aggregator } from './aggregator/aggregator.ts'
import { byGroup, customSubresources, storageVersionHash, verbsOf, type Subresource } from './customresource.ts'
import type { ApiServerDeps } from './deps.ts'
import { mediaTypes, parseAccept } from './negotiate.ts'
import { methodNotAllowed } from './route.ts'
import { answersWithObject } from './verbs/delete.ts'

const yamlType = 'application/yaml'
const jsonType = 'application/json'
const aggregatedType = `${jsonType};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`
const clientCidrs = [{ clientCIDR: '0.0.0.0/0' }]

interface Cached {
  readonly kinds: readonly Kind[]
  readonly remotes: number
  readonly text: string
  readonly etag: string
}

export function discoveryRoutes(app: Hono, { registry, aggregator }: ApiServerDeps): void {
  const cached = new Map<string, Cached>()
  const groups = (): readonly PlacedGroup<Placed>[] => inOrder(plainVersions(registry.kinds(), aggregator))
  const serve = (c: Context, id: string, type: string, make: () => object | undefined): Response => {
    const yaml = type === jsonType && wantsYaml(c.req.header('accept'))
    if (yaml === undefined) return refuse(notAcceptable(`only the following media types are accepted: ${mediaTypes.join(', ')}`))
    const kinds = registry.kinds()
    const remotes = (aggregator?.registrations.version ?? 0) + (aggregator?.discovery.version ?? 0) // both only grow
    let entry = cached.get(id)
    if (entry === undefined || entry.kinds !== kinds || entry.remotes !== remotes) {
      const made = make()
      if (made === undefined) return refuse(genericNotFound())
      const text = JSON.stringify(made)
      entry = { kinds, remotes, text, etag: `"${createHash('sha512').update(text).digest('hex').toUpperCase()}"` }
      cached.set(id, entry)
    }
    const headers = { etag: entry.etag, vary: 'Accept', 'cache-control': 'public', 'content-type': type }
    if (c.req.header('if-none-match') === entry.etag) return new Response(null, { status: 304, headers })
    return yaml ? new Response(printYaml(JSON.parse(entry.text) as object), { headers: { ...headers, 'content-type': yamlType } }) : new Response(entry.text, { headers })
  }
  for (const root of ['api', 'apis'] as const) {
    const route = (c: Context): Response => {
      if (wantsAggregated(c.req.header('accept')))
        return serve(c, `${root} aggregated`, aggregatedType, () => (root === 'api' ? coreGroup(registry.kinds()) : aggregated(registry.kinds(), aggregator)))
      if (root === 'apis')
        return serve(c, root, jsonType, () => ({
          kind: 'APIGroupList',
          apiVersion: 'v1',
          groups: groups().map(groupObject),
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
  app.all('/apis/:group', (c) => {
    const group = groups().find(({ name }) => name === c.req.param('group'))
    return group === undefined ? pageNotFound() : serve(c, `group ${group.name}`, jsonType, () => ({ kind: 'APIGroup', apiVersion: 'v1', ...groupObject(group) }))
  })
  app.get('/apis/:group/:version', (c) => {
    const { group, version } = c.req.param()
    if (!groups().some(({ name }) => name === group)) return pageNotFound()
    if (!registry.hasGroup(group) && kindsIn(registry.kinds(), group, version).length === 0) return pageNotFound()
    return serve(c, `${group}/${version}`, jsonType, () => resourceList(registry.kinds(), group, version))
  })
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

/** Of our own kinds, each once. */
function localVersions(kinds: readonly Kind[]): readonly Placed[] {
  const found = new Map<string, Placed>()
  for (const { group, version } of kinds) if (group !== '') found.set(apiVersionOf({ group, version }), { group, version, priority: localPriority(group, version) })
  return [...found.values()]
}

/** What /apis lists: our own, and everything that has an APIService, whether it answers or not. An APIService says where it stands. */
function plainVersions(kinds: readonly Kind[], aggregator: Aggregator | undefined): readonly Placed[] {
  const all = new Map<string, Placed>(localVersions(kinds).map((placed) => [apiVersionOf(placed), placed]))
  for (const placed of aggregator?.registrations.all() ?? []) if (placed.group !== '') all.set(apiVersionOf(placed), placed)
  return [...all.values()]
}

function groupObject({ name, versions }: PlacedGroup<Placed>): object {
  const found = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: found, preferredVersion: found[0] }
}

const facts = new Map<string, ResourceFacts>(resources.map((of) => [`${of.group}/${of.version}/${of.resource}`, of]))

/** What a kind describes, with the names that upstream's discovery gives to the bodies of its subresources. */
function subresourcesOf(kind: Kind): readonly Subresource[] {
  if (kind.custom !== undefined) return customSubresources(kind)
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
    // of namespaces, upstream's document does not say so
    ...(answersWithObject.has(`${kind.group}/${kind.plural}`) && kind.plural !== 'namespaces' ? { deleteAnswersObject: true } : {}),
    subresources: subresourcesOf(kind).map((sub) => ({
      name: sub.name,
      kind: sub.kind,
      group: sub.group,
      version: sub.version,
      verbs: sub.verbs,
    })),
    ...(kind.custom === undefined ? {} : { custom: kind.custom.published }),
  }
}

function kindsIn(kinds: readonly Kind[], group: string, version: string): readonly Kind[] {
  return (byGroup(kinds).get(group) ?? []).filter((kind) => kind.version === version)
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
  const hash = kind.custom === undefined
    ? facts.get(`${kind.group}/${kind.version}/${kind.plural}`)?.storageVersionHash
    : storageVersionHash(kind.group, kind.custom.storageVersion, kind.kind)
  const own = {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: verbsOf(kind),
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

interface Described extends Placed {
  readonly discovery: object
}

function discoveryList(items: readonly object[]): object {
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items }
}

function coreGroup(kinds: readonly Kind[]): object {
  return discoveryList([{ metadata: {}, versions: [versionDiscovery(kinds, '', 'v1')] }])
}

function versionDiscovery(kinds: readonly Kind[], group: string, version: string): object {
  const [builtIn, custom] = [kindsIn(kinds, group, version).filter((kind) => kind.custom === undefined), kindsIn(kinds, group, version).filter((kind) => kind.custom !== undefined)]
  const byName = custom.toSorted((a, b) => (a.plural < b.plural ? -1 : 1))
  return { version, resources: [...builtIn, ...byName].map(aggregatedOnce), freshness: 'Current' }
}

const aggregatedForms = new WeakMap<Kind, object>()

function aggregatedOnce(kind: Kind): object {
  let form = aggregatedForms.get(kind)
  if (form === undefined) aggregatedForms.set(kind, (form = aggregatedResource(kind)))
  return form
}

/** Where another server has a group-version of ours, it is the other's. */
function aggregated(kinds: readonly Kind[], aggregator: Aggregator | undefined): object {
  const all = new Map<string, Described>(localVersions(kinds).map((placed) => [apiVersionOf(placed), { ...placed, discovery: versionDiscovery(kinds, placed.group, placed.version) }]))
  for (const { name, group, version, priority } of aggregator?.registrations.remotes() ?? []) {
    const discovery = aggregator?.discovery.entry(name)
    if (discovery !== undefined) all.set(apiVersionOf({ group, version }), { group, version, priority, discovery })
  }
  return discoveryList(inOrder([...all.values()]).map(({ name, versions }) => ({ metadata: { name }, versions: versions.map(({ discovery }) => discovery) })))
}

/** Group and version are left empty where they are those of the list that this stands in; custom kinds always name them. */
function responseKind(within: Kind, of: { readonly group: string; readonly version: string; readonly kind: string }): object {
  const same = within.custom === undefined && of.group === within.group && of.version === within.version
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
    verbs: verbsOf(kind),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(subs.length === 0 ? {} : { subresources: subs }),
  }
}
