/** The kind CSINode of storage.k8s.io/v1: its names and its rules. */
import { ageColumn, integer, nameColumn } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { csiNodeStrategy } from './classrules.ts'
import type { CSINode } from '../schema/types.ts'

export const csiNodes: Kind<CSINode> = defineKind<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  singular: 'csinode',
  namespaced: false,
  strategy: csiNodeStrategy,
  columns: [
    nameColumn,
    integer('Drivers', (o) => o.spec.drivers?.length),
    ageColumn,
  ],
  unconditionalUpdate: false,
})
