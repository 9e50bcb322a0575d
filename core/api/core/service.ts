/** The kind Service of core/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { Service } from '../schema/types.ts'

export const services: Kind<Service> = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  namespaced: true,
  shortNames: ['svc'],
  categories: ['all'],
  status: {},
  subresources: ['proxy'],
})
