/** The kind PriorityClass of scheduling.k8s.io/v1: its names and its rules. */
import { ageColumn, flag, integer, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { priorityClassStrategy } from './priorityrules.ts'
import type { PriorityClass } from '../schema/types.ts'

export const priorityClasses: Kind<PriorityClass> = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  singular: 'priorityclass',
  namespaced: false,
  shortNames: ['pc'],
  strategy: priorityClassStrategy,
  columns: [
    nameColumn,
    integer('Value', (o) => o.value),
    flag('Global-Default', (o) => o.globalDefault),
    ageColumn,
    text('PreemptionPolicy', (o) => o.preemptionPolicy ?? ''),
  ],
})
