/** Deployments that roll, recreate, grow, shrink, pause and go; some of their pods are particular about nodes. */
import { deployments } from '../../../core/api/apps/deployment.ts'
import { controllerOf } from '../../../core/api/meta.ts'
import type { Deployment, DeploymentSpec, Pod, PodSpec, ReplicaSet } from '../../../core/api/schema/types.ts'
import type { Random } from '../../../core/lib/random.ts'
import { simNamespace } from '../cluster.ts'
import type { History } from '../history.ts'
import { pick, type Place, type Workload, type WorkloadKind } from '../workload.ts'

export const deploymentWorkload: WorkloadKind = { name: 'deployment', draw }

const replicasMax = 6

function draw({ random, index, nodes }: Place): Workload {
  const name = `web${index}`
  const labels = { app: name }
  const particular = drawParticular(random, nodes, labels)
  const mostReplicas = particular.replicasMax ?? replicasMax
  const strategy = particular.strategy ?? drawStrategy(random)
  const deployment: Deployment = {
    metadata: { name },
    spec: {
      replicas: random.int(mostReplicas + 1),
      ...(random.fraction() < 0.3 ? { minReadySeconds: 1 + random.int(10) } : {}),
      revisionHistoryLimit: random.int(4),
      strategy,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { ...particular.pod, containers: [{ name: 'c', image: 'v0', resources: { requests: { cpu: '100m' } } }] } },
    },
  }
  let version = 0
  const change = (what: string, apply: (spec: DeploymentSpec) => void) => ({
    name: `${what} deployment ${name}`,
    run: (user: Parameters<Workload['begin']>[0]) => user.change(deployments, name, (mine) => apply(mine.spec as DeploymentSpec)),
  })
  return {
    name,
    begin: (user) => user.create(deployments, deployment),
    acts: [
      () => {
        const replicas = random.int(mostReplicas + 1)
        return change(`scale to ${replicas}`, (spec) => (spec.replicas = replicas))
      },
      () => {
        const image = `v${random.fraction() < 0.3 ? random.int(version + 1) : ++version}` // some go back
        return change(`image ${image}`, (spec) => spec.template.spec?.containers.forEach((container) => (container.image = image)))
      },
      () => change('pause', (spec) => (spec.paused = true)),
      () => change('resume', (spec) => void delete spec.paused),
      ...(random.fraction() < 0.2 ? [() => ({ name: `delete deployment ${name}`, run: (user: Parameters<Workload['begin']>[0]) => user.remove(deployments, name, pick(random, ['Background', 'Foreground'])) })] : []),
    ],
    last: change('resume', (spec) => void delete spec.paused),
    lacks: (history) => lacksDeployment(history, name),
  }
}

interface Particular {
  readonly pod?: Partial<PodSpec>
  readonly replicasMax?: number
  readonly strategy?: DeploymentSpec['strategy']
}

/** Pods that go to some nodes only; never more than there is room for. */
function drawParticular(random: Random, nodes: number, labels: Record<string, string>): Particular {
  const roll = random.fraction()
  if (roll < 0.15) return { pod: { nodeSelector: { zone: 'a' } } }
  if (roll < 0.3) return { pod: { tolerations: [{ key: 'dedicated', operator: 'Exists' }] } }
  if (roll < 0.4) return { pod: { topologySpreadConstraints: [{ ...spreadOver(nodes), whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: labels } }] } }
  if (roll > 0.55 || nodes < 3) return {}
  const apart = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: labels } }] } }
  // One node may be tainted; a replacement needs a place of its own only after the old one has gone.
  return { pod: { affinity: apart }, replicasMax: nodes - 1, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } }
}

/** Every zone has a node without taints, and so has each of two nodes. */
function spreadOver(nodes: number): { topologyKey: string; maxSkew: number } {
  return nodes < 3 ? { topologyKey: 'kubernetes.io/hostname', maxSkew: 1 } : { topologyKey: 'zone', maxSkew: 2 }
}

function drawStrategy(random: Random): NonNullable<DeploymentSpec['strategy']> {
  if (random.fraction() < 0.2) return { type: 'Recreate' }
  const maxSurge = pick(random, [0, 1, 2, '25%', '50%'])
  const maxUnavailable = maxSurge === 0 ? pick(random, [1, 2, '50%']) : pick(random, [0, 1, '25%'])
  return { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } }
}

export function lacksDeployment(history: History, name: string): string | undefined {
  const deployment = history.all<Deployment>('apps/deployments').get(`${simNamespace}/${name}`)
  const pods = [...history.all<Pod>('pods').values()].filter(({ metadata }) => metadata.labels?.['app'] === name)
  if (deployment === undefined) return pods.length === 0 ? undefined : `${name} is gone and ${pods.length} of its pods are not`
  const want = deployment.spec?.replicas ?? 1
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0, observedGeneration = 0 } = deployment.status ?? {}
  if (observedGeneration !== deployment.metadata.generation) return `${name}: generation ${String(deployment.metadata.generation)} was not observed`
  if (replicas !== want || updatedReplicas !== want || availableReplicas !== want) return `${name}: ${want} wanted, there are ${replicas}, updated ${updatedReplicas}, available ${availableReplicas}`
  if (pods.length !== want) return `${name}: ${want} pods wanted, there are ${pods.length}`
  const image = deployment.spec?.template.spec?.containers[0]?.image
  if (pods.some((pod) => pod.spec?.containers[0]?.image !== image)) return `${name}: a pod does not run ${String(image)}`
  const idle = [...history.all<ReplicaSet>('apps/replicasets').values()].filter((set) => controllerOf(set)?.uid === deployment.metadata.uid && (set.spec?.replicas ?? 1) === 0)
  const kept = deployment.spec?.revisionHistoryLimit ?? 10
  return idle.length > kept + 1 ? `${name}: ${idle.length} old sets are left, ${kept} are to be kept` : undefined
}
