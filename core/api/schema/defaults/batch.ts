/** Defaults of the group batch. After k8s.io/kubernetes/pkg/apis/batch/v1/defaults.go. */
import type * as k from '../types.ts'
import type { Rules } from '../defaults.ts'

export const batchDefaults = {
  // Only a Job itself: the template of a CronJob stays as it was written.
  Job(job: k.Job) {
    const { spec } = job
    if (spec === undefined) return
    if (spec.parallelism === undefined) spec.completions ??= 1
    spec.parallelism ??= 1
    spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2_147_483_647
    const labels = spec.template?.metadata?.labels
    if (labels !== undefined) job.metadata.labels ??= { ...labels }
    spec.completionMode ??= 'NonIndexed'
    spec.suspend ??= false
    spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed'
    spec.manualSelector ??= false
  },
  CronJobSpec(spec: k.CronJobSpec) {
    spec.concurrencyPolicy ??= 'Allow'
    spec.suspend ??= false
    spec.successfulJobsHistoryLimit ??= 3
    spec.failedJobsHistoryLimit ??= 1
  },
  PodFailurePolicyOnPodConditionsPattern(pattern: k.PodFailurePolicyOnPodConditionsPattern) {
    if ((pattern.status ?? '') === '') pattern.status = 'True'
  },
} satisfies Rules
