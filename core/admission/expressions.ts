/**
 * Values of the variables that expressions about requests have, and evaluation that may ask the authorizer, who may have
 * to be waited for (k8s.io/apiserver/pkg/admission/plugin/cel/activation.go). Shared by match conditions and policies.
 */
import { namespaceType, requestType } from '../api/admissionregistration/expressions.ts'
import type { Compiled } from '../api/cel/cel.ts'
import { costPerCallMax } from '../api/cel/environments.ts'
import { fromJson } from '../api/cel/json.ts'
import { authorizerValue, requestResourceValue, Undecided, type Asked, type Decided, type Decider } from '../api/cel/library/authorizer.ts'
import { dyn } from '../api/cel/type.ts'
import { CelError, CostExceeded, EvaluationError, type Value } from '../api/cel/value.ts'
import type { AnyObject } from '../api/meta.ts'
import type { Namespace } from '../api/schema/types.ts'
import type { Authorizer, Decision } from '../auth/user.ts'
import { namespaceOf, type Match } from './match.ts'
import type { AdmissionRequest } from './plugin.ts'
import { requestOf } from './webhook/review.ts'

export interface ExpressionInput {
  readonly request: AdmissionRequest
  readonly match: Match
  /** In the version of `match`. */
  readonly object: Readonly<AnyObject> | undefined
  readonly oldObject: Readonly<AnyObject> | undefined
  readonly namespace?: Readonly<Namespace>
  readonly params?: Readonly<AnyObject>
  readonly decider?: Decider
}

export type Bindings = Readonly<Record<string, Value | (() => Value)>>

export function bindingsOf({ request, match, object, oldObject, namespace, params, decider }: ExpressionInput): Bindings {
  const { user, subresource, name } = request
  const resource = { group: request.kind.group, resource: request.kind.plural, subresource, namespace: namespaceOf(request), name }
  return {
    object: () => fromJson(object, dyn),
    oldObject: () => fromJson(oldObject, dyn),
    request: () => fromJson(requestOf(request, match), requestType),
    namespaceObject: () => fromJson(namespace === undefined ? undefined : shownNamespace(namespace), namespaceType),
    params: () => fromJson(params, dyn),
    ...(decider === undefined ? {} : { authorizer: authorizerValue(user, decider), 'authorizer.requestResource': requestResourceValue(user, decider, resource) }),
  }
}

/** Without what is not declared. */
function shownNamespace({ metadata, spec, status }: Readonly<Namespace>): object {
  return { metadata: { ...metadata, ...(metadata.uid === undefined ? {} : { UID: metadata.uid }) }, spec, status }
}

/** What one request asks the authorizer, each question once. */
export class Questions implements Decider {
  readonly #authorizer: Authorizer
  readonly #answers = new Map<string, Decided>()

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer
  }

  decide(asked: Asked): Decided {
    const id = JSON.stringify(asked)
    const known = this.#answers.get(id)
    if (known !== undefined) return known
    const keep = (decided: Decided): Decided => {
      this.#answers.set(id, decided)
      return decided
    }
    try {
      const decision = this.#authorizer.authorize(asked)
      if (!(decision instanceof Promise)) return keep(decided(decision))
      throw new Undecided(decision.then((one) => keep(decided(one)), (error: unknown) => keep({ error: (error as Error).message })))
    } catch (error) {
      if (error instanceof Undecided) throw error
      return keep({ error: (error as Error).message })
    }
  }
}

function decided({ answer, reason }: Decision): Decided {
  return { allowed: answer === 'allow', reason }
}

export type Evaluated = { readonly value: Value; readonly cost: number } | { readonly error: string; readonly cost: number }

/** Evaluates as often as answers have to be waited for. */
export async function evaluateExpression(compiled: Compiled, text: string, bindings: Bindings): Promise<Evaluated> {
  const failed = (why: string, cost: number): Evaluated => ({ error: `expression '${text}' resulted in error: ${why}`, cost })
  for (;;) {
    try {
      return compiled.evaluate(bindings, costPerCallMax)
    } catch (error) {
      if (error instanceof Undecided) await error.until
      else if (error instanceof CostExceeded) return failed(error.message, costPerCallMax)
      else if (error instanceof EvaluationError) return failed(error.message, error.cost)
      else if (error instanceof CelError) return failed(error.message, 0)
      else throw error
    }
  }
}

/** What is said when all expressions of a kind together cost more than they may. */
export const outOfBudget = 'validation failed due to running out of cost budget, no further validation rules will be run'
