/**
 * create and update (of objects and of /status): what the client sent is decoded and checked against the path, the
 * registry does the rest. A PUT of an absent name creates it where the kind allows it and the user may create.
 */
import { badRequest } from '../../api/errors.ts'
import type { AnyObject } from '../../api/meta.ts'
import { attributesOf, authorize } from '../access.ts'
import type { ApiServerDeps, Call, Outcome } from '../deps.ts'
import { cloneJson } from '../../lib/json.ts'
import { askedOf, writeOptions } from './options.ts'
import { dedupeOwners } from './owners.ts'

export async function createVerb(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const asked = askedOf('CreateOptions', call.info.query, call.agent)
  const object = await call.payload.object(call.kind, call, asked.fieldValidation)
  checkNamespace(call, object)
  dedupeOwners(object, call)
  const item = await deps.registry.create(
    call.ctx,
    call.kind,
    call.info.namespace,
    object,
    writeOptions(deps, call, asked, { operation: 'CREATE' }),
  )
  return { type: 'item', code: 201, item }
}

/**
 * Of what was sent, the part that a subresource may change, put into a copy of what stands there.
 * `current` is the callee's own.
 */
export type Reshape = (sent: AnyObject, current: AnyObject, call: Call) => AnyObject

export async function updateVerb(deps: ApiServerDeps, call: Call, reshape?: Reshape): Promise<Outcome> {
  const asked = askedOf('UpdateOptions', call.info.query, call.agent)
  const sent = await call.payload.object(call.kind, call, asked.fieldValidation)
  checkNamespace(call, sent)
  checkName(call, sent)
  dedupeOwners(sent, call)
  const creates = call.kind.createOnUpdate && call.info.subresource === ''
  const options = {
    ...writeOptions(deps, call, asked, { operation: 'UPDATE' }),
    ...(creates ? { createIfAbsent: { admission: creating(deps, call, asked) } } : {}),
  }
  // Each try of a lost race starts from what was sent. A resourceVersion admits one try only, so that copy is spared.
  const conditional = (sent.metadata.resourceVersion ?? '') !== ''
  const change = (current: AnyObject | undefined): AnyObject => {
    const next = conditional && reshape === undefined ? sent : cloneJson(sent)
    return reshape === undefined || current === undefined ? next : reshaped(reshape, next, current, call)
  }
  const { item, created } = await deps.registry.update(call.ctx, call.kind, keyOf(call), change, options)
  return { type: 'item', code: created ? 201 : 200, item }
}

/** The version that the client names counts for the whole object. */
export function reshaped(reshape: Reshape, sent: AnyObject, current: AnyObject, call: Call): AnyObject {
  const version = sent.metadata.resourceVersion ?? ''
  const next = reshape(sent, current, call)
  if (version !== '') next.metadata.resourceVersion = version
  return next
}

/** Admission of a write that turns out to create: the user must have the right to create, too. */
export function creating(
  deps: ApiServerDeps,
  call: Call,
  asked: ReturnType<typeof askedOf>,
): ReturnType<typeof writeOptions>['admission'] {
  const { admission } = writeOptions(deps, call, asked, { operation: 'CREATE' })
  return {
    mutate: admission.mutate,
    async validate(object, old) {
      await authorize(deps.authorizer, { ...attributesOf(call.info, call.user), verb: 'create' })
      await admission.validate(object, old)
    },
  }
}

export function keyOf(call: Call): { readonly namespace: string; readonly name: string } {
  return { namespace: call.info.namespace, name: call.info.name }
}

/** Fills the namespace from the path; throws 400 when the object names another. */
export function checkNamespace(call: Call, object: AnyObject): void {
  const metadata = (object.metadata ??= {})
  const want = call.kind.namespaced ? call.info.namespace : ''
  const have = metadata.namespace ?? ''
  if (have === want) return
  if (have === '') {
    metadata.namespace = want
    return
  }
  if (want === '') {
    // Cluster-scoped kinds drop what does not belong to them.
    delete metadata.namespace
    return
  }
  throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`)
}

export function checkName(call: Call, object: AnyObject): void {
  const { name } = call.info
  const have = object.metadata.name ?? ''
  if (have === '')
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  if (have !== name) throw badRequest(`the name of the object (${have}) does not match the name on the URL (${name})`)
}
