/** The kind Namespace of core/v1: its names and its rules. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { dns1123Label, nameRule } from '../names.ts'
import { namespaceParts, namespaceStatus, namespaceStrategy } from './namespacerules.ts'
import type { Namespace } from '../schema/types.ts'

export const namespaces: Kind<Namespace> = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  namespaced: false,
  shortNames: ['ns'],
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  status: namespaceStatus,
  subresources: ['finalize'],
  strategy: namespaceStrategy,
  parts: namespaceParts,
  validateName: nameRule(dns1123Label),
  columns: [
    nameColumn,
    text('Status', (o) => o.status?.phase ?? ''),
    ageColumn,
  ],
  selectableFields: {
    'status.phase': (o) => o.status?.phase ?? '',
  },
})
