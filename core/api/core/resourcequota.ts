/** The kind ResourceQuota of core/v1: its names and its rules. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { quotaStatus, quotaStrategy } from './quotarules.ts'
import type { ResourceQuota } from '../schema/types.ts'

export const resourceQuotas: Kind<ResourceQuota> = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  singular: 'resourcequota',
  namespaced: true,
  shortNames: ['quota'],
  status: quotaStatus,
  strategy: quotaStrategy,
  columns: [
    nameColumn,
    text('Request', (o) => usage(o, (name) => !name.startsWith('limits.'))),
    text('Limit', (o) => usage(o, (name) => name.startsWith('limits.'))),
    ageColumn,
  ],
})

function usage(quota: Readonly<ResourceQuota>, wanted: (name: string) => boolean): string {
  const hard = quota.status?.hard ?? {}
  const names = Object.keys(hard).filter(wanted).sort()
  return names.map((name) => `${name}: ${quota.status?.used?.[name] ?? '0'}/${hard[name]}`).join(', ')
}
