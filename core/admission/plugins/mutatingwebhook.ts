/**
 * MutatingAdmissionWebhook: lets the webhooks of MutatingWebhookConfigurations patch the object, one after another; those
 * that ask for it see it once more when a later one changed it (k8s.io/apiserver/pkg/admission/plugin/webhook/mutating).
 */
import { ApiError, internal, timeout } from '../../api/errors.ts'
import { mutatingWebhookConfigurations } from '../../api/admissionregistration/mutatingwebhookconfiguration.ts'
import type { Ctx } from '../../lib/ctx.ts'
import type { AdmissionDeps } from '../deps.ts'
import { isExempt, type Match } from '../match.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'
import { roundOf } from '../round.ts'
import { callHook, type Outcome } from '../webhook/call.ts'
import { chooseHook } from '../webhook/choose.ts'
import { Forms } from '../webhook/forms.ts'
import { followHooks, type Hook } from '../webhook/hooks.ts'
import { hookMetrics } from '../webhook/metrics.ts'
import { note } from '../webhook/outcomes.ts'
import { applyHookPatch } from '../webhook/patch.ts'

const name = 'MutatingAdmissionWebhook'

export function mutatingWebhook(deps: AdmissionDeps): AdmissionPlugin {
  const hooks = followHooks(deps.changes, mutatingWebhookConfigurations)
  const metrics = hookMetrics(deps.metrics)
  return {
    name,
    endsRound: true,
    handles: (request) => hooks().length > 0 && !isExempt(request),
    async mutate(ctx, request) {
      const round = roundOf(request, name)
      const forms = new Forms(request)
      let index = -1
      for (const hook of hooks()) {
        index++
        const match = await chooseHook(ctx, hook, request, forms, deps)
        if (match instanceof ApiError) return match
        // Another round is for those that were called in the first.
        if (match === undefined || (round.again && !round.due.has(hook.id))) continue
        const began = ctx.clock.monotonic()
        const called = await callAndPatch(ctx, hook, match, { request, forms, deps, mark: `round_${round.again ? 1 : 0}_index_${index}` })
        note(ctx, metrics, { hook, type: 'admit', request, outcome: called.outcome, seconds: (ctx.clock.monotonic() - began) / 1_000 })
        if (called.changed) round.change(request)
        if (hook.reinvoked) round.called.add(hook.id)
        const refusal = refusalOf(ctx, hook, called.outcome)
        if (refusal !== undefined) return refusal
      }
      if (request.reinvocation !== undefined || round.called.size > 0) round.keep(request)
      return undefined
    },
  }
}

interface Called {
  readonly outcome: Outcome
  readonly changed: boolean
}

interface CallWorld {
  readonly request: AdmissionRequest
  readonly forms: Forms
  readonly deps: AdmissionDeps
  /** Where in the run this is, for the audit log. */
  readonly mark: string
}

async function callAndPatch(ctx: Ctx, hook: Hook, match: Match, { request, forms, deps, mark }: CallWorld): Promise<Called> {
  const called = await call()
  request.annotate?.(`mutation.webhook.admission.k8s.io/${mark}`, JSON.stringify({ configuration: hook.configuration, webhook: hook.name, mutated: called.changed }))
  if (called.outcome.type === 'failed' && hook.ignoresFailure && !ctx.signal.aborted) request.annotate?.(`failed-open.mutation.webhook.admission.k8s.io/${mark}`, hook.name)
  return called

  async function call(): Promise<Called> {
    try {
      const form = await forms.of(match, ctx.signal)
      const outcome = await callHook(ctx, hook, request, { match, ...form }, { remote: deps.remote, random: deps.random, mutating: true })
      if (outcome.type !== 'allowed') return { outcome, changed: false }
      const patched = await applyHookPatch(ctx, hook, request, { match, object: form.object, answer: outcome.answer })
      if (patched.type === 'none') return { outcome, changed: false }
      if (patched.type !== 'patched') return { outcome: patched, changed: false }
      forms.forget()
      request.annotate?.(`patch.webhook.admission.k8s.io/${mark}`, JSON.stringify({ configuration: hook.configuration, webhook: hook.name, patch: patched.patch, patchType: 'JSONPatch' }), 'Request')
      return { outcome, changed: patched.changed }
    } catch (error) {
      return { outcome: { type: 'refused', error: internal((error as Error).message) }, changed: false }
    }
  }
}

function refusalOf(ctx: Ctx, hook: Hook, outcome: Outcome): ApiError | undefined {
  if (outcome.type === 'allowed') return undefined
  if (outcome.type !== 'failed') return outcome.error
  if (!hook.ignoresFailure) return internal(outcome.why)
  return ctx.signal.aborted ? timeout('request did not complete within requested timeout') : undefined
}
