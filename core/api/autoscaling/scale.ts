/** Scale of autoscaling/v1 as clients see it: the body of a subresource, never an object of its own. */
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import type { Scale } from '../schema/types.ts'

/** Not in the list of kinds: nothing serves it by itself. */
export const scales: Kind<Scale> = defineKind<Scale>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  plural: 'scales',
  namespaced: true,
  stored: false,
  columns: [
    { name: 'Name', type: 'string', value: nameColumn.value },
    { name: 'Desired', type: 'integer', value: (o) => o.spec?.replicas ?? 0 },
    { name: 'Available', type: 'integer', value: (o) => o.status?.replicas ?? 0 },
    ageColumn,
  ],
})
