/**
 * Admission at the node: whether a pod that was bound here can run beside those that are here already. Not every pod
 * comes by way of a scheduler, and a scheduler may have seen an older node. Pure (upstream's
 * pkg/kubelet/lifecycle/predicate.go; evictions for critical pods are not here).
 */
import { nodeMatchesPod } from '../../core/api/core/nodeaffinity.ts'
import { hostPortsOf, portsClash } from '../../core/api/core/hostports.ts'
import { addAmounts, podAmounts, type Amounts } from '../../core/api/core/podresources.ts'
import { isExtendedResource } from '../../core/api/core/podspec/resources.ts'
import { untolerated } from '../../core/api/core/taints.ts'
import { quantityMilli } from '../../core/api/quantity.ts'
import type { Node, Pod } from '../../core/api/schema/types.ts'

/** Why a pod is not run here, in upstream's words. */
export interface Rejection {
  readonly reason: string
  readonly message: string
}

export function rejectionOf(pod: Readonly<Pod>, node: Readonly<Node>, others: readonly Readonly<Pod>[]): Rejection | undefined {
  return otherSystem(pod) ?? lacking(pod, node, others) ?? unfit(pod, node, others)
}

function otherSystem(pod: Readonly<Pod>): Rejection | undefined {
  const label = pod.metadata.labels?.['kubernetes.io/os']
  if (label !== undefined && label !== 'linux') return { reason: 'PodOSSelectorNodeLabelDoesNotMatch', message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label" }
  const os = pod.spec?.os?.name
  return os === undefined || os === 'linux' ? undefined : { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" }
}

/** Resources that the node does not know are somebody else's business. */
function lacking(pod: Readonly<Pod>, node: Readonly<Node>, others: readonly Readonly<Pod>[]): Rejection | undefined {
  const has: Amounts = {}
  for (const [name, quantity] of Object.entries(node.status?.allocatable ?? {})) has[name] = quantityMilli(quantity)
  if ((others.length + 1) * 1_000 > (has['pods'] ?? 0)) return insufficient('pods', 1_000, others.length * 1_000, has['pods'] ?? 0)
  const used = others.reduce<Amounts>((sum, other) => addAmounts(sum, podAmounts(other, 'requests', { inEffect: true })), {})
  for (const [name, wanted] of Object.entries(podAmounts(pod, 'requests'))) {
    if (wanted === 0 || (isExtendedResource(name) && has[name] === undefined)) continue
    if (wanted + (used[name] ?? 0) > (has[name] ?? 0)) return insufficient(name, wanted, used[name] ?? 0, has[name] ?? 0)
  }
  return undefined
}

/** Amounts come in thousandths; cpu is told in them. */
function insufficient(name: string, requested: number, used: number, capacity: number): Rejection {
  const told = (milli: number): number => (name === 'cpu' ? milli : Math.ceil(milli / 1_000))
  return { reason: `OutOf${name}`, message: `Node didn't have enough resource: ${name}, requested: ${told(requested)}, used: ${told(used)}, capacity: ${told(capacity)}` }
}

function unfit(pod: Readonly<Pod>, node: Readonly<Node>, others: readonly Readonly<Pod>[]): Rejection | undefined {
  if (!nodeMatchesPod(pod, node)) return predicate('NodeAffinity', "node(s) didn't match Pod's node affinity/selector")
  const taken = others.flatMap(hostPortsOf)
  if (hostPortsOf(pod).some((port) => taken.some((other) => portsClash(port, other)))) return predicate('NodePorts', "node(s) didn't have free ports for the requested pod ports")
  if (untolerated(node.spec?.taints, pod.spec?.tolerations, ['NoExecute']) !== undefined) return predicate('TaintToleration', 'node(s) had taints that the pod didn\'t tolerate')
  return undefined
}

function predicate(name: string, description: string): Rejection {
  return { reason: name, message: `Predicate ${name} failed: ${description}` }
}
