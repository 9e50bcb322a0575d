/** DaemonSets: a pod on every node that takes it; other images roll over the nodes. */
import { daemonSets } from '../../../core/api/apps/daemonset.ts'
import { isTolerated } from '../../../core/api/core/taints.ts'
import type { DaemonSet, Node } from '../../../core/api/schema/types.ts'
import { simNamespace } from '../cluster.ts'
import type { History } from '../history.ts'
import { pick, type Place, type Workload, type WorkloadKind } from '../workload.ts'
import { changeSpec, lacksPods, losePod, template } from './pods.ts'

export const daemonSetWorkload: WorkloadKind = { name: 'daemonset', draw }

function draw({ random, index }: Place): Workload {
  const name = `agent${index}`
  const everywhere = random.fraction() < 0.5 ? { tolerations: [{ key: 'dedicated', operator: 'Exists' }] } : {}
  const zone = random.fraction() < 0.3 ? { nodeSelector: { zone: 'a' } } : {}
  const rolling = pick<{ maxUnavailable: number | string; maxSurge?: number }>(random, [{ maxUnavailable: 1 }, { maxUnavailable: '50%' }, { maxUnavailable: 0, maxSurge: 1 }])
  const set: DaemonSet = {
    metadata: { name },
    spec: { selector: { matchLabels: { app: name } }, updateStrategy: { type: 'RollingUpdate', rollingUpdate: rolling }, template: template(name, { ...everywhere, ...zone }) },
  }
  let version = 0
  return {
    name,
    begin: (user) => user.create(daemonSets, set),
    acts: [
      () => {
        const image = `v${++version}`
        return changeSpec(daemonSets, name, `image ${image}`, ({ template: { spec } }) => spec?.containers.forEach((container) => (container.image = image)))
      },
      () => losePod(random, name),
    ],
    lacks: (history) => lacks(history, name),
  }
}

function lacks(history: History, name: string): string | undefined {
  const set = history.all<DaemonSet>('apps/daemonsets').get(`${simNamespace}/${name}`)
  const { nodeSelector = {}, tolerations, containers } = set?.spec?.template.spec ?? { containers: [] }
  const takes = ({ metadata, spec }: Readonly<Node>): boolean =>
    Object.entries(nodeSelector).every(([label, value]) => metadata.labels?.[label] === value) && (spec?.taints ?? []).every((taint) => isTolerated(tolerations, taint))
  const want = [...history.all<Node>('nodes').values()].filter(takes).length
  const missing = lacksPods(history, name, want, containers[0]?.image)
  if (missing !== undefined) return missing
  const { numberReady = 0, updatedNumberScheduled = 0, desiredNumberScheduled = 0, observedGeneration } = set?.status ?? {}
  if (observedGeneration !== set?.metadata.generation) return `${name}: generation ${String(set?.metadata.generation)} was not observed`
  return numberReady === want && updatedNumberScheduled === want && desiredNumberScheduled === want ? undefined : `${name}: ${want} wanted, its status says ${desiredNumberScheduled}, updated ${updatedNumberScheduled}, ready ${numberReady}`
}
