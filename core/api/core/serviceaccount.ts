/** The kind ServiceAccount of core/v1: its names and its rules. */
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import type { ServiceAccount } from '../schema/types.ts'

export const serviceAccounts: Kind<ServiceAccount> = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  namespaced: true,
  shortNames: ['sa'],
  subresources: ['token'],
  columns: [
    nameColumn,
    ageColumn,
  ],
})
