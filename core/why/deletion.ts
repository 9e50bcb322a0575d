/** What holds an object that is to be deleted: finalizers and whose they are, and for pods the node that has not confirmed. */
import { pods } from '../api/core/pod.ts'
import { jobs } from '../api/batch/job.ts'
import { replicaSets } from '../api/apps/replicaset.ts'
import { podClaims } from '../api/core/podvolumes.ts'
import { since } from '../api/age.ts'
import { keyOf, keyText, type AnyObject, type KubeObject } from '../api/meta.ts'
import type { Pod } from '../api/schema/types.ts'
import { few, listed, section, type Finding } from './finding.ts'
import type { Reader } from './reader.ts'

type Clause = Omit<Finding, 'about'>

const owners: Readonly<Record<string, string>> = {
  'kubernetes.io/pvc-protection': 'the claim protection controller',
  'kubernetes.io/pv-protection': 'the volume protection controller',
  'kubernetes.io/vac-protection': 'the volume attributes protection controller',
  'batch.kubernetes.io/job-tracking': 'the job controller, which counts the pod first',
  'service.kubernetes.io/load-balancer-cleanup': 'the controller of load balancers',
  foregroundDeletion: 'the garbage collector, which deletes what it owns first',
  orphan: 'the garbage collector, which sets free what it owns first',
  'customresourcecleanup.apiextensions.k8s.io': 'the controller that deletes all objects of the kind first',
}

/** Undefined: it is not being deleted, or nothing holds it. */
export async function heldDeletion(reader: Reader, object: Readonly<AnyObject>): Promise<Clause | undefined> {
  const { deletionTimestamp, finalizers = [] } = object.metadata
  if (deletionTimestamp === undefined || finalizers.length === 0) return undefined
  const lines = finalizers.map((name) => `${name}: ${ownerText(object, name)}`)
  const who = finalizers.map((name) => `${name} (${ownerText(object, name)})`)
  const users = finalizers.includes('kubernetes.io/pvc-protection') ? await usersOf(reader, object) : []
  const left = finalizers.includes('foregroundDeletion') ? await dependents(reader, object) : []
  const more = users.length > 0 ? `; ${few(users)} still ${users.length === 1 ? 'uses' : 'use'} it` : left.length > 0 ? `; it still owns ${few(left)}` : ''
  return {
    because: `was deleted ${since(deletionTimestamp, reader.now)} ago and is still held by the finalizer${finalizers.length === 1 ? '' : 's'} ${listed(who)}${more}`,
    sections: [...section('finalizers', lines), ...section('used by', users), ...section('owns', left)],
  }
}

/** Who takes it away; for one that nobody here knows, its domain and who wrote it. */
function ownerText(object: Readonly<KubeObject>, finalizer: string): string {
  const known = owners[finalizer]
  if (known !== undefined) return known
  const manager = object.metadata.managedFields?.find(({ fieldsV1 }) => JSON.stringify(fieldsV1 ?? {}).includes(`v:\\"${finalizer}\\"`))?.manager
  const domain = finalizer.includes('/') ? finalizer.split('/')[0] : ''
  return [domain === '' ? 'whoever set it' : `whoever runs ${domain}`, ...(manager === undefined ? [] : [`set by ${manager}`])].join(', ')
}

async function usersOf(reader: Reader, claim: Readonly<KubeObject>): Promise<readonly string[]> {
  const all = (await reader.list(pods, claim.metadata.namespace ?? '')) ?? []
  return all.filter((pod) => podClaims(pod).some(({ name }) => name === claim.metadata.name)).map((pod) => `pod ${keyText(keyOf(pod as Pod))}`)
}

async function dependents(reader: Reader, owner: Readonly<KubeObject>): Promise<readonly string[]> {
  const { uid = '', namespace = '' } = owner.metadata
  const lists = await Promise.all([reader.list(replicaSets, namespace), reader.list(jobs, namespace), reader.list(pods, namespace)])
  const words = ['replicaSet', 'job', 'pod']
  return lists.flatMap((items, at) => ((items ?? []) as readonly KubeObject[]).filter(({ metadata }) => (metadata.ownerReferences ?? []).some((ref) => ref.uid === uid)).map(({ metadata }) => `${words[at]} ${metadata.name}`))
}
