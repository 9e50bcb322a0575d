/** The kind StatefulSet of apps/v1: its names and its rules. */
import { ageColumn, nameColumn, templateColumns, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { statefulSetStatus, statefulSetStrategy } from './statefulsetrules.ts'
import { dns1123Label, nameRule } from '../names.ts'
import type { StatefulSet } from '../schema/types.ts'

export const statefulSets: Kind<StatefulSet> = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  singular: 'statefulset',
  namespaced: true,
  shortNames: ['sts'],
  categories: ['all'],
  status: statefulSetStatus,
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  strategy: statefulSetStrategy,
  validateName: nameRule(dns1123Label),
  columns: [
    nameColumn,
    text('Ready', (o) => `${o.status?.readyReplicas ?? 0}/${o.spec?.replicas ?? 0}`),
    ageColumn,
    ...templateColumns((o: Readonly<StatefulSet>) => o.spec?.template?.spec?.containers),
  ],
  generation: 'spec',
})
