/**
 * From a decision to bound volumes: keeps what was chosen for a pod, writes it when the pod is to be bound, and waits
 * until the volume controllers and provisioners have done their part.
 */
import { nodes } from '../../api/core/node.ts'
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { pods } from '../../api/core/pod.ts'
import { annotate, annotationOf, bindingAnnotations, boundTo, isReachable } from '../../api/core/volumebinding.ts'
import { keyOf, keyText } from '../../api/meta.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/schema/types.ts'
import type { Lister } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson } from '../../lib/json.ts'
import type { PluginEnv } from '../framework.ts'
import { revisionOf, type Assumed } from './assumed.ts'
import { isFullyBound, type Found } from './find.ts'

const lookMs = { first: 20, max: 1_000 } as const

/** One volume, or one claim whose volume is to be made, as it is to be written or was written. */
interface Kept {
  readonly claim: Readonly<PersistentVolumeClaim>
  /** undefined: the claim is to be provisioned. */
  readonly volume: Readonly<PersistentVolume> | undefined
  readonly isWritten: boolean
}

export interface VolumeBindingsOptions {
  readonly volumes: Assumed<PersistentVolume>
  readonly claims: Assumed<PersistentVolumeClaim>
  readonly bindMs: number
}

export class VolumeBindings {
  readonly #env: PluginEnv
  readonly #bindMs: number
  readonly #volumes: Assumed<PersistentVolume>
  readonly #claims: Assumed<PersistentVolumeClaim>
  readonly #pods: Lister<Pod>
  readonly #nodes: Lister<Node>
  /** By pod. */
  readonly #kept = new Map<string, Kept[]>()

  constructor(env: PluginEnv, { volumes, claims, bindMs }: VolumeBindingsOptions) {
    this.#env = env
    this.#bindMs = bindMs
    this.#volumes = volumes
    this.#claims = claims
    this.#pods = env.read(pods)
    this.#nodes = env.read(nodes)
  }

  /** From now on nobody else gets them. */
  keep(pod: Readonly<Pod>, nodeName: string, { bindings, provisions }: Found): void {
    const kept = bindings.map(({ claim, volume }): Kept => {
      const next = boundTo(volume, claim)
      if (next !== undefined) this.#volumes.assume(next)
      return { claim, volume: next ?? volume, isWritten: next === undefined }
    })
    for (const claim of provisions) {
      const next = cloneJson(claim) as PersistentVolumeClaim
      annotate(next, bindingAnnotations.selectedNode, nodeName)
      this.#claims.assume(next)
      kept.push({ claim: next, volume: undefined, isWritten: annotationOf(claim, bindingAnnotations.selectedNode) === nodeName })
    }
    this.#kept.set(pod.metadata.uid ?? '', kept)
  }

  release(pod: Readonly<Pod>): void {
    const uid = pod.metadata.uid ?? ''
    for (const { claim, volume } of this.#kept.get(uid) ?? []) {
      if (volume === undefined) this.#claims.forget(claim)
      else this.#volumes.forget(volume)
    }
    this.#kept.delete(uid)
  }

  /** Undefined: nothing was kept for the pod. What was written stays written when this rejects: the next try finds it. */
  bind(ctx: Ctx, pod: Readonly<Pod>, nodeName: string): Promise<void> | undefined {
    const kept = this.#kept.get(pod.metadata.uid ?? '')
    return kept === undefined ? undefined : this.#bind(ctx, pod, nodeName, kept)
  }

  async #bind(ctx: Ctx, pod: Readonly<Pod>, nodeName: string, kept: Kept[]): Promise<void> {
    for (const [i, each] of kept.entries()) if (!each.isWritten) kept[i] = await this.#write(ctx, each)
    await this.#wait(ctx, pod, nodeName, kept).catch((error: unknown) => {
      throw new Error(`binding volumes: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    })
    this.release(pod) // the API shows it all by now
  }

  async #write(ctx: Ctx, { claim, volume }: Kept): Promise<Kept> {
    const { client } = this.#env
    if (volume === undefined) return { claim: await client.update(ctx, persistentVolumeClaims, claim), volume, isWritten: true }
    return { claim, volume: await client.update(ctx, persistentVolumes, volume), isWritten: true }
  }

  async #wait(ctx: Ctx, pod: Readonly<Pod>, nodeName: string, kept: readonly Kept[]): Promise<void> {
    const until = ctx.clock.monotonic() + this.#bindMs
    for (let ms: number = lookMs.first; ; ms = Math.min(ms * 2, lookMs.max)) {
      if (this.#areBound(pod, nodeName, kept)) return
      if (ctx.clock.monotonic() >= until) throw new Error('context deadline exceeded')
      await ctx.clock.sleep(ms, ctx.signal)
    }
  }

  /** Throws when they never will be, as they are now. */
  #areBound(pod: Readonly<Pod>, nodeName: string, kept: readonly Kept[]): boolean {
    const node = this.#nodes.at(nodeName)
    if (node === undefined) throw new Error(`failed to get node "${nodeName}": node "${nodeName}" not found`)
    const { name = '' } = pod.metadata
    if (this.#pods.at(keyText(keyOf(pod)))?.metadata.uid !== pod.metadata.uid) throw new Error(`pod does not exist any more: pod "${name}" not found`)
    return kept.every((each) => (each.volume === undefined ? this.#isProvisioned(each.claim, node) : this.#isBound(each.claim, each.volume, node)))
  }

  #isBound(claim: Readonly<PersistentVolumeClaim>, written: Readonly<PersistentVolume>, node: Readonly<Node>): boolean {
    const { name = '' } = written.metadata
    const volume = this.#volumes.shown.at(name)
    const now = this.#claims.shown.at(keyText(keyOf(claim)))
    if (volume === undefined) throw new Error(`failed to check binding: persistentvolume "${name}" not found`)
    if (now === undefined) throw new Error(`failed to check binding: persistentvolumeclaim "${claim.metadata.name}" not found`)
    if (revisionOf(volume) < revisionOf(written)) return false
    mustReach(volume, node)
    if ((volume.spec?.claimRef?.uid ?? '') === '') throw new Error(`ClaimRef got reset for pv "${name}"`)
    return isFullyBound(now)
  }

  #isProvisioned(written: Readonly<PersistentVolumeClaim>, node: Readonly<Node>): boolean {
    const { name = '' } = written.metadata
    const claim = this.#claims.shown.at(keyText(keyOf(written)))
    if (claim === undefined) throw new Error(`failed to check provisioning pvc: persistentvolumeclaim "${name}" not found`)
    if (revisionOf(claim) < revisionOf(written)) return false
    // A provisioner that cannot make the volume takes the node back.
    if (annotationOf(claim, bindingAnnotations.selectedNode) !== node.metadata.name) throw new Error(`provisioning failed for PVC "${name}"`)
    const { volumeName = '' } = claim.spec ?? {}
    const volume = this.#volumes.shown.at(volumeName)
    if (volumeName !== '' && volume === undefined) return false
    if (volume !== undefined) mustReach(volume, node)
    return isFullyBound(claim)
  }
}

function mustReach(volume: Readonly<PersistentVolume>, node: Readonly<Node>): void {
  if (!isReachable(volume, node)) throw new Error(`pv "${volume.metadata.name}" node affinity doesn't match node "${node.metadata.name}": no matching NodeSelectorTerms`)
}
