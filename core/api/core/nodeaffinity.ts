/**
 * Whether a node matches a pod's node selector and required node affinity. Shared by
 * the scheduler, the DaemonSet controller and the kubelet
 * (k8s.io/component-helpers/scheduling/corev1/nodeaffinity).
 */
import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod } from '../schema/types.ts'

type Labels = Readonly<Record<string, string>>

function requirementMatches(requirement: Readonly<NodeSelectorRequirement>, labels: Labels): boolean {
  const value = labels[requirement.key]
  const values = requirement.values ?? []
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return compare(value, values[0], (have, want) => have > want)
    case 'Lt':
      return compare(value, values[0], (have, want) => have < want)
    default:
      return false
  }
}

function compare(have: string | undefined, want: string | undefined, holds: (have: number, want: number) => boolean): boolean {
  const number = /^-?\d+$/
  return have !== undefined && want !== undefined && number.test(have) && number.test(want) && holds(Number(have), Number(want))
}

/** An empty term matches nothing; a term's requirements must all hold. */
export function termMatches(term: Readonly<NodeSelectorTerm>, node: Readonly<Node>): boolean {
  const expressions = term.matchExpressions ?? []
  const fields = term.matchFields ?? []
  if (expressions.length === 0 && fields.length === 0) return false
  const labels = node.metadata.labels ?? {}
  return (
    expressions.every((requirement) => requirementMatches(requirement, labels)) &&
    fields.every((requirement) => requirementMatches(requirement, { 'metadata.name': node.metadata.name ?? '' }))
  )
}

/** One of the terms must match. */
export function selectorMatches(selector: Readonly<NodeSelector>, node: Readonly<Node>): boolean {
  return selector.nodeSelectorTerms.some((term) => termMatches(term, node))
}

/** spec.nodeSelector and required node affinity together. */
export function nodeMatchesPod(pod: Readonly<Pod>, node: Readonly<Node>): boolean {
  const labels = node.metadata.labels ?? {}
  const wanted = pod.spec?.nodeSelector ?? {}
  for (const key in wanted) if (labels[key] !== wanted[key]) return false
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || selectorMatches(required, node)
}
