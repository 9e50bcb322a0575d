/** Pod templates as Deployments compare and name them: equal but for the hash label. The hash itself is in ../hash.ts. */
import type { LabelSelector, PodTemplateSpec } from '../../api/schema/types.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'

export const hashLabel = 'pod-template-hash'

export function sameTemplate(a: Readonly<PodTemplateSpec> | undefined, b: Readonly<PodTemplateSpec> | undefined): boolean {
  return equalJson(a?.spec, b?.spec) && equalJson(withoutHash(a), withoutHash(b))
}

/** Metadata without the hash; what is empty is the same as what is not there. */
function withoutHash(template: Readonly<PodTemplateSpec> | undefined): unknown {
  const { labels, annotations, finalizers, name, namespace } = template?.metadata ?? {}
  const { [hashLabel]: _hash, ...rest } = labels ?? {}
  return { labels: rest, annotations: annotations ?? {}, finalizers: finalizers ?? [], name: name ?? '', namespace: namespace ?? '' }
}

export function withHash(template: Readonly<PodTemplateSpec> | undefined, hash: string): PodTemplateSpec {
  const mine = cloneJson(template ?? {}) as PodTemplateSpec
  mine.metadata = { ...mine.metadata, labels: { ...mine.metadata?.labels, [hashLabel]: hash } }
  return mine
}

export function selectorWithHash(selector: Readonly<LabelSelector> | undefined, hash: string): LabelSelector {
  const mine = cloneJson(selector ?? {}) as LabelSelector
  return { ...mine, matchLabels: { ...mine.matchLabels, [hashLabel]: hash } }
}

/** Names are at most this long; the hash is never cut. */
const nameBytesMax = 253

export function replicaSetName(deployment: string, hash: string): string {
  return `${deployment.slice(0, nameBytesMax - hash.length - 1)}-${hash}`
}
