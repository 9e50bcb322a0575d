/** The kind ControllerRevision of apps/v1: its names and its rules. */
import { ageColumn, controllerName, integer, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { revisionStrategy } from './revisionrules.ts'
import type { ControllerRevision } from '../schema/types.ts'

export const controllerRevisions: Kind<ControllerRevision> = defineKind<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  singular: 'controllerrevision',
  namespaced: true,
  strategy: revisionStrategy,
  columns: [
    nameColumn,
    text('Controller', (o) => controllerName(o)),
    { ...integer<ControllerRevision>('Revision', (o) => o.revision), type: 'string' },
    ageColumn,
  ],
})
