/** The objects that a binding hands to its policy as `params` (k8s.io/apiserver/pkg/admission/plugin/policy/generic: CollectParams). */
import { isApiError } from '../../api/errors.ts'
import { parseApiVersion, type AnyObject } from '../../api/meta.ts'
import type { Kind } from '../../api/kind.ts'
import { apiVersionOf } from '../../api/meta.ts'
import type { ParamKind, ParamRef } from '../../api/schema/types.ts'
import { selectorOf } from '../../api/selector.ts'
import type { Client } from '../../client/client.ts'
import type { Ctx } from '../../lib/ctx.ts'
import type { Lookup } from '../../auth/lookup.ts'

export interface ParamWorld {
  readonly lookup: Lookup
  readonly kinds: () => readonly Kind[]
  readonly client: () => Client
}

/** Undefined in it: the policy is asked without parameters. */
export type Params = readonly (Readonly<AnyObject> | undefined)[]

const without: Params = [undefined]

/** Text: the kind is not served, or its objects cannot be read. */
export function paramKindOf({ apiVersion = '', kind = '' }: Readonly<ParamKind>, world: ParamWorld): Kind | string {
  const { group, version } = parseApiVersion(apiVersion)
  const found = world.kinds().find((one) => one.kind === kind && one.group === group && one.version === version)
  return found ?? `failed to find resource referenced by paramKind: '${group}/${version}, Kind=${kind}'`
}

export interface Wanted {
  readonly kind: Kind | undefined
  readonly reference: Readonly<ParamRef> | undefined
  /** Of the request; '' where it is in none. */
  readonly namespace: string
}

/** Text: why they cannot be told. */
export async function collectParams(ctx: Ctx, { kind, reference, namespace }: Wanted, world: ParamWorld): Promise<Params | string> {
  if (kind === undefined || reference === undefined) return without
  const written = reference.namespace ?? ''
  if (kind.namespaced && written === '' && namespace === '') return 'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources'
  if (!kind.verbs.includes('list')) return `paramKind kind \`&ParamKind{APIVersion:${apiVersionOf(kind)},Kind:${kind.kind},}\` not yet synced to use for admission`
  if (!kind.namespaced && written !== '') return 'paramRef.namespace must not be provided for a cluster-scoped `paramKind`'
  const found = await read(ctx, kind, reference, kind.namespaced ? written || namespace : '', world)
  if (found.length === 0 && reference.parameterNotFoundAction === 'Deny') return 'no params found for policy binding with `Deny` parameterNotFoundAction'
  return found.map((param) => (param.kind === undefined || param.apiVersion === undefined ? { ...param, apiVersion: apiVersionOf(kind), kind: kind.kind } : param))
}

async function read(ctx: Ctx, kind: Kind, { name = '', selector }: Readonly<ParamRef>, namespace: string, world: ParamWorld): Promise<readonly Readonly<AnyObject>[]> {
  if (name !== '') {
    const one = await get(ctx, kind, { namespace, name }, world)
    return one === undefined ? [] : [one]
  }
  const wanted = selectorOf(selector ?? {})
  const all = isRemembered(kind) ? world.lookup.list<AnyObject>(kind, namespace) : (await world.client().list(ctx, kind, { namespace })).items
  return (all as readonly Readonly<AnyObject>[]).filter(({ metadata }) => wanted.matches(metadata.labels)).toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
}

async function get(ctx: Ctx, kind: Kind, key: { readonly namespace: string; readonly name: string }, world: ParamWorld): Promise<Readonly<AnyObject> | undefined> {
  if (isRemembered(kind)) return world.lookup.get<AnyObject>(kind, key)
  try {
    return (await world.client().get(ctx, kind, key)) as Readonly<AnyObject> | undefined
  } catch (error) {
    if (isApiError(error, 'NotFound')) return undefined
    throw error
  }
}

/** Whether the lookup has it: custom objects, events and forms of other kinds are read through the API. */
function isRemembered(kind: Kind): boolean {
  return kind.stored && kind.custom === undefined && kind.conversion === undefined && !(kind.group === '' && kind.plural === 'events')
}
