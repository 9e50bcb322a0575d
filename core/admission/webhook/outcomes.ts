/** What came of a call, as metrics and the log have it. */
import type { Ctx } from '../../lib/ctx.ts'
import type { AdmissionRequest } from '../plugin.ts'
import type { Outcome } from './call.ts'
import type { Hook } from './hooks.ts'
import type { HookMetrics, HookType } from './metrics.ts'

export interface Noted {
  readonly hook: Hook
  readonly type: HookType
  readonly request: AdmissionRequest
  readonly outcome: Outcome
  readonly seconds: number
}

export function note(ctx: Ctx, metrics: HookMetrics, { hook, type, request, outcome, seconds }: Noted): void {
  const seen = { name: hook.name, type, operation: request.operation, seconds }
  if (outcome.type === 'allowed') return metrics.called({ ...seen, code: 200, rejected: false })
  if (outcome.type === 'denied') return metrics.called({ ...seen, code: outcome.error.code, rejected: true, error: 'no_error' })
  if (outcome.type === 'refused') return metrics.called({ ...seen, code: 0, rejected: true, error: 'apiserver_internal_error' })
  const gone = ctx.signal.aborted
  metrics.called({ ...seen, code: outcome.code, rejected: !hook.ignoresFailure, ...(hook.ignoresFailure || gone ? {} : { error: 'calling_webhook_error' }) })
  if (hook.ignoresFailure && !gone) metrics.failedOpen(hook.name, type)
  ctx.log.warn('calling a webhook failed', { configuration: hook.configuration, webhook: hook.name, error: outcome.why, policy: hook.ignoresFailure ? 'Ignore' : 'Fail' })
}
