/** The kind PodDisruptionBudget of policy/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { PodDisruptionBudget } from '../schema/types.ts'

export const podDisruptionBudgets: Kind<PodDisruptionBudget> = defineKind<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  singular: 'poddisruptionbudget',
  namespaced: true,
  shortNames: ['pdb'],
  status: {},
})
