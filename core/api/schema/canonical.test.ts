import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addQuantities, canonicalMicroTime, canonicalQuantity, canonicalTime, largerQuantity, roundUpToMilli } from './canonical.ts'

describe('canonicalQuantity()', () => {
  it.each([
    ['0', '0'], ['00', '0'], ['1000m', '1'], ['0.5', '500m'], ['1.5Gi', '1536Mi'], ['1024Mi', '1Gi'], ['1500Mi', '1500Mi'], ['5000', '5k'],
    ['0.1m', '100u'], ['1e3', '1e3'], ['1000e3', '1e6'], ['-1.5', '-1500m'], ['+5', '+5'], ['1.500', '1.500'], ['0Gi', '0'], ['512Ki', '512Ki'],
    ['9223372036854775807', '9223372036854775807'], ['16Ei', '9223372036854775807'], ['0.0000000001', '1n'], ['1Mi', '1Mi'], ['0.5Ki', '512'],
  ])('writes %s as %s', (text, want) => {
    expect(canonicalQuantity(text)).toEqual({ ok: true, text: want })
  })

  it.each(['', 'x', '1 Gi', '1..2', '1,5'])('refuses %j', (text) => {
    expect(canonicalQuantity(text)).toMatchObject({ ok: false, error: expect.stringMatching(/^quantities must match the regular expression/) as unknown })
  })

  it('refuses unknown suffixes', () => {
    expect(canonicalQuantity('1GG')).toEqual({ ok: false, error: "unable to parse quantity's suffix" })
  })

  it('is stable: a canonical quantity stays as it is', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.constantFrom('', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi', 'u', 'n'), (number, suffix) => {
      const first = canonicalQuantity(`${number}${suffix}`)
      if (!first.ok) throw new Error(first.error)
      expect(canonicalQuantity(first.text)).toEqual(first)
      expect(addQuantities(first.text, '0')).toBe(addQuantities('0', first.text))
    }))
  })

  it.each([['1e-999999999', '1e-9'], ['5e-12', '1e-9'], ['1e99999999999', '10e1215752190'], ['1.5e-20', '1e-9'], ['-1e-2000000000', '-1e-9']])('takes the exponent of %s without writing it out: %s', (text, want) => {
    expect(canonicalQuantity(text)).toEqual({ ok: true, text: want })
  })

  it('exponents beyond all numbers end sums at once', () => {
    expect(addQuantities('1e-999999999', '1')).toBe('1')
    expect(largerQuantity('1e999999999', '1')).toBe('1e999999999')
  })

  it('adds and rounds', () => {
    expect(addQuantities('500m', '1.5')).toBe('2')
    expect(addQuantities('1Gi', '512Mi')).toBe('1536Mi')
    expect(roundUpToMilli('100u')).toBe('1m')
    expect(roundUpToMilli('1500m')).toBe('1500m')
  })
})

describe('times', () => {
  it.each([
    ['2020-02-29T00:00:00Z', '2020-02-29T00:00:00Z'], ['2020-01-01T02:00:00+02:00', '2020-01-01T00:00:00Z'], ['2020-01-01T00:00:00.999Z', '2020-01-01T00:00:00Z'],
  ])('canonicalTime() writes %s as %s', (text, want) => {
    expect(canonicalTime(text)).toEqual({ ok: true, text: want })
  })

  it('canonicalMicroTime() keeps six decimals', () => {
    expect(canonicalMicroTime('2020-01-01T02:00:00.120000+02:00')).toEqual({ ok: true, text: '2020-01-01T00:00:00.120000Z' })
  })

  it.each([['0000-01-01T00:00:00+05:00', '-0001-12-31T19:00:00Z'], ['9999-12-31T23:59:59-05:00', '10000-01-01T04:59:59Z'], ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00Z']])('%s is %s, out of the years that have four digits', (text, want) => {
    expect(canonicalTime(text)).toEqual({ ok: true, text: want })
  })

  it('zones are at most a day and an hour apart, and say so', () => {
    expect(canonicalTime('2026-01-02T03:04:05+24:60')).toEqual({ ok: true, text: '2026-01-01T02:04:05Z' })
    expect(canonicalTime('2026-01-02T03:04:05-02:80')).toEqual({ ok: false, error: 'parsing time "2026-01-02T03:04:05-02:80": time zone offset minute out of range' })
    expect(canonicalMicroTime('2026-01-02T03:04:05.000000+25:00')).toEqual({ ok: false, error: 'parsing time "2026-01-02T03:04:05.000000+25:00": time zone offset hour out of range' })
  })

  it('a day that is not there is refused', () => {
    expect(canonicalTime('2021-02-29T00:00:00Z')).toEqual({ ok: false, error: 'parsing time "2021-02-29T00:00:00Z": day out of range' })
  })
})
