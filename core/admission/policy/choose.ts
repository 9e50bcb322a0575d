/** Which policies are about a request, by which bindings and with which parameters. */
import { ApiError } from '../../api/errors.ts'
import type { Kind } from '../../api/kind.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { isExempt, matchRequest, namespaceOf, type Match, type MatchWorld } from '../match.ts'
import type { AdmissionRequest } from '../plugin.ts'
import type { BindingObject, BoundPolicy, PolicyHook, PolicyObject } from './hooks.ts'
import { collectParams, paramKindOf, type Params, type ParamWorld } from './params.ts'

/** A policy that is about the request; text: it is set up wrongly. */
export function choosePolicy<B extends BindingObject>(hook: PolicyHook<PolicyObject, B, unknown>, request: AdmissionRequest, world: MatchWorld & ParamWorld): { readonly match: Match; readonly paramKind: Kind | undefined } | string | undefined {
  const match = matchRequest(hook.criteria, request, world)
  if (match === undefined) return undefined
  if (match instanceof ApiError) return match.message
  const written = hook.policy.spec?.paramKind
  const paramKind = written === undefined ? undefined : paramKindOf(written, world)
  return typeof paramKind === 'string' ? paramKind : { match, paramKind }
}

export async function chooseBinding<B extends BindingObject>(ctx: Ctx, binding: BoundPolicy<B>, request: AdmissionRequest, paramKind: Kind | undefined, world: MatchWorld & ParamWorld): Promise<Params | string | undefined> {
  const { criteria, object } = binding
  const match = criteria === undefined ? true : matchRequest(criteria, request, world)
  if (match === undefined) return undefined
  if (match instanceof ApiError) return match.message
  try {
    return await collectParams(ctx, { kind: paramKind, reference: object.spec?.paramRef, namespace: namespaceOf(request) }, world)
  } catch (error) {
    return (error as Error).message
  }
}

const reviews = new Set(['selfsubjectreviews', 'tokenreviews', 'localsubjectaccessreviews', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'subjectaccessreviews'])

/** What no policy sees: questions that everything else rests on, and policies themselves. */
export function isKeptFromPolicies(request: AdmissionRequest): boolean {
  const { group, plural } = request.kind
  if (group === 'authentication.k8s.io' || group === 'authorization.k8s.io') return request.subresource === '' && reviews.has(plural)
  return isExempt(request)
}
