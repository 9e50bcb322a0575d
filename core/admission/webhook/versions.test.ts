import { describe, expect, it } from 'vitest'
import { defineKind, type Kind } from '../../api/kind.ts'
import type { AnyObject } from '../../api/meta.ts'
import { criteriaOf, matchRequest } from '../match.ts'
import { FakeWorld } from '../../auth/world.fake.ts'
import { convertObject } from './versions.ts'

const custom = (version: string, more: Partial<Kind> = {}): Kind => defineKind({ group: 'example.org', version, kind: 'Thing', plural: 'things', namespaced: false, ...more })
const thing: AnyObject = { apiVersion: 'example.org/v1', kind: 'Thing', metadata: { name: 't' }, x: 1 }
const signal = new AbortController().signal

describe('custom objects', () => {
  it('change their apiVersion where nobody converts', async () => {
    expect(await convertObject(thing, custom('v1'), custom('v2'), signal)).toEqual({ ...thing, apiVersion: 'example.org/v2' })
    expect(thing.apiVersion).toBe('example.org/v1')
  })

  it('are converted by their webhook', async () => {
    const v2 = custom('v2', { remote: async (objects, apiVersion) => objects.map((object) => ({ ...object, apiVersion, y: 2 }) as AnyObject) })
    expect(await convertObject(thing, custom('v1'), v2, signal)).toMatchObject({ apiVersion: 'example.org/v2', x: 1, y: 2 })
    const silent = custom('v2', { remote: async () => [] })
    await expect(convertObject(thing, custom('v1'), silent, signal)).rejects.toThrow('conversion to example.org/v2 gave nothing')
  })

  it('match rules about their other versions', () => {
    const [v1, v2] = [custom('v1'), custom('v2', { status: {} })]
    const ask = (subresource: string) => matchRequest(
      criteriaOf({ matchPolicy: 'Equivalent', rules: [{ operations: ['*'], apiGroups: ['example.org'], apiVersions: ['v2'], resources: ['things', 'things/*'] }] }),
      { kind: v1, operation: 'CREATE', subresource, namespace: '', name: 't', object: thing, oldObject: undefined, options: {}, dryRun: false, user: { name: 'u', groups: [] }, warn: () => {} },
      { lookup: new FakeWorld(), kinds: () => [v1, v2, custom('v2', { group: 'other.org' })] },
    )
    expect(ask('')).toMatchObject({ as: v2, kind: { version: 'v2' } })
    expect(ask('status')).toMatchObject({ as: v2 })
    expect(ask('scale')).toBeUndefined()
  })
})
