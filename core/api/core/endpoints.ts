/** The kind Endpoints of core/v1: its names and its rules. */
import { bracketed } from '../../lib/ip.ts'
import { ageColumn, listWithMore, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { endpointsStrategy } from './endpointsrules.ts'
import type { Endpoints } from '../schema/types.ts'

export const endpoints: Kind<Endpoints> = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  namespaced: true,
  shortNames: ['ep'],
  strategy: endpointsStrategy,
  columns: [
    nameColumn,
    text('Endpoints', (o) => addressesOf(o)),
    ageColumn,
  ],
  createOnUpdate: true,
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
})

function addressesOf(endpoints: Readonly<Endpoints>): string {
  const all = (endpoints.subsets ?? []).flatMap((subset) => {
    const ips = (subset.addresses ?? []).map((a) => a.ip)
    const hosts = ips.map(bracketed)
    return (subset.ports ?? []).length === 0 ? ips : (subset.ports ?? []).flatMap((p) => hosts.map((host) => `${host}:${p.port}`))
  })
  return listWithMore(all, 3, (endpoints.subsets ?? []).length === 0 ? '<none>' : '')
}
