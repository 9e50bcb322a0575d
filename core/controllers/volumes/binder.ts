/**
 * The binder: brings claims and volumes together, and volumes to their end when their claims have gone. Keys with a
 * namespace are claims, keys without are volumes. What is to happen is claimplan.ts and volumeplan.ts; here it happens.
 * Volumes are made and deleted by external provisioners alone: they hear of it by annotations and phases.
 */
import { persistentVolumes } from '../../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim.ts'
import { pods } from '../../api/core/pod.ts'
import { isPodStopped, podClaimIndex, podClaimKeys } from '../../api/core/podvolumes.ts'
import { annotationOf, bindingAnnotations, claimClass, matchingVolume, waitsForConsumer } from '../../api/core/volumebinding.ts'
import { parseKey } from '../../api/meta.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/schema/types.ts'
import { migrationAnnotations } from '../../api/storage/migration.ts'
import { defaultClass, storageClasses } from '../../api/storage/storageclass.ts'
import type { Client } from '../../client/client.ts'
import type { Lister } from '../../client/lister.ts'
import { Newest } from '../../client/newest.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson } from '../../lib/json.ts'
import type { Controller, Env } from '../controller.ts'
import { itself } from '../run.ts'
import { bind, setClaimStatus, setPhase, unbind, writeClaim, writeVolume, type Books } from './bind.ts'
import { planClaim, type ClaimPlan, type ClaimWorld, type Told } from './claimplan.ts'
import { deletionFinalizers, planVolume, type VolumePlan } from './volumeplan.ts'

/** A claim that waits is looked at again after this time, and said again what it waits for. */
const waitMs = 15_000
/** Claims that wait may get a volume that has come. */
const waiting = '#waiting'
const unboundIndex = 'unbound'
const classIndex = 'class'
const refIndex = 'claim'

type Volume = Readonly<PersistentVolume>
type Claim = Readonly<PersistentVolumeClaim>

export const persistentVolumeBinder: Controller = {
  name: 'persistent-volume-binder',
  component: 'persistentvolume-controller',
  // Two claims must not be given one volume at a time.
  workers: 1,
  setUp(env) {
    const binder = new Binder(env)
    return (ctx, key, client) => binder.reconcile(ctx, key, client)
  },
}

class Binder {
  readonly #env: Env
  readonly #volumes: Newest<PersistentVolume>
  readonly #claims: Newest<PersistentVolumeClaim>
  readonly #claimLister: Lister<PersistentVolumeClaim>
  readonly #world: Omit<ClaimWorld, 'waitingPods'>
  /** Volumes that nobody has been told of. */
  readonly #came = new Set<string>()

  constructor(env: Env) {
    this.#env = env
    const [volumes, claims] = [env.informers.of(persistentVolumes), env.informers.of(persistentVolumeClaims)]
    this.#volumes = new Newest(volumes)
    this.#claims = new Newest(claims)
    this.#claimLister = claims.lister
    claims.addIndex(unboundIndex, (claim) => (annotationOf(claim, bindingAnnotations.bindCompleted) === undefined ? ['yes'] : []))
    claims.addIndex(classIndex, (claim) => [claimClass(claim) ?? ''])
    env.informers.of(pods).addIndex(podClaimIndex, podClaimKeys)
    volumes.addIndex(refIndex, claimKey)
    env.watch(persistentVolumeClaims, (claim) => itself(claim).flatMap((key) => [key, ...volumes.lister.by(refIndex, key).flatMap(itself)]))
    env.watch(persistentVolumes, (volume) => [...itself(volume), ...claimKey(volume)])
    const classes = env.watch(storageClasses, ({ metadata }) => [waiting, ...claims.lister.by(classIndex, metadata.name ?? '').flatMap(itself)])
    volumes.on({
      added: (volume) => this.#freed(volume),
      updated: (next, prev) => (next.status?.phase !== prev.status?.phase || next.spec?.claimRef !== prev.spec?.claimRef ? this.#freed(next) : undefined),
    })
    this.#world = {
      volume: (name) => this.#volumes.at(name),
      volumes: () => this.#volumes.list(),
      storageClass: (name) => classes.at(name),
      classes: () => classes.list(),
    }
  }

  async reconcile(ctx: Ctx, key: string, client: Client): Promise<void> {
    const books: Books = { client, volumes: this.#volumes, claims: this.#claims }
    if (key === waiting) return this.#wake()
    if (key.includes('/')) {
      const claim = this.#claims.at(key)
      if (claim !== undefined) await this.#syncClaim(ctx, books, await this.#migrateClaim(ctx, books, claim))
      return
    }
    const volume = this.#volumes.at(key)
    if (volume !== undefined) await this.#syncVolume(ctx, books, await this.#migrateVolume(ctx, books, volume))
  }

  #freed(volume: Volume): void {
    if (volume.status?.phase !== 'Available') return
    this.#came.add(volume.metadata.name ?? '')
    this.#env.queue.add(waiting)
  }

  /** Only those that may get something: the others hear nothing new. */
  #wake(): void {
    const came = [...this.#came].flatMap((name) => this.#volumes.at(name) ?? [])
    this.#came.clear()
    const hasDefault = defaultClass(this.#world.classes()) !== undefined
    for (const claim of this.#claimLister.by(unboundIndex, 'yes')) {
      const preboundOnly = waitsForConsumer(this.#world.storageClass(claimClass(claim) ?? ''))
      const isNamed = came.some((volume) => volume.metadata.name === claim.spec?.volumeName)
      if (isNamed || (hasDefault && claimClass(claim) === undefined) || matchingVolume(claim, came, { preboundOnly }) !== undefined) itself(claim).forEach((key) => this.#env.queue.add(key))
    }
  }

  #worldOf(claim: Claim): ClaimWorld {
    const waitingPods = (): readonly string[] =>
      this.#env.informers.of(pods).lister.by(podClaimIndex, itself(claim)[0] ?? '')
        .filter((pod) => (pod.spec?.nodeName ?? '') === '' && !isPodStopped(pod))
        .map((pod) => pod.metadata.name ?? '')
    return { ...this.#world, waitingPods }
  }

  async #syncClaim(ctx: Ctx, books: Books, claim: Claim): Promise<void> {
    const plan = planClaim(claim, this.#worldOf(claim))
    const again = plan.do === 'wait' || plan.do === 'provision' || plan.do === 'refuse'
    if (again) for (const key of itself(claim)) this.#env.queue.after(key, waitMs)
    await this.#actOnClaim(ctx, books, claim, plan)
  }

  async #actOnClaim(ctx: Ctx, books: Books, claim: Claim, plan: ClaimPlan): Promise<void> {
    switch (plan.do) {
      case 'bind':
        return await bind(ctx, books, plan.volume, claim)
      case 'assign':
        return void (await writeClaim(ctx, books, { ...claim, spec: { ...claim.spec, storageClassName: plan.className } }))
      case 'provision':
        return await this.#provision(ctx, books, claim, plan.provisioner)
      case 'refuse':
        return this.#tellClaim(claim, plan.tell)
      case 'wait':
        if (plan.tell !== undefined) this.#tellClaim(claim, plan.tell)
        return void (await setClaimStatus(ctx, books, claim, 'Pending'))
      case 'lose':
        if (claim.status?.phase === 'Lost') return
        await setClaimStatus(ctx, books, claim, 'Lost')
        return this.#tellClaim(claim, plan.tell)
      default:
        plan satisfies never
    }
  }

  async #provision(ctx: Ctx, books: Books, claim: Claim, provisioner: string): Promise<void> {
    if (annotationOf(claim, bindingAnnotations.provisioner) !== provisioner) {
      const { [bindingAnnotations.migratedTo]: _old, ...rest } = claim.metadata.annotations ?? {}
      const annotations = { ...rest, [bindingAnnotations.betaProvisioner]: provisioner, [bindingAnnotations.provisioner]: provisioner }
      await writeClaim(ctx, books, { ...claim, metadata: { ...claim.metadata, annotations } })
    }
    const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`
    this.#tellClaim(claim, { type: 'Normal', reason: 'ExternalProvisioning', message })
  }

  async #syncVolume(ctx: Ctx, books: Books, volume: Volume): Promise<void> {
    const claim = await this.#claimOf(ctx, books, volume)
    await this.#actOnVolume(ctx, books, volume, claim, planVolume(volume, claim))
  }

  async #actOnVolume(ctx: Ctx, books: Books, volume: Volume, claim: Claim | undefined, plan: VolumePlan): Promise<void> {
    switch (plan.do) {
      case 'phase':
        return void (await setPhase(ctx, books, volume, plan.phase))
      case 'unbind':
        return await unbind(ctx, books, volume)
      case 'claim':
        return claimKey(volume).forEach((key) => this.#env.queue.add(key))
      case 'mismatch':
        this.#tellVolume(volume, plan.tell)
        return claim === undefined ? undefined : this.#tellClaim(claim, plan.tellClaim)
      case 'release':
        return await this.#release(ctx, books, volume, plan.fail)
      default:
        plan satisfies never
    }
  }

  /** A volume that failed stays so, for the user to see. */
  async #release(ctx: Ctx, books: Books, volume: Volume, fail: Told | undefined): Promise<void> {
    if (volume.status?.phase === 'Failed') return
    const released = await setPhase(ctx, books, volume, 'Released')
    if (fail === undefined) return
    await setPhase(ctx, books, released, 'Failed', fail.message)
    this.#tellVolume(volume, fail)
  }

  /** The very claim that the volume refers to. A lister that is behind must not cost anybody data. */
  async #claimOf(ctx: Ctx, { client }: Books, volume: Volume): Promise<Claim | undefined> {
    const ref = volume.spec?.claimRef
    const [key] = claimKey(volume)
    if (key === undefined || (ref?.uid ?? '') === '') return undefined
    const isIt = (claim: Claim | undefined): boolean => claim?.metadata.uid === ref?.uid
    const cached = this.#claims.at(key)
    if (isIt(cached)) return cached
    const { phase } = volume.status ?? {}
    if (cached === undefined && (phase === 'Released' || phase === 'Failed')) return undefined
    const live = await client.get(ctx, persistentVolumeClaims, parseKey(key))
    return isIt(live) ? live : undefined
  }

  async #migrateClaim(ctx: Ctx, books: Books, claim: Claim): Promise<Claim> {
    const by = annotationOf(claim, bindingAnnotations.provisioner) ?? annotationOf(claim, bindingAnnotations.betaProvisioner)
    const annotations = migrationAnnotations(claim, by)
    return annotations === undefined ? claim : await writeClaim(ctx, books, { ...claim, metadata: { ...claim.metadata, annotations } })
  }

  async #migrateVolume(ctx: Ctx, books: Books, volume: Volume): Promise<Volume> {
    const annotations = migrationAnnotations(volume, annotationOf(volume, bindingAnnotations.provisionedBy))
    const finalizers = deletionFinalizers(volume)
    if (annotations === undefined && finalizers === undefined) return volume
    const next = cloneJson(volume) as PersistentVolume
    if (annotations !== undefined) next.metadata.annotations = annotations
    if (finalizers !== undefined) next.metadata.finalizers = [...finalizers]
    return await writeVolume(ctx, books, next)
  }

  #tellClaim(claim: Claim, { type, reason, message }: Told): void {
    this.#env.recorder.event(persistentVolumeClaims, claim, type, reason, message)
  }

  #tellVolume(volume: Volume, { type, reason, message }: Told): void {
    this.#env.recorder.event(persistentVolumes, volume, type, reason, message)
  }
}

function claimKey(volume: Volume): readonly string[] {
  const ref = volume.spec?.claimRef
  return ref === undefined ? [] : [`${ref.namespace}/${ref.name}`]
}
