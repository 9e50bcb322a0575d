/**
 * The paths of a resource, with their operations, in a form of its own from which both versions of OpenAPI are written.
 */
import { definitionOf } from '../schema.ts'
import type { CustomKind } from './custom.ts'
import { modelName } from './custom.ts'

export interface ServedSubresource {
  readonly name: string
  readonly kind: string
  readonly group?: string
  readonly version?: string
  readonly verbs: readonly string[]
}

/** A resource that is served: a built-in one (ResourceFacts is one), or a custom one with its schema. */
export interface ServedResource {
  readonly group: string
  readonly version: string
  readonly kind: string
  /** The plural. */
  readonly resource: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
  readonly subresources?: readonly ServedSubresource[]
  readonly custom?: CustomKind
  /** A delete answers with the object, not with a Status. */
  readonly deleteAnswersObject?: boolean
}

export interface Parameter {
  readonly name: string
  readonly in: 'query' | 'path'
  readonly type: 'string' | 'boolean' | 'integer'
}

export interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'patch' | 'options' | 'head'
  readonly id: string
  readonly action: string
  /** What it does, in a sentence; '' where nothing is said. */
  readonly sentence: string
  readonly kind: { readonly group: string; readonly kind: string; readonly version: string }
  readonly tag: string
  readonly parameters: readonly Parameter[]
  /** Ids of the schemas of body and answer; '' is plain text. */
  readonly body?: { readonly id: string; readonly required: boolean }
  readonly answer: string
  /** 200 and what else. */
  readonly codes: readonly number[]
  readonly watchable: boolean
  /** Of a custom kind: JSON and YAML only. */
  readonly custom: boolean
}

export interface PathItem {
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly operations: readonly Operation[]
}

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'
export const statusId = `${meta}.Status`
const deleteOptionsId = `${meta}.DeleteOptions`
const patchId = `${meta}.Patch`
export const resourceListId = `${meta}.APIResourceList`
/** Referred to by no operation; clients look for it. */
export const watchEventId = `${meta}.WatchEvent`

function query(type: Parameter['type'], ...names: string[]): Parameter[] {
  return names.map((name) => ({ name, in: 'query', type }))
}

function inPath(...names: string[]): Parameter[] {
  return names.map((name) => ({ name, in: 'path', type: 'string' }))
}

const byName = (parameters: readonly Parameter[]): Parameter[] => parameters.toSorted((a, b) => (a.name < b.name ? -1 : 1))

const pretty = query('string', 'pretty')
const selection = [
  ...query('string', 'continue', 'fieldSelector', 'labelSelector', 'resourceVersion', 'resourceVersionMatch'),
  ...query('integer', 'limit', 'timeoutSeconds'), ...query('boolean', 'sendInitialEvents'),
]
const listing = byName([...selection, ...query('boolean', 'allowWatchBookmarks', 'watch')])
const writing = query('string', 'dryRun', 'fieldManager', 'fieldValidation')
const patching = byName([...writing, ...query('boolean', 'force')])
const deleting = byName([
  ...query('string', 'dryRun', 'propagationPolicy'), ...query('integer', 'gracePeriodSeconds'),
  ...query('boolean', 'ignoreStoreReadErrorWithClusterBreakingPotential', 'orphanDependents'),
])

/** Parameters of subresources that are connected to; the proxies take `path` only. */
const connecting: Readonly<Record<string, readonly Parameter[]>> = {
  exec: byName([...query('string', 'command', 'container'), ...query('boolean', 'stderr', 'stdin', 'stdout', 'tty')]),
  attach: byName([...query('string', 'container'), ...query('boolean', 'stderr', 'stdin', 'stdout', 'tty')]),
  portforward: query('integer', 'ports'),
  proxy: query('string', 'path'),
}

const logging = byName([
  ...query('string', 'container', 'stream', 'pretty'), ...query('integer', 'limitBytes', 'sinceSeconds', 'tailLines'),
  ...query('boolean', 'follow', 'insecureSkipTLSVerifyBackend', 'previous', 'timestamps'),
])

/** apps, v1 -> /apis/apps/v1 */
export function rootOf(group: string, version: string): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`
}

/** rbac.authorization.k8s.io, v1 -> RbacAuthorizationV1, and rbacAuthorization_v1 for the tag. */
export function groupNames(group: string, version: string): { readonly id: string; readonly tag: string } {
  const words = group === '' ? ['core'] : group.replace(/\.k8s\.io$/, '').split('.')
  const name = words.map(capital).join('')
  return { id: `${name}${capital(version)}`, tag: `${name.slice(0, 1).toLowerCase()}${name.slice(1)}_${version}` }
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}

export function pathsOf(resource: ServedResource): PathItem[] {
  const root = rootOf(resource.group, resource.version)
  const within = resource.namespaced ? `${root}/namespaces/{namespace}` : root
  const namespace = resource.namespaced ? inPath('namespace') : []
  const items: PathItem[] = []
  const collection = collectionOperations(resource)
  if (collection.length > 0) items.push({ path: `${within}/${resource.resource}`, parameters: [...namespace, ...pretty], operations: collection })
  const object = objectOperations(resource, '', resource, resource.verbs)
  const named = [...inPath('name'), ...namespace]
  if (object.length > 0) items.push({ path: `${within}/${resource.resource}/{name}`, parameters: [...named, ...pretty], operations: object })
  if (resource.namespaced && resource.verbs.includes('list')) {
    items.push({ path: `${root}/${resource.resource}`, parameters: byName([...listing, ...pretty]), operations: [listOperation(resource, 'ForAllNamespaces')] })
  }
  for (const subresource of resource.subresources ?? []) items.push(...subresourcePaths(resource, subresource, `${within}/${resource.resource}/{name}/${subresource.name}`, named))
  return items
}

function subresourcePaths(resource: ServedResource, subresource: ServedSubresource, path: string, named: readonly Parameter[]): PathItem[] {
  const { name } = subresource
  if (name === 'log') {
    const operation = base(resource, 'get', 'get', 'read', 'Log')
    return [{ path, parameters: byName([...logging, ...named]), operations: [{ ...operation, sentence: sentenceOf('read', resource, 'log'), answer: '' }] }]
  }
  const connect = connecting[name]
  if (connect !== undefined) {
    const item: PathItem = { path, parameters: byName([...connect, ...named]), operations: connectOperations(resource, subresource, '') }
    if (name !== 'proxy') return [item]
    const deeper = { path: `${path}/{path}`, parameters: byName([...inPath('path'), ...connect, ...named]), operations: connectOperations(resource, subresource, 'WithPath') }
    return [item, deeper]
  }
  const suffix = capital(name)
  const kind = { group: subresource.group ?? resource.group, version: subresource.version ?? resource.version, kind: subresource.kind }
  const operations = objectOperations(resource, suffix, kind, subresource.verbs)
  if (subresource.verbs.includes('create')) {
    const id = schemaId(resource, kind)
    operations.push({ ...base(resource, 'post', 'post', 'create', suffix, kind), parameters: writing, body: { id, required: true }, answer: id, codes: [200, 201, 202] })
  }
  return [{ path, parameters: [...named, ...pretty], operations }]
}

type Gvk = { readonly group: string; readonly version: string; readonly kind: string }

/** Id of the schema of a kind. */
function schemaId(resource: ServedResource, kind: Gvk): string {
  if (resource.custom !== undefined && kind.kind === resource.kind && kind.group === resource.group) return modelName(kind.group, kind.version, kind.kind)
  return definitionOf(kind.group, kind.version, kind.kind)?.id ?? ''
}

function listId(resource: ServedResource): string {
  if (resource.custom !== undefined) return modelName(resource.group, resource.version, resource.custom.listKind)
  return definitionOf(resource.group, resource.version, `${resource.kind}List`)?.id ?? ''
}

/** What all operations of a resource share. */
function base(resource: ServedResource, method: Operation['method'], action: string, verb: string, suffix: string, kind: Gvk = resource): Operation {
  const { id, tag } = groupNames(resource.group, resource.version)
  return {
    method,
    id: `${verb}${id}${resource.namespaced ? 'Namespaced' : ''}${resource.kind}${suffix}`,
    action,
    sentence: sentenceOf(verb, resource, suffix.toLowerCase()),
    kind: { group: kind.group, kind: kind.kind, version: kind.version },
    tag,
    parameters: [],
    answer: schemaId(resource, kind),
    codes: [200],
    watchable: false,
    custom: resource.custom !== undefined,
  }
}

const words: Readonly<Record<string, string>> = { read: 'read', replace: 'replace', patch: 'partially update', create: 'create', delete: 'delete' }

/** What `verb` does to an object or to a part of it, as upstream says it. */
function sentenceOf(verb: string, { kind }: ServedResource, part: string): string {
  const of = part === '' ? '' : `${part} of `
  if (verb !== 'create' && verb !== 'delete') return `${words[verb] ?? ''} ${of}the specified ${kind}`
  const isPlural = kind.endsWith('s') && !kind.endsWith('ss')
  return `${words[verb] ?? ''} ${of}${isPlural ? '' : /^[aeiou]/i.test(kind) ? 'an ' : 'a '}${kind}`
}

function listOperation(resource: ServedResource, suffix: '' | 'ForAllNamespaces'): Operation {
  const { id, tag } = groupNames(resource.group, resource.version)
  const scope = resource.namespaced && suffix === '' ? 'Namespaced' : ''
  const operation = base(resource, 'get', 'list', 'list', suffix)
  return {
    ...operation,
    id: `list${id}${scope}${resource.kind}${suffix}`,
    sentence: `${resource.verbs.includes('watch') ? 'list or watch' : 'list'} objects of kind ${resource.kind}`,
    tag,
    parameters: suffix === '' ? listing : [],
    answer: listId(resource),
    watchable: resource.verbs.includes('watch') || resource.custom === undefined,
  }
}

function collectionOperations(resource: ServedResource): Operation[] {
  const operations: Operation[] = []
  const id = schemaId(resource, resource)
  if (resource.verbs.includes('deletecollection')) {
    operations.push({
      ...base(resource, 'delete', 'deletecollection', 'delete', ''),
      id: `delete${groupNames(resource.group, resource.version).id}Collection${resource.namespaced ? 'Namespaced' : ''}${resource.kind}`,
      ...(resource.custom === undefined ? { parameters: byName([...selection, ...deleting]), body: { id: deleteOptionsId, required: false } } : { parameters: listing }),
      sentence: `delete collection of ${resource.kind}`,
      answer: statusId,
    })
  }
  if (resource.verbs.includes('list')) operations.push(listOperation(resource, ''))
  if (resource.verbs.includes('create')) {
    operations.push({ ...base(resource, 'post', 'post', 'create', ''), parameters: writing, body: { id, required: true }, codes: [200, 201, 202] })
  }
  return operations
}

function objectOperations(resource: ServedResource, suffix: string, kind: Gvk, verbs: readonly string[]): Operation[] {
  const operations: Operation[] = []
  const id = schemaId(resource, kind)
  if (verbs.includes('delete')) {
    operations.push({
      ...base(resource, 'delete', 'delete', 'delete', suffix, kind),
      parameters: deleting,
      body: { id: deleteOptionsId, required: false },
      answer: resource.deleteAnswersObject === true ? id : statusId,
      codes: [200, 202],
    })
  }
  if (verbs.includes('get')) {
    const parameters = resource.custom === undefined ? [] : query('string', 'resourceVersion')
    operations.push({ ...base(resource, 'get', 'get', 'read', suffix, kind), parameters })
  }
  if (verbs.includes('patch')) {
    operations.push({ ...base(resource, 'patch', 'patch', 'patch', suffix, kind), parameters: patching, body: { id: patchId, required: true }, codes: resource.custom === undefined ? [200, 201] : [200] })
  }
  if (verbs.includes('update')) {
    operations.push({ ...base(resource, 'put', 'put', 'replace', suffix, kind), parameters: writing, body: { id, required: true }, codes: [200, 201] })
  }
  return operations
}

const methodOf: Readonly<Record<string, Operation['method']>> = { create: 'post', delete: 'delete', get: 'get', patch: 'patch', update: 'put' }

function connectOperations(resource: ServedResource, subresource: ServedSubresource, suffix: string): Operation[] {
  const kind = { group: subresource.group ?? resource.group, version: subresource.version ?? resource.version, kind: subresource.kind }
  const { id } = groupNames(resource.group, resource.version)
  const methods = subresource.verbs.map((verb) => methodOf[verb]).filter((method) => method !== undefined)
  const all: Operation['method'][] = subresource.name === 'proxy' ? [...methods, 'head', 'options'] : methods
  return all.toSorted().map((method) => ({
    ...base(resource, method, 'connect', 'connect', suffix, kind),
    id: `connect${id}${capital(method)}${resource.namespaced ? 'Namespaced' : ''}${resource.kind}${capital(subresource.name)}${suffix}`,
    sentence: `connect ${method.toUpperCase()} requests to ${subresource.name} of ${resource.kind}`,
    answer: '',
  }))
}
