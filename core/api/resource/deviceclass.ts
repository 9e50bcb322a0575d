/** The kind DeviceClass of resource.k8s.io/v1: its names. Its rules are classrules.ts. */
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { classStrategy } from './classrules.ts'
import type { DeviceClass } from '../schema/types.ts'

export const deviceClasses: Kind<DeviceClass> = defineKind<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  plural: 'deviceclasses',
  singular: 'deviceclass',
  namespaced: false,
  generation: 'spec',
  strategy: classStrategy,
  columns: [nameColumn, ageColumn],
})
