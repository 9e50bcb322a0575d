/** Where pods with volumes may go, why not elsewhere, and what lets them try again. */
import { describe, expect, it } from 'vitest'
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import type { CSINode, Node, PersistentVolume, PersistentVolumeClaim, Pod, PodSpec, StorageClass, VolumeAttachment } from '../../api/schema/types.ts'
import { csiDrivers } from '../../api/storage/csidriver.ts'
import { csiNodes } from '../../api/storage/csinode.ts'
import { csiStorageCapacities } from '../../api/storage/csistoragecapacity.ts'
import { storageClasses } from '../../api/storage/storageclass.ts'
import { volumeAttachments } from '../../api/storage/volumeattachment.ts'
import { seededRandom } from '../../lib/random.ts'
import { claimOf, classOf, onLabel, volumeOf, waitingClass } from '../../../test/support/storage.ts'
import { decide } from '../decide.ts'
import { fakeEnv, type FakeEnv } from '../env.fake.ts'
import { questionsFor, suppose } from '../evaluate.ts'
import type { ClusterEvent, Profile } from '../framework.ts'
import { defaultProfile } from '../plugins.ts'
import { Remembered } from '../remembered.ts'
import { World } from '../world.ts'

const node = (name: string, labels: Record<string, string> = {}): Node => ({ metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } }, status: { allocatable: { cpu: '4', memory: '4Gi', pods: '110' } } })

function pod(name: string, claims: readonly string[], spec: Partial<PodSpec> = {}): Pod {
  const volumes = claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }))
  return { metadata: { name, namespace: 'default', uid: name }, spec: { schedulerName: 'default-scheduler', containers: [{ name: 'c' }], volumes, ...spec } }
}

interface Given {
  readonly nodes?: readonly Node[]
  readonly volumes?: readonly PersistentVolume[]
  readonly claims?: readonly PersistentVolumeClaim[]
  readonly classes?: readonly StorageClass[]
  readonly placed?: readonly Pod[]
}

interface Lab {
  readonly env: FakeEnv
  readonly world: World
  readonly profile: Profile
  /** The node's name, or why there is none. */
  readonly tries: (pod: Pod) => string
}

function lab({ nodes = [node('a', { zone: 'x' }), node('b', { zone: 'y' })], volumes = [], claims = [], classes = [], placed = [] }: Given): Lab {
  const env = fakeEnv().show(persistentVolumes, ...volumes).show(persistentVolumeClaims, ...claims).show(storageClasses, ...classes)
  const world = new World()
  for (const each of nodes) world.setNode(each)
  for (const each of placed) world.setPod(each)
  const profile = defaultProfile(env)
  const tries = (wanted: Pod): string => {
    const decision = decide(wanted, world, profile, { random: seededRandom(1), start: 0, looked: () => {}, remembered: new Remembered() })
    return decision.fits ? decision.nodeName : decision.message
  }
  return { env, world, profile, tries }
}

const bound = (name: string, volumeName = 'v'): PersistentVolumeClaim => ({ ...claimOf(name, { volumeName }, { uid: name, annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } }), status: { phase: 'Bound' } })
const boundVolume = (name: string, claim: string, spec: Parameters<typeof volumeOf>[1] = {}): PersistentVolume => ({ ...volumeOf(name, { claimRef: { namespace: 'default', name: claim, uid: claim }, ...spec }), status: { phase: 'Bound' } })
const free = (name: string, spec: Parameters<typeof volumeOf>[1] = {}): PersistentVolume => ({ ...volumeOf(name, { storageClassName: 'local', ...spec }), status: { phase: 'Available' } })
const waiting = (name: string, size = '1Gi'): PersistentVolumeClaim => claimOf(name, { storageClassName: 'local', resources: { requests: { storage: size } } }, { uid: name })
const local = waitingClass('local', { provisioner: 'kubernetes.io/no-provisioner' })
const made = waitingClass('local')
const noRoom = '0/2 nodes are available: 2 node(s) did not have enough free storage.'
const noVolume = "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind."

describe('VolumeBinding', () => {
  it.each<readonly [string, Given, string]>([
    ['a claim that is not there', {}, '0/2 nodes are available: persistentvolumeclaim "c" not found.'],
    ['a claim that goes', { claims: [{ ...bound('c'), metadata: { ...bound('c').metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }] }, '0/2 nodes are available: persistentvolumeclaim "c" is being deleted.'],
    ['a claim that is lost', { claims: [{ ...bound('c'), status: { phase: 'Lost' } }] }, '0/2 nodes are available: persistentvolumeclaim "c" bound to non-existent persistentvolume "v".'],
    ['a claim that should be bound', { claims: [claimOf('c')] }, '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.'],
    ['a claim whose volume the user chose', { claims: [claimOf('c', { storageClassName: 'local', volumeName: 'v' })], classes: [local] }, '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.'],
    ['a bound volume', { claims: [bound('c')], volumes: [boundVolume('v', 'c', onLabel('zone', 'y'))] }, 'b'],
    ['a bound volume out of reach', { claims: [bound('c')], volumes: [boundVolume('v', 'c', onLabel('zone', 'z'))] }, "0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity."],
    ['a free volume', { claims: [waiting('c')], classes: [local], volumes: [free('v', onLabel('zone', 'y'))] }, 'b'],
    ['no free volume', { claims: [waiting('c')], classes: [local], volumes: [free('v', { capacity: { storage: '1Mi' } })] }, noVolume],
    ['a volume of another class that is kept for it', { claims: [waiting('c')], classes: [local], volumes: [free('v', { storageClassName: 'other', claimRef: { namespace: 'default', name: 'c' } })] }, noVolume],
    ['a volume that is to be made', { claims: [waiting('c')], classes: [{ ...made, allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['y', 'z'] }] }] }] }, 'b'],
    ['a volume that may not be made anywhere', { claims: [waiting('c')], classes: [{ ...made, allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['z'] }] }] }] }, noVolume],
    ['a claim that was promised a node', { claims: [{ ...waiting('c'), metadata: { ...waiting('c').metadata, annotations: { 'volume.kubernetes.io/selected-node': 'b' } } }], classes: [made] }, 'b'],
  ])('%s', (_, given, want) => {
    expect(lab(given).tries(pod('p', ['c']))).toBe(want)
  })

  it('two claims of a pod get two volumes of one node', () => {
    const claims = [waiting('c', '2Gi'), waiting('d')]
    const volumes = [free('v', onLabel('zone', 'x')), free('w', { ...onLabel('zone', 'y'), capacity: { storage: '2Gi' } }), free('u', onLabel('zone', 'y'))]
    expect(lab({ claims, classes: [local], volumes }).tries(pod('p', ['c', 'd']))).toBe('b')
    expect(lab({ claims, classes: [local], volumes: volumes.slice(0, 2) }).tries(pod('p', ['c', 'd']))).toBe(noVolume)
  })

  it('a driver that tells how much room it has', () => {
    const { env, tries } = lab({ claims: [waiting('c', '5Gi')], classes: [made] })
    expect(['a', 'b']).toContain(tries(pod('p', ['c'])))
    env.show(csiDrivers, { metadata: { name: 'disks.example.com' }, spec: { storageCapacity: true } })
    expect(tries(pod('p', ['c']))).toBe(noRoom)
    const room = (name: string, zone: string, capacity: string, maximumVolumeSize?: string) =>
      env.show(csiStorageCapacities, { metadata: { name, namespace: 'default' }, storageClassName: 'local', nodeTopology: { matchLabels: { zone } }, capacity, ...(maximumVolumeSize === undefined ? {} : { maximumVolumeSize }) })
    room('one', 'x', '100Gi', '4Gi')
    expect(tries(pod('p', ['c']))).toBe(noRoom)
    room('two', 'y', '5Gi')
    expect(tries(pod('p', ['c']))).toBe('b')
  })

  it('an ephemeral volume waits for its claim, and takes nobody else\'s', () => {
    const own = pod('p', [], { volumes: [{ name: 'd', ephemeral: {} }] })
    expect(lab({}).tries(own)).toBe('0/2 nodes are available: waiting for ephemeral volume controller to create the persistentvolumeclaim "p-d".')
    expect(lab({ claims: [bound('p-d')] }).tries(own)).toBe('0/2 nodes are available: PVC default/p-d was not created for pod default/p (pod is not owner).')
  })

  it('what one pod is given, no other is, until it is taken back', () => {
    const { world, profile, tries } = lab({ claims: [waiting('c'), waiting('d')], classes: [local], volumes: [free('v', onLabel('zone', 'y'))] })
    const plugin = profile.plugins.find((each) => each.plugin.name === 'VolumeBinding')?.plugin
    const [first, target] = [pod('p', ['c']), world.node('b')]
    if (target === undefined) throw new Error('no node b')
    expect(plugin?.reserve?.(first, target)).toBeUndefined()
    expect(tries(pod('q', ['d']))).toBe(noVolume)
    plugin?.release?.(first, 'b')
    expect(tries(pod('q', ['d']))).toBe('b')
  })
})

describe('VolumeRestrictions', () => {
  const alone: PersistentVolumeClaim = { ...bound('c'), spec: { ...bound('c').spec, accessModes: ['ReadWriteOncePod'] } }
  const holder: Pod = pod('holder', ['c'], { nodeName: 'a' })
  const conflict = '0/2 nodes are available: 2 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod.'

  it('a claim for one pod is not given to a second', () => {
    const { world, tries } = lab({ claims: [alone], volumes: [boundVolume('v', 'c')], placed: [holder] })
    expect(tries(pod('p', ['c']))).toBe(conflict)
    world.removePod('holder')
    expect(['a', 'b']).toContain(tries(pod('p', ['c'])))
  })

  it('it would be, if the pod that has it were gone', () => {
    const { world, profile } = lab({ claims: [alone], volumes: [boundVolume('v', 'c')], placed: [holder] })
    const target = world.node('a')
    if (target === undefined) throw new Error('no node a')
    const supposed = suppose(questionsFor(pod('p', ['c']), world, profile), target)
    expect(supposed.ask()?.plugin.name).toBe('VolumeRestrictions')
    supposed.take(holder)
    expect(supposed.ask()).toBeUndefined()
  })

  it.each<readonly [string, NonNullable<PodSpec['volumes']>[number], NonNullable<PodSpec['volumes']>[number], boolean]>([
    ['one disk', { name: 'd', awsElasticBlockStore: { volumeID: 'x' } }, { name: 'd', awsElasticBlockStore: { volumeID: 'x' } }, false],
    ['another disk', { name: 'd', awsElasticBlockStore: { volumeID: 'x' } }, { name: 'd', awsElasticBlockStore: { volumeID: 'y' } }, true],
    ['one disk that both read', { name: 'd', gcePersistentDisk: { pdName: 'x', readOnly: true } }, { name: 'd', gcePersistentDisk: { pdName: 'x', readOnly: true } }, true],
    ['one disk that one writes', { name: 'd', iscsi: { iqn: 'x', lun: 0, targetPortal: 't', readOnly: true } }, { name: 'd', iscsi: { iqn: 'x', lun: 0, targetPortal: 't' } }, false],
    ['one image of one monitor', { name: 'd', rbd: { image: 'i', pool: 'p', monitors: ['m', 'n'] } }, { name: 'd', rbd: { image: 'i', pool: 'p', monitors: ['n'] } }, false],
  ])('%s on one node', (_, mine, theirs, fits) => {
    const { tries } = lab({ nodes: [node('a')], placed: [pod('holder', [], { nodeName: 'a', volumes: [theirs] })] })
    expect(tries(pod('p', [], { volumes: [mine] }))).toBe(fits ? 'a' : '0/1 nodes are available: 1 node(s) had no available disk.')
  })
})

describe('VolumeZone', () => {
  const zoned = (label: string, value: string): PersistentVolume => ({ ...boundVolume('v', 'c'), metadata: { name: 'v', labels: { [label]: value } } })
  const nodes = [node('a', { 'topology.kubernetes.io/zone': 'x' }), node('b', { 'topology.kubernetes.io/zone': 'y' })]
  it.each([
    ['topology.kubernetes.io/zone', 'y', 'b'],
    ['failure-domain.beta.kubernetes.io/zone', 'y', 'b'],
    ['topology.kubernetes.io/zone', 'z__y', 'b'],
    ['topology.kubernetes.io/zone', 'z', '0/2 nodes are available: 2 node(s) had no available volume zone.'],
  ])('a volume with %s %s', (label, value, want) => {
    expect(lab({ nodes, claims: [bound('c')], volumes: [zoned(label, value)] }).tries(pod('p', ['c']))).toBe(want)
  })

  it('nodes that say nothing are all in one place', () => {
    expect(lab({ nodes: [node('a')], claims: [bound('c')], volumes: [zoned('topology.kubernetes.io/zone', 'z')] }).tries(pod('p', ['c']))).toBe('a')
  })

  it('a volume that is not there', () => {
    expect(lab({ claims: [bound('c')] }).tries(pod('p', ['c']))).toBe('0/2 nodes are available: persistentvolume "v" not found.')
  })
})

describe('NodeVolumeLimits', () => {
  const limited = (count: number): CSINode => ({ metadata: { name: 'a' }, spec: { drivers: [{ name: 'disks.example.com', nodeID: 'a', allocatable: { count } }] } })
  const disk = (name: string, claim: string): PersistentVolume => boundVolume(name, claim, { csi: { driver: 'disks.example.com', volumeHandle: name } })
  const full = '0/1 nodes are available: 1 node(s) exceed max volume count.'
  const given: Given = { nodes: [node('a')], claims: [bound('c', 'v'), bound('d', 'w')], volumes: [disk('v', 'c'), disk('w', 'd')], placed: [pod('holder', ['d'], { nodeName: 'a' })] }

  it.each([
    [2, ['c'], 'a'],
    [1, ['c'], full],
    [1, ['d'], 'a'], // another pod has it there
  ])('with room for %i, claims %j', (count, claims, want) => {
    const { env, tries } = lab(given)
    env.show(csiNodes, limited(count))
    expect(tries(pod('p', claims))).toBe(want)
  })

  it('what is attached and has no pod takes room, too', () => {
    const { env, tries } = lab({ ...given, placed: [] })
    const attachment: VolumeAttachment = { metadata: { name: 'va' }, spec: { attacher: 'disks.example.com', nodeName: 'a', source: { persistentVolumeName: 'w' } } }
    env.show(csiNodes, limited(1)).show(volumeAttachments, attachment)
    expect(tries(pod('p', ['c']))).toBe(full)
  })

  it('a volume that is to be made takes room', () => {
    const { env, tries } = lab({ ...given, claims: [bound('d', 'w'), waiting('c')], classes: [made] })
    env.show(csiNodes, limited(1))
    expect(tries(pod('p', ['c']))).toBe(full)
  })
})

describe('what wakes a pod with a claim', () => {
  const claim = waiting('c')
  const came = (kind: typeof persistentVolumes | typeof persistentVolumeClaims | typeof storageClasses | typeof csiNodes, object: object, prev?: object): ClusterEvent => ({ type: 'object', kind, object, prev } as unknown as ClusterEvent)
  it.each<readonly [string, string, ClusterEvent, boolean]>([
    ['VolumeBinding', 'a volume', came(persistentVolumes, free('v')), true],
    ['VolumeBinding', 'its claim', came(persistentVolumeClaims, claim, claim), true],
    ['VolumeBinding', 'another claim', came(persistentVolumeClaims, waiting('other')), false],
    ['VolumeBinding', 'a class as it was', came(storageClasses, local, local), false],
    ['VolumeBinding', 'a class that allows more', came(storageClasses, { ...local, allowedTopologies: [{}] }, local), true],
    ['VolumeBinding', 'a node of other labels', { type: 'node changed', node: node('a', { zone: 'y' }), prev: node('a') }, true],
    ['VolumeBinding', 'a node of the same labels', { type: 'node changed', node: node('a'), prev: node('a') }, false],
    ['VolumeZone', 'a class that does not wait', came(storageClasses, classOf('now')), false],
    ['VolumeZone', 'a class that waits', came(storageClasses, local), true],
    ['VolumeRestrictions', 'the end of a pod with its claim', { type: 'pod gone', pod: pod('q', ['c'], { nodeName: 'a' }) }, true],
    ['VolumeRestrictions', 'the end of a pod with another claim', { type: 'pod gone', pod: pod('q', ['d'], { nodeName: 'a' }) }, false],
    ['NodeVolumeLimits', 'the end of a pod with any claim', { type: 'pod gone', pod: pod('q', ['d'], { nodeName: 'a' }) }, true],
    ['NodeVolumeLimits', 'a node that drivers came to', came(csiNodes, { metadata: { name: 'a' }, spec: { drivers: [] } }), true],
  ])('%s: %s', (name, _, event, want) => {
    const { profile, world } = lab({})
    const plugin = profile.plugins.find((each) => each.plugin.name === name)?.plugin
    expect(plugin?.wakes?.(pod('p', ['c']), event, world)).toBe(want)
  })
})
