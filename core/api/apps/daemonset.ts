/** The kind DaemonSet of apps/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { DaemonSet } from '../schema/types.ts'

export const daemonSets: Kind<DaemonSet> = defineKind<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  singular: 'daemonset',
  namespaced: true,
  shortNames: ['ds'],
  categories: ['all'],
  status: {},
})
