import { describe, expect, it } from 'vitest'
import { defaultNameRule } from './kind.ts'
import { validateMeta, validateMetaUpdate } from './metavalidation.ts'
import type { ObjectMeta } from './schema/types.ts'

const rules = { namespaced: true, validateName: defaultNameRule }
const meta = (more: Partial<ObjectMeta>): ObjectMeta => ({ name: 'a', namespace: 'default', ...more })
const said = (errors: readonly { message(): string }[]): string => errors.map((e) => e.message().split(' (')[0]).join(' | ')

describe('validateMeta()', () => {
  it.each([
    [{}, ''],
    [{ generateName: 'x-' }, ''],
    [{ generateName: 'X.-' }, 'metadata.generateName: Invalid value: "X.-": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \'-\' or \'.\', and must start and end with an alphanumeric character'],
    [{ name: '' }, 'metadata.name: Required value: name or generateName is required'],
    [{ name: 'a'.repeat(254) }, `metadata.name: Invalid value: "${'a'.repeat(254)}": must be no more than 253 characters`],
    [{ namespace: '' }, 'metadata.namespace: Required value'],
    [{ labels: { 'a/b/c': '' } }, 'metadata.labels: Invalid value: "a/b/c": a valid label key must consist of alphanumeric characters, \'-\', \'_\' or \'.\', and must start and end with an alphanumeric character'],
    [{ labels: { '/x': '' } }, 'metadata.labels: Invalid value: "/x": prefix part must be non-empty'],
    [{ labels: { ok: 'v'.repeat(64) } }, `metadata.labels: Invalid value: "${'v'.repeat(64)}": must be no more than 63 bytes`],
    [{ annotations: { 'Big.Example/Key': 'any thing' } }, ''],
    [{ annotations: { a: 'x'.repeat(262_144) } }, 'metadata.annotations: Too long: may not be more than 262144 bytes'],
    [{ finalizers: ['no/t/good'] }, 'metadata.finalizers: Invalid value: "no/t/good": a valid label key must consist of alphanumeric characters, \'-\', \'_\' or \'.\', and must start and end with an alphanumeric character'],
    [{ managedFields: [{ operation: 'Guess', fieldsType: 'V2' }] },
      'metadata.managedFields[0].operation: Invalid value: "Guess": must be `Apply` or `Update` | metadata.managedFields[0].fieldsType: Invalid value: "V2": must be `FieldsV1`'],
    [{ ownerReferences: [{ apiVersion: 'v1', kind: 'A', name: 'a', uid: 'u', controller: true }, { apiVersion: '', kind: 'B', name: 'b', uid: 'u', controller: true }] },
      'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty | metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"A","name":"a","uid":"u","controller":true},' +
      '{"apiVersion":"","kind":"B","name":"b","uid":"u","controller":true}]: Only one reference can have Controller set to true. Found "true" in references for A/a and B/b'],
  ])('%j', (more, want) => {
    expect(said(validateMeta(meta(more as Partial<ObjectMeta>), rules))).toBe(want)
  })

  it('knows kinds without namespaces', () => {
    expect(said(validateMeta(meta({}), { ...rules, namespaced: false }))).toBe('metadata.namespace: Forbidden: not allowed on this type')
  })
})

describe('validateMetaUpdate()', () => {
  it.each([
    [{ name: 'b' }, {}, 'metadata.name: Invalid value: "b": field is immutable'],
    [{ uid: 'x' }, { uid: 'y' }, 'metadata.uid: Invalid value: "x": field is immutable'],
    [{ deletionTimestamp: '2026-01-01T00:00:00Z' }, {}, 'metadata.deletionTimestamp: Invalid value: "2026-01-01T00:00:00Z": field is immutable'],
    [{ generation: 1 }, { generation: 2 }, 'metadata.generation: Invalid value: 1: must not be decremented'],
    [{ labels: { a: 'b' } }, { labels: {} }, ''],
  ])('%j after %j', (next, prev, want) => {
    expect(said(validateMetaUpdate(meta(next), meta(prev)))).toBe(want)
  })
})
