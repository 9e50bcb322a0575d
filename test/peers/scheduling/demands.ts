/** What containers ask of a node: amounts, host ports, images. */
import type { Container, ContainerPort, PodSpec, ResourceRequirements } from '../../../core/api/schema/types.ts'
import type { Drawing } from './cluster.ts'
import { images } from './nodes.ts'

type Amounts = Record<string, string>

function amounts({ draw, about, crowded }: Drawing, { pending }: { readonly pending: boolean }): Amounts {
  if (crowded && draw.chance(0.8)) return { cpu: draw.one(pending ? ['1', '2', '3'] : ['500m', '1', '1']), memory: draw.one(['500Mi', '1Gi', '2Gi']) }
  const large = pending && about('resources')
  const asked: Amounts = {}
  if (draw.chance(0.75)) asked['cpu'] = large ? draw.one(['1', '2', '3', '5']) : draw.one(['50m', '100m', '250m', '500m', '1', '1500m'])
  if (draw.chance(0.75)) asked['memory'] = large ? draw.one(['1Gi', '3Gi', '6Gi', '12Gi']) : draw.one(['64Mi', '200Mi', '512Mi', '1Gi', '1.5Gi', '1G'])
  if (draw.chance(about('resources') ? 0.15 : 0.03)) asked['ephemeral-storage'] = draw.one(['1Gi', '5Gi', '20Gi'])
  if (draw.chance(about('resources') ? 0.3 : 0.02)) asked['example.com/gpu'] = String(draw.int(3))
  if (draw.chance(about('resources') ? 0.1 : 0)) asked['hugepages-2Mi'] = draw.one(['2Mi', '64Mi', '128Mi'])
  return asked
}

function ports({ draw }: Drawing): ContainerPort[] {
  return Array.from({ length: 1 + draw.int(2) }, () => {
    const hostPort = draw.one([80, 8080, 8080, 9000])
    const hostIP = draw.one(['', '', '127.0.0.1', '10.0.0.1', '0.0.0.0'])
    return { containerPort: hostPort, hostPort: draw.chance(0.85) ? hostPort : 0, protocol: draw.one(['TCP', 'TCP', 'UDP']), ...(hostIP === '' ? {} : { hostIP }) }
  })
}

function container(drawing: Drawing, name: string, from: { readonly pending: boolean }): Container {
  const { draw, about } = drawing
  const requests = amounts(drawing, from)
  const image = draw.one(images).name
  return {
    name, image: draw.chance(0.2) ? image.replace(':latest', '') : image,
    ...(Object.keys(requests).length > 0 ? { resources: { requests } } : {}),
    ...(about('ports') ? { ports: ports(drawing) } : {}),
  }
}

export function containers(drawing: Drawing, from: { readonly pending: boolean }): Pick<PodSpec, 'containers' | 'initContainers'> {
  const { draw, about } = drawing
  const main = Array.from({ length: draw.chance(0.75) ? 1 : 2 }, (_, i) => container(drawing, `c${i + 1}`, from))
  if (!draw.chance(about('resources') ? 0.4 : 0.05)) return { containers: main }
  const before = Array.from({ length: 1 + draw.int(3) }, (_, i): Container => ({ ...container(drawing, `i${i + 1}`, from), ...(draw.chance(0.5) ? { restartPolicy: 'Always' } : {}) }))
  return { containers: main, initContainers: before }
}

export function overhead({ draw }: Drawing): Amounts {
  return { cpu: draw.one(['10m', '250m']), memory: draw.one(['64Mi', '120Mi']) }
}

/** Amounts of the whole pod; what the containers ask for may be less, or of another sort. */
export function podLevel({ draw }: Drawing): ResourceRequirements {
  const requests: Amounts = {}
  if (draw.chance(0.8)) requests['cpu'] = draw.one(['1', '2500m', '4'])
  if (draw.chance(0.6)) requests['memory'] = draw.one(['1Gi', '5Gi'])
  return { requests }
}
