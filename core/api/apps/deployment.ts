/** The kind Deployment of apps/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
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
  status: {},
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
})
