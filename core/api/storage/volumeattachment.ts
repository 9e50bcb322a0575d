/** The kind VolumeAttachment of storage.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { VolumeAttachment } from '../schema/types.ts'

export const volumeAttachments: Kind<VolumeAttachment> = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  singular: 'volumeattachment',
  namespaced: false,
  status: {},
})
