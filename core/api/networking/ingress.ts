/** The kind Ingress of networking.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { Ingress } from '../schema/types.ts'

export const ingresses: Kind<Ingress> = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  singular: 'ingress',
  namespaced: true,
  shortNames: ['ing'],
  status: {},
})
