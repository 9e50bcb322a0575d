/** The kind VolumeAttachment of storage.k8s.io/v1: its names and its rules. */
import { ageColumn, flag, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { attachmentStrategy } from './classrules.ts'
import type { VolumeAttachment } from '../schema/types.ts'

export const volumeAttachments: Kind<VolumeAttachment> = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  singular: 'volumeattachment',
  namespaced: false,
  status: {},
  strategy: attachmentStrategy,
  columns: [
    nameColumn,
    { ...text<VolumeAttachment>('Attacher', (o) => o.spec.attacher), format: 'name' },
    text('PV', (o) => o.spec.source.persistentVolumeName ?? ''),
    text('Node', (o) => o.spec.nodeName),
    flag('Attached', (o) => o.status?.attached),
    ageColumn,
  ],
  unconditionalUpdate: false,
})
