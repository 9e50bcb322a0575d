/**
 * Why something does not run: reads it and what it stands on with the rights of who asks, and answers with the cause.
 * Which kinds it knows about is the table at the end; of all others it knows what keeps them from being deleted.
 */
import { persistentVolumeClaims } from '../api/core/persistentvolumeclaim.ts'
import { forbidden, notFound } from '../api/errors.ts'
import type { Kind } from '../api/kind.ts'
import { isBeingDeleted, type AnyObject } from '../api/meta.ts'
import type { CronJob, HorizontalPodAutoscaler, Job, Namespace, Node, PersistentVolumeClaim, Pod, PodDisruptionBudget, Service } from '../api/schema/types.ts'
import type { Client } from '../client/client.ts'
import type { Ctx } from '../lib/ctx.ts'
import { conditionClause } from './conditions.ts'
import { whyClaim } from './claim.ts'
import { heldDeletion } from './deletion.ts'
import { count, subjectText, type Answer, type Finding, type Subject } from './finding.ts'
import { cronState, jobState, whyCronJob, whyJob } from './jobs.ts'
import { whyNode } from './node.ts'
import { autoscalerClause, namespaceClause, whyBudget } from './others.ts'
import { podState, whyPod } from './pod.ts'
import { Reader, type ReaderOptions } from './reader.ts'
import { serviceState, whyService } from './service.ts'
import { whyWorkload } from './workload.ts'

/** Throws ApiError: there is no such object, or it may not be read. */
export async function why(ctx: Ctx, client: Client, kind: Kind, at: { readonly namespace: string; readonly name: string }, options: ReaderOptions = {}): Promise<Answer> {
  const reader = new Reader(ctx, client, options)
  const namespace = kind.namespaced ? at.namespace : ''
  const resource = { group: kind.group, resource: kind.plural }
  const object = (await reader.get(kind, at.name, namespace)) as AnyObject | 'absent' | 'unreadable'
  if (object === 'absent') throw notFound(resource, at.name)
  if (object === 'unreadable') throw forbidden(resource, at.name, 'you may not read it')
  const subject: Subject = { kind: kind.kind, namespace, name: at.name }
  const findings = await find(reader, kind, subject, object)
  const [first] = findings
  const cause = `${subjectText(first === undefined ? subject : first.about)} ${first === undefined ? healthyText(kind, object, reader) : first.because}`
  return { subject, healthy: first === undefined, cause, findings, unread: [...reader.unread] }
}

async function find(reader: Reader, kind: Kind, about: Subject, object: Readonly<AnyObject>): Promise<readonly Finding[]> {
  const held = kind.kind === 'Pod' || kind.kind === 'Namespace' ? undefined : await heldDeletion(reader, object)
  if (held !== undefined) return [{ ...held, about }]
  const known = deciders[`${kind.group}/${kind.kind}`]
  if (known !== undefined) return await known(reader, about, object)
  if (isBeingDeleted(object)) return [{ because: 'is being deleted', about, sections: [] }]
  const clause = conditionClause(object)
  return clause === undefined ? [] : [{ ...clause, about }]
}

type Decider = (reader: Reader, about: Subject, object: Readonly<AnyObject>) => Promise<readonly Finding[]>

/** Of one that finds one clause at most. */
function single<T>(decide: (reader: Reader, object: Readonly<T>) => Promise<Omit<Finding, 'about'> | undefined> | Omit<Finding, 'about'> | undefined): Decider {
  return async (reader, about, object) => {
    const clause = await decide(reader, object as unknown as Readonly<T>)
    return clause === undefined ? [] : [{ ...clause, about }]
  }
}

const deciders: Readonly<Record<string, Decider>> = {
  '/Pod': single<Pod>(whyPod),
  '/Node': single<Node>(whyNode),
  '/Namespace': single<Namespace>((reader, namespace) => namespaceClause(namespace, reader.now)),
  [`/${persistentVolumeClaims.kind}`]: single<PersistentVolumeClaim>(whyClaim),
  '/Service': (reader, about, object) => whyService(reader, about, object as unknown as Service),
  '/ReplicationController': whyWorkload,
  'apps/Deployment': whyWorkload,
  'apps/ReplicaSet': whyWorkload,
  'apps/StatefulSet': whyWorkload,
  'apps/DaemonSet': whyWorkload,
  'batch/Job': (reader, about, object) => whyJob(reader, about, object as unknown as Job),
  'batch/CronJob': (reader, about, object) => whyCronJob(reader, about, object as unknown as CronJob),
  'autoscaling/HorizontalPodAutoscaler': single<HorizontalPodAutoscaler>((_, object) => autoscalerClause(object)),
  'policy/PodDisruptionBudget': single<PodDisruptionBudget>(whyBudget),
}

/** What is good about it, in one clause. */
function healthyText({ kind }: Kind, object: Readonly<AnyObject>, { now }: Reader): string {
  const { spec, status } = object as unknown as { readonly spec?: { readonly replicas?: number; readonly volumeName?: string }; readonly status?: { readonly desiredNumberScheduled?: number; readonly disruptionsAllowed?: number; readonly desiredReplicas?: number } }
  switch (kind) {
    case 'Pod':
      return podState(object as unknown as Pod)
    case 'Node':
      return 'is ready and takes pods'
    case 'Namespace':
      return 'is active'
    case 'PersistentVolumeClaim':
      return `is bound to the volume ${spec?.volumeName}`
    case 'Service':
      return serviceState(object as unknown as Service)
    case 'Job':
      return jobState(object as unknown as Job)
    case 'CronJob':
      return cronState(object as unknown as CronJob, now)
    case 'PodDisruptionBudget':
      return `allows ${count(status?.disruptionsAllowed ?? 0, 'eviction')} now`
    case 'HorizontalPodAutoscaler':
      return `is at work: it wants ${count(status?.desiredReplicas ?? 0, 'pod')}`
    case 'Deployment':
    case 'ReplicaSet':
    case 'ReplicationController':
    case 'StatefulSet':
      return (spec?.replicas ?? 1) === 0 ? 'is scaled to 0: it is to have no pods' : allReady(spec?.replicas ?? 1)
    case 'DaemonSet':
      return allReady(status?.desiredNumberScheduled ?? 0)
    default:
      return 'is there, and nothing is wrong with it that kubun knows of'
  }
}

const allReady = (pods: number): string => (pods === 1 ? 'has its pod ready' : `has all of its ${count(pods, 'pod')} ready`)
