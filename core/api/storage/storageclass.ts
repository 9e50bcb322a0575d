/** The kind StorageClass of storage.k8s.io/v1: its names and its rules. */
import { ageColumn, flag, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { newest } from '../newest.ts'
import { storageClassStrategy } from './classrules.ts'
import type { StorageClass } from '../schema/types.ts'

export const storageClasses: Kind<StorageClass> = defineKind<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  singular: 'storageclass',
  namespaced: false,
  shortNames: ['sc'],
  strategy: storageClassStrategy,
  columns: [
    { ...nameColumn, value: (o) => `${o.metadata.name}${isDefaultClass(o) ? ' (default)' : ''}` },
    text('Provisioner', (o) => o.provisioner),
    text('ReclaimPolicy', (o) => o.reclaimPolicy ?? 'Delete'),
    text('VolumeBindingMode', (o) => o.volumeBindingMode ?? 'Immediate'),
    { ...flag('AllowVolumeExpansion', (o: Readonly<StorageClass>) => o.allowVolumeExpansion), type: 'string' },
    ageColumn,
  ],
})

export const defaultClassAnnotation = 'storageclass.kubernetes.io/is-default-class'
const defaultAnnotations = [defaultClassAnnotation, 'storageclass.beta.kubernetes.io/is-default-class']

export function isDefaultClass(storageClass: Readonly<StorageClass>): boolean {
  return defaultAnnotations.some((key) => storageClass.metadata.annotations?.[key] === 'true')
}

/** The class of claims that name none. */
export function defaultClass(classes: readonly Readonly<StorageClass>[]): Readonly<StorageClass> | undefined {
  return newest(classes.filter(isDefaultClass))
}
