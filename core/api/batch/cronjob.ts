/** The kind CronJob of batch/v1: its names and its rules. */
import { ageColumn, formatSelector, integer, nameColumn, since, templateColumns, text, wide, yesNo } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { cronJobStrategy } from './cronjobrules.ts'
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
  strategy: cronJobStrategy,
  columns: [
    nameColumn,
    text('Schedule', (o) => o.spec?.schedule ?? ''),
    text('Timezone', (o) => o.spec?.timeZone ?? '<none>'),
    { ...text<CronJob>('Suspend', (o) => yesNo(o.spec?.suspend)), type: 'boolean' },
    integer('Active', (o) => o.status?.active?.length),
    text('Last Schedule', (o, now) => (o.status?.lastScheduleTime === undefined ? '<none>' : since(o.status.lastScheduleTime, now))),
    ageColumn,
    ...templateColumns((o: Readonly<CronJob>) => o.spec?.jobTemplate.spec?.template.spec?.containers),
    wide('Selector', (o) => formatSelector(o.spec?.jobTemplate.spec?.selector)),
  ],
  generation: 'spec',
})
