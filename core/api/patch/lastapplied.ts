/**
 * kubectl's annotation of client-side apply, as far as the server has to do with it: when kubectl moves to server-side
 * apply it may take over what the annotation shows to be its own, and the annotation is kept in step so that it can go
 * back (apimachinery util/managedfields/internal/lastapplied*.go).
 */
import type { AnyObject } from '../meta.ts'
import { difference, type FieldSet } from './fieldset.ts'
import type { MergeType } from './mergetype.ts'
import { compare, fieldSetOf } from './typed.ts'
import { validateTyped } from './validate.ts'
import { clone, isMap, type JsonMap } from './value.ts'

export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

/** Bytes of all annotations of an object; where the new one does not fit it is dropped. */
export const annotationsBytesMax = 256 * 1_024

/** The fields that kubectl applied and that still have the value it gave them; undefined where that cannot be known. */
export function lastAppliedAllows(type: MergeType, live: Readonly<AnyObject>, apiVersion: string): FieldSet | undefined {
  const text = live.metadata.annotations?.[lastAppliedAnnotation]
  const last = text === undefined || text === '' ? undefined : parsed(text)
  if (last === undefined || last['apiVersion'] !== apiVersion || typeof last['kind'] !== 'string') return undefined
  if (validateTyped(type, live, 'refused') !== undefined || validateTyped(type, last, 'refused') !== undefined) return undefined
  const { added, modified, removed } = compare(type, last, live)
  return difference(difference(difference(fieldSetOf(type, last), modified), added), removed)
}

function parsed(text: string): JsonMap | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isMap(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Writes what was applied into the annotation of an object that has it. */
export function keepLastApplied(object: AnyObject, applied: Readonly<AnyObject>): void {
  const annotations = object.metadata.annotations
  if (annotations === undefined || annotations === null || (annotations[lastAppliedAnnotation] ?? '') === '') return
  annotations[lastAppliedAnnotation] = appliedText(applied)
  const bytes = Object.entries(annotations).reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(String(value)), 0)
  if (bytes > annotationsBytesMax) delete annotations[lastAppliedAnnotation]
}

/** What the annotation says of an object that is applied. */
export function appliedText(applied: Readonly<AnyObject>): string {
  const copy = clone(applied) as AnyObject
  if (isMap(copy.metadata?.annotations)) delete copy.metadata.annotations[lastAppliedAnnotation]
  return `${goJson(copy)}\n`
}

/** As Go encodes maps: keys sorted, HTML escaped. */
function goJson(value: unknown): string {
  return JSON.stringify(sortKeys(value)).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (!isMap(value)) return value
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sortKeys(value[key])]))
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}
