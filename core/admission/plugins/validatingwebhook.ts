/**
 * ValidatingAdmissionWebhook: asks the webhooks of ValidatingWebhookConfigurations about the final object, all at once
 * (k8s.io/apiserver/pkg/admission/plugin/webhook/validating).
 */
import { ApiError, internal, timeout } from '../../api/errors.ts'
import { validatingWebhookConfigurations } from '../../api/admissionregistration/validatingwebhookconfiguration.ts'
import type { Ctx } from '../../lib/ctx.ts'
import type { AdmissionDeps } from '../deps.ts'
import { isExempt, type Match } from '../match.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'
import { callHook, type Outcome } from '../webhook/call.ts'
import { chooseHook } from '../webhook/choose.ts'
import { Forms } from '../webhook/forms.ts'
import { followHooks, type Hook } from '../webhook/hooks.ts'
import { hookMetrics } from '../webhook/metrics.ts'
import { note } from '../webhook/outcomes.ts'

export function validatingWebhook(deps: AdmissionDeps): AdmissionPlugin {
  const hooks = followHooks(deps.changes, validatingWebhookConfigurations)
  const metrics = hookMetrics(deps.metrics)
  return {
    name: 'ValidatingAdmissionWebhook',
    handles: (request) => hooks().length > 0 && !isExempt(request),
    async validate(ctx, request) {
      const forms = new Forms(request)
      const chosen = await choose(ctx, hooks(), request, forms, deps)
      if (chosen instanceof ApiError) return chosen
      if (chosen.length === 0) return undefined
      if (ctx.signal.aborted) return timeout('request did not complete within requested timeout')
      const refusals = await Promise.all(chosen.map(async ({ hook, match }, i) => {
        const began = ctx.clock.monotonic()
        const outcome = await ask(ctx, hook, match)
        note(ctx, metrics, { hook, type: 'validating', request, outcome, seconds: (ctx.clock.monotonic() - began) / 1_000 })
        if (outcome.type === 'failed' && hook.ignoresFailure) {
          if (!ctx.signal.aborted) request.annotate?.(`failed-open.validating.webhook.admission.k8s.io/round_0_index_${i}`, hook.name)
          return undefined
        }
        return refusalOf(outcome)
      }))
      return refusals.find((refusal) => refusal !== undefined)

      async function ask(asked: Ctx, hook: Hook, match: Match): Promise<Outcome> {
        return await callHook(asked, hook, request, { match, ...(await forms.of(match, asked.signal)) }, { remote: deps.remote, random: deps.random, mutating: false })
      }
    },
  }
}

interface Chosen {
  readonly hook: Hook
  readonly match: Match
}

/** In order, so that the first that cannot be judged is the one that is told of; conversions are made here, too. */
async function choose(ctx: Ctx, hooks: readonly Hook[], request: AdmissionRequest, forms: Forms, deps: AdmissionDeps): Promise<readonly Chosen[] | ApiError> {
  const chosen: Chosen[] = []
  for (const hook of hooks) {
    const match = await chooseHook(ctx, hook, request, forms, deps)
    if (match instanceof ApiError) return match
    if (match === undefined) continue
    try {
      await forms.of(match, ctx.signal)
    } catch (error) {
      return internal((error as Error).message)
    }
    chosen.push({ hook, match })
  }
  return chosen
}

function refusalOf(outcome: Outcome): ApiError | undefined {
  if (outcome.type === 'allowed') return undefined
  return outcome.type === 'failed' ? internal(outcome.why) : outcome.error
}
