/** Deployments whose pods are more important than all others: where there is no room, others make room. */
import { deployments } from '../../../core/api/apps/deployment.ts'
import { priorityClasses } from '../../../core/api/scheduling/priorityclass.ts'
import type { Deployment } from '../../../core/api/schema/types.ts'
import { pick, type Place, type Workload, type WorkloadKind } from '../workload.ts'
import { lacksDeployment } from './deployment.ts'
import { changeSpec, losePod, template } from './pods.ts'

export const priorityWorkload: WorkloadKind = { name: 'priority', draw }

const replicasMax = 5

function draw({ random, index }: Place): Workload {
  const name = `urgent${index}`
  const value = pick(random, [1, 1_000])
  const deployment: Deployment = {
    metadata: { name },
    spec: { replicas: 0, selector: { matchLabels: { app: name } }, template: template(name, { priorityClassName: name }) },
  }
  const scale = () => {
    const replicas = 1 + random.int(replicasMax)
    return changeSpec(deployments, name, `scale to ${replicas}`, (spec) => (spec.replicas = replicas))
  }
  return {
    name,
    async begin(user) {
      await user.ensure(priorityClasses, { metadata: { name }, value })
      await user.create(deployments, deployment)
    },
    acts: [scale, scale, () => losePod(random, name)],
    lacks: (history) => lacksDeployment(history, name),
  }
}
