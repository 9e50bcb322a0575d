/** The kind Job of batch/v1: its names and its rules. */
import { ageColumn, humanDuration, nameColumn, selectorColumn, since, templateColumns, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { jobStrategy } from './jobrules.ts'
import { jobStatus } from './jobstatus.ts'
import { isBeingDeleted } from '../meta.ts'
import type { Job } from '../schema/types.ts'

export const jobs: Kind<Job> = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  singular: 'job',
  namespaced: true,
  categories: ['all'],
  status: jobStatus,
  strategy: jobStrategy,
  columns: [
    nameColumn,
    text('Status', (o) => statusOf(o)),
    text('Completions', (o) => completionsOf(o)),
    text('Duration', (o, now) => durationOf(o, now)),
    ageColumn,
    ...templateColumns((o: Readonly<Job>) => o.spec?.template?.spec?.containers),
    selectorColumn((o) => o.spec?.selector),
  ],
  generation: 'spec',
  orphansByDefault: true,
  selectableFields: {
    'status.successful': (o) => String(o.status?.succeeded ?? 0),
  },
})

const conditionWords = [
  ['Complete', 'Complete'],
  ['Failed', 'Failed'],
  ['', 'Terminating'],
  ['Suspended', 'Suspended'],
  ['FailureTarget', 'FailureTarget'],
  ['SuccessCriteriaMet', 'SuccessCriteriaMet'],
] as const

function statusOf(job: Readonly<Job>): string {
  const holds = (type: string): boolean =>
    type === '' ? isBeingDeleted(job) : (job.status?.conditions?.find((c) => c.type === type)?.status === 'True')
  return conditionWords.find(([type]) => holds(type))?.[1] ?? 'Running'
}

function completionsOf(job: Readonly<Job>): string {
  const succeeded = job.status?.succeeded ?? 0
  if (job.spec?.completions !== undefined) return `${succeeded}/${job.spec.completions}`
  const parallelism = job.spec?.parallelism ?? 0
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

function durationOf(job: Readonly<Job>, now: number): string {
  const { startTime, completionTime } = job.status ?? {}
  if (startTime === undefined) return ''
  return completionTime === undefined ? since(startTime, now) : humanDuration(Date.parse(completionTime) - Date.parse(startTime))
}
