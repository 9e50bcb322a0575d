/**
 * ValidatingAdmissionPolicy: judges the final object by the policies that are bound to it
 * (k8s.io/apiserver/pkg/admission/plugin/policy/validating).
 */
import { ApiError } from '../../api/errors.ts'
import { showValue } from '../../api/field.ts'
import { validatingAdmissionPolicies } from '../../api/admissionregistration/validatingadmissionpolicy.ts'
import { validatingAdmissionPolicyBindings } from '../../api/admissionregistration/validatingadmissionpolicybinding.ts'
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '../../api/schema/types.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { refuse, type AdmissionDeps } from '../deps.ts'
import { Questions } from '../expressions.ts'
import type { Match } from '../match.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'
import { chooseBinding, choosePolicy, isKeptFromPolicies } from '../policy/choose.ts'
import { followPolicies, type PolicyHook } from '../policy/hooks.ts'
import { namespaceObject } from '../policy/namespace.ts'
import type { Params } from '../policy/params.ts'
import { compileValidator, judge, type Denial, type Validator } from '../policy/validation.ts'
import { Forms, type Form } from '../webhook/forms.ts'

type Hook = PolicyHook<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, Validator>

const codes: Readonly<Record<string, number>> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413, Invalid: 422 }
const annotationBytesMax = 10 * 1_024

export function validatingPolicy(deps: AdmissionDeps): AdmissionPlugin {
  const hooks = followPolicies(deps.changes, { policies: validatingAdmissionPolicies, bindings: validatingAdmissionPolicyBindings, compile: compileValidator })
  return {
    name: 'ValidatingAdmissionPolicy',
    handles: (request) => hooks().length > 0 && !isKeptFromPolicies(request),
    async validate(ctx, request) {
      const dispatch = new Dispatch(ctx, request, deps)
      for (const hook of hooks()) await dispatch.policy(hook)
      return dispatch.refusal
    },
  }
}

/** One request on its way past all policies. */
class Dispatch {
  /** Of the first that denies. */
  refusal: ApiError | undefined
  readonly #ctx: Ctx
  readonly #request: AdmissionRequest
  readonly #deps: AdmissionDeps
  readonly #forms: Forms
  readonly #questions: Questions

  constructor(ctx: Ctx, request: AdmissionRequest, deps: AdmissionDeps) {
    this.#ctx = ctx
    this.#request = request
    this.#deps = deps
    this.#forms = new Forms(request)
    this.#questions = new Questions(deps.authorizer)
  }

  async policy(hook: Hook): Promise<void> {
    const chosen = choosePolicy(hook, this.#request, this.#deps)
    if (chosen === undefined) return
    if (typeof chosen === 'string') return this.#misconfigured(hook, chosen)
    const published = new Map<string, Set<string>>()
    for (const binding of hook.bindings) {
      const params = await chooseBinding(this.#ctx, binding, this.#request, chosen.paramKind, this.#deps)
      if (params === undefined || params.length === 0) continue
      if (typeof params === 'string') this.#misconfigured(hook, params, binding.name)
      else {
        const form = await this.#form(chosen.match)
        if (typeof form === 'string') this.#misconfigured(hook, form, binding.name)
        else await this.#bound(hook, binding.object, { match: chosen.match, form, params, published })
      }
    }
    for (const [key, values] of published) this.#request.annotate?.(`${hook.name}/${key}`, [...values].join(', '))
  }

  async #form(match: Match): Promise<Form | string> {
    try {
      return await this.#forms.of(match, this.#ctx.signal)
    } catch (error) {
      return `failed to convert object version: ${(error as Error).message}`
    }
  }

  async #bound(hook: Hook, binding: Readonly<ValidatingAdmissionPolicyBinding>, { match, form, params, published }: Bound): Promise<void> {
    const namespace = namespaceObject(this.#request, this.#deps.lookup)
    if (namespace instanceof ApiError) return void (this.refusal ??= namespace)
    for (const param of params) {
      const verdict = await judge(hook.evaluator(), {
        request: this.#request, match, ...form, decider: this.#questions,
        ...(namespace === undefined ? {} : { namespace }), ...(param === undefined ? {} : { params: param }),
      })
      for (const denial of verdict.denials) this.#act(hook, binding, denial)
      for (const annotation of verdict.annotations) {
        if ('error' in annotation) this.#deny(hook, annotation.error, { binding: binding.metadata.name })
        else published.set(annotation.key, (published.get(annotation.key) ?? new Set()).add(cut(annotation.value)))
      }
    }
  }

  #act(hook: Hook, binding: Readonly<ValidatingAdmissionPolicyBinding>, { index, message, reason }: Denial): void {
    const name = binding.metadata.name
    for (const action of binding.spec.validationActions) {
      if (action === 'Deny') this.#deny(hook, message, { binding: name, reason })
      else if (action === 'Warn') this.#request.warn(`Validation failed for ValidatingAdmissionPolicy '${hook.name}' with binding '${name}': ${message}`)
      else if (action === 'Audit') {
        const failure = { message, policy: binding.spec.policyName, binding: name, expressionIndex: index, validationActions: binding.spec.validationActions }
        this.#request.annotate?.('validation.policy.admission.k8s.io/validation_failure', showValue([failure]))
      }
    }
  }

  #misconfigured(hook: Hook, why: string, binding?: string): void {
    if (!hook.ignoresFailure) this.#deny(hook, `failed to configure ${binding === undefined ? 'policy' : 'binding'}: ${why}`, { binding })
  }

  #deny(hook: Hook, why: string, { binding, reason = '' }: { readonly binding?: string | undefined; readonly reason?: string }): void {
    if (this.refusal !== undefined) return
    const message = `ValidatingAdmissionPolicy '${hook.name}'${binding === undefined ? '' : ` with binding '${binding}'`} denied request: ${why}`
    const error = refuse(this.#request, message, [{ message }])
    const told = reason === '' ? 'Invalid' : reason
    this.refusal = new ApiError({ code: codes[told] ?? 422, reason: told as ApiError['reason'], message: error.message, ...(error.details === undefined ? {} : { details: error.details }) })
  }
}

interface Bound {
  readonly match: Match
  readonly form: Form
  readonly params: Params
  /** What is to stand in the audit log, by key. */
  readonly published: Map<string, Set<string>>
}

function cut(text: string): string {
  const bytes = new TextEncoder().encode(text)
  return bytes.length <= annotationBytesMax ? text : new TextDecoder().decode(bytes.subarray(0, annotationBytesMax))
}
