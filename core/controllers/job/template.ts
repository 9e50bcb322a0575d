/** The pods that a Job makes of its template: tracked, and where the Job is indexed, told their index. Pure. */
import type { Container, Job, Pod } from '../../api/schema/types.ts'
import { podFrom, type PodOwner } from '../podcontrol.ts'
import { judgeFailure } from './failurepolicy.ts'
import { countedFailures, failuresKey, ignoredFailures, ignoredFailuresKey, indexKey, limitsIndexes, trackingFinalizer } from './pods.ts'

const indexVariable = 'JOB_COMPLETION_INDEX'
/** The beginning of a generated name is cut to so much. */
const generatedNameMax = 58

/** `replaced`: the failed pod of the same index whose place it takes. */
export function jobPod(job: Readonly<Job>, owner: PodOwner, index: number | undefined, replaced: Readonly<Pod> | undefined): Pod {
  const pod = podFrom(job.spec?.template, owner)
  const { finalizers = [] } = pod.metadata
  if (!finalizers.includes(trackingFinalizer)) pod.metadata.finalizers = [...finalizers, trackingFinalizer]
  if (index === undefined) return pod
  pod.metadata.generateName = indexedPrefix(job.metadata.name ?? '', index)
  pod.metadata.labels = { ...pod.metadata.labels, [indexKey]: String(index) }
  pod.metadata.annotations = { ...pod.metadata.annotations, [indexKey]: String(index), ...(limitsIndexes(job) ? failureCounts(job, replaced) : {}) }
  if (pod.spec !== undefined) {
    pod.spec.hostname = `${job.metadata.name}-${index}`
    for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) tellIndex(container)
  }
  return pod
}

function indexedPrefix(name: string, index: number): string {
  const end = `-${index}-`
  return name.length + end.length > generatedNameMax ? name.slice(0, generatedNameMax - end.length) + end : name + end
}

function failureCounts(job: Readonly<Job>, replaced: Readonly<Pod> | undefined): Readonly<Record<string, string>> {
  if (replaced === undefined) return { [failuresKey]: '0' }
  const { counts } = judgeFailure(job, replaced)
  const ignored = ignoredFailures(replaced) + (counts ? 0 : 1)
  return { [failuresKey]: String(countedFailures(replaced) + (counts ? 1 : 0)), ...(ignored > 0 ? { [ignoredFailuresKey]: String(ignored) } : {}) }
}

function tellIndex(container: Container): void {
  if (container.env?.some(({ name }) => name === indexVariable) === true) return
  container.env = [...(container.env ?? []), { name: indexVariable, valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexKey}']` } } }]
}
