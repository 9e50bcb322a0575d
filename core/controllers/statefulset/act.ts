/** Does what plan.ts says: makes, mends and deletes a StatefulSet's pods and their claims, and tells it in events (upstream's stateful_pod_control.go). */
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { pods } from '../../api/core/pod.ts'
import { statefulSets } from '../../api/apps/statefulset.ts'
import { isApiError } from '../../api/errors.ts'
import { isBeingDeleted, keyOf } from '../../api/meta.ts'
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import type { Lister } from '../../client/lister.ts'
import type { Recorder } from '../../client/recorder.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import { isTerminatingNamespace, messageOf, slowStart } from '../podcontrol.ts'
import { claimNames, claimsOf, hasIdentity, hasStorage, ordinalOf, withIdentity, withStorage } from './identity.ts'
import type { Step } from './plan.ts'
import { isManagedByOther, ownersOf } from './retention.ts'

type Verb = 'Create' | 'Update' | 'Delete'

export class Act {
  readonly #ctx: Ctx
  readonly #client: Client
  readonly #recorder: Recorder
  readonly #claims: Lister<PersistentVolumeClaim>
  readonly #set: Readonly<StatefulSet>

  constructor(ctx: Ctx, tools: { readonly client: Client; readonly recorder: Recorder; readonly claims: Lister<PersistentVolumeClaim> }, set: Readonly<StatefulSet>) {
    this.#ctx = ctx
    this.#client = tools.client
    this.#recorder = tools.recorder
    this.#claims = tools.claims
    this.#set = set
  }

  /** One stage after the other; throws what went wrong first. */
  async run(stages: readonly (readonly Step[])[]): Promise<void> {
    for (const stage of stages) {
      const refused = await slowStart(stage.length, async (i) => {
        const step = stage[i]
        if (step !== undefined) await this.#do(step)
      })
      if (refused !== undefined) throw refused
    }
  }

  async #do({ do: what, pod }: Step): Promise<void> {
    if (what === 'create') await this.#create(pod)
    else if (what === 'delete') await this.#delete(pod)
    else if (what === 'conform') await this.#conform(pod)
    else {
      if (what === 'claims') await this.#makeClaims(pod)
      await this.#keepClaims(pod)
    }
  }

  async #create(pod: Readonly<Pod>): Promise<void> {
    try {
      await this.#makeClaims(pod)
      const made = await this.#client.create(this.#ctx, pods, pod)
      await this.#keepClaims(made)
      this.#tell('Create', pod)
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists') && !isTerminatingNamespace(error)) this.#tell('Create', pod, error)
      throw error
    }
  }

  async #delete(pod: Readonly<Pod>): Promise<void> {
    try {
      const { uid } = pod.metadata
      await this.#client.delete(this.#ctx, pods, keyOf(pod), uid === undefined ? {} : { preconditions: { uid } })
      this.#tell('Delete', pod)
    } catch (error) {
      this.#tell('Delete', pod, error)
      throw error
    }
  }

  async #conform(pod: Readonly<Pod>): Promise<void> {
    try {
      const named = hasIdentity(this.#set, pod) ? pod : withIdentity(this.#set, pod)
      const mine = hasStorage(this.#set, named) ? named : withStorage(this.#set, named)
      if (mine !== named) await this.#makeClaims(pod)
      await this.#keepClaims(pod)
      if (!equalJson(mine, pod)) await this.#client.update(this.#ctx, pods, mine)
      this.#tell('Update', pod)
    } catch (error) {
      if (!isApiError(error, 'Conflict')) this.#tell('Update', pod, error)
      throw error
    }
  }

  /** Tries each; throws all that failed as one. */
  async #makeClaims(pod: Readonly<Pod>): Promise<void> {
    const failures: string[] = []
    for (const claim of claimsOf(this.#set, ordinalOf(pod))) {
      const name = claim.metadata.name ?? ''
      const there = this.#claims.get(keyOf(claim))
      if (there !== undefined) {
        if (isBeingDeleted(there)) failures.push(`pvc ${name} is being deleted`)
        continue
      }
      try {
        await this.#client.create(this.#ctx, persistentVolumeClaims, claim)
        this.#event('Normal', 'SuccessfulCreate', `Create Claim ${name} Pod ${pod.metadata.name} in StatefulSet ${this.#set.metadata.name} success`)
      } catch (error) {
        if (isTerminatingNamespace(error)) throw error
        failures.push(`failed to create PVC ${name}: ${messageOf(error)}`)
        if (isApiError(error, 'AlreadyExists')) continue
        this.#event('Warning', 'FailedCreate', `Create Claim ${name} for Pod ${pod.metadata.name} in StatefulSet ${this.#set.metadata.name} failed error: ${messageOf(error)}`)
      }
    }
    if (failures.length > 0) throw new Error(failures.length === 1 ? failures[0] : `[${failures.join(', ')}]`)
  }

  /** Brings the owners of the pod's claims in line with the retention policy. */
  async #keepClaims(pod: Readonly<Pod>): Promise<void> {
    const holders = { set: this.#set, pod }
    for (const name of claimNames(this.#set, ordinalOf(pod))) {
      const claim = this.#claims.get({ namespace: this.#set.metadata.namespace ?? '', name })
      if (claim === undefined) continue
      if (isManagedByOther(claim, holders)) {
        this.#event('Warning', 'ConflictingController', `PersistentVolumeClaim ${name} has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim`)
      }
      const ownerReferences = ownersOf(claim, holders)
      if (ownerReferences === undefined) continue
      const mine = cloneJson(claim) as PersistentVolumeClaim
      await this.#client.update(this.#ctx, persistentVolumeClaims, { ...mine, metadata: { ...mine.metadata, ownerReferences } })
    }
  }

  #tell(verb: Verb, pod: Readonly<Pod>, error?: unknown): void {
    const about = `${verb} Pod ${pod.metadata.name} in StatefulSet ${this.#set.metadata.name}`
    if (error === undefined) this.#event('Normal', `Successful${verb}`, `${about} successful`)
    else this.#event('Warning', `Failed${verb}`, `${about} failed error: ${messageOf(error)}`)
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#recorder.event(statefulSets, this.#set, type, reason, message)
  }
}
