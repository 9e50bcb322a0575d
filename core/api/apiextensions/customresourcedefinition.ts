/** The kind CustomResourceDefinition of apiextensions.k8s.io/v1: its names and its rules. What it makes of its kinds is for whoever serves them. */
import { defineKind, type Kind } from '../kind.ts'
import type { CustomResourceDefinition } from '../schema/types.ts'
import { definitionStatus, definitionStrategy } from './strategy.ts'

export const customResourceDefinitions: Kind<CustomResourceDefinition> = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  singular: 'customresourcedefinition',
  namespaced: false,
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  generation: 'spec',
  unconditionalUpdate: false,
  // Its name is two of its fields: strategy.ts says so, together with what else is wrong with it.
  strategy: definitionStrategy,
  status: definitionStatus,
})
