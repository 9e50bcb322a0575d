/** The kind Job of batch/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { Job } from '../schema/types.ts'

export const jobs: Kind<Job> = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  singular: 'job',
  namespaced: true,
  categories: ['all'],
  status: {},
})
