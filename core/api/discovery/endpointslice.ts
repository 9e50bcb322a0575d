/** The kind EndpointSlice of discovery.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { EndpointSlice } from '../schema/types.ts'

export const endpointSlices: Kind<EndpointSlice> = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  singular: 'endpointslice',
  namespaced: true,
})
