/**
 * Policies of one kind with their bindings, as they are now: by the policy's name, bindings by theirs. A policy without
 * bindings is not there. Expressions are compiled when a request first needs them.
 */
import type { KindRef } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta.ts'
import type { MatchResources, ParamRef } from '../../api/schema/types.ts'
import type { PolicySpec } from '../../api/admissionregistration/policyrules.ts'
import type { Changes } from '../../auth/lookup.ts'
import { policyCriteria, type Criteria } from '../match.ts'

export interface PolicyObject extends KubeObject {
  readonly spec?: PolicySpec
}

export interface BindingObject extends KubeObject {
  readonly spec?: { readonly policyName?: string; readonly paramRef?: ParamRef; readonly matchResources?: MatchResources }
}

export interface BoundPolicy<B extends BindingObject> {
  readonly name: string
  readonly object: Readonly<B>
  /** Undefined: whatever the policy is about. */
  readonly criteria: Criteria | undefined
}

export interface PolicyHook<P extends PolicyObject, B extends BindingObject, E> {
  readonly name: string
  readonly policy: Readonly<P>
  readonly criteria: Criteria
  readonly ignoresFailure: boolean
  readonly bindings: readonly BoundPolicy<B>[]
  readonly evaluator: () => E
}

export interface Followed<P extends PolicyObject, B extends BindingObject, E> {
  readonly policies: KindRef<P>
  readonly bindings: KindRef<B>
  readonly compile: (policy: Readonly<P>) => E
}

type Unbound<P extends PolicyObject, E> = Omit<PolicyHook<P, never, E>, 'bindings'>

/** A view that is as new as the last change that was acknowledged. */
export function followPolicies<P extends PolicyObject, B extends BindingObject, E>(changes: Changes, kinds: Followed<P, B, E>): () => readonly PolicyHook<P, B, E>[] {
  const policies = new Map<string, Unbound<P, E>>()
  const bindings = new Map<string, BoundPolicy<B>>()
  let current: readonly PolicyHook<P, B, E>[] | undefined = []
  changes.follow<P>(kinds.policies, ({ type, object }) => {
    const name = object.metadata.name ?? ''
    if (type === 'delete') policies.delete(name)
    else policies.set(name, unbound(name, object, kinds.compile))
    current = undefined
  })
  changes.follow<B>(kinds.bindings, ({ type, object }) => {
    const name = object.metadata.name ?? ''
    if (type === 'delete') bindings.delete(name)
    else bindings.set(name, { name, object, criteria: object.spec?.matchResources === undefined ? undefined : policyCriteria(object.spec.matchResources) })
    current = undefined
  })
  return () => (current ??= bound([...policies.values()], [...bindings.values()]))
}

function unbound<P extends PolicyObject, E>(name: string, policy: Readonly<P>, compile: (policy: Readonly<P>) => E): Unbound<P, E> {
  let compiled: { readonly evaluator: E } | undefined
  return {
    name,
    policy,
    criteria: policyCriteria(policy.spec?.matchConstraints ?? {}),
    ignoresFailure: policy.spec?.failurePolicy === 'Ignore',
    evaluator: () => (compiled ??= { evaluator: compile(policy) }).evaluator,
  }
}

function bound<P extends PolicyObject, B extends BindingObject, E>(policies: readonly Unbound<P, E>[], bindings: readonly BoundPolicy<B>[]): readonly PolicyHook<P, B, E>[] {
  return policies.toSorted(byName).flatMap((policy) => {
    const mine = bindings.filter((binding) => binding.object.spec?.policyName === policy.name).toSorted(byName)
    return mine.length === 0 ? [] : [{ ...policy, bindings: mine }]
  })
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}
