/** In which fields two states of an object differ, as a reader would say it: items of lists by their names, bookkeeping left out. */
import type { AnyObject } from '../api/meta.ts'
import { lastAppliedAnnotation } from '../api/patch/lastapplied.ts'
import { equal, isMap } from '../api/patch/value.ts'
import type { FieldChange } from './plan.ts'

/** Past these nobody reads on. */
const changesMax = 200

const bookkeeping: ReadonlySet<string> = new Set(['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp', 'selfLink', 'deletionTimestamp', 'deletionGracePeriodSeconds'])
const bookkeepingAnnotations: ReadonlySet<string> = new Set([lastAppliedAnnotation, 'deployment.kubernetes.io/revision'])
/** What items of lists are known by. */
const names = ['name', 'key', 'containerPort', 'port', 'mountPath', 'ip', 'type', 'uid'] as const

export function fieldChanges(before: Readonly<AnyObject>, after: Readonly<AnyObject>): readonly FieldChange[] {
  const changes: FieldChange[] = []
  walk(changes, '', essence(before), essence(after))
  const secret = before.kind === 'Secret'
  return changes.slice(0, changesMax).map((change) => (secret && /^(data|stringData)\b/.test(change.path) ? veiled(change) : change))
}

/** What the object is, without its status and what the server notes about it. */
function essence({ status: _status, metadata, apiVersion: _version, kind: _kind, ...rest }: Readonly<AnyObject>): Readonly<Record<string, unknown>> {
  const annotations = Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([key]) => !bookkeepingAnnotations.has(key)))
  const kept = Object.fromEntries(Object.entries(metadata).filter(([key]) => !bookkeeping.has(key)))
  return { metadata: { ...kept, annotations }, ...rest }
}

function walk(changes: FieldChange[], path: string, before: unknown, after: unknown): void {
  if (equal(before, after) || changes.length > changesMax) return
  if (isMap(before) && isMap(after)) {
    for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted()) walk(changes, path === '' ? key : keyed(path, key), before[key], after[key])
    return
  }
  const [was, is] = [named(before), named(after)]
  if (was !== undefined && is !== undefined) {
    const ids = [...new Set([...was.keys(), ...is.keys()])].toSorted()
    const parted = changes.length
    for (const id of ids) walk(changes, `${path}[${id}]`, was.get(id), is.get(id))
    if (changes.length > parted) return
  }
  changes.push({ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) })
}

function keyed(path: string, key: string): string {
  return /^[\w$-]+$/.test(key) ? `${path}.${key}` : `${path}[${key}]`
}

/** Undefined: no list of things with names of their own. */
function named(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined
  const field = names.find((name) => value.every((item) => isMap(item) && (typeof item[name] === 'string' || typeof item[name] === 'number')))
  if (field === undefined) return undefined
  const byName = new Map(value.map((item) => [String((item as Record<string, unknown>)[field]), item as unknown]))
  return byName.size === value.length ? byName : undefined
}

/** That it changes is all that is told of a secret. */
function veiled({ path, before, after }: FieldChange): FieldChange {
  return { path, ...(before === undefined ? {} : { before: '***' }), ...(after === undefined ? {} : { after: '***' }) }
}
