/**
 * The provisioner of local volumes: a claim that waits for it gets a volume that lies on the node which the scheduler
 * chose for the claim's first pod; a volume that is let go is deleted, which its node does (agents/kubelet/localstorage.ts).
 * Keys with a namespace are claims, keys without are volumes. What is to happen is localvolume.ts; its events are those
 * of upstream's external provisioners (sigs.k8s.io/sig-storage-lib-external-provisioner).
 */
import { nodes } from '../../api/core/node.ts'
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { annotationOf, bindingAnnotations, claimClass } from '../../api/core/volumebinding.ts'
import { isApiError } from '../../api/errors.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/schema/types.ts'
import { localPathMarks, localPathNode, localPathProvisioner } from '../../api/storage/localpath.ts'
import { storageClasses } from '../../api/storage/storageclass.ts'
import type { Client } from '../../client/client.ts'
import type { Lister } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson } from '../../lib/json.ts'
import type { Controller, Env } from '../controller.ts'
import { itself } from '../run.ts'
import { isForUs, planLocalVolume, refusal, volumeFor, wantsVolume } from './localvolume.ts'

/** A claim that is refused is looked at again after this time, and told again. */
const refusedMs = 300_000
const classIndex = 'local class'
/** Of claims: the node that was chosen for them; of volumes: that they lie on. */
const nodeIndex = 'local node'

type Claim = Readonly<PersistentVolumeClaim>
type Volume = Readonly<PersistentVolume>

export const localProvisioner: Controller = {
  name: 'local-storage',
  component: localPathProvisioner,
  setUp(env) {
    const provisioner = new LocalProvisioner(env)
    return (ctx, key, client) => (key.includes('/') ? provisioner.provision(ctx, key, client) : provisioner.reclaim(ctx, key, client))
  },
}

class LocalProvisioner {
  readonly #env: Env
  readonly #claims: Lister<PersistentVolumeClaim>
  readonly #volumes: Lister<PersistentVolume>
  readonly #classes: Lister<StorageClass>
  readonly #nodes: Lister<Node>

  constructor(env: Env) {
    this.#env = env
    const waits = (claim: Claim): boolean => isForUs(claim) && (claim.spec?.volumeName ?? '') === ''
    env.informers.of(persistentVolumeClaims).addIndex(classIndex, (claim) => (waits(claim) ? [claimClass(claim) ?? ''] : []))
    env.informers.of(persistentVolumeClaims).addIndex(nodeIndex, (claim) => (waits(claim) ? [annotationOf(claim, bindingAnnotations.selectedNode) ?? ''] : []))
    env.informers.of(persistentVolumes).addIndex(nodeIndex, nodeNames)
    this.#claims = env.watch(persistentVolumeClaims, (claim) => (waits(claim) ? itself(claim) : []))
    this.#volumes = env.watch(persistentVolumes, (volume) => (localPathNode(volume) === undefined ? [] : itself(volume)))
    this.#classes = env.watch(storageClasses, ({ metadata: { name = '' } }) => this.#claims.by(classIndex, name).flatMap(itself))
    this.#nodes = env.read(nodes)
    env.informers.of(nodes).on({
      added: ({ metadata }) => this.#wakeClaims(metadata.name),
      updated: (next, prev) => (annotationOf(next, localPathMarks.root) === annotationOf(prev, localPathMarks.root) ? undefined : this.#wakeClaims(next.metadata.name)),
      deleted: ({ metadata: { name = '' } }) => this.#volumes.by(nodeIndex, name).flatMap(itself).forEach((key) => env.queue.add(key)),
    })
  }

  #wakeClaims(node = ''): void {
    for (const key of this.#claims.by(nodeIndex, node).flatMap(itself)) this.#env.queue.add(key)
  }

  async provision(ctx: Ctx, key: string, client: Client): Promise<void> {
    const claim = this.#claims.at(key)
    const of = claim === undefined ? undefined : this.#classes.at(claimClass(claim) ?? '')
    if (claim === undefined || !wantsVolume(claim, of) || this.#volumes.at(`pvc-${claim.metadata.uid}`) !== undefined) return
    this.#tell(claim, 'Normal', 'Provisioning', `External provisioner is provisioning volume for claim "${key}"`)
    const made = refusal(claim, of) ?? (await this.#make(ctx, client, claim, of))
    if (made === undefined) return
    if (typeof made === 'object') return this.#tell(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${made.metadata.name}`)
    this.#tell(claim, 'Warning', 'ProvisioningFailed', `failed to provision volume with StorageClass ${JSON.stringify(of.metadata.name)}: ${made}`)
    this.#env.queue.after(key, refusedMs)
  }

  /** The volume, or why there is none. undefined: there is one already. */
  async #make(ctx: Ctx, client: Client, claim: Claim, of: Readonly<StorageClass>): Promise<Volume | string | undefined> {
    const name = annotationOf(claim, bindingAnnotations.selectedNode) ?? ''
    const node = await this.#node(ctx, client, name)
    if (node === undefined) {
      await this.#reschedule(ctx, client, claim)
      return `node ${JSON.stringify(name)} not found`
    }
    const volume = volumeFor(claim, of, node)
    if (typeof volume === 'string') return volume
    try {
      return await client.create(ctx, persistentVolumes, volume)
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists')) throw error
      return undefined
    }
  }

  /** A lister that is behind must not cost anybody data. */
  async #node(ctx: Ctx, client: Client, name: string): Promise<Readonly<Node> | undefined> {
    return this.#nodes.at(name) ?? (await client.get(ctx, nodes, { namespace: '', name }))
  }

  /** The scheduler chooses anew. */
  async #reschedule(ctx: Ctx, client: Client, claim: Claim): Promise<void> {
    const next = cloneJson(claim) as PersistentVolumeClaim
    delete next.metadata.annotations?.[bindingAnnotations.selectedNode]
    await client.update(ctx, persistentVolumeClaims, next)
  }

  async reclaim(ctx: Ctx, key: string, client: Client): Promise<void> {
    const volume = this.#volumes.at(key)
    if (volume === undefined) return
    const node = await this.#node(ctx, client, localPathNode(volume) ?? '')
    const plan = planLocalVolume(volume, node !== undefined, this.#env.clock.now())
    const { uid = '', resourceVersion = '' } = volume.metadata
    switch (plan?.do) {
      case undefined:
        return
      case 'finalizer':
        return await setFinalizer(ctx, client, volume, plan.on)
      case 'abandon':
        this.#env.log.info('the node of a volume is gone, and its data with it', { volume: key, node: localPathNode(volume) })
        return await setFinalizer(ctx, client, volume, false)
      case 'delete':
        return void (await client.delete(ctx, persistentVolumes, { namespace: '', name: key }, { preconditions: { uid, resourceVersion } }))
      case 'wait':
        return this.#env.queue.after(key, plan.ms)
      default:
        plan satisfies never
    }
  }

  #tell(claim: Claim, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#env.recorder.event(persistentVolumeClaims, claim, type, reason, message)
  }
}

function nodeNames(volume: Volume): readonly string[] {
  const name = localPathNode(volume)
  return name === undefined ? [] : [name]
}

async function setFinalizer(ctx: Ctx, client: Client, volume: Volume, on: boolean): Promise<void> {
  const others = (volume.metadata.finalizers ?? []).filter((each) => each !== localPathMarks.finalizer)
  const finalizers = on ? [...others, localPathMarks.finalizer] : others
  await client.update(ctx, persistentVolumes, { ...volume, metadata: { ...volume.metadata, finalizers } })
}
