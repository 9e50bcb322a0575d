/** Jobs that complete or give up: some of their pods fail, some of them go when they have ended. */
import { jobs } from '../../../core/api/batch/job.ts'
import type { Job, JobSpec } from '../../../core/api/schema/types.ts'
import type { Random } from '../../../core/lib/random.ts'
import { fateAnnotation, simNamespace } from '../cluster.ts'
import type { History } from '../history.ts'
import { pick, type Place, type Workload, type WorkloadKind } from '../workload.ts'
import { changeSpec, losePod, podsOf, template } from './pods.ts'

export const jobWorkload: WorkloadKind = { name: 'job', draw }

export function jobSpec(random: Random, name: string): JobSpec {
  const fate = JSON.stringify({ runMs: 500 + random.int(8_000), failShare: pick(random, [0, 0, 0.2, 0.5]) })
  const mode = pick(random, ['NonIndexed', 'Indexed'])
  const policy = random.fraction() < 0.3 ? failurePolicy(random, mode) : undefined
  return {
    parallelism: 1 + random.int(3),
    completions: 1 + random.int(4),
    completionMode: mode,
    backoffLimit: random.int(6),
    ...policy,
    template: template(name, { restartPolicy: policy === undefined ? pick(random, ['Never', 'OnFailure']) : 'Never' }, { [fateAnnotation]: fate }),
  }
}

/** What is made of pods that fail, and of those that were disturbed. */
function failurePolicy(random: Random, mode: string): Partial<JobSpec> {
  const action = pick(random, ['Ignore', 'Count', 'FailJob', ...(mode === 'Indexed' ? ['FailIndex'] : [])])
  const rules = [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }, { action, onExitCodes: { operator: 'In', values: [1] } }]
  return { podFailurePolicy: { rules }, ...(action === 'FailIndex' ? { backoffLimitPerIndex: random.int(3) } : {}) }
}

function draw({ random, index }: Place): Workload {
  const name = `task${index}`
  const job: Job = { metadata: { name }, spec: { ...jobSpec(random, name), ...(random.fraction() < 0.2 ? { ttlSecondsAfterFinished: random.int(8) } : {}) } }
  return {
    name,
    begin: (user) => user.create(jobs, job),
    acts: [
      () => losePod(random, name),
      () => changeSpec(jobs, name, 'suspend', (spec) => (spec.suspend = true)),
      () => changeSpec(jobs, name, 'resume', (spec) => (spec.suspend = false)),
      () => {
        const parallelism = random.int(4)
        return changeSpec(jobs, name, `parallelism ${parallelism} of`, (spec) => (spec.parallelism = parallelism))
      },
    ],
    last: changeSpec(jobs, name, 'resume', (spec) => {
      spec.suspend = false
      spec.parallelism = Math.max(1, spec.parallelism ?? 1)
    }),
    lacks: (history) => lacksJob(history, name),
  }
}

export function endOf({ status }: Readonly<Job>): string | undefined {
  return status?.conditions?.find(({ type, status: holds }) => (type === 'Complete' || type === 'Failed') && holds === 'True')?.type
}

function lacksJob(history: History, name: string): string | undefined {
  const job = history.all<Job>('batch/jobs').get(`${simNamespace}/${name}`)
  const there = podsOf(history, name)
  if (job === undefined) return there.length === 0 ? undefined : `${name} is gone and ${there.length} of its pods are not`
  const end = endOf(job)
  if (end === undefined) return `${name} has not ended: ${JSON.stringify(job.status)}`
  if (job.spec?.ttlSecondsAfterFinished !== undefined) return `${name} has ended and is to go`
  const held = there.find(({ metadata }) => metadata.finalizers?.includes('batch.kubernetes.io/job-tracking'))
  if (held !== undefined) return `${held.metadata.name ?? ''} waits to be counted by ${name}, which has ended`
  const completions = job.spec?.completions ?? 1
  return end === 'Complete' && job.status?.succeeded !== completions ? `${name} is complete with ${String(job.status?.succeeded)} of ${completions}` : undefined
}
