/** The kind IngressClass of networking.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { IngressClass } from '../schema/types.ts'

export const ingressClasses: Kind<IngressClass> = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  singular: 'ingressclass',
  namespaced: false,
})
