/**
 * What the kubelet needs of rooms it may not import. agents/agent.ts, which
 * knows every room, puts the real ones in.
 */
import type { Ctx } from '../../core/lib/ctx.ts'
import type { KubeObject } from '../../core/api/meta.ts'
import type { ObjectReference } from '../../core/api/schema/types.ts'

export interface HostPort {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  readonly hostIP: string
  readonly hostPort: number
  readonly containerPort: number
}

export interface PodAttachment {
  readonly podUid: string
  /** A process in the pod's network namespace: the sandbox's. */
  readonly pid: number
  readonly netnsPath: string
  readonly namespace: string
  readonly name: string
  readonly hostPorts: readonly HostPort[]
}

export interface PodNetwork {
  /** Gives a sandbox its interface and addresses. */
  attach(ctx: Ctx, pod: PodAttachment): Promise<{ readonly ips: readonly string[] }>
  /** Takes them back; quiet when there is nothing. */
  detach(ctx: Ctx, pod: { readonly podUid: string }): Promise<void>
  /** At start: these pods' sandboxes live and stay attached, with these addresses; whatever else is there goes. */
  adopt(ctx: Ctx, livePodUids: ReadonlySet<string>): Promise<ReadonlyMap<string, readonly string[]>>
  /** undefined when pods can be given addresses; else why not yet, for the node's Ready condition. */
  notReady?(): string | undefined
}

/** Tells users what happened (core/v1 Event). Never waits and never throws. */
export interface EventRecorder {
  event(about: ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void
}

/** `container` of `pod`, as upstream writes it into events. */
export function refOf(object: KubeObject, kind: string, fieldPath?: string): ObjectReference {
  const { metadata: m } = object
  return {
    apiVersion: 'v1',
    kind,
    ...(m.namespace === undefined ? {} : { namespace: m.namespace }),
    name: m.name ?? '',
    uid: m.uid ?? '',
    ...(m.resourceVersion === undefined ? {} : { resourceVersion: m.resourceVersion }),
    ...(fieldPath === undefined ? {} : { fieldPath }),
  }
}
