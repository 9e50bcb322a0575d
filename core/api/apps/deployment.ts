/** The kind Deployment of apps/v1: its names and its rules. */
import { ageColumn, integer, nameColumn, selectorColumn, templateColumns, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { deploymentStatus, deploymentStrategy } from './deploymentrules.ts'
import type { Deployment } from '../schema/types.ts'

export const deployments: Kind<Deployment> = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  singular: 'deployment',
  namespaced: true,
  shortNames: ['deploy'],
  categories: ['all'],
  status: deploymentStatus,
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  strategy: deploymentStrategy,
  columns: [
    nameColumn,
    text('Ready', (o) => `${o.status?.readyReplicas ?? 0}/${o.spec?.replicas ?? 0}`),
    { ...integer<Deployment>('Up-to-date', (o) => o.status?.updatedReplicas), type: 'string' },
    { ...integer<Deployment>('Available', (o) => o.status?.availableReplicas), type: 'string' },
    ageColumn,
    ...templateColumns((o: Readonly<Deployment>) => o.spec?.template?.spec?.containers),
    selectorColumn((o) => o.spec?.selector),
  ],
  generation: 'spec',
})
