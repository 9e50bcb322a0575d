/** What is to happen with a volume, from what it and its claim say. */
import { describe, expect, it } from 'vitest'
import type { PersistentVolume } from '../../api/schema/types.ts'
import { migrationAnnotations } from '../../api/storage/migration.ts'
import { claimOf, volumeOf } from '../../../test/support/storage.ts'
import { deletionFinalizers, planVolume } from './volumeplan.ts'

const referring = (spec: Parameters<typeof volumeOf>[1] = {}, annotations: Record<string, string> = {}): PersistentVolume => volumeOf('v', { claimRef: { namespace: 'default', name: 'c', uid: 'u' }, ...spec }, { annotations })
const claim = (volumeName?: string) => claimOf('c', volumeName === undefined ? {} : { volumeName }, { uid: 'u' })
const made = { 'pv.kubernetes.io/provisioned-by': 'd.example.com' }

describe('planVolume', () => {
  it.each([
    ['a free volume', volumeOf('v'), undefined, { do: 'phase', phase: 'Available' }],
    ['one that is kept for a claim', volumeOf('v', { claimRef: { namespace: 'default', name: 'c' } }), claim(), { do: 'phase', phase: 'Available' }],
    ['one that a claim has', referring(), claim('v'), { do: 'phase', phase: 'Bound' }],
    ['one whose claim has yet to say so', referring(), claim(), { do: 'claim' }],
    ['one whose claim has another', referring(), claim('other'), { do: 'unbind' }],
    ['one that was made for a claim that has another', referring({ csi: { driver: 'd.example.com', volumeHandle: 'h' }, persistentVolumeReclaimPolicy: 'Delete' }, made), claim('other'), { do: 'release' }],
    ['one whose claim is gone', referring({ persistentVolumeReclaimPolicy: 'Retain' }), undefined, { do: 'release' }],
    ['one of a driver that took over', referring({ persistentVolumeReclaimPolicy: 'Delete' }, { 'pv.kubernetes.io/migrated-to': 'ebs.csi.aws.com' }), undefined, { do: 'release' }],
  ] as const)('%s', (_, volume, its, want) => {
    expect(planVolume(volume, its)).toEqual(want)
  })

  it('one of another mode than its claim asks for', () => {
    expect(planVolume(referring({ volumeMode: 'Block' }), claim())).toMatchObject({ do: 'mismatch', tell: { reason: 'VolumeMismatch' } })
  })
})

describe('deletionFinalizers', () => {
  const by = (plugin: string, persistentVolumeReclaimPolicy: string, finalizers: string[]): PersistentVolume => volumeOf('v', { persistentVolumeReclaimPolicy }, { annotations: { 'pv.kubernetes.io/provisioned-by': plugin }, finalizers })
  it.each([
    ['kubernetes.io/host-path', 'Delete', [], ['kubernetes.io/pv-controller']],
    ['kubernetes.io/host-path', 'Delete', ['kubernetes.io/pv-controller'], undefined],
    ['kubernetes.io/host-path', 'Retain', ['kubernetes.io/pv-controller', 'x'], ['x']],
    ['kubernetes.io/host-path', 'Retain', ['external-provisioner.volume.kubernetes.io/finalizer'], []],
    ['kubernetes.io/aws-ebs', 'Delete', ['kubernetes.io/pv-controller'], []],
    ['kubernetes.io/aws-ebs', 'Delete', ['external-provisioner.volume.kubernetes.io/finalizer'], undefined],
    ['d.example.com', 'Delete', [], undefined],
  ])('made by %s, %s, with %j', (plugin, policy, have, want) => {
    expect(deletionFinalizers(by(plugin, policy, have))).toEqual(want)
  })
})

describe('migrationAnnotations', () => {
  it.each([
    ['kubernetes.io/gce-pd', {}, { 'pv.kubernetes.io/migrated-to': 'pd.csi.storage.gke.io' }],
    ['kubernetes.io/gce-pd', { 'pv.kubernetes.io/migrated-to': 'pd.csi.storage.gke.io' }, undefined],
    ['d.example.com', { 'pv.kubernetes.io/migrated-to': 'x', kept: 'y' }, { kept: 'y' }],
    ['d.example.com', {}, undefined],
    [undefined, { 'pv.kubernetes.io/migrated-to': 'x' }, undefined],
  ])('made by %s, with %j', (provisioner, annotations, want) => {
    expect(migrationAnnotations(volumeOf('v', {}, { annotations }), provisioner)).toEqual(want)
  })
})
