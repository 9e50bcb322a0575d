/** What creates of computed objects share: decoding, the checks of a create, admission; nothing is stored. */
import type { AnyObject } from '../../api/meta.ts'
import { updateManagedFields } from '../../api/patch/managedfields.ts'
import type { ApiServerDeps, Call, Target } from '../deps.ts'
import { askedOf, writeOptions, type Asked } from '../verbs/options.ts'

export interface Sent<T> {
  readonly object: T
  readonly asked: Asked
}

/** The body, admitted. `target` is the body's kind where that is not the kind of the path. */
export async function readCreate<T extends object = AnyObject>(
  deps: ApiServerDeps,
  call: Call,
  target: Target = call.kind,
  options: { readonly admit?: boolean } = {},
): Promise<Sent<T>> {
  const asked = askedOf('CreateOptions', call.info.query, call.agent)
  const object = await call.payload.object(target, call, asked.fieldValidation)
  // what is read for a subresource lies where its object lies
  if (target !== call.kind && call.info.namespace !== '' && (object.metadata.namespace ?? '') === '') object.metadata.namespace = call.info.namespace
  // of reviews; what is read for a subresource (a token, an eviction) is not the kind's own
  if (target === call.kind) updateManagedFields({ prev: undefined, next: object, manager: asked.fieldManager, kind: call.kind, subresource: '', now: call.ctx.clock.now() })
  if (options.admit !== false) await admitCreate(deps, call, asked, object, target)
  return { object: object as unknown as T, asked }
}

export async function admitCreate(deps: ApiServerDeps, call: Call, asked: Asked, object: AnyObject, target: Target = call.kind): Promise<void> {
  const { group, version, kind } = target
  const { admission } = writeOptions(deps, call, asked, { operation: 'CREATE', ...(target === call.kind ? {} : { as: { kind: { group, version, kind } } }) })
  await admission.mutate(object, undefined)
  await admission.validate(object, undefined)
}
