/** The kind PriorityLevelConfiguration of flowcontrol.apiserver.k8s.io/v1: its names, its columns. Its rules are levelrules.ts. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { levelStatus, levelStrategy } from './levelrules.ts'
import type { PriorityLevelConfiguration, QueuingConfiguration } from '../schema/types.ts'

export const priorityLevelConfigurations: Kind<PriorityLevelConfiguration> = defineKind<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  singular: 'prioritylevelconfiguration',
  namespaced: false,
  generation: 'spec',
  status: levelStatus,
  strategy: levelStrategy,
  columns: [
    nameColumn,
    text('Type', (o) => o.spec?.type ?? ''),
    text('NominalConcurrencyShares', (o) => o.spec?.limited?.nominalConcurrencyShares ?? '<none>'),
    text('Queues', (o) => queuingOf(o)?.queues ?? '<none>'),
    text('HandSize', (o) => queuingOf(o)?.handSize ?? '<none>'),
    text('QueueLengthLimit', (o) => queuingOf(o)?.queueLengthLimit ?? '<none>'),
    ageColumn,
  ],
})

function queuingOf(level: Readonly<PriorityLevelConfiguration>): Readonly<QueuingConfiguration> | undefined {
  return level.spec?.limited?.limitResponse?.queuing
}
