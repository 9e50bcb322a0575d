/**
 * What happens to every object before it is written: it is put into its namespace, gets what the
 * system fills in, defaults, and is checked. Order and messages as upstream's
 * k8s.io/apiserver/pkg/registry/rest/{create,update}.go.
 */
import { badRequest, invalid } from '../api/errors.ts'
import { path, type FieldError } from '../api/field.ts'
import type { Kind } from '../api/kind.ts'
import { apiVersionOf, type AnyObject } from '../api/meta.ts'
import { validateMeta, validateMetaUpdate, validateStandardFinalizers } from '../api/metavalidation.ts'
import { pathSegment } from '../api/names.ts'
import { applyDefaults } from '../api/schema/defaults.ts'
import { formatTime } from '../api/time.ts'
import { equalJson } from '../lib/json.ts'
import type { Random } from '../lib/random.ts'
import type { WriteOptions } from './registry.ts'
import { reset } from './reset.ts'

/** Characters of a generated name, of which the last five are chance. */
const generatedNameMax = 63
const suffixLength = 5

/** Subresources whose writes count as changes of what is wanted. */
const raisesGeneration: ReadonlySet<string> = new Set(['', 'scale', 'resize', 'ephemeralcontainers'])

export function setDefaults(kind: Kind, object: AnyObject, now: number): void {
  object.kind = kind.kind
  object.apiVersion = apiVersionOf(kind)
  kind.strategy.unfold?.(object)
  if (kind.applyDefaults !== undefined) kind.applyDefaults(object)
  else applyDefaults(kind, object, { now })
}

/** Fills the namespace in from the request, or refuses one that is another. */
export function place(kind: Kind, namespace: string, object: AnyObject): void {
  const meta = (object.metadata ??= {})
  const want = kind.namespaced ? namespace : ''
  if (want === '') delete meta.namespace
  else if (meta.namespace === undefined || meta.namespace === '') meta.namespace = want
  else if (meta.namespace !== want) throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
}

/** Takes away what only the system may say. */
export function wipe(object: AnyObject): void {
  const meta = object.metadata as unknown as Record<string, unknown>
  for (const field of ['uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink'] as const) delete meta[field]
}

export function fillIdentity(kind: Kind, object: AnyObject, random: Random, now: number): void {
  const meta = object.metadata
  meta.uid = random.uuid()
  meta.creationTimestamp = formatTime(now)
  if (kind.generation === 'spec') meta.generation = 1
  if (needsName(object)) meta.name = (meta.generateName ?? '').slice(0, generatedNameMax - suffixLength) + random.suffix(suffixLength)
}

export function needsName(object: Readonly<AnyObject>): boolean {
  return (object.metadata.name ?? '') === '' && (object.metadata.generateName ?? '') !== ''
}

/** Strategy and validation of an object that comes to be. Throws Invalid. */
export function prepareCreate(kind: Kind, object: AnyObject, options: WriteOptions): void {
  kind.strategy.prepareCreate?.(object, options.env)
  if (kind.generation === 'spec') object.metadata.generation = 1
  const errors = [...validateMeta(object.metadata, kind), ...ownFinalizers(kind, object), ...(kind.strategy.validateCreate?.(object, options.env) ?? [])]
  refuse(kind, object, errors)
  for (const warning of kind.strategy.warnings?.(object, undefined) ?? []) options.warn(warning)
}

/** Strategy and validation of an object that changes. Throws Invalid. */
export function prepareUpdate(kind: Kind, next: AnyObject, prev: Readonly<AnyObject>, options: WriteOptions): void {
  const { env, subresource } = options
  const part = subresource === 'status' ? kind.status : kind.parts?.[subresource]
  const whole = subresource === '' || subresource === 'scale'
  if (prev.metadata.generation === undefined) delete next.metadata.generation
  else next.metadata.generation = prev.metadata.generation
  reset(kind, next, prev, subresource)
  if (part !== undefined) part.prepareUpdate?.(next, prev, env)
  else if (whole) kind.strategy.prepareUpdate?.(next, prev, env)
  if (kind.generation === 'spec' && raisesGeneration.has(subresource) && wantsOther(kind, next, prev)) {
    next.metadata.generation = (prev.metadata.generation ?? 0) + 1
  }
  keepIdentity(next, prev)
  // twice, as upstream: once for every kind, and once more by each kind's own rules
  const changed = validateMetaUpdate(next.metadata, prev.metadata)
  const errors = [...validateMeta(next.metadata, { namespaced: kind.namespaced, validateName: pathSegment }), ...changed, ...changed, ...ownFinalizers(kind, next)]
  if (part !== undefined) errors.push(...(part.validateUpdate?.(next, prev, env) ?? []))
  else if (whole) errors.push(...(kind.strategy.validateUpdate?.(next, prev, env) ?? []))
  refuse(kind, next, errors)
  const warnings = whole ? kind.strategy.warnings?.(next, prev) : part?.warnings?.(next, prev)
  for (const warning of warnings ?? []) options.warn(warning)
}

/** Kinds that upstream's API server has no core rules for, as it has none for custom ones. */
const freeFinalizers: ReadonlySet<string> = new Set(['coordination.k8s.io', 'apiextensions.k8s.io'])

/** Custom kinds, and a few others, are free in what they call their finalizers. */
function ownFinalizers(kind: Kind, object: Readonly<AnyObject>): readonly FieldError[] {
  const free = kind.custom !== undefined || freeFinalizers.has(kind.group)
  return free ? [] : validateStandardFinalizers(object.metadata.finalizers, path('metadata', 'finalizers'))
}

function refuse(kind: Kind, object: Readonly<AnyObject>, errors: readonly FieldError[]): void {
  // Upstream names the form in which it checks: events of both groups are the core group's.
  const named = kind.group === 'events.k8s.io' ? { group: '', kind: kind.kind } : kind
  if (errors.length > 0) throw invalid(named, object.metadata.name ?? '', errors)
}

/** Whether anything but metadata and status is another. A custom kind that has no /status has no status apart from the rest. */
function wantsOther(kind: Kind, next: Readonly<AnyObject>, prev: Readonly<AnyObject>): boolean {
  const apart = kind.custom === undefined || kind.status !== undefined
  for (const field of new Set([...Object.keys(next), ...Object.keys(prev)])) {
    if (field === 'metadata' || (field === 'status' && apart) || field === 'kind' || field === 'apiVersion') continue
    if (!equalJson(next[field], prev[field])) return true
  }
  return false
}

/** Who the object is, and how far its deletion has come, no update changes. */
function keepIdentity(next: AnyObject, prev: Readonly<AnyObject>): void {
  const [to, from] = [next.metadata, prev.metadata]
  if ((to.uid ?? '') === '' && from.uid !== undefined) to.uid = from.uid
  if (from.creationTimestamp !== undefined) to.creationTimestamp = from.creationTimestamp
  else delete to.creationTimestamp
  if (from.deletionTimestamp !== undefined) to.deletionTimestamp = from.deletionTimestamp
  if (from.deletionGracePeriodSeconds !== undefined) to.deletionGracePeriodSeconds ??= from.deletionGracePeriodSeconds
}
