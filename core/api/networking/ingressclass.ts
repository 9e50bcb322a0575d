/** The kind IngressClass of networking.k8s.io/v1: its names and its rules. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { ingressClassStrategy } from './ingressrules.ts'
import type { IngressClass } from '../schema/types.ts'

export const ingressClasses: Kind<IngressClass> = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  singular: 'ingressclass',
  namespaced: false,
  strategy: ingressClassStrategy,
  columns: [
    { ...nameColumn, value: (o) => `${o.metadata.name}${o.metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true' ? ' (default)' : ''}` },
    text('Controller', (o) => o.spec?.controller ?? ''),
    text('Parameters', (o) => parametersOf(o)),
    ageColumn,
  ],
  generation: 'spec',
})

function parametersOf(ingressClass: Readonly<IngressClass>): string {
  const parameters = ingressClass.spec?.parameters
  if (parameters === undefined) return '<none>'
  return `${parameters.kind}${parameters.apiGroup === undefined ? '' : `.${parameters.apiGroup}`}/${parameters.name}`
}
