/** What a Job's failure policy says of a failed pod (upstream's pod_failure_policy.go). Pure. */
import type { ContainerStatus, Job, Pod, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule } from '../../api/schema/types.ts'

export interface PolicyAnswer {
  readonly action: 'Ignore' | 'FailIndex' | 'Count' | 'FailJob' | undefined
  /** Whether the failure counts against the limits. */
  readonly counts: boolean
  /** Why the whole Job fails. */
  readonly message?: string
}

/** The first rule that matches decides; where none does, failures count. */
export function judgeFailure(job: Readonly<Job>, pod: Readonly<Pod>): PolicyAnswer {
  for (const [at, rule] of (job.spec?.podFailurePolicy?.rules ?? []).entries()) {
    const cause = causeOf(rule, pod)
    if (cause === undefined) continue
    if (rule.action === 'Ignore') return { action: 'Ignore', counts: false }
    if (rule.action === 'FailJob') return { action: 'FailJob', counts: true, message: `${cause} matching FailJob rule at index ${at}` }
    if (rule.action === 'FailIndex' || rule.action === 'Count') return { action: rule.action, counts: true }
  }
  return { action: undefined, counts: true }
}

function causeOf(rule: Readonly<PodFailurePolicyRule>, pod: Readonly<Pod>): string | undefined {
  const { namespace, name } = pod.metadata
  if (rule.onExitCodes !== undefined) {
    const container = matching(pod.status?.containerStatuses, rule.onExitCodes) ?? matching(pod.status?.initContainerStatuses, rule.onExitCodes)
    return container === undefined ? undefined : `Container ${container.name} for pod ${namespace}/${name} failed with exit code ${container.state?.terminated?.exitCode}`
  }
  const condition = pod.status?.conditions?.find((c) => rule.onPodConditions?.some((pattern) => pattern.type === c.type && pattern.status === c.status))
  return condition === undefined ? undefined : `Pod ${namespace}/${name} has condition ${condition.type}`
}

function matching(statuses: readonly Readonly<ContainerStatus>[] | undefined, wanted: Readonly<PodFailurePolicyOnExitCodesRequirement>): Readonly<ContainerStatus> | undefined {
  return statuses?.find(({ name, state }) => {
    const code = state?.terminated?.exitCode
    if (state?.terminated === undefined || (code ?? 0) === 0) return false
    if (wanted.containerName !== undefined && wanted.containerName !== name) return false
    return wanted.operator === 'In' ? wanted.values.includes(code ?? 0) : wanted.operator === 'NotIn' && !wanted.values.includes(code ?? 0)
  })
}
