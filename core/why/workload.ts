/**
 * Why a workload has not the pods that it is to have: it may not make them, nobody acts on it, or its pods do not run.
 * From a Deployment down over its ReplicaSets to the pods that matter. Jobs are jobs.ts.
 */
import { replicaSets } from '../api/apps/replicaset.ts'
import { nodes } from '../api/core/node.ts'
import { pods } from '../api/core/pod.ts'
import { nodeMatchesPod } from '../api/core/nodeaffinity.ts'
import { availableInMs } from '../api/core/podstate.ts'
import type { AnyObject, KubeObject } from '../api/meta.ts'
import type { DaemonSet, Deployment, Event, Pod, PodTemplateSpec, ReplicaSet, StatefulSet } from '../api/schema/types.ts'
import { crowdFindings, crowdOf, ownedBy } from './crowd.ts'
import { count, section, type Finding, type Subject } from './finding.ts'
import type { Reader } from './reader.ts'
import { refusalText } from './refused.ts'

/** What workloads with replicas have in common. */
interface Replicated extends KubeObject {
  readonly spec?: { readonly replicas?: number; readonly minReadySeconds?: number; readonly template?: PodTemplateSpec }
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly { readonly type?: string; readonly status?: string; readonly reason?: string; readonly message?: string }[] }
}

const revision = 'deployment.kubernetes.io/revision'

/** [] : it has what it wants. */
export async function whyWorkload(reader: Reader, about: Subject, object: Readonly<AnyObject>): Promise<readonly Finding[]> {
  const workload = object as unknown as Readonly<Replicated>
  const one = (because: string, sections: Finding['sections'] = []): readonly Finding[] => [{ because, about, sections }]
  const idle = unobserved(workload)
  const all = await reader.list(pods, about.namespace)
  if (all === undefined) return unseen(object, one)
  const sets = about.kind === 'Deployment' ? ((await reader.list(replicaSets, about.namespace)) ?? []) : []
  const mine = about.kind === 'Deployment' ? byRevision(ownedBy(workload, sets)) : []
  const own = about.kind === 'Deployment' ? mine.flatMap((set) => ownedBy(set, all)) : ownedBy(workload, all)
  const wanted = about.kind === 'DaemonSet' ? ((object as unknown as DaemonSet).status?.desiredNumberScheduled ?? 0) : (workload.spec?.replicas ?? 1)
  if (idle && own.length === 0) return one('has not been seen by its controller yet: it was made just now, or no controller runs')
  const crowd = await crowdOf(reader, own)
  const [newest] = mine
  // Old pods that are still there hide that the new ones do not come.
  const behind = newest !== undefined && crowd.ready >= wanted && (newest.status?.readyReplicas ?? 0) < wanted ? `, ${newest.status?.readyReplicas ?? 0} of them with its latest template` : ''
  const lead = `has ${crowd.ready} of ${count(wanted, 'pod')} ready${behind}`
  const rollout = section('rollout', rolloutLines(about, object))
  const refused = await refusal(reader, [object as unknown as Replicated, ...(newest === undefined ? [] : [newest])])
  if (refused !== undefined && crowd.pods < wanted) {
    const told = crowdFindings(about, lead, crowd)
    return [{ because: `has ${crowd.pods === 0 ? `none of ${count(wanted, 'pod')}` : `${crowd.pods} of ${count(wanted, 'pod')}`}, and may make no more: ${refusalText(refused)}`, about, sections: [...section('the refusal', [refused]), ...rollout] }, ...told]
  }
  const [first, ...others] = crowdFindings(about, lead, crowd)
  if (first !== undefined) return [{ ...first, sections: [...first.sections, ...rollout] }, ...others]
  if (crowd.ready < wanted && crowd.pods < wanted) {
    if ((object as unknown as Deployment).spec?.paused === true) return one(`has ${crowd.pods} of ${count(wanted, 'pod')} and is paused: nothing is rolled out until it is resumed`, rollout)
    return one(`has ${crowd.pods} of ${count(wanted, 'pod')} so far${idle ? ', and its controller has not acted on its last change' : ''}`, rollout)
  }
  return await unfinished(reader, about, object, own, one)
}

/** Whose pods may not be read is judged by what its controller counted. */
function unseen(object: Readonly<AnyObject>, one: (because: string) => readonly Finding[]): readonly Finding[] {
  const { spec, status } = object as unknown as { readonly spec?: { readonly replicas?: number }; readonly status?: { readonly readyReplicas?: number; readonly numberReady?: number; readonly desiredNumberScheduled?: number } }
  const [wanted, ready] = [status?.desiredNumberScheduled ?? spec?.replicas ?? 1, status?.numberReady ?? status?.readyReplicas ?? 0]
  return ready >= wanted ? [] : one(`has ${ready} of ${count(wanted, 'pod')} ready, and you may not read its pods, which would say why`)
}

function unobserved({ metadata, status }: Readonly<Replicated>): boolean {
  return status?.observedGeneration === undefined || status.observedGeneration < (metadata.generation ?? 0)
}

function byRevision(sets: readonly Readonly<ReplicaSet>[]): readonly Readonly<ReplicaSet>[] {
  const of = ({ metadata }: Readonly<ReplicaSet>): number => Number(metadata.annotations?.[revision] ?? 0)
  return sets.toSorted((a, b) => of(b) - of(a))
}

/** The latest refusal to make pods, of the workload or the set that makes them for it. */
async function refusal(reader: Reader, makers: readonly Readonly<Replicated>[]): Promise<string | undefined> {
  for (const maker of makers) {
    const failing = maker.status?.conditions?.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
    if (failing?.message !== undefined) return failing.message
  }
  for (const maker of makers) {
    const [last] = (await reader.eventsOf(maker)).filter(({ reason }) => reason === 'FailedCreate' || reason === 'SuccessfulCreate')
    if (last?.reason === 'FailedCreate') return setless(last)
  }
  return undefined
}

/** StatefulSets say first what they tried. */
function setless({ message = '' }: Readonly<Event>): string {
  return message.replace(/^create Pod \S+ in StatefulSet \S+ failed error: /, '')
}

function rolloutLines(about: Subject, object: Readonly<AnyObject>): readonly string[] {
  const conditions = (object as unknown as Replicated).status?.conditions ?? []
  const progress = conditions.find(({ type }) => type === 'Progressing')
  const lines = progress?.status === 'False' ? [`${progress.reason}: ${progress.message}`] : []
  if (about.kind === 'Deployment' && (object as unknown as Deployment).spec?.paused === true) lines.push('it is paused: changes of its template are not rolled out')
  return lines
}

/** All pods that it has are ready: is it the last word? */
async function unfinished(reader: Reader, about: Subject, object: Readonly<AnyObject>, own: readonly Readonly<Pod>[], one: (because: string) => readonly Finding[]): Promise<readonly Finding[]> {
  const minReadyS = (object as unknown as Replicated).spec?.minReadySeconds ?? 0
  const soon = own.map((pod) => availableInMs(pod, minReadyS, reader.now)).filter((ms) => ms !== undefined && ms > 0)
  if (about.kind === 'Deployment') {
    const { spec, status } = object as unknown as Deployment
    const behind = (status?.updatedReplicas ?? 0) < (spec?.replicas ?? 1)
    if (spec?.paused === true && (behind || unobserved(object as unknown as Replicated))) return one(`is paused: ${status?.updatedReplicas ?? 0} of ${count(spec.replicas ?? 1, 'pod')} have its latest template, and no more get it until it is resumed`)
    const progress = status?.conditions?.find(({ type }) => type === 'Progressing')
    if (progress?.status === 'False') return one(`does not get on with its rollout: ${progress.message}`)
  }
  if (about.kind === 'StatefulSet') {
    const { spec, status } = object as unknown as StatefulSet
    const old = status?.currentRevision !== status?.updateRevision
    if (old && spec?.updateStrategy?.type === 'OnDelete') return one('has pods of an older template: with the strategy OnDelete each gets the new one when somebody deletes it')
    const partition = spec?.updateStrategy?.rollingUpdate?.partition ?? 0
    if (old && partition > 0) return one(`rolls out no further: its partition is ${partition}, so pods below that number keep the older template`)
  }
  if (about.kind === 'DaemonSet') return await undesired(reader, object as unknown as DaemonSet, one)
  if (soon.length > 0) return one(`has ${count(soon.length, 'pod')} that ${soon.length === 1 ? 'is' : 'are'} ready and not yet so for ${minReadyS}s (minReadySeconds)`)
  return []
}

async function undesired(reader: Reader, set: Readonly<DaemonSet>, one: (because: string) => readonly Finding[]): Promise<readonly Finding[]> {
  if ((set.status?.desiredNumberScheduled ?? 0) > 0) return []
  const all = await reader.list(nodes)
  if (all === undefined) return []
  if (all.length === 0) return one('has no pods: the cluster has no nodes')
  const matching = all.filter((node) => nodeMatchesPod({ metadata: {}, spec: set.spec?.template.spec ?? { containers: [] } } as Pod, node))
  if (matching.length === 0) return one(`has no pods: its node selector or affinity matches none of ${count(all.length, 'node')}`)
  return one(`has no pods: its selector matches ${count(matching.length, 'node')}, and taints keep it away from ${matching.length === 1 ? 'it' : 'all of them'}`)
}
