/** The kind Service of core/v1: its names and its rules. */
import { ageColumn, formatLabels, loadBalancerAddresses, nameColumn, text, wide } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { dns1123Label, nameRule } from '../names.ts'
import { serviceStatus, serviceStrategy } from './servicerules.ts'
import type { Service } from '../schema/types.ts'

export const services: Kind<Service> = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  namespaced: true,
  shortNames: ['svc'],
  categories: ['all'],
  status: serviceStatus,
  subresources: ['proxy'],
  strategy: serviceStrategy,
  validateName: nameRule(dns1123Label),
  columns: [
    nameColumn,
    text('Type', (o) => o.spec?.type ?? ''),
    text('Cluster-IP', (o) => o.spec?.clusterIPs?.[0] ?? '<none>'),
    text('External-IP', (o) => externalAddresses(o)),
    text('Port(s)', (o) => portsOf(o)),
    ageColumn,
    wide('Selector', (o) => formatLabels(o.spec?.selector)),
  ],
  createOnUpdate: true,
  selectableFields: {
    'spec.clusterIP': (o) => o.spec?.clusterIP ?? '',
    'spec.type': (o) => o.spec?.type ?? '',
  },
})

function externalAddresses(service: Readonly<Service>): string {
  const external = service.spec?.externalIPs ?? []
  switch (service.spec?.type) {
    case 'ClusterIP':
    case 'NodePort':
      return external.length > 0 ? external.join(',') : '<none>'
    case 'LoadBalancer': {
      const balanced = loadBalancerAddresses(service.status?.loadBalancer)
      const all = [...(balanced === '' ? [] : [balanced]), ...external]
      return all.length > 0 ? all.join(',') : '<pending>'
    }
    case 'ExternalName':
      return service.spec.externalName ?? ''
    default:
      return '<unknown>'
  }
}

function portsOf(service: Readonly<Service>): string {
  const ports = (service.spec?.ports ?? []).map((p) => `${p.port}${p.nodePort === undefined || p.nodePort === 0 ? '' : `:${p.nodePort}`}/${p.protocol}`)
  return ports.length === 0 ? '<none>' : ports.join(',')
}
