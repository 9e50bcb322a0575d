/**
 * ResourceClaim controller: makes claims for pods from templates and tells them in the pods' status, reserves claims for pods that
 * came to a node without the scheduler, takes back what pods leave behind, and deletes claims that were made for pods that are done
 * (pkg/controller/resourceclaim). Which devices a claim gets is the scheduler's; who may have admin access is admission's.
 */
import { pods } from '../../api/core/pod.ts'
import { isBeingDeleted, keyOf, keyText } from '../../api/meta.ts'
import { claimFinalizer, claimNameOf, claimNamesOf, consumerOf, isPodDone, isReservedFor, notForPod, podClaimAnnotation } from '../../api/resource/podclaims.ts'
import { resourceClaims } from '../../api/resource/resourceclaim.ts'
import { resourceClaimTemplates } from '../../api/resource/resourceclaimtemplate.ts'
import type { Pod, PodResourceClaim, ResourceClaim, ResourceClaimConsumerReference, ResourceClaimTemplate } from '../../api/schema/types.ts'
import type { Client } from '../../client/client.ts'
import { byController, controllerIndex, type Lister } from '../../client/lister.ts'
import type { Recorder } from '../../client/recorder.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson } from '../../lib/json.ts'
import type { Controller } from '../controller.ts'
import { messageOf } from '../podcontrol.ts'
import { claimFrom, isPodReference, owningPod, release, type Release, stillNeeds } from './plan.ts'

/** Under which the statuses of pods are applied. */
const fieldManager = 'ResourceClaimController'
const claimIndex = 'resourceclaim'
const templateIndex = 'resourceclaimtemplate'
const podPrefix = 'pod:'
const claimPrefix = 'claim:'

interface World {
  readonly pods: Lister<Pod>
  readonly claims: Lister<ResourceClaim>
  readonly templates: Lister<ResourceClaimTemplate>
  readonly recorder: Recorder
}

export const resourceClaimController: Controller = {
  name: 'resource-claim-controller',
  component: 'resource_claim',
  workers: 10,
  setUp(env) {
    const informer = env.informers.of(pods)
    informer.addIndex(claimIndex, (pod) => claimNamesOf(pod).map((name) => `${pod.metadata.namespace}/${name}`))
    informer.addIndex(templateIndex, (pod) => templatesOf(pod).map((name) => `${pod.metadata.namespace}/${name}`))
    env.informers.of(resourceClaims).addIndex(controllerIndex, byController)
    const podKeys = (index: string, key: string): readonly string[] => informer.lister.by(index, key).map((pod) => `${podPrefix}${keyText(keyOf(pod))}`)
    const world: World = {
      recorder: env.recorder,
      pods: env.watch(pods, (pod) => [
        ...((pod.spec?.resourceClaims ?? []).length === 0 ? [] : [`${podPrefix}${keyText(keyOf(pod))}`]),
        ...claimNamesOf(pod).map((name) => `${claimPrefix}${pod.metadata.namespace}/${name}`),
      ]),
      claims: env.watch(resourceClaims, (claim) => [`${claimPrefix}${keyText(keyOf(claim))}`, ...podKeys(claimIndex, keyText(keyOf(claim)))]),
      templates: env.watch(resourceClaimTemplates, (template) => podKeys(templateIndex, keyText(keyOf(template)))),
    }
    return async (ctx, key, client) => {
      if (key.startsWith(podPrefix)) await syncPod(ctx, world, client, key.slice(podPrefix.length))
      else await syncClaim(ctx, world, client, key.slice(claimPrefix.length))
    }
  },
}

function templatesOf(pod: Readonly<Pod>): readonly string[] {
  return (pod.spec?.resourceClaims ?? []).flatMap(({ resourceClaimTemplateName }) => resourceClaimTemplateName ?? [])
}

// Pods

async function syncPod(ctx: Ctx, world: World, client: Client, key: string): Promise<void> {
  const pod = world.pods.at(key)
  // A claim made for who is done would be deleted at once.
  if (pod === undefined || isBeingDeleted(pod) || isPodDone(pod)) return
  const made = new Map<string, string>()
  for (const podClaim of pod.spec?.resourceClaims ?? []) {
    try {
      const name = await makeClaim(ctx, world, client, pod, podClaim)
      if (name !== undefined) made.set(podClaim.name, name)
    } catch (error) {
      const problem = `PodResourceClaim ${podClaim.name}: ${messageOf(error)}`
      world.recorder.event(pods, pod, 'Warning', 'FailedResourceClaimCreation', problem)
      throw new Error(`pod ${key}, ${problem}`, { cause: error })
    }
  }
  if (made.size > 0) return await tellPod(ctx, client, pod, made)
  if ((pod.spec?.nodeName ?? '') !== '') await reserveAll(ctx, world, client, pod)
}

/** The name of a claim that the pod does not know yet. */
async function makeClaim(ctx: Ctx, { claims, templates }: World, client: Client, pod: Readonly<Pod>, podClaim: Readonly<PodResourceClaim>): Promise<string | undefined> {
  const known = claimNameOf(pod, podClaim)
  if ('problem' in known) {
    if (!known.missing) throw new Error(`checking for claim before creating it: ${known.problem}`)
  } else {
    if (known.name === undefined) return undefined
    const claim = claims.get({ namespace: pod.metadata.namespace ?? '', name: known.name })
    if (claim !== undefined && (!known.made || notForPod(pod, claim) === undefined)) return undefined
  }
  const name = podClaim.resourceClaimTemplateName
  if (name === undefined) return undefined
  // It may have been made, and the pod not been told.
  const orphan = claims.by(controllerIndex, pod.metadata.uid ?? '').find(({ metadata }) => metadata.annotations?.[podClaimAnnotation] === podClaim.name)
  if (orphan !== undefined) return orphan.metadata.name
  const template = templates.get({ namespace: pod.metadata.namespace ?? '', name })
  if (template === undefined) throw new Error(`resource claim template "${name}": resourceclaimtemplate.resource.k8s.io "${name}" not found`)
  try {
    return (await client.create(ctx, resourceClaims, claimFrom(template, pod, podClaim))).metadata.name
  } catch (error) {
    throw new Error(`create ResourceClaim : ${messageOf(error)}`, { cause: error })
  }
}

/** All that are known are applied: one that was left out would be taken away. */
async function tellPod(ctx: Ctx, client: Client, pod: Readonly<Pod>, made: ReadonlyMap<string, string>): Promise<void> {
  const { namespace = '', name = '' } = pod.metadata
  const kept = (pod.status?.resourceClaimStatuses ?? []).filter((status) => !made.has(status.name))
  const resourceClaimStatuses = [...kept, ...[...made].map(([podClaim, resourceClaimName]) => ({ name: podClaim, resourceClaimName }))]
  const applied = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name }, status: { resourceClaimStatuses } }
  await client.patch(ctx, pods, { namespace, name }, 'apply', applied, { subresource: 'status', fieldManager, force: true })
}

/** For a pod that has a node already: the scheduler reserves for all others. */
async function reserveAll(ctx: Ctx, { claims }: World, client: Client, pod: Readonly<Pod>): Promise<void> {
  for (const podClaim of pod.spec?.resourceClaims ?? []) {
    const known = claimNameOf(pod, podClaim)
    if ('problem' in known) throw new Error(known.problem)
    if (known.name === undefined) continue
    const claim = claims.get({ namespace: pod.metadata.namespace ?? '', name: known.name })
    if (claim === undefined) return
    const foreign = known.made ? notForPod(pod, claim) : undefined
    if (foreign !== undefined) throw new Error(foreign)
    if (claim.status?.allocation === undefined || isReservedFor(pod, claim)) continue
    const mine = cloneJson(claim) as ResourceClaim
    mine.status = { ...mine.status, reservedFor: [...(mine.status?.reservedFor ?? []), consumerOf(pod)] }
    await client.update(ctx, resourceClaims, mine, { subresource: 'status' })
  }
}

// Claims

async function syncClaim(ctx: Ctx, world: World, client: Client, key: string): Promise<void> {
  const claim = world.claims.at(key)
  if (claim === undefined) return
  const remaining = await remainingOf(ctx, world, client, claim)
  const plan = release(claim, remaining)
  if (plan !== undefined) await releaseClaim(ctx, client, claim, plan)
  if (remaining.length === 0) await deleteUnused(ctx, world, client, claim)
}

/** Who needs it still. A pod that is not known here may be new: only the API itself knows that it is gone. Who is no pod stays. */
async function remainingOf(ctx: Ctx, world: World, client: Client, claim: Readonly<ResourceClaim>): Promise<readonly ResourceClaimConsumerReference[]> {
  const remaining: ResourceClaimConsumerReference[] = []
  for (const reference of claim.status?.reservedFor ?? []) {
    const at = { namespace: claim.metadata.namespace ?? '', name: reference.name }
    const known = isPodReference(reference) ? world.pods.get(at) : undefined
    if (!isPodReference(reference) || (known !== undefined && stillNeeds(reference, known))) remaining.push(reference)
    else if (known === undefined && (await client.get(ctx, pods, at))?.metadata.uid === reference.uid) remaining.push(reference)
  }
  return remaining
}

/** Fails where anything changed in between, and is done again then. */
async function releaseClaim(ctx: Ctx, client: Client, claim: Readonly<ResourceClaim>, plan: Release): Promise<void> {
  let mine = cloneJson(claim) as ResourceClaim
  if (plan.reservedFor !== undefined || plan.deallocate) {
    const { allocation, reservedFor, ...rest } = mine.status ?? {}
    const kept = plan.reservedFor ?? reservedFor ?? []
    mine.status = {
      ...rest,
      ...(kept.length === 0 ? {} : { reservedFor: [...kept] }),
      ...(plan.deallocate || allocation === undefined ? {} : { allocation }),
    }
    mine = cloneJson(await client.update(ctx, resourceClaims, mine, { subresource: 'status' })) as ResourceClaim
  }
  if (!plan.unprotect) return
  mine.metadata.finalizers = (mine.metadata.finalizers ?? []).filter((each) => each !== claimFinalizer)
  await client.update(ctx, resourceClaims, mine)
}

/** The pod that it was made for may be there for long when it is done; where it is gone, garbage collection does the rest. */
async function deleteUnused(ctx: Ctx, world: World, client: Client, claim: Readonly<ResourceClaim>): Promise<void> {
  const owner = owningPod(claim)
  const pod = owner === undefined ? undefined : world.pods.get({ namespace: claim.metadata.namespace ?? '', name: owner.name })
  if (pod === undefined || owner === undefined || (pod.metadata.uid === owner.uid && !isPodDone(pod))) return
  if (!isBeingDeleted(claim)) await client.delete(ctx, resourceClaims, keyOf(claim), { preconditions: { uid: claim.metadata.uid ?? '' } })
}
