/**
 * Match conditions of an authorization webhook: expressions over `request`, a SubjectAccessReviewSpec
 * (k8s.io/apiserver/pkg/authorization/cel). Whether all hold is asked in core/auth/authz/conditions.ts.
 */
import { compileExpression } from '../admissionregistration/expressions.ts'
import { environment, type Compiled, type Environment } from '../cel/cel.ts'
import { kubernetesLibraries } from '../cel/environments.ts'
import { bool, list, map, string, type CelType, type FieldType, type ObjectType } from '../cel/type.ts'

export interface MatchCondition {
  readonly text: string
  readonly compiled: Compiled
}

function object(name: string, types: Readonly<Record<string, CelType>>): ObjectType {
  const fields = new Map<string, FieldType>(Object.entries(types).map(([field, type]) => [field, { type, jsonName: field, optional: true }]))
  return { kind: 'object', name, field: (field) => fields.get(field), fieldNames: () => [...fields.keys()] }
}

const strings = list(string)
const requirement = object('kubernetes.SelectorRequirement', { key: string, operator: string, values: strings })
const fieldSelector = object('kubernetes.FieldSelectorAttributes', { rawSelector: string, requirements: list(requirement) })
const labelSelector = object('kubernetes.LabelSelectorAttributes', { rawSelector: string, requirements: list(requirement) })

export const reviewSpecType: ObjectType = object('kubernetes.SubjectAccessReviewSpec', {
  resourceAttributes: object('kubernetes.ResourceAttributes', {
    namespace: string, verb: string, group: string, version: string, resource: string, subresource: string, name: string, fieldSelector, labelSelector,
  }),
  nonResourceAttributes: object('kubernetes.NonResourceAttributes', { path: string, verb: string }),
  user: string,
  groups: strings,
  extra: map(string, strings),
  uid: string,
})

let made: Environment | undefined

export type CompiledCondition = { readonly ok: true; readonly condition: MatchCondition } | { readonly ok: false; readonly internal: boolean; readonly detail: string }

export function compileMatchCondition(text: string): CompiledCondition {
  made ??= environment({ libraries: kubernetesLibraries, variables: { request: reviewSpecType } })
  const expression = compileExpression(made, text, [bool])
  return expression.ok ? { ok: true, condition: { text, compiled: expression.compiled } } : expression
}
