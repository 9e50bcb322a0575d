/** The kind EndpointSlice of discovery.k8s.io/v1: its names and its rules. */
import { ageColumn, listWithMore, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { sliceStrategy } from './slicerules.ts'
import type { EndpointSlice } from '../schema/types.ts'

export const endpointSlices: Kind<EndpointSlice> = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  singular: 'endpointslice',
  namespaced: true,
  strategy: sliceStrategy,
  columns: [
    nameColumn,
    text('AddressType', (o) => o.addressType),
    text('Ports', (o) => listWithMore((o.ports ?? []).map((p) => String(p.port ?? p.name ?? '*')), 3, '<unset>')),
    text('Endpoints', (o) => listWithMore((o.endpoints ?? []).flatMap((e) => e.addresses), 3, '<unset>')),
    ageColumn,
  ],
  generation: 'spec',
})
