/**
 * Hashes that become parts of names and labels: the same for the same value for ever, in the alphabet of generated
 * names. Upstream hashes pod templates as Go prints them; ours are hashed as canonical JSON. Pure.
 */
import type { PodTemplateSpec } from '../api/schema/types.ts'

/** `collisions`: how often another template was found under the hash. */
export function templateHash(template: Readonly<PodTemplateSpec> | undefined, collisions: number | undefined): string {
  let text = canonical(template ?? {})
  if (collisions !== undefined) text += `#${collisions}`
  return safeEncode(String(fnv32a(text)))
}

/** JSON with the fields of every object in order. */
export function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{${fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(',')}}`
}

const offset = 0x811c9dc5
const prime = 0x01000193

export function fnv32a(text: string): number {
  let hash = offset
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, prime) >>> 0
  return hash
}

/** FNV-1: multiplies first. */
export function fnv32(text: string): number {
  let hash = offset
  for (const byte of new TextEncoder().encode(text)) hash = (Math.imul(hash, prime) ^ byte) >>> 0
  return hash
}

const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** Every character becomes one of those that upstream's generated names are made of (apimachinery/pkg/util/rand). */
export function safeEncode(text: string): string {
  return Array.from(text, (c) => alphabet[(c.codePointAt(0) ?? 0) % alphabet.length]).join('')
}
