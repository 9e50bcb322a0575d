import { describe, expect, it } from 'vitest'
import { fnv32, fnv32a, safeEncode, templateHash } from './hash.ts'

describe('templateHash()', () => {
  it('does not depend on the order of fields, and changes with collisions', () => {
    const a = { metadata: { labels: { a: '1', b: '2' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    const b = { spec: { containers: [{ image: 'i', name: 'c' }] }, metadata: { labels: { b: '2', a: '1' } } }
    expect(templateHash(a, undefined)).toBe(templateHash(b, undefined))
    expect(templateHash(a, 1)).not.toBe(templateHash(a, undefined))
  })

  it('speaks the alphabet of generated names', () => expect(safeEncode('0123456789')).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{10}$/))
})

describe('FNV', () => {
  it('gives the published values', () => {
    expect([fnv32a('foobar'), fnv32('foobar')]).toEqual([0xbf9cf968, 0x31f0b262])
  })
})
