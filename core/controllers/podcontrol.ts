/**
 * What every controller that keeps pods does with one: make it, delete it, tell both in events of the owner, and make
 * many of them in batches that grow while all goes well. Whom a pod is made for, and what of, is the controller's
 * business (upstream's controller_utils.go, RealPodControl).
 */
import { pods } from '../api/core/pod.ts'
import { isApiError } from '../api/errors.ts'
import type { Kind } from '../api/kind.ts'
import { controllerRef, keyOf, type KubeObject } from '../api/meta.ts'
import type { Pod, PodTemplateSpec } from '../api/schema/types.ts'
import type { Client } from '../client/client.ts'
import type { Recorder } from '../client/recorder.ts'
import type { Ctx } from '../lib/ctx.ts'
import { cloneJson } from '../lib/json.ts'

/** For whom pods are made and deleted: events go to it. */
export interface PodOwner {
  readonly kind: Kind
  readonly object: Readonly<KubeObject>
}

export interface PodControl {
  readonly client: Client
  readonly recorder: Recorder
}

/** A pod of this template, managed by the owner, under a name that the API makes up. */
export function podFrom(template: Readonly<PodTemplateSpec> | undefined, { kind, object }: PodOwner): Pod {
  const { labels, annotations, finalizers } = template?.metadata ?? {}
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${object.metadata.name}-`,
      namespace: object.metadata.namespace ?? '',
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
      ownerReferences: [controllerRef(object, kind)],
    },
    ...(template?.spec === undefined ? {} : { spec: cloneJson(template.spec) }),
  }
}

/** Throws what the API refused, after an event that says so. */
export async function createPod(ctx: Ctx, { client, recorder }: PodControl, { kind, object }: PodOwner, pod: Pod): Promise<Readonly<Pod>> {
  try {
    const made = await client.create(ctx, pods, pod)
    recorder.event(kind, object, 'Normal', 'SuccessfulCreate', `Created pod: ${made.metadata.name}`)
    return made
  } catch (error) {
    if (!isTerminatingNamespace(error)) recorder.event(kind, object, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`)
    throw error
  }
}

/** Deletes this very pod, not another of its name. Gone already is well. */
export async function removePod(ctx: Ctx, { client, recorder }: PodControl, { kind, object }: PodOwner, pod: Readonly<Pod>): Promise<void> {
  try {
    const { uid } = pod.metadata
    const deleted = await client.delete(ctx, pods, keyOf(pod), uid === undefined ? {} : { preconditions: { uid } })
    if (deleted) recorder.event(kind, object, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
  } catch (error) {
    recorder.event(kind, object, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`)
    throw error
  }
}

/**
 * Calls `make` with 0, 1, 2, ... up to `total`: 1, 2, 4, ... at a time, so that what is refused is refused once and not
 * a thousand times. Gives the first refusal, after which nothing more is begun.
 */
export async function slowStart(total: number, make: (index: number) => Promise<unknown>): Promise<unknown> {
  for (let begun = 0, batch = 1; begun < total; batch *= 2) {
    const size = Math.min(batch, total - begun)
    const first = begun
    const outcomes = await Promise.allSettled(Array.from({ length: size }, (_, i) => make(first + i)))
    const refused = outcomes.find((outcome) => outcome.status === 'rejected')
    // Where the namespace goes, nothing more will come to be, and that is no failure of the owner.
    if (refused !== undefined) return isTerminatingNamespace(refused.reason) ? undefined : refused.reason
    begun += size
  }
  return undefined
}

export function isTerminatingNamespace(error: unknown): boolean {
  return isApiError(error) && (error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') ?? false)
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
