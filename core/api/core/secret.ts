/** The kind Secret of core/v1: its names and its rules. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import type { Secret } from '../schema/types.ts'

export const secrets: Kind<Secret> = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  namespaced: true,
  columns: [
    nameColumn,
    text('Type', (o) => o.type ?? ''),
    text('Data', (o) => Object.keys(o.data ?? {}).length),
    ageColumn,
  ],
  selectableFields: {
    type: (o) => o.type ?? '',
  },
})
