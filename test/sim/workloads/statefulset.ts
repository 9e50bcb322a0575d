/** StatefulSets: they grow, shrink, get other images in parts or whole, and lose pods. */
import { statefulSets } from '../../../core/api/apps/statefulset.ts'
import type { PersistentVolumeClaim, StatefulSet, StorageClass } from '../../../core/api/schema/types.ts'
import { localPathProvisioner } from '../../../core/api/storage/localpath.ts'
import { storageClasses } from '../../../core/api/storage/storageclass.ts'
import { simNamespace } from '../cluster.ts'
import type { History } from '../history.ts'
import { pick, type Place, type Workload, type WorkloadKind } from '../workload.ts'
import { changeSpec, lacksPods, losePod, podsOf, template } from './pods.ts'

export const statefulSetWorkload: WorkloadKind = { name: 'statefulset', draw }

const replicasMax = 4
/** A folder of the node that the pod goes to first, and stays on. */
const localClass: StorageClass = { metadata: { name: 'local' }, provisioner: localPathProvisioner, volumeBindingMode: 'WaitForFirstConsumer', reclaimPolicy: 'Delete' }
const dataClaim: PersistentVolumeClaim = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'local', resources: { requests: { storage: '1Gi' } } } }

function draw({ random, index }: Place): Workload {
  const name = `db${index}`
  const volumes = random.fraction() < 0.4
  const set: StatefulSet = {
    metadata: { name },
    spec: {
      replicas: random.int(replicasMax + 1), serviceName: name,
      podManagementPolicy: pick(random, ['OrderedReady', 'Parallel']),
      ...(random.fraction() < 0.3 ? { minReadySeconds: 1 + random.int(5) } : {}),
      selector: { matchLabels: { app: name } },
      ...(volumes ? { volumeClaimTemplates: [dataClaim] } : {}),
      template: template(name),
    },
  }
  let version = 0
  return {
    name,
    async begin(user) {
      if (volumes) await user.ensure(storageClasses, localClass)
      await user.create(statefulSets, set)
    },
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
