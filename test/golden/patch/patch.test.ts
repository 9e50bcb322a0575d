/**
 * Patches and server-side apply against upstream's own answers: random objects and patches, with what apimachinery's
 * strategicpatch and managedfields (over structured-merge-diff) of v1.36 made of them. One JSON document a line.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ApiError } from '../../../core/api/errors.ts'
import type { KindRef } from '../../../core/api/kind.ts'
import type { AnyObject } from '../../../core/api/meta.ts'
import { applyPatch } from '../../../core/api/patch/apply.ts'
import { updateManagedFields } from '../../../core/api/patch/managedfields.ts'
import { structuralType, type ObjectType } from '../../../core/api/patch/mergetype.ts'
import { mergeStrategically } from '../../../core/api/patch/strategic.ts'
import { definition, definitionOf } from '../../../core/api/schema/schema.ts'
import { decodeValue } from '../../../core/api/schema/validate.ts'

type Json = Record<string, unknown>

const lines = <T>(file: string): T[] => readFileSync(new URL(file, import.meta.url), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as T)

interface StrategicCase {
  readonly k: string
  readonly o: Json
  readonly p: Json
  readonly r?: Json
  readonly e?: string
  readonly c?: number
}

describe('strategic merge patch', () => {
  const cases = lines<StrategicCase>('strategic.jsonl')

  it(`answers ${cases.length} random patches as upstream does`, () => {
    for (const [i, { k, o, p, r, e, c }] of cases.entries()) {
      expect({ i, ...strategic(k, o, p) }, JSON.stringify({ o, p })).toEqual(r === undefined ? { i, code: c, ...(c === 422 ? {} : { message: e }) } : { i, result: r })
    }
  })
})

function strategic(kind: string, object: Json, patch: Json): object {
  const before = JSON.stringify([object, patch])
  try {
    const result = mergeStrategically(object, patch, definition(kind)).merged
    expect(JSON.stringify([object, patch])).toBe(before)
    return { result }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { code: error.code, ...(error.code === 422 ? {} : { message: error.message }) }
  }
}

interface Step {
  /** The manager. */
  readonly m: string
  /** The subresource. */
  readonly s?: string
  /** An applied configuration, */
  readonly a?: AnyObject
  readonly f?: boolean
  /** or an updated object. */
  readonly u?: AnyObject
  /** The object after it, or the error. */
  readonly r?: AnyObject
  readonly e?: { readonly message: string; readonly code?: number; readonly causes?: readonly string[] }
}

const kinds: Record<string, KindRef> = {
  Pod: { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true },
  Service: { group: '', version: 'v1', kind: 'Service', plural: 'services', namespaced: true },
  ConfigMap: { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true },
  Deployment: { group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', namespaced: true },
  Widget: { group: 'example.com', version: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true },
}

const text = { type: 'string' }
const widget = structuralType({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer' },
        names: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
        parts: {
          type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name', 'zone'],
          items: {
            type: 'object',
            properties: { name: text, zone: { type: 'string', default: 'z1' }, weight: { type: 'number' }, free: { 'x-kubernetes-preserve-unknown-fields': true } },
          },
        },
        plain: { type: 'array', items: text },
        whole: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { x: text, y: { type: 'object', additionalProperties: text } } },
        tags: { type: 'object', additionalProperties: text },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        either: { 'x-kubernetes-int-or-string': true },
      },
    },
    status: { type: 'object', properties: { ok: { type: 'boolean' } } },
  },
})
/** A custom kind says itself that it has a status. */
const widgetKind = { ...kinds['Widget'], status: {} } as unknown as KindRef

const then = '2026-01-02T03:04:05Z'
const now = Date.parse('2026-07-01T00:00:00Z')

describe('managed fields and server-side apply', () => {
  const runs = lines<{ readonly k: string; readonly t: readonly Step[] }>('apply.jsonl')

  it(`ends ${runs.length} random histories as upstream does`, { timeout: 60_000 }, () => {
    for (const [i, { k, t }] of runs.entries()) {
      let live: AnyObject | undefined
      for (const [j, step] of t.entries()) {
        const got = play(k, live, step)
        const where = `run ${i} step ${j} ${k} ${JSON.stringify({ ...step, r: undefined })}\nlive ${JSON.stringify(live)}`
        if (step.r === undefined) {
          expect(got, where).toEqual(wantedError(step))
          continue
        }
        live = settled(k, step.r)
        expect(managedFields(got), where).toBe(managedFields({ object: step.r }))
        expect(withoutManagers(got), where).toEqual(withoutManagers({ object: live }))
      }
    }
  })
})

const settled = (kind: string, object: AnyObject): AnyObject => {
  const ref = kinds[kind] as KindRef
  const of = definitionOf(ref.group, ref.version, ref.kind)
  const copy = structuredClone(object)
  return of === undefined ? copy : decodeValue(of, copy).object as AnyObject
}

function play(kind: string, live: AnyObject | undefined, step: Step): { object?: AnyObject; error?: unknown } {
  const custom: { kind: KindRef; type?: ObjectType } = kind === 'Widget' ? { kind: widgetKind, type: widget } : { kind: kinds[kind] as KindRef }
  const common = { ...custom, manager: step.m, now, ...(step.s === undefined ? {} : { subresource: step.s }) }
  try {
    let object: AnyObject
    if (step.a !== undefined) {
      const before = JSON.stringify([live, step.a])
      const done = applyPatch({ ...common, live, applied: step.a, force: step.f === true })
      expect(JSON.stringify([live, step.a])).toBe(before)
      if (done.conflict !== undefined) return { error: shown(done.conflict) }
      object = settled(kind, done.object)
    } else {
      object = settled(kind, step.u as AnyObject)
      updateManagedFields({ ...common, prev: live, next: object })
    }
    object.metadata.uid ??= 'u'
    for (const entry of object.metadata.managedFields ?? []) if (entry.time !== undefined) entry.time = then
    return { object }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { error: shown(error) }
  }
}

const linesOf = (message: string): readonly string[] => message.split('\n').toSorted()

function shown(error: ApiError): object {
  return { code: error.code, message: linesOf(error.message), causes: (error.details?.causes ?? []).map((c) => `${c.reason}|${c.message}|${c.field}`).toSorted() }
}

/** Upstream's plain errors become 500. Where several things are wrong it names them in any order. */
function wantedError({ e }: Step): object {
  return { error: { code: e?.code ?? 500, message: linesOf(e?.message ?? ''), causes: (e?.causes ?? []).toSorted() } }
}

/** As text: order matters. */
const managedFields = ({ object, error }: { object?: AnyObject; error?: unknown }): string =>
  JSON.stringify(error ?? (object?.metadata.managedFields ?? []).map(({ manager, operation, apiVersion, time, fieldsV1, subresource }) => ({ manager, operation, apiVersion, time, subresource, fieldsV1 })), null, 1)

function withoutManagers({ object }: { object?: AnyObject }): unknown {
  return object === undefined ? undefined : { ...object, metadata: { ...object.metadata, managedFields: undefined } }
}
