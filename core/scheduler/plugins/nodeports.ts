/** NodePorts: host ports are taken once a node, per protocol and address. */
import type { ContainerPort } from '../../api/schema/types.ts'
import { claimOf } from '../claim.ts'
import type { Plugin, Refusal } from '../framework.ts'

const refusal: Refusal = { reasons: ["node(s) didn't have free ports for the requested pod ports"], unresolvable: false }
const everywhere = '0.0.0.0'

function clash(a: Readonly<ContainerPort>, b: Readonly<ContainerPort>): boolean {
  if (a.hostPort !== b.hostPort || (a.protocol ?? 'TCP') !== (b.protocol ?? 'TCP')) return false
  const [x, y] = [a.hostIP || everywhere, b.hostIP || everywhere]
  return x === y || x === everywhere || y === everywhere
}

export const nodePorts: Plugin = {
  name: 'NodePorts',
  local: true,
  filter(pod) {
    const wanted = claimOf(pod).ports
    if (wanted.length === 0) return undefined
    return { check: (node) => (node.ports.some((used) => wanted.some((port) => clash(port, used))) ? refusal : undefined) }
  },
  wakes(pod, event) {
    if (event.type === 'node added' || event.type === 'node changed') return true
    return event.type === 'pod gone' && claimOf(event.pod).ports.some((used) => claimOf(pod).ports.some((port) => clash(port, used)))
  },
}
