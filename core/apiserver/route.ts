/**
 * From a request for a resource to the verb that serves it: which kinds, verbs and subresources there are, with
 * upstream's refusals for what there is not. Verbs are in verbs/, computed kinds and subresources in virtual/.
 */
import { ApiError, badRequest, genericNotFound, methodNotSupported, notFound } from '../api/errors.ts'
import type { Kind, Verb } from '../api/kind.ts'
import type { Registry } from '../registry/registry.ts'
import type { ApiServerDeps, Call, Outcome } from './deps.ts'
import type { RequestInfo } from './request.ts'
import { deleteCollectionVerb, deleteVerb } from './verbs/delete.ts'
import { patchVerb } from './verbs/patch.ts'
import { getVerb, listVerb } from './verbs/read.ts'
import { scaleVerb } from './verbs/scale.ts'
import { createVerb, updateVerb } from './verbs/write.ts'
import { virtualCreates, virtualReads, virtualSubresources } from './virtual/virtual.ts'

export type Handler = (deps: ApiServerDeps, call: Call) => Promise<Outcome>

/** What go-restful answers for a known path under another method, as upstream's clients see it. */
export function methodNotAllowed(): ApiError {
  return new ApiError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  })
}

/** The kind of the path. Throws 404; undefined when no built-in group is meant, which upstream answers in plain text. */
export function kindOf(registry: Registry, info: RequestInfo): Kind | undefined {
  const kind = registry.kind(info.group, info.version, info.resource)
  if (kind === undefined) {
    if (registry.hasGroup(info.group)) throw genericNotFound()
    return undefined
  }
  if (kind.custom !== undefined) return isPlaced(kind, info) ? kind : undefined
  if (!kind.namespaced && info.namespace !== '' && kind.plural !== 'namespaces') throw genericNotFound()
  if (kind.namespaced && info.namespace === '' && pathHasName(info)) throw genericNotFound()
  return kind
}

/** Custom kinds are known only where they are: a namespace for those that have one, but for reads of all. */
function isPlaced(kind: Kind, info: RequestInfo): boolean {
  if (kind.namespaced === (info.namespace !== '')) return true
  return kind.namespaced && (info.verb === 'list' || info.verb === 'watch')
}

/** A name in the path, not one that a field selector pins. */
function pathHasName(info: RequestInfo): boolean {
  return info.name !== '' && info.verb !== 'list' && !(info.verb === 'watch' && info.query.raw !== '')
}

const plainVerbs: Readonly<Record<string, Handler>> = {
  get: getVerb,
  list: listVerb,
  create: createVerb,
  update: updateVerb,
  patch: patchVerb,
  delete: deleteVerb,
  deletecollection: deleteCollectionVerb,
}

const objectVerbs = new Set(['get', 'update', 'patch'])

/** The code that serves the request; 'watch' and 'connect' are streams of their own. Throws 404 and 405. */
export function handlerOf(kind: Kind, info: RequestInfo): Handler | 'watch' | 'connect' {
  if (kind.custom !== undefined) return customHandler(kind, info)
  // A proxy passes on whatever comes; nothing else knows these.
  if ((info.method === 'HEAD' || info.verb === '') && info.subresource !== 'proxy') throw methodNotAllowed()
  if (info.subresource !== '') return subresourceHandler(kind, info)
  if (info.verb === 'watch' && kind.verbs.includes('list') && !kind.verbs.includes('watch')) throw methodNotSupported({ group: kind.group, resource: kind.plural }, 'watch')
  if (!kind.verbs.includes(info.verb as Verb)) throw methodNotAllowed()
  if (info.verb === 'create' && (info.name !== '' || (kind.namespaced && info.namespace === '')))
    throw methodNotAllowed()
  if ((objectVerbs.has(info.verb) || info.verb === 'delete') && info.name === '') throw methodNotAllowed()
  if (info.verb === 'deletecollection' && kind.namespaced && info.namespace === '') throw methodNotAllowed()
  if (info.verb === 'watch') return 'watch'
  if (!kind.stored) return virtualReads[`${kind.group}/${kind.plural}`]?.[info.verb] ?? virtualCreates[`${kind.group}/${kind.plural}`] ?? refuseMethod()
  return plainVerbs[info.verb] ?? refuseMethod()
}

/** Custom kinds have an answer of their own for each of these (apiextensions-apiserver/pkg/apiserver/customresource_handler.go). */
function customHandler(kind: Kind, info: RequestInfo): Handler | 'watch' {
  const { subresource, verb } = info
  const resource = { group: kind.group, resource: kind.plural }
  const isStatus = subresource === 'status' && kind.status !== undefined
  const isScale = subresource === 'scale' && kind.scale !== undefined
  if (subresource !== '' && !isStatus && !isScale) throw notFound(resource, info.name)
  const known = subresource === '' ? verb === 'watch' || plainVerbs[verb] !== undefined : objectVerbs.has(verb)
  if (!known) throw methodNotSupported(resource, verb)
  if (isScale) return scaleVerb
  if (verb === 'watch') return 'watch'
  if (info.name === '' && (objectVerbs.has(verb) || verb === 'delete')) throw badRequest('name must be provided')
  return plainVerbs[verb] ?? refuseMethod()
}

function refuseMethod(): never {
  throw methodNotAllowed()
}

const streamMethods = ['GET', 'POST'] as const
/** Subresources that are connections to a node, a pod or a service, and the methods that open them. */
const connections = new Map<string, readonly string[]>([
  ['log', ['GET']],
  ['exec', streamMethods],
  ['attach', streamMethods],
  ['portforward', streamMethods],
  ['proxy', ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']],
])

function subresourceHandler(kind: Kind, info: RequestInfo): Handler | 'connect' {
  const { subresource, verb } = info
  if (info.rest !== '' && subresource !== 'proxy') throw genericNotFound()
  if (subresource === 'status' && kind.status !== undefined)
    return objectVerbs.has(verb) ? (plainVerbs[verb] ?? refuseMethod()) : refuseMethod()
  if (subresource === 'scale' && kind.scale !== undefined) return objectVerbs.has(verb) ? scaleVerb : refuseMethod()
  if (!kind.subresources.includes(subresource)) throw genericNotFound()
  const methods = connections.get(subresource)
  if (methods !== undefined) return methods.includes(info.method) ? 'connect' : refuseMethod()
  const virtual = virtualSubresources[`${kind.group}/${kind.plural}/${subresource}`]
  if (virtual === undefined) throw genericNotFound()
  return virtual[verb] ?? refuseMethod()
}
