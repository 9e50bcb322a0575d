/** ReplicaSets of their own: they grow, shrink, and lose pods to somebody who deletes them. */
import { replicaSets } from '../../../core/api/apps/replicaset.ts'
import { pods } from '../../../core/api/core/pod.ts'
import type { Pod, ReplicaSet } from '../../../core/api/schema/types.ts'
import { simNamespace } from '../cluster.ts'
import type { History } from '../history.ts'
import type { Place, User, Workload, WorkloadKind } from '../workload.ts'

export const replicaSetWorkload: WorkloadKind = { name: 'replicaset', draw }

const replicasMax = 5

function draw({ random, index }: Place): Workload {
  const name = `set${index}`
  const labels = { app: name }
  const set: ReplicaSet = {
    metadata: { name },
    spec: {
      replicas: random.int(replicasMax + 1),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'v0', resources: { requests: { cpu: '100m' } } }] } },
    },
  }
  return {
    name,
    begin: (user) => user.create(replicaSets, set),
    acts: [
      () => {
        const replicas = random.int(replicasMax + 1)
        return { name: `scale to ${replicas} replicaset ${name}`, run: (user: User) => user.change(replicaSets, name, (mine) => void (mine.spec = { ...mine.spec, replicas } as NonNullable<ReplicaSet['spec']>)) }
      },
      () => {
        const which = random.fraction()
        return { name: `delete a pod of replicaset ${name}`, run: (user: User) => deleteOne(user, name, which) }
      },
      ...(random.fraction() < 0.1 ? [() => ({ name: `delete replicaset ${name}`, run: (user: User) => user.remove(replicaSets, name) })] : []),
    ],
    lacks: (history) => lacks(history, name),
  }
}

async function deleteOne(user: User, name: string, which: number): Promise<void> {
  const mine = (await user.list(pods)).filter(({ metadata }) => metadata.labels?.['app'] === name)
  const pod = mine[Math.floor(which * mine.length)]
  if (pod !== undefined) await user.remove(pods, pod.metadata.name ?? '')
}

function lacks(history: History, name: string): string | undefined {
  const set = history.all<ReplicaSet>('apps/replicasets').get(`${simNamespace}/${name}`)
  const count = [...history.all<Pod>('pods').values()].filter(({ metadata }) => metadata.labels?.['app'] === name).length
  const want = set === undefined ? 0 : (set.spec?.replicas ?? 1)
  if (count !== want) return `${name}: ${want} pods wanted, there are ${count}`
  const { readyReplicas = 0, observedGeneration = 0 } = set?.status ?? {}
  if (set !== undefined && observedGeneration !== set.metadata.generation) return `${name}: generation ${String(set.metadata.generation)} was not observed`
  return set === undefined || readyReplicas === want ? undefined : `${name}: ${want} wanted, ${readyReplicas} ready`
}
