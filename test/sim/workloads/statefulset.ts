/** StatefulSets: they grow, shrink, get other images in parts or whole, and lose pods. */
import { statefulSets } from '../../../core/api/apps/statefulset.ts'
import type { StatefulSet } from '../../../core/api/schema/types.ts'
import { simNamespace } from '../cluster.ts'
import type { History } from '../history.ts'
import { pick, type Place, type Workload, type WorkloadKind } from '../workload.ts'
import { changeSpec, lacksPods, losePod, podsOf, template } from './pods.ts'

export const statefulSetWorkload: WorkloadKind = { name: 'statefulset', draw }

const replicasMax = 4

function draw({ random, index }: Place): Workload {
  const name = `db${index}`
  const set: StatefulSet = {
    metadata: { name },
    spec: {
      replicas: random.int(replicasMax + 1), serviceName: name,
      podManagementPolicy: pick(random, ['OrderedReady', 'Parallel']),
      ...(random.fraction() < 0.3 ? { minReadySeconds: 1 + random.int(5) } : {}),
      selector: { matchLabels: { app: name } },
      template: template(name),
    },
  }
  let version = 0
  return {
    name,
    begin: (user) => user.create(statefulSets, set),
    acts: [
      () => {
        const replicas = random.int(replicasMax + 1)
        return changeSpec(statefulSets, name, `scale to ${replicas}`, (spec) => (spec.replicas = replicas))
      },
      () => {
        const image = `v${++version}`
        return changeSpec(statefulSets, name, `image ${image}`, ({ template: { spec } }) => spec?.containers.forEach((container) => (container.image = image)))
      },
      () => losePod(random, name),
    ],
    lacks: (history) => lacks(history, name),
  }
}

function lacks(history: History, name: string): string | undefined {
  const set = history.all<StatefulSet>('apps/statefulsets').get(`${simNamespace}/${name}`)
  const want = set?.spec?.replicas ?? 1
  const missing = lacksPods(history, name, want, set?.spec?.template.spec?.containers[0]?.image)
  if (missing !== undefined) return missing
  const names = podsOf(history, name).map(({ metadata }) => metadata.name ?? '')
  const odd = Array.from({ length: want }, (_, i) => `${name}-${i}`).find((expected) => !names.includes(expected))
  if (odd !== undefined) return `${odd} is not there`
  const { replicas = 0, readyReplicas = 0, updatedReplicas = 0, currentRevision, updateRevision, observedGeneration } = set?.status ?? {}
  if (observedGeneration !== set?.metadata.generation) return `${name}: generation ${String(set?.metadata.generation)} was not observed`
  if (replicas !== want || readyReplicas !== want) return `${name}: ${want} wanted, its status says ${replicas}, ready ${readyReplicas}`
  return currentRevision === updateRevision ? undefined : `${name}: ${updatedReplicas} of ${want} updated, says its status`
}
