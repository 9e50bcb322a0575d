/** Host ports of pods, which are taken once a node, per protocol and address. Shared by scheduler and kubelet. Pure. */
import type { ContainerPort, Pod } from '../schema/types.ts'

const everywhere = '0.0.0.0'

/** Of containers and sidecars; init containers that end keep no port. */
export function hostPortsOf({ spec }: Readonly<Pod>): readonly Readonly<ContainerPort>[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  return [...(spec?.containers ?? []), ...sidecars].flatMap(({ ports }) => (ports ?? []).filter(({ hostPort }) => (hostPort ?? 0) > 0))
}

export function portsClash(a: Readonly<ContainerPort>, b: Readonly<ContainerPort>): boolean {
  if (a.hostPort !== b.hostPort || (a.protocol ?? 'TCP') !== (b.protocol ?? 'TCP')) return false
  const [x, y] = [a.hostIP || everywhere, b.hostIP || everywhere]
  return x === y || x === everywhere || y === everywhere
}
