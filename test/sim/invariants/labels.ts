/** Whether a node is one that a pod's selector and required affinity ask for. */
import type { Node, Pod } from '../../../core/api/schema/types.ts'

export function matchesLabels(pod: Readonly<Pod>, node: Readonly<Node>): boolean {
  const labels = node.metadata.labels ?? {}
  if (Object.entries(pod.spec?.nodeSelector ?? {}).some(([label, value]) => labels[label] !== value)) return false
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (terms === undefined) return true
  const fields: Record<string, string | undefined> = { 'metadata.name': node.metadata.name }
  const wanted = ({ matchExpressions = [], matchFields = [] }: (typeof terms)[number]): boolean =>
    matchExpressions.every(({ key, operator, values = [] }) => expression(labels[key], operator, values)) && matchFields.every(({ key, operator, values = [] }) => expression(fields[key], operator, values))
  return terms.some(wanted)
}

function expression(value: string | undefined, operator: string, values: readonly string[]): boolean {
  if (operator === 'In') return value !== undefined && values.includes(value)
  if (operator === 'NotIn') return value === undefined || !values.includes(value)
  return operator === 'Exists' ? value !== undefined : value === undefined
}
