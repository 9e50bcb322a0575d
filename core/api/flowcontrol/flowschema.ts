/** The kind FlowSchema of flowcontrol.apiserver.k8s.io/v1: its names, its columns. Its rules are schemarules.ts. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { flowSchemaStatus, flowSchemaStrategy } from './schemarules.ts'
import type { FlowSchema } from '../schema/types.ts'

export const flowSchemas: Kind<FlowSchema> = defineKind<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  plural: 'flowschemas',
  singular: 'flowschema',
  namespaced: false,
  generation: 'spec',
  status: flowSchemaStatus,
  strategy: flowSchemaStrategy,
  rowOrder: byPrecedence,
  columns: [
    nameColumn,
    text('PriorityLevel', (o) => o.spec?.priorityLevelConfiguration.name ?? ''),
    text('MatchingPrecedence', (o) => o.spec?.matchingPrecedence ?? 0),
    text('DistinguisherMethod', (o) => o.spec?.distinguisherMethod?.type ?? '<none>'),
    ageColumn,
    text('MissingPL', (o) => o.status?.conditions?.find((c) => c.type === 'Dangling')?.status ?? '?', 'references a broken or non-existent PriorityLevelConfiguration'),
  ],
})

/** The order in which schemas are asked whether a request is theirs. */
export function byPrecedence(a: Readonly<FlowSchema>, b: Readonly<FlowSchema>): number {
  const [first, second] = [a.metadata.name ?? '', b.metadata.name ?? '']
  return (a.spec?.matchingPrecedence ?? 0) - (b.spec?.matchingPrecedence ?? 0) || (first < second ? -1 : first > second ? 1 : 0)
}
