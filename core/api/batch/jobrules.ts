/**
 * How writes of Jobs behave, and the rules of job specs (k8s.io/kubernetes/pkg/apis/batch/validation/validation.go,
 * pkg/registry/batch/job/strategy.go). What may be said of status is jobstatus.ts, failure and success policies are jobpolicies.ts.
 */
import { domainPath, immutable, labelSelector, nonNegatives, readSelector, type Errors } from '../checks.ts'
import { mismatchSentence, nameWarnings } from '../apps/templates.ts'
import { validatePodTemplate } from '../core/podspec/spec.ts'
import { templateWarnings } from '../core/podspec/warnings.ts'
import { equalJson } from '../../lib/json.ts'
import { invalidValue, notSupported, path, required, tooLong, type Path } from '../field.ts'
import type { Strategy } from '../kind.ts'
import { dns1123Label } from '../names.ts'
import type { Job, JobSpec, PodSpec, PodTemplateSpec } from '../schema/types.ts'
import { validateFailurePolicy, validateSuccessPolicy } from './jobpolicies.ts'

const at = path('spec')
const nameLabels = ['job-name', 'batch.kubernetes.io/job-name'] as const
const uidLabels = ['controller-uid', 'batch.kubernetes.io/controller-uid'] as const
const emptySpec: JobSpec = { template: {} }

const indexedParallelismMax = 100_000
const failedIndexesMax = 100_000
const completionsSoftMax = 100_000
const manyCompletionsMax = 10_000
const managedByMax = 63

/** Without the selector, which CronJobs leave to the Jobs. */
export function validateJobTemplate(errors: Errors, spec: Readonly<JobSpec>, at: Path): void {
  nonNegatives(errors, spec, at, 'parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished', 'backoffLimitPerIndex', 'maxFailedIndexes')
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) errors.push(required(at.child('backoffLimitPerIndex'), 'when maxFailedIndexes is specified'))
  if (spec.managedBy !== undefined) {
    domainPath(errors, spec.managedBy, at.child('managedBy'))
    if (spec.managedBy.length > managedByMax) errors.push(tooLong(at.child('managedBy'), managedByMax))
  }
  completionMode(errors, spec, at)
  if (spec.podFailurePolicy !== undefined) validateFailurePolicy(errors, spec, at.child('podFailurePolicy'))
  if (spec.successPolicy !== undefined) {
    const shown = { Rules: (spec.successPolicy.rules ?? []).map((rule) => ({ SucceededIndexes: rule.succeededIndexes ?? null, SucceededCount: rule.succeededCount ?? null })) }
    if (spec.completionMode !== 'Indexed') errors.push(invalidValue(at.child('successPolicy'), shown, 'requires indexed completion mode'))
    else validateSuccessPolicy(errors, spec, at.child('successPolicy'))
  }
  const replacement = spec.podReplacementPolicy
  const replacements = spec.podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed']
  if (replacement !== undefined && !replacements.includes(replacement)) errors.push(notSupported(at.child('podReplacementPolicy'), replacement, replacements))
  validatePodTemplate(errors, spec.template, at.child('template'))
  restartPolicy(errors, spec, at.child('template', 'spec', 'restartPolicy'))
}

function restartPolicy(errors: Errors, spec: Readonly<JobSpec>, at: Path): void {
  const policy = spec.template.spec?.restartPolicy ?? ''
  if (policy === 'Always' || policy === '') errors.push(required(at, 'valid values: "OnFailure", "Never"'))
  else if (policy !== 'OnFailure' && policy !== 'Never') errors.push(notSupported(at, policy, ['OnFailure', 'Never']))
  else if (spec.podFailurePolicy !== undefined && policy !== 'Never') errors.push(invalidValue(at, policy, 'only "Never" is supported when podFailurePolicy is specified'))
}

function completionMode(errors: Errors, spec: Readonly<JobSpec>, at: Path): void {
  const { completionMode: mode, completions, parallelism, maxFailedIndexes: failed, backoffLimitPerIndex: limit } = spec
  if (mode !== undefined && mode !== 'NonIndexed' && mode !== 'Indexed') errors.push(notSupported(at.child('completionMode'), mode, ['NonIndexed', 'Indexed']))
  if (mode === undefined || mode === 'NonIndexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      if (spec[field] !== undefined) errors.push(invalidValue(at.child(field), spec[field], 'requires indexed completion mode'))
    }
  }
  if (mode !== 'Indexed') return
  if (completions === undefined) errors.push(required(at.child('completions'), 'when completion mode is Indexed'))
  if ((parallelism ?? 0) > indexedParallelismMax) {
    errors.push(invalidValue(at.child('parallelism'), parallelism, `must be less than or equal to ${indexedParallelismMax} when completion mode is Indexed`))
  }
  if (completions !== undefined && failed !== undefined && failed > completions) errors.push(invalidValue(at.child('maxFailedIndexes'), failed, 'must be less than or equal to completions'))
  if ((failed ?? 0) > failedIndexesMax) errors.push(invalidValue(at.child('maxFailedIndexes'), failed, `must be less than or equal to ${failedIndexesMax}`))
  if ((completions ?? 0) <= completionsSoftMax || limit === undefined) return
  const many = `must be less than or equal to ${manyCompletionsMax} when completions are above ${completionsSoftMax} and used with backoff limit per index`
  if (failed === undefined) errors.push(required(at.child('maxFailedIndexes'), `must be specified when completions is above ${completionsSoftMax}`))
  if ((parallelism ?? 0) > manyCompletionsMax) errors.push(invalidValue(at.child('parallelism'), parallelism, many))
  if ((failed ?? 0) > manyCompletionsMax) errors.push(invalidValue(at.child('maxFailedIndexes'), failed, many))
}

function validateSpec(errors: Errors, spec: Readonly<JobSpec>): void {
  validateJobTemplate(errors, spec, at)
  if (spec.selector === undefined) errors.push(required(at.child('selector')))
  labelSelector(errors, spec.selector, at.child('selector'))
  const read = readSelector(spec.selector)
  const labels = spec.template.metadata?.labels
  if (read !== undefined && !read.matches(labels)) errors.push(invalidValue(at.child('template', 'metadata', 'labels'), labels ?? null, mismatchSentence))
}

function validate(job: Readonly<Job>, prefixed: boolean): Errors {
  const errors: Errors = []
  const spec = job.spec ?? emptySpec
  generated(errors, job, spec, prefixed)
  validateSpec(errors, spec)
  if (spec.completionMode === 'Indexed' && (spec.completions ?? 0) > 0) {
    const host = `${job.metadata.name}-${(spec.completions ?? 0) - 1}`
    if (dns1123Label(host).length > 0) errors.push(invalidValue(path('metadata', 'name'), job.metadata.name, `will not able to create pod with invalid DNS label: ${host}`))
  }
  return errors
}

/** The selector is by the Job's own uid, unless the client takes care of it. */
function generated(errors: Errors, job: Readonly<Job>, spec: Readonly<JobSpec>, prefixed: boolean): void {
  if (spec.manualSelector === true || spec.selector === undefined) return
  const labels = spec.template.metadata?.labels ?? {}
  const { uid = '', name = '' } = job.metadata
  const wanted: Record<string, string> = { 'controller-uid': uid, 'job-name': name }
  if (prefixed) Object.assign(wanted, { 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': name })
  for (const [key, value] of Object.entries(wanted)) {
    const here = at.child('template', 'metadata', 'labels').key(key)
    if (labels[key] === undefined) errors.push(required(here, `must be '${value}'`))
    else if (labels[key] !== value) errors.push(invalidValue(here, labels, `must be '${value}'`))
  }
  const read = readSelector(spec.selector)
  if (read !== undefined && !read.matches(wanted)) errors.push(invalidValue(at.child('selector'), spec.selector, '`selector` not auto-generated'))
}

const suspendedCondition = (job: Readonly<Job>): boolean => job.status?.conditions?.some((c) => c.type === 'Suspended' && c.status === 'True') ?? false

function validateChange(next: Readonly<Job>, prev: Readonly<Job>): Errors {
  const errors: Errors = []
  const [spec, old] = [next.spec ?? emptySpec, prev.spec ?? emptySpec]
  validateSpec(errors, spec)
  if (spec.completionMode !== 'Indexed') {
    immutable(errors, spec.completions, old.completions, at.child('completions'))
  } else if (spec.completions !== undefined && spec.completions !== old.completions && spec.completions !== spec.parallelism) {
    errors.push(invalidValue(at.child('completions'), spec.completions, 'can only be modified in tandem with spec.parallelism'))
  }
  immutable(errors, spec.selector, old.selector, at.child('selector'))
  templateChange(errors, spec, old, prev)
  for (const field of ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const) immutable(errors, spec[field], old[field], at.child(field))
  return errors
}

/** While a Job rests and has no pods, where they will run and what they will need may change. */
function templateChange(errors: Errors, spec: Readonly<JobSpec>, old: Readonly<JobSpec>, prev: Readonly<Job>): void {
  const rests = old.suspend === true && (prev.status?.startTime === undefined || suspendedCondition(prev)) && (prev.status?.active ?? 0) === 0
  if (!rests) {
    immutable(errors, spec.template, old.template, at.child('template'))
    return
  }
  const expected = directed(old.template, spec.template)
  const mine = expected.spec as PodSpec
  for (const field of ['containers', 'initContainers'] as const) {
    const [now, before] = [spec.template.spec?.[field] ?? [], mine[field] ?? []]
    if (now.length !== before.length) continue
    mine[field] = before.map((container, i) => {
      const other = now[i]
      if (other === undefined || other.name !== container.name) return container
      const { resources: _old, ...rest } = container
      return other.resources === undefined ? rest : { ...rest, resources: other.resources }
    })
    if (before.length === 0 && spec.template.spec?.[field] === undefined) delete (mine as Partial<PodSpec>)[field]
  }
  if (!equalJson(spec.template.spec, mine)) immutable(errors, spec.template.spec, mine, at.child('template.spec'))
}

/** The old template with the scheduling directives of the new one. */
function directed(old: Readonly<PodTemplateSpec>, next: Readonly<PodTemplateSpec>): PodTemplateSpec {
  const spec: PodSpec = { ...(old.spec ?? { containers: [] }) }
  for (const field of ['nodeSelector', 'tolerations', 'schedulingGates'] as const) {
    const value = next.spec?.[field]
    if (value === undefined) delete spec[field]
    else Object.assign(spec, { [field]: value })
  }
  const { nodeAffinity: _old, ...rest } = old.spec?.affinity ?? {}
  const affinity = { ...rest, ...(next.spec?.affinity?.nodeAffinity === undefined ? {} : { nodeAffinity: next.spec.affinity.nodeAffinity }) }
  if (Object.keys(affinity).length === 0 && next.spec?.affinity === undefined) delete spec.affinity
  else spec.affinity = affinity
  return { ...old, spec }
}

/** Labels and selector by which the Job will know its pods. */
function generateSelector(job: Job): void {
  const spec = job.spec
  if (spec === undefined || spec.manualSelector === true) return
  const labels = ((spec.template.metadata ??= {}).labels ??= {})
  for (const key of nameLabels) labels[key] ??= job.metadata.name ?? ''
  for (const key of uidLabels) labels[key] ??= job.metadata.uid ?? ''
  const selector = (spec.selector ??= {})
  ;(selector.matchLabels ??= {})['batch.kubernetes.io/controller-uid'] ??= job.metadata.uid ?? ''
  // upstream's defaults run again when it is read back
  if (Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = { ...labels }
}

export function jobSpecWarnings(spec: Readonly<JobSpec>, at: Path): string[] {
  const many = spec.completionMode === 'Indexed' && (spec.completions ?? 0) > completionsSoftMax && (spec.parallelism ?? 0) > manyCompletionsMax
  const text = 'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail'
  return [...(many ? [`${at.text}: ${text}`] : []), ...templateWarnings(spec.template, at.child('template'))]
}

export const jobStrategy: Strategy<Job> = {
  prepareCreate: generateSelector,
  validateCreate: (job) => validate(job, true),
  validateUpdate(next, prev) {
    const labels = prev.spec?.template.metadata?.labels ?? {}
    const prefixed = labels[nameLabels[1]] !== undefined && labels[uidLabels[1]] !== undefined
    return [...validate(next, prefixed), ...validateChange(next, prev)]
  },
  warnings(next, prev) {
    if (prev !== undefined) return next.metadata.generation === prev.metadata.generation ? [] : jobSpecWarnings(next.spec ?? emptySpec, at)
    return [...nameWarnings(next), ...jobSpecWarnings(next.spec ?? emptySpec, at)]
  },
}
