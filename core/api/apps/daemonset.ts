/** The kind DaemonSet of apps/v1: its names and its rules. */
import { ageColumn, formatLabels, integer, nameColumn, selectorColumn, templateColumns, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { daemonSetStatus, daemonSetStrategy } from './daemonsetrules.ts'
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
  status: daemonSetStatus,
  strategy: daemonSetStrategy,
  columns: [
    nameColumn,
    integer('Desired', (o) => o.status?.desiredNumberScheduled),
    integer('Current', (o) => o.status?.currentNumberScheduled),
    integer('Ready', (o) => o.status?.numberReady),
    integer('Up-to-date', (o) => o.status?.updatedNumberScheduled),
    integer('Available', (o) => o.status?.numberAvailable),
    text('Node Selector', (o) => formatLabels(o.spec?.template?.spec?.nodeSelector)),
    ageColumn,
    ...templateColumns((o: Readonly<DaemonSet>) => o.spec?.template?.spec?.containers),
    selectorColumn((o) => o.spec?.selector),
  ],
  generation: 'spec',
})
