/** Addresses and ranges: what is read, what is refused, and back again. */
import { describe, expect, it } from 'vitest'
import { addressAt, contains, formatCidr, formatIp, parseCidr, parseIp, reverseName, sizeOf } from './ip.ts'

describe('parseIp()', () => {
  it.each([
    ['10.42.0.1', '10.42.0.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['FD00:0:0:1:0:0:0:5', 'fd00:0:0:1::5'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
  ])('reads %s', (text, want) => expect(formatIp(parseIp(text)!)).toBe(want))

  it.each(['010.1.2.3', '1.2.3', '256.1.1.1', '1:2:3', ':::', '1::2::3', 'fd00::g', '', '1.2.3.4.5'])('refuses %s', (text) =>
    expect(parseIp(text)).toBeUndefined(),
  )
})

describe('parseCidr()', () => {
  it('clears host bits and counts', () => {
    const cidr = parseCidr('10.42.3.7/24')!
    expect(formatCidr(cidr)).toBe('10.42.3.0/24')
    expect(sizeOf(cidr)).toBe(256n)
    expect(addressAt(cidr, 255)).toBe('10.42.3.255')
    expect(contains(cidr, parseIp('10.42.3.255')!)).toBe(true)
    expect(contains(cidr, parseIp('10.42.4.0')!)).toBe(false)
    expect(parseCidr('10.42.3.0/33')).toBeUndefined()
  })
})

it('reverseName() is the name of the PTR record', () => {
  expect(reverseName(parseIp('10.43.0.10')!)).toBe('10.0.43.10.in-addr.arpa')
  expect(reverseName(parseIp('::1')!)).toMatch(/^1\.0\.0\..*\.0\.ip6\.arpa$/)
})
