/** Metrics of webhooks, upstream's names and labels (k8s.io/apiserver/pkg/admission/metrics). */
import type { Metrics } from '../../lib/metrics.ts'

export type HookType = 'admit' | 'validating'

export interface CallSeen {
  readonly name: string
  readonly type: HookType
  readonly operation: string
  readonly seconds: number
  readonly code: number
  readonly rejected: boolean
  /** Why it was rejected, if it was. */
  readonly error?: 'calling_webhook_error' | 'apiserver_internal_error' | 'no_error'
}

export interface HookMetrics {
  called(seen: CallSeen): void
  failedOpen(name: string, type: HookType): void
}

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 25]
/** Codes past it are counted as it. */
const codeMax = 600

const made = new WeakMap<Metrics, HookMetrics>()

/** Both plugins count into one set. */
export function hookMetrics(metrics: Metrics | undefined): HookMetrics {
  if (metrics === undefined) return { called: () => {}, failedOpen: () => {} }
  const known = made.get(metrics) ?? make(metrics)
  made.set(metrics, known)
  return known
}

function make(metrics: Metrics): HookMetrics {
  const name = (suffix: string): string => `apiserver_admission_webhook_${suffix}`
  const duration = metrics.histogram({
    name: name('admission_duration_seconds'), buckets, labels: ['name', 'type', 'operation', 'rejected'],
    help: 'Admission webhook latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).',
  })
  const rejections = metrics.counter({
    name: name('rejection_count'), labels: ['name', 'type', 'operation', 'error_type', 'rejection_code'],
    help: 'Admission webhook rejection count, identified by name and broken out for each admission type (validating or admit) and operation.',
  })
  const open = metrics.counter({ name: name('fail_open_count'), labels: ['name', 'type'], help: 'Admission webhook fail open count, identified by name and broken out for each admission type (validating or admit).' })
  const requests = metrics.counter({
    name: name('request_total'), labels: ['name', 'type', 'operation', 'code', 'rejected'],
    help: 'Admission webhook request total, identified by name and broken out for each admission type (validating or admit) and operation.',
  })
  return {
    called({ name: hook, type, operation, seconds, code, rejected, error }) {
      const shown = String(Math.min(code, codeMax))
      duration.observe(seconds, [hook, type, operation, String(rejected)])
      requests.inc([hook, type, operation, shown, String(rejected)])
      if (error !== undefined) rejections.inc([hook, type, operation, error, error === 'apiserver_internal_error' ? '0' : shown])
    },
    failedOpen: (hook, type) => open.inc([hook, type]),
  }
}
