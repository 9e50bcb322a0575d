/** NodePorts: host ports are taken once a node, per protocol and address. */
import { portsClash } from '../../api/core/hostports.ts'
import { claimOf } from '../claim.ts'
import type { Plugin, Refusal } from '../framework.ts'

const refusal: Refusal = { reasons: ["node(s) didn't have free ports for the requested pod ports"], unresolvable: false }
export const nodePorts: Plugin = {
  name: 'NodePorts',
  local: true,
  filter(pod) {
    const wanted = claimOf(pod).ports
    if (wanted.length === 0) return undefined
    return { check: (node) => (node.ports.some((used) => wanted.some((port) => portsClash(port, used))) ? refusal : undefined) }
  },
  wakes(pod, event) {
    if (event.type === 'node added') return true
    return event.type === 'pod gone' && claimOf(event.pod).ports.some((used) => claimOf(pod).ports.some((port) => portsClash(port, used)))
  },
}
