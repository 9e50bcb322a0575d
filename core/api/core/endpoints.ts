/** The kind Endpoints of core/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { Endpoints } from '../schema/types.ts'

export const endpoints: Kind<Endpoints> = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  namespaced: true,
  shortNames: ['ep'],
})
