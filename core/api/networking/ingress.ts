/** The kind Ingress of networking.k8s.io/v1: its names and its rules. */
import { ageColumn, listWithMore, loadBalancerAddresses, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { ingressStatus, ingressStrategy } from './ingressrules.ts'
import type { Ingress } from '../schema/types.ts'

export const ingresses: Kind<Ingress> = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  singular: 'ingress',
  namespaced: true,
  shortNames: ['ing'],
  status: ingressStatus,
  strategy: ingressStrategy,
  columns: [
    nameColumn,
    text('Class', (o) => o.spec?.ingressClassName ?? '<none>'),
    text('Hosts', (o) => listWithMore((o.spec?.rules ?? []).map((r) => r.host ?? '').filter((h) => h !== ''), 3, '*')),
    text('Address', (o) => loadBalancerAddresses(o.status?.loadBalancer)),
    text('Ports', (o) => ((o.spec?.tls ?? []).length > 0 ? '80, 443' : '80')),
    ageColumn,
  ],
  generation: 'spec',
})
