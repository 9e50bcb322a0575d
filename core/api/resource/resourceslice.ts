/** The kind ResourceSlice of resource.k8s.io/v1: its names. Its rules are slicerules.ts. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { sliceStrategy } from './slicerules.ts'
import type { ResourceSlice } from '../schema/types.ts'

export const resourceSlices: Kind<ResourceSlice> = defineKind<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  plural: 'resourceslices',
  singular: 'resourceslice',
  namespaced: false,
  generation: 'spec',
  strategy: sliceStrategy,
  columns: [
    nameColumn,
    text('Node', (o) => o.spec.nodeName ?? ''),
    text('Driver', (o) => o.spec.driver),
    text('Pool', (o) => o.spec.pool.name),
    ageColumn,
  ],
  selectableFields: {
    'spec.driver': (o) => o.spec.driver,
    'spec.nodeName': (o) => o.spec.nodeName ?? '',
  },
})
