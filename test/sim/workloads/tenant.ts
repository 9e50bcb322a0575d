/** A namespace of somebody's own with all sorts of things in it, that is deleted at any moment, and may come again. */
import { deployments } from '../../../core/api/apps/deployment.ts'
import { statefulSets } from '../../../core/api/apps/statefulset.ts'
import { jobs } from '../../../core/api/batch/job.ts'
import { namespaces } from '../../../core/api/core/namespace.ts'
import { services } from '../../../core/api/core/service.ts'
import { isApiError } from '../../../core/api/errors.ts'
import type { Deployment, Job, StatefulSet } from '../../../core/api/schema/types.ts'
import type { History } from '../history.ts'
import type { Act, Place, User, Workload, WorkloadKind } from '../workload.ts'
import { template } from './pods.ts'

export const tenantWorkload: WorkloadKind = { name: 'tenant', draw }

function draw({ random, index }: Place): Workload {
  const namespace = `tenant${index}`
  const replicas = 1 + random.int(3)
  const own = (name: string): { name: string; namespace: string } => ({ name, namespace })
  const of = (name: string): { replicas: number; selector: object; template: ReturnType<typeof template> } => ({ replicas, selector: { matchLabels: { app: name } }, template: template(name) })
  const web: Deployment = { metadata: own('web'), spec: of('web') }
  const db: StatefulSet = { metadata: own('db'), spec: { ...of('db'), serviceName: 'db' } }
  const task: Job = { metadata: own('task'), spec: { template: template('task', { restartPolicy: 'Never' }) } }
  const fill = async (user: User): Promise<void> => {
    await user.create(services, { metadata: own('web'), spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } })
    await user.create(deployments, web)
    await user.create(statefulSets, db)
    await user.create(jobs, task)
  }
  const again: Act = {
    name: `make ${namespace} again`,
    async run(user) {
      try {
        await user.create(namespaces, { metadata: { name: namespace } })
        await fill(user)
      } catch (error) {
        if (!isApiError(error) || error.code >= 500) throw error // it is there, or on its way out
      }
    },
  }
  const remove = (): Act => ({ name: `delete namespace ${namespace}`, run: (user) => user.remove(namespaces, namespace) })
  return {
    name: namespace,
    async begin(user) {
      await user.create(namespaces, { metadata: { name: namespace } })
      await fill(user)
    },
    acts: [remove, remove, () => again],
    lacks: (history) => lacks(history, namespace),
  }
}

/** What is left of a namespace that is gone is an invariant's. */
function lacks(history: History, namespace: string): string | undefined {
  const found = history.all('namespaces').get(`/${namespace}`)
  if (found === undefined) return undefined
  if (found.metadata.deletionTimestamp !== undefined) return `${namespace} is still going`
  for (const [prefix, name] of [['apps/deployments', 'web'], ['apps/statefulsets', 'db']] as const) {
    const set = history.all<Deployment | StatefulSet>(prefix).get(`${namespace}/${name}`)
    const want = set?.spec?.replicas ?? 1
    if (set !== undefined && set.status?.readyReplicas !== want) return `${namespace}/${name}: ${want} wanted, ${String(set.status?.readyReplicas)} ready`
  }
  return undefined
}
