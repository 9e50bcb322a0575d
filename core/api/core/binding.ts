/** The kind Binding of core/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { Binding } from '../schema/types.ts'

export const bindings: Kind<Binding> = defineKind<Binding>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  singular: 'binding',
  namespaced: true,
  verbs: ['create'],
  stored: false,
})
