/** The kind ConfigMap of core/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { ConfigMap } from '../schema/types.ts'

export const configMaps: Kind<ConfigMap> = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  namespaced: true,
  shortNames: ['cm'],
})
