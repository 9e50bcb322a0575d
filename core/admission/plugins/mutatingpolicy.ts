/**
 * MutatingAdmissionPolicy: lets the policies that are bound to an object change it, one after another; those that ask for
 * it see it once more when it changed afterwards (k8s.io/apiserver/pkg/admission/plugin/policy/mutating).
 */
import { ApiError, internal } from '../../api/errors.ts'
import { mutatingAdmissionPolicies } from '../../api/admissionregistration/mutatingadmissionpolicy.ts'
import { mutatingAdmissionPolicyBindings } from '../../api/admissionregistration/mutatingadmissionpolicybinding.ts'
import type { AnyObject } from '../../api/meta.ts'
import type { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, Namespace } from '../../api/schema/types.ts'
import { equalJson } from '../../lib/json.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { refuse, type AdmissionDeps } from '../deps.ts'
import { Questions, type ExpressionInput } from '../expressions.ts'
import { resourceOf, type Match } from '../match.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'
import { chooseBinding, choosePolicy, isKeptFromPolicies } from '../policy/choose.ts'
import { followPolicies, type PolicyHook } from '../policy/hooks.ts'
import { compileMutator, mutate, type Mutator } from '../policy/mutation.ts'
import { namespaceObject } from '../policy/namespace.ts'
import { roundOf, type Round } from '../round.ts'
import { evaluateConditions } from '../webhook/conditions.ts'
import { Forms } from '../webhook/forms.ts'
import { convertObject, decodeMutated, defaultObject, replaceWith } from '../webhook/versions.ts'

type Hook = PolicyHook<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, Mutator>

const name = 'MutatingAdmissionPolicy'

export function mutatingPolicy(deps: AdmissionDeps): AdmissionPlugin {
  const hooks = followPolicies(deps.changes, { policies: mutatingAdmissionPolicies, bindings: mutatingAdmissionPolicyBindings, compile: compileMutator })
  return {
    name,
    handles: (request) => request.operation !== 'DELETE' && hooks().length > 0 && !isKeptFromPolicies(request),
    async mutate(ctx, request) {
      const dispatch = new Dispatch(ctx, request, deps)
      const invocations = await dispatch.choose(hooks())
      return invocations.length === 0 ? dispatch.refusal() : ((await dispatch.run(invocations)) ?? dispatch.refusal())
    },
  }
}

/** A policy with one of its bindings and one of that one's parameters. */
interface Invocation {
  readonly id: string
  readonly hook: Hook
  readonly binding: string
  readonly match: Match
  readonly param: Readonly<AnyObject> | undefined
}

interface Problem {
  readonly message: string
  readonly reason?: ApiError['reason']
}

class Dispatch {
  readonly #ctx: Ctx
  readonly #request: AdmissionRequest
  readonly #deps: AdmissionDeps
  readonly #forms: Forms
  readonly #questions: Questions
  /** Of policies that must not fail. */
  readonly #problems: Problem[] = []

  constructor(ctx: Ctx, request: AdmissionRequest, deps: AdmissionDeps) {
    this.#ctx = ctx
    this.#request = request
    this.#deps = deps
    this.#forms = new Forms(request)
    this.#questions = new Questions(deps.authorizer)
  }

  /** Before anything changes. */
  async choose(hooks: readonly Hook[]): Promise<readonly Invocation[]> {
    const invocations: Invocation[] = []
    for (const hook of hooks) {
      const chosen = choosePolicy(hook, this.#request, this.#deps)
      if (typeof chosen === 'string') this.#fail(hook, `failed to configure policy: ${chosen}`)
      if (chosen === undefined || typeof chosen === 'string') continue
      for (const binding of hook.bindings) {
        const params = await chooseBinding(this.#ctx, binding, this.#request, chosen.paramKind, this.#deps)
        if (typeof params === 'string') this.#fail(hook, `failed to configure binding: ${params}`, { binding: binding.name })
        if (params === undefined || typeof params === 'string') continue
        for (const param of params) {
          const id = JSON.stringify([hook.name, binding.name, param?.metadata.namespace, param?.metadata.name])
          invocations.push({ id, hook, binding: binding.name, match: chosen.match, param })
        }
      }
    }
    return invocations
  }

  /** An ApiError ends the request, whatever policies say of failures. */
  async run(invocations: readonly Invocation[]): Promise<ApiError | undefined> {
    const namespace = namespaceObject(this.#request, this.#deps.lookup)
    if (namespace instanceof ApiError) return namespace
    const round = roundOf(this.#request, name)
    let patched = false
    for (const invocation of invocations) {
      const done = await this.#invoke(invocation, round, namespace)
      if (done instanceof ApiError) return done
      patched ||= done
    }
    if (patched) round.change(this.#request)
    round.keep(this.#request)
    return undefined
  }

  /** Of the first problem, with all of them as causes. */
  refusal(): ApiError | undefined {
    const [first] = this.#problems
    if (first === undefined) return undefined
    const { code, reason, details } = refuse(this.#request, '', this.#problems.map(({ message }) => ({ message })))
    return new ApiError({ code, reason: first.reason ?? reason, message: first.message, ...(details === undefined ? {} : { details }) })
  }

  /** Whether a patch was made. */
  async #invoke(invocation: Invocation, round: Round, namespace: Readonly<Namespace> | undefined): Promise<boolean | ApiError> {
    const { hook, match, binding } = invocation
    const mutator = hook.evaluator()
    try {
      const input = await this.#input(invocation)
      const holds = mutator.conditions === undefined || (await evaluateConditions(mutator.conditions, { ...input, match: { ...match, resource: resourceOf(this.#request.kind) } }))
      if (typeof holds === 'string') this.#fail(hook, holds, { binding, reason: 'Invalid' })
      if (holds !== true || (round.again && !round.due.has(invocation.id))) return false
      let patched = false
      const before = this.#request.object === undefined ? undefined : structuredClone(this.#request.object)
      for (const mutation of this.#request.object === undefined ? [] : mutator.mutations) {
        const why = await this.#apply(mutation, mutator, { ...(await this.#input(invocation)), ...(namespace === undefined ? {} : { namespace }) })
        if (why instanceof ApiError) return why
        if (why === undefined) patched = true
        else this.#fail(hook, why, { binding, reason: 'Invalid' })
      }
      if (!equalJson(before, this.#request.object)) round.change(this.#request)
      if (mutator.reinvoked) round.called.add(invocation.id)
      return patched
    } catch (error) {
      return error instanceof ApiError ? error : internal((error as Error).message)
    }
  }

  async #input({ match, param }: Invocation): Promise<ExpressionInput> {
    const form = await this.#forms.of(match, this.#ctx.signal)
    return { request: this.#request, match, ...form, decider: this.#questions, ...(param === undefined ? {} : { params: param }) }
  }

  /** Undefined: it is done. Text: why it cannot be. */
  async #apply(mutation: Mutator['mutations'][number], { variables }: Mutator, input: ExpressionInput): Promise<string | ApiError | undefined> {
    const { as, kind } = input.match
    const result = await mutate(mutation, variables, input)
    if (typeof result === 'string') return result
    const decoded = decodeMutated(result.made, as, kind, mutation.type === 'JSONPatch')
    if ('error' in decoded) return mutation.type === 'JSONPatch' ? internal(decoded.error) : decoded.error
    const { object } = decoded
    defaultObject(object, as, kind, this.#ctx.clock.now())
    const target = this.#request.object
    if (target !== undefined) replaceWith(target, this.#request.objectKind === undefined ? await convertObject(object, as, this.#request.kind, this.#ctx.signal) : object)
    this.#forms.forget()
    return undefined
  }

  #fail(hook: Hook, why: string, { binding, reason }: { readonly binding?: string; readonly reason?: ApiError['reason'] } = {}): void {
    if (hook.ignoresFailure) return
    const who = binding === undefined ? `policy ${JSON.stringify(hook.name)}` : `policy '${hook.name}' with binding '${binding}'`
    this.#problems.push({ message: `${who} denied request: ${why}`, ...(reason === undefined ? {} : { reason }) })
  }
}
