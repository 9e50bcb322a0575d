/** The kind CronJob of batch/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { CronJob } from '../schema/types.ts'

export const cronJobs: Kind<CronJob> = defineKind<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  singular: 'cronjob',
  namespaced: true,
  shortNames: ['cj'],
  categories: ['all'],
  status: {},
})
