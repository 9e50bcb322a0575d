/** The kind Pod of core/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import { podColumns } from './podcolumns.ts'
import type { Pod } from '../schema/types.ts'

export const pods: Kind<Pod> = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  namespaced: true,
  shortNames: ['po'],
  categories: ['all'],
  status: {},
  subresources: ['attach', 'binding', 'ephemeralcontainers', 'eviction', 'exec', 'log', 'portforward', 'proxy', 'resize'],
  generation: 'spec',
  columns: podColumns,
})
