import { describe, expect, it } from 'vitest'
import type { KindRef } from '../kind.ts'
import type { AnyObject } from '../meta.ts'
import { applyPatch } from './apply.ts'
import { difference, intersection, pathsOf, readFieldSet, recursiveDifference, union } from './fieldset.ts'
import { lastAppliedAnnotation } from './lastapplied.ts'
import { updateManagedFields } from './managedfields.ts'
import { pathText } from './element.ts'

const pods: KindRef = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true }
const deployments: KindRef = { group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', namespaced: true }
const configMaps: KindRef = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true }
const at = (second: number): number => Date.parse('2026-01-01T00:00:00Z') + second * 1_000

const configMap = (data: Record<string, string>, meta: object = {}): AnyObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', ...meta }, data })

/** One history of a ConfigMap: each write is a manager and the data it leaves. */
function history(...writes: readonly (readonly [manager: string, data: Record<string, string>])[]): AnyObject {
  let prev: AnyObject | undefined
  for (const [i, [manager, data]] of writes.entries()) {
    const next = configMap(data, prev === undefined ? {} : { uid: 'u', managedFields: prev.metadata.managedFields })
    updateManagedFields({ prev, next, manager, kind: configMaps, now: at(i) })
    prev = next
    prev.metadata.uid = 'u'
  }
  return prev ?? configMap({})
}

const owners = (object: AnyObject): readonly string[] =>
  (object.metadata.managedFields ?? []).map((e) => `${e.manager} ${e.operation} ${e.time} ${pathsOf(readFieldSet(e.fieldsV1)).map(pathText).join(' ')}`)

describe('field sets', () => {
  it.each([
    ['union', union, '{"f:a":{".":{},"f:b":{},"f:c":{}},"f:d":{}}'],
    ['intersection', intersection, '{"f:a":{"f:b":{}}}'],
    ['difference', difference, '{"f:a":{"f:c":{}}}'],
    ['recursiveDifference', recursiveDifference, '{}'],
  ] as const)('%s', (_, operation, want) => {
    const a = readFieldSet({ 'f:a': { 'f:b': {}, 'f:c': {} } })
    const b = readFieldSet({ 'f:a': { '.': {}, 'f:b': {} }, 'f:d': {} })
    expect(JSON.stringify(operation(a, b))).toBe(want)
  })

  it('come into one order and spelling, whatever the order they were written in', () => {
    const set = { 'i:1': {}, 'v:"b"': {}, 'v:3': {}, 'k:{"b":"x","a":1}': { 'f:z': {}, '.': {} }, 'f:b': { '.': {} }, 'f:a': {}, 'x:later': {} }
    expect(JSON.stringify(readFieldSet(set))).toBe('{"f:a":{},"f:b":{},"k:{\\"a\\":1,\\"b\\":\\"x\\"}":{".":{},"f:z":{}},"v:3":{},"v:\\"b\\"":{},"i:1":{}}')
    expect(() => readFieldSet({ 'k:nonsense': {} })).toThrow()
  })
})

describe('ownership of updates', () => {
  it('goes to who creates, and to who changes', () => {
    expect(owners(history(['a', { x: '1', y: '1' }], ['b', { x: '2', y: '1' }], ['c', { x: '2' }]))).toEqual([
      'a Update 2026-01-01T00:00:00Z .data',
      'b Update 2026-01-01T00:00:01Z .data.x',
    ])
  })

  it('keeps its time when nothing changes', () => {
    expect(owners(history(['a', { x: '1' }], ['a', { x: '1' }]))).toEqual(['a Update 2026-01-01T00:00:00Z .data .data.x'])
  })

  it('keeps what is stored when a client sends none or nonsense, and starts afresh when it sends []', () => {
    const prev = history(['a', { x: '1' }])
    for (const [sent, want] of [[undefined, owners(prev)], [[{ manager: 'z' }], owners(prev)], [[], []], [[{}], []]] as const) {
      const next = configMap({ x: '1' }, { uid: 'u', managedFields: sent })
      updateManagedFields({ prev, next, manager: 'b', kind: configMaps, now: at(9) })
      expect(owners(next), JSON.stringify(sent)).toEqual(want)
    }
  })

  it('merges the oldest of more than ten updates', () => {
    const object = history(...Array.from({ length: 14 }, (_, i) => [`m${i}`, Object.fromEntries(Array.from({ length: i + 1 }, (_x, j) => [`k${j}`, 'v']))] as const))
    expect(owners(object).map((line) => line.split(' ')[0])).toEqual(['ancient-changes', 'm5', 'm6', 'm7', 'm8', 'm9', 'm10', 'm11', 'm12', 'm13'])
    expect(owners(object)[0]).toBe('ancient-changes Update 2026-01-01T00:00:04Z .data .data.k0 .data.k1 .data.k2 .data.k3 .data.k4')
  })

  it('does not go to status through the object, nor to spec through status', () => {
    const create = (subresource: string): readonly string[] => {
      const next = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { hostNetwork: true }, status: { phase: 'Running' } } as AnyObject
      updateManagedFields({ prev: undefined, next, manager: 'a', kind: pods, subresource, now: at(0) })
      return owners(next).map((line) => line.split(' ').slice(3).join(' '))
    }
    expect([create(''), create('status'), create('resize')]).toEqual([['.spec.hostNetwork'], ['.status.phase'], []])
  })

  it('of a pod has the shape that kubectl shows', () => {
    const next = {
      apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default', labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'i', resources: {}, ports: [{ containerPort: 80, protocol: 'TCP' }] }], securityContext: {} },
      status: {},
    } as AnyObject
    updateManagedFields({ prev: undefined, next, manager: 'kubectl-run', kind: pods, now: at(0) })
    expect(next.metadata.managedFields).toEqual([{
      manager: 'kubectl-run', operation: 'Update', apiVersion: 'v1', time: '2026-01-01T00:00:00Z', fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
        'f:spec': {
          'f:containers': {
            'k:{"name":"c"}': {
              '.': {}, 'f:image': {}, 'f:name': {},
              'f:ports': { '.': {}, 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} } },
              'f:resources': {},
            },
          },
          'f:securityContext': {},
        },
      },
    }])
  })
})

describe('server-side apply', () => {
  const deployment = (replicas: number | undefined, meta: object = {}): AnyObject =>
    ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'ns', ...meta }, spec: { ...(replicas === undefined ? {} : { replicas }), paused: true } })
  const live = (manager: string): AnyObject => {
    const next = deployment(1)
    updateManagedFields({ prev: undefined, next, manager, kind: deployments, now: at(0) })
    next.metadata.uid = 'u'
    return next
  }
  const apply = (applied: AnyObject, to: AnyObject | undefined, manager = 'me', force = false) => applyPatch({ live: to, applied, manager, force, kind: deployments, now: at(1) })

  it('names one conflict in a line', () => {
    const { conflict } = apply(deployment(2), live('kubectl-client-side-apply'))
    expect(conflict?.status()).toMatchObject({
      code: 409, reason: 'Conflict', message: 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
      details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "kubectl-client-side-apply" using apps/v1', field: '.spec.replicas' }] },
    })
  })

  it('shares what has the same value, takes over by force, and removes what it applies no longer', () => {
    const forced = apply(deployment(2), live('other'), 'me', true)
    if (forced.conflict !== undefined) throw forced.conflict
    expect(owners(forced.object)).toEqual(['me Apply 2026-01-01T00:00:01Z .spec.paused .spec.replicas', 'other Update 2026-01-01T00:00:00Z .spec.paused'])
    const less = apply({ ...deployment(undefined), spec: {} }, forced.object)
    if (less.conflict !== undefined) throw less.conflict
    expect(less.object['spec']).toEqual({ paused: true })
  })

  it('lets kubectl take over from its client-side self and keeps the annotation in step', () => {
    const withAnnotation = (replicas: number): AnyObject => {
      const prev = live('kubectl-client-side-apply')
      prev.metadata.annotations = { [lastAppliedAnnotation]: JSON.stringify(deployment(replicas)) }
      return prev
    }
    const done = apply(deployment(2), withAnnotation(1), 'kubectl')
    if (done.conflict !== undefined) throw done.conflict
    expect(JSON.parse(done.object.metadata.annotations?.[lastAppliedAnnotation] ?? '')).toEqual(deployment(2))
    // Someone changed it since.
    expect(apply(deployment(2), withAnnotation(5), 'kubectl').conflict?.message).toContain('.spec.replicas')
    expect(apply(deployment(2), withAnnotation(1), 'another').conflict?.message).toContain('.spec.replicas')
  })

  it.each([
    [{ ...deployment(1), kind: 'Pod' }, 400, 'invalid object type: apps/v1, Kind=Pod'],
    [deployment(1, { managedFields: [] }), 400, 'metadata.managedFields must be nil'],
    [{ ...deployment(1), spec: { nope: 1 } }, 500, 'failed to create typed patch object (ns/d; apps/v1, Kind=Deployment): .spec.nope: field not declared in schema'],
  ])('refuses %j', (applied, code, message) => {
    expect(() => apply(applied as AnyObject, undefined)).toThrow(expect.objectContaining({ code, message }))
  })
})
