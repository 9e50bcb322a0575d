/** The kind ComponentStatus of v1: how the parts of a control plane are, asked at once and kept nowhere. Deprecated upstream, and still read by kubectl get cs. */
import { nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import type { ComponentCondition, ComponentStatus } from '../schema/types.ts'

export const componentStatuses: Kind<ComponentStatus> = defineKind<ComponentStatus>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  singular: 'componentstatus',
  shortNames: ['cs'],
  namespaced: false,
  verbs: ['get', 'list'],
  stored: false,
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  columns: [
    nameColumn,
    text('Status', (o) => ({ True: 'Healthy', none: 'Unknown' })[healthOf(o)?.status ?? 'none'] ?? 'Unhealthy', 'Status of the component conditions'),
    text('Message', (o) => healthOf(o)?.message ?? '', 'Message of the component conditions'),
    text('Error', (o) => healthOf(o)?.error ?? '', 'Error of the component conditions'),
  ],
})

function healthOf({ conditions }: Readonly<ComponentStatus>): ComponentCondition | undefined {
  return conditions?.find(({ type }) => type === 'Healthy')
}
