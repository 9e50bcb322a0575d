/**
 * Pod templates as Deployments compare and name them: equal but for the hash label, and a hash that is the same for the
 * same template for ever. Upstream hashes Go's printed struct; ours hashes canonical JSON in the same alphabet.
 */
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

/** `collisions`: how often another template was found under the hash. */
export function templateHash(template: Readonly<PodTemplateSpec> | undefined, collisions: number | undefined): string {
  let text = canonical(template ?? {})
  if (collisions !== undefined) text += `#${collisions}`
  return safeEncode(String(fnv32a(text)))
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

/** JSON with the fields of every object in order. */
export function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{${fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(',')}}`
}

export function fnv32a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}

const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** Every character becomes one of those that upstream's generated names are made of (apimachinery/pkg/util/rand). */
export function safeEncode(text: string): string {
  return Array.from(text, (c) => alphabet[(c.codePointAt(0) ?? 0) % alphabet.length]).join('')
}
