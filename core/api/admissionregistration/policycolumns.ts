/** What `kubectl get` shows of policies and bindings (k8s.io/kubernetes/pkg/printers/internalversion). */
import type { LabelSelector, ParamKind, ParamRef } from '../schema/types.ts'

const unset = '<unset>'

export function shownParamKind(kind: Readonly<ParamKind> | undefined): string {
  return kind === undefined ? unset : `${kind.apiVersion ?? ''}/${kind.kind ?? ''}`
}

/** Whether parameters are in namespaces cannot be told from here. */
export function shownParamRef(reference: Readonly<ParamRef> | undefined): string {
  const { name = '', namespace = '', selector } = reference ?? {}
  if (name !== '') return `${namespace === '' ? '*' : namespace}/${name}`
  return selector === undefined ? unset : goText(selector)
}

/** As Go prints the struct. */
function goText({ matchLabels = {}, matchExpressions = [] }: Readonly<LabelSelector>): string {
  const labels = Object.entries(matchLabels).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}: ${value},`)
  const requirements = matchExpressions.map(({ key, operator, values = [] }) => `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`)
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${requirements.join('')}},}`
}
