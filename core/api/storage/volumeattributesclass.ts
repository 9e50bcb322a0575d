/** The kind VolumeAttributesClass of storage.k8s.io/v1: its names and its rules. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { attributesClassStrategy } from './classrules.ts'
import type { VolumeAttributesClass } from '../schema/types.ts'

export const volumeAttributesClasses: Kind<VolumeAttributesClass> = defineKind<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  singular: 'volumeattributesclass',
  namespaced: false,
  shortNames: ['vac'],
  strategy: attributesClassStrategy,
  columns: [
    nameColumn,
    text('DriverName', (o) => o.driverName),
    ageColumn,
  ],
})
