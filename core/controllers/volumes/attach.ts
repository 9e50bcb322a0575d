/**
 * Attaches volumes to the nodes whose pods have them, and detaches them when nobody wants them any more: writes
 * VolumeAttachments for the drivers' attachers, and what is attached into node status for the kubelet. The key is a
 * node. What is to happen is attachplan.ts's decision. Volumes of former built-in plugins are not translated for their
 * drivers.
 */
import { nodes } from '../../api/core/node.ts'
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { pods } from '../../api/core/pod.ts'
import { foreignClaim, isPodStopped, podClaimIndex, podClaimKeys, podClaims } from '../../api/core/podvolumes.ts'
import { taintKeys } from '../../api/core/taints.ts'
import { isApiError } from '../../api/errors.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import type { Node, PersistentVolume, Pod, VolumeAttachment } from '../../api/schema/types.ts'
import { csiDrivers } from '../../api/storage/csidriver.ts'
import { volumeAttachments } from '../../api/storage/volumeattachment.ts'
import { parseTime } from '../../api/time.ts'
import type { Client } from '../../client/client.ts'
import { byNode, nodeIndex, type Lister } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import type { Controller, Env } from '../controller.ts'
import { readyOf } from '../node/health.ts'
import { itself } from '../run.ts'
import { attachmentName, conflictMessage, planNode, uniqueName, type Attached, type NodePlan, type Wanted } from './attachplan.ts'

/** On a node whose kubelet leaves attaching to this controller. */
const managedAnnotation = 'volumes.kubernetes.io/controller-managed-attach-detach'
/** So long an attacher may take before the pods hear of it. */
const attachMs = 120_000
const volumeIndex = 'volume'

export const attachDetachController: Controller = {
  name: 'attachdetach-controller',
  setUp(env) {
    const controller = new AttachDetach(env)
    return (ctx, key, client) => controller.reconcile(ctx, key, client)
  },
}

class AttachDetach {
  readonly #env: Env
  readonly #pods: Lister<Pod>
  readonly #listers
  /** Of attachments that were seen with their volumes: the volume may go first. */
  readonly #names = new Map<string, string>()
  /** Since when nobody wants it, by attachment. */
  readonly #unwanted = new Map<string, number>()
  /** What nodes that are gone had mounted at last, until nothing is attached to them any more. */
  readonly #lastInUse = new Map<string, readonly string[]>()
  /** What was said last, by attachment. */
  readonly #told = new Map<string, string>()

  constructor(env: Env) {
    this.#env = env
    const informer = env.informers.of(pods)
    informer.addIndex(nodeIndex, byNode)
    informer.addIndex(podClaimIndex, podClaimKeys)
    this.#pods = informer.lister
    const ofClaim = (key: string): readonly string[] => this.#pods.by(podClaimIndex, key).flatMap(byNode)
    const ofVolume = (volume: Readonly<PersistentVolume> | undefined): readonly string[] => {
      const ref = volume?.spec?.claimRef
      return ref === undefined ? [] : ofClaim(`${ref.namespace}/${ref.name}`)
    }
    env.watch(pods, (pod) => (podClaims(pod).length === 0 ? [] : byNode(pod)))
    const volumes = env.watch(persistentVolumes, ofVolume)
    env.informers.of(volumeAttachments).addIndex(nodeIndex, (attachment) => [attachment.spec.nodeName])
    env.informers.of(volumeAttachments).addIndex(volumeIndex, (attachment) => [attachment.spec.source.persistentVolumeName ?? ''])
    const attachments = env.watch(volumeAttachments, ({ spec }) => [spec.nodeName, ...ofVolume(volumes.at(spec.source.persistentVolumeName ?? ''))])
    this.#listers = {
      nodes: env.watch(nodes, itself),
      claims: env.watch(persistentVolumeClaims, (claim) => itself(claim).flatMap(ofClaim)),
      drivers: env.watch(csiDrivers, () => [...new Set(attachments.list().map(({ spec }) => spec.nodeName))]),
      volumes,
      attachments,
    }
    env.informers.of(nodes).on({
      added: ({ metadata }) => void this.#lastInUse.delete(metadata.name ?? ''),
      deleted: ({ metadata, status }) => void this.#lastInUse.set(metadata.name ?? '', status?.volumesInUse ?? []),
    })
    env.informers.of(volumeAttachments).on({ deleted: ({ metadata }) => this.#forget(metadata.name ?? '') })
  }

  async reconcile(ctx: Ctx, key: string, client: Client): Promise<void> {
    const node = this.#listers.nodes.at(key)
    const wanted = this.#wanted(key)
    const attached = this.#attached(key, node)
    if (attached.length === 0) this.#lastInUse.delete(key)
    this.#markUnwanted(wanted, attached)
    const plan = planNode({
      wanted,
      attached,
      elsewhere: (name) => this.#elsewhere(key, wanted.find((each) => each.name === name)),
      inUse: new Set(node === undefined ? this.#lastInUse.get(key) : node.status?.volumesInUse),
      ready: node !== undefined && readyOf(node) === 'True',
      outOfService: node?.spec?.taints?.some((taint) => taint.key === taintKeys.outOfService) ?? false,
      unwantedMs: (name) => this.#env.clock.monotonic() - (this.#unwanted.get(attachmentName(name, key) ?? '') ?? this.#env.clock.monotonic()),
    })
    if (plan.againMs !== undefined) this.#env.queue.after(key, plan.againMs)
    if (node !== undefined) await this.#report(ctx, client, node, wanted, plan)
    for (const { attachment } of plan.detach) await client.delete(ctx, volumeAttachments, { namespace: '', name: attachment.metadata.name ?? '' })
    this.#tellConflicts(key, plan)
    this.#tellFailures(key, wanted, attached)
    for (const each of plan.attach) await this.#attach(ctx, client, key, each)
  }

  #wanted(node: string): readonly Wanted[] {
    if (this.#listers.nodes.at(node)?.metadata.annotations?.[managedAnnotation] === undefined) return []
    const found = new Map<string, { readonly name: string; readonly volume: Readonly<PersistentVolume>; readonly pods: Readonly<Pod>[] }>()
    for (const pod of this.#pods.by(nodeIndex, node)) {
      if (isPodStopped(pod)) continue
      for (const volume of this.#volumesOf(pod)) {
        const name = this.#attachable(volume)
        if (name === undefined) continue
        const entry = found.get(name) ?? { name, volume, pods: [] }
        entry.pods.push(pod)
        found.set(name, entry)
      }
    }
    return [...found.values()]
  }

  /** Volumes that are bound to the pod's claims. */
  #volumesOf(pod: Readonly<Pod>): readonly Readonly<PersistentVolume>[] {
    return podClaims(pod).flatMap(({ name, ephemeral }) => {
      const claim = this.#listers.claims.at(`${pod.metadata.namespace}/${name}`)
      if (claim?.status?.phase !== 'Bound' || (ephemeral && foreignClaim(pod, claim) !== undefined)) return []
      const volume = this.#listers.volumes.at(claim.spec?.volumeName ?? '')
      return volume === undefined || volume.spec?.claimRef?.uid !== claim.metadata.uid ? [] : [volume]
    })
  }

  /** A driver that nobody described must be asked. */
  #attachable(volume: Readonly<PersistentVolume>): string | undefined {
    const driver = volume.spec?.csi?.driver
    return driver === undefined || this.#listers.drivers.at(driver)?.spec.attachRequired === false ? undefined : uniqueName(volume)
  }

  /** Attachments under other names than this controller gives are somebody else's. */
  #attached(node: string, object: Readonly<Node> | undefined): readonly Attached[] {
    const reported = new Map((object?.status?.volumesAttached ?? []).map(({ name }) => [attachmentName(name, node) ?? '', name]))
    return this.#listers.attachments.by(nodeIndex, node).flatMap((attachment): Attached[] => {
      const id = attachment.metadata.name ?? ''
      const volume = this.#listers.volumes.at(attachment.spec.source.persistentVolumeName ?? '')
      const seen = volume === undefined ? undefined : uniqueName(volume)
      if (seen !== undefined && attachmentName(seen, node) === id) this.#names.set(id, seen)
      const name = this.#names.get(id) ?? reported.get(id)
      return name === undefined ? [] : [{ name, attachment }]
    })
  }

  #elsewhere(node: string, wanted: Wanted | undefined): readonly Readonly<VolumeAttachment>[] {
    return this.#listers.attachments.by(volumeIndex, wanted?.volume.metadata.name ?? '')
      .filter(({ metadata, spec }) => spec.nodeName !== node && metadata.name === attachmentName(wanted?.name ?? '', spec.nodeName))
  }

  #markUnwanted(wanted: readonly Wanted[], attached: readonly Attached[]): void {
    for (const { name, attachment } of attached) {
      const id = attachment.metadata.name ?? ''
      if (wanted.some((each) => each.name === name)) this.#unwanted.delete(id)
      else if (!this.#unwanted.has(id)) this.#unwanted.set(id, this.#env.clock.monotonic())
    }
  }

  /** What is to be detached must not be mounted any more: the status says so first. */
  async #report(ctx: Ctx, client: Client, node: Readonly<Node>, wanted: readonly Wanted[], plan: NodePlan): Promise<void> {
    const have = (node.status?.volumesAttached ?? []).map(({ name }) => name)
    if (have.length === plan.report.length && plan.report.every((name) => have.includes(name))) return
    const volumesAttached = plan.report.length === 0 ? null : plan.report.map((name) => ({ name, devicePath: '' }))
    await client.patch(ctx, nodes, { namespace: '', name: node.metadata.name ?? '' }, 'merge', { status: { volumesAttached } }, { subresource: 'status' })
    for (const each of wanted) {
      if (have.includes(each.name) || !plan.report.includes(each.name)) continue
      this.#tellPods(each, 'Normal', 'SuccessfulAttachVolume', `AttachVolume.Attach succeeded for volume "${each.volume.metadata.name}" `)
    }
  }

  async #attach(ctx: Ctx, client: Client, node: string, { name, volume }: Wanted): Promise<void> {
    const attachment: VolumeAttachment = {
      metadata: { name: attachmentName(name, node) ?? '' },
      spec: { attacher: volume.spec?.csi?.driver ?? '', nodeName: node, source: { persistentVolumeName: volume.metadata.name ?? '' } },
    }
    try {
      await client.create(ctx, volumeAttachments, attachment)
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists')) throw error
    }
  }

  #tellConflicts(node: string, plan: NodePlan): void {
    for (const { wanted, nodes: others } of plan.conflicts) {
      if (!this.#isNews(attachmentName(wanted.name, node) ?? '', 'conflict')) continue
      const { name = '' } = wanted.volume.metadata
      const holders = others.flatMap((other) => this.#wanted(other).find((each) => each.name === wanted.name)?.pods ?? [])
      for (const pod of wanted.pods) this.#env.recorder.event(pods, pod, 'Warning', 'FailedAttachVolume', conflictMessage(name, pod, holders))
    }
  }

  #tellFailures(node: string, wanted: readonly Wanted[], attached: readonly Attached[]): void {
    for (const { name, attachment } of attached) {
      const each = wanted.find((one) => one.name === name)
      if (each === undefined || attachment.status?.attached === true) continue
      const why = this.#failure(node, each, attachment)
      if (why !== undefined) this.#tellPods(each, 'Warning', 'FailedAttachVolume', `AttachVolume.Attach failed for volume "${each.volume.metadata.name}" : ${why}`)
    }
  }

  /** Each failure once; a silence once every so often. */
  #failure(node: string, wanted: Wanted, attachment: Readonly<VolumeAttachment>): string | undefined {
    const id = attachment.metadata.name ?? ''
    if (isBeingDeleted(attachment)) return this.#isNews(id, 'deleted') ? 'volume attachment is being deleted' : undefined
    const error = attachment.status?.attachError
    if (error !== undefined) return this.#isNews(id, `error ${error.time} ${error.message}`) ? (error.message ?? '') : undefined
    const ageMs = this.#env.clock.now() - (parseTime(attachment.metadata.creationTimestamp ?? '') ?? this.#env.clock.now())
    const spans = Math.floor(ageMs / attachMs)
    this.#env.queue.after(node, (spans + 1) * attachMs - ageMs)
    if (spans === 0 || !this.#isNews(id, `silence ${spans}`)) return undefined
    return `timed out waiting for external-attacher of ${attachment.spec.attacher} CSI driver to attach volume ${wanted.volume.spec?.csi?.volumeHandle ?? ''}`
  }

  #isNews(id: string, what: string): boolean {
    if (this.#told.get(id) === what) return false
    this.#told.set(id, what)
    return true
  }

  #tellPods(wanted: Wanted, type: 'Normal' | 'Warning', reason: string, message: string): void {
    for (const pod of wanted.pods) this.#env.recorder.event(pods, pod, type, reason, message)
  }

  #forget(id: string): void {
    this.#names.delete(id)
    this.#unwanted.delete(id)
    this.#told.delete(id)
  }
}
