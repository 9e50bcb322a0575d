/** Deployments whose pods want a device each, of those that some nodes have: never more pods than there are devices. */
import { deployments } from '../../../core/api/apps/deployment.ts'
import { deviceClasses } from '../../../core/api/resource/deviceclass.ts'
import { resourceClaimTemplates } from '../../../core/api/resource/resourceclaimtemplate.ts'
import { resourceSlices } from '../../../core/api/resource/resourceslice.ts'
import type { Deployment, ResourceSlice } from '../../../core/api/schema/types.ts'
import { pick, type Place, type Workload, type WorkloadKind } from '../workload.ts'
import { lacksDeployment } from './deployment.ts'
import { changeSpec, losePod, template } from './pods.ts'

export const deviceWorkload: WorkloadKind = { name: 'devices', draw }

const driver = 'sim.example.com'

function draw({ random, index }: Place): Workload {
  const name = `gpu${index}`
  // The first two nodes have no taints.
  const counts = [1 + random.int(2), random.int(3)]
  const slices = counts.map((count, i): ResourceSlice => {
    const node = `n${i}`
    return { metadata: { name: `${name}-${node}` }, spec: { driver, nodeName: node, pool: { name: node, generation: 1, resourceSliceCount: 1 }, devices: Array.from({ length: count }, (_, device) => ({ name: `d${device}` })) } }
  })
  const replicasMax = counts.reduce((sum, count) => sum + count, 0)
  const pod = template(name, { resourceClaims: [{ name: 'card', resourceClaimTemplateName: name }] })
  pod.spec?.containers.forEach((container) => (container.resources = { ...container.resources, claims: [{ name: 'card' }] }))
  const deployment: Deployment = {
    metadata: { name },
    spec: {
      replicas: random.int(replicasMax + 1), selector: { matchLabels: { app: name } }, template: pod,
      strategy: pick(random, [{ type: 'Recreate' }, { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } }]),
    },
  }
  let version = 0
  return {
    name,
    async begin(user) {
      await user.ensure(deviceClasses, { metadata: { name }, spec: {} })
      for (const slice of slices) if ((slice.spec.devices ?? []).length > 0) await user.create(resourceSlices, slice)
      await user.create(resourceClaimTemplates, { metadata: { name }, spec: { spec: { devices: { requests: [{ name: 'card', exactly: { deviceClassName: name } }] } } } })
      await user.create(deployments, deployment)
    },
    acts: [
      () => {
        const replicas = random.int(replicasMax + 1)
        return changeSpec(deployments, name, `scale to ${replicas}`, (spec) => (spec.replicas = replicas))
      },
      () => {
        const image = `v${++version}`
        return changeSpec(deployments, name, `image ${image}`, ({ template: { spec } }) => spec?.containers.forEach((container) => (container.image = image)))
      },
      () => losePod(random, name),
    ],
    lacks: (history) => lacksDeployment(history, name),
  }
}
