/** The kind PodDisruptionBudget of policy/v1: its names and its rules. */
import { ageColumn, integer, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { budgetStatus, budgetStrategy } from './budgetrules.ts'
import type { PodDisruptionBudget } from '../schema/types.ts'

export const podDisruptionBudgets: Kind<PodDisruptionBudget> = defineKind<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  singular: 'poddisruptionbudget',
  namespaced: true,
  shortNames: ['pdb'],
  status: budgetStatus,
  strategy: budgetStrategy,
  columns: [
    nameColumn,
    text('Min Available', (o) => String(o.spec?.minAvailable ?? 'N/A')),
    text('Max Unavailable', (o) => String(o.spec?.maxUnavailable ?? 'N/A')),
    integer('Allowed Disruptions', (o) => o.status?.disruptionsAllowed),
    ageColumn,
  ],
  unconditionalUpdate: false,
  generation: 'spec',
})
