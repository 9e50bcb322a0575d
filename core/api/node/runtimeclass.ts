/** The kind RuntimeClass of node.k8s.io/v1: its names and its rules. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { runtimeClassStrategy } from './runtimerules.ts'
import type { RuntimeClass } from '../schema/types.ts'

export const runtimeClasses: Kind<RuntimeClass> = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  singular: 'runtimeclass',
  namespaced: false,
  strategy: runtimeClassStrategy,
  columns: [
    nameColumn,
    text('Handler', (o) => o.handler),
    ageColumn,
  ],
  createOnUpdate: true,
  unconditionalUpdate: false,
})
