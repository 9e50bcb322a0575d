/** The kind ServiceAccount of core/v1: its names and its rules. */
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import type { ServiceAccount } from '../schema/types.ts'

const enforceAnnotation = 'kubernetes.io/enforce-mountable-secrets'

/** Of a reference to a Secret, only the name means anything. */
function keepNames(account: ServiceAccount): void {
  if (account.secrets !== undefined) account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }))
}

export const serviceAccounts: Kind<ServiceAccount> = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  namespaced: true,
  shortNames: ['sa'],
  subresources: ['token'],
  strategy: {
    prepareCreate: keepNames,
    prepareUpdate: keepNames,
    warnings({ metadata }, prev) {
      const isNew = metadata.annotations?.[enforceAnnotation] !== undefined && prev?.metadata.annotations?.[enforceAnnotation] === undefined
      return isNew ? [`metadata.annotations[${enforceAnnotation}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`] : []
    },
  },
  columns: [
    nameColumn,
    ageColumn,
  ],
})
