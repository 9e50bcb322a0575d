import { expect, it } from 'vitest'
import { Warnings } from './warnings.ts'

function headersOf(...texts: readonly string[]): readonly string[] {
  const warnings = new Warnings()
  for (const text of texts) warnings.add(text)
  return warnings.headers
}

it('says each warning once, quoted', () => {
  expect(headersOf('a "b" \\', 'two\nlines', 'a "b" \\', '', 'not \u0007 fit')).toEqual(['299 - "a \\"b\\" \\\\"', '299 - "two lines"'])
})

it('shows long ones whole where there is room, and cuts all where there is none', () => {
  const long = 'x'.repeat(3_000)
  expect(headersOf(long, 'b')).toEqual([`299 - "${long}"`, '299 - "b"'])
  expect(headersOf('b', long, 'y'.repeat(3_000))).toEqual(['299 - "b"', `299 - "${'x'.repeat(256)}"`, `299 - "${'y'.repeat(256)}"`])
  expect(headersOf('\u{1f600}'.repeat(3_000_000))).toEqual([`299 - "${'\u{1f600}'.repeat(256)}"`])
})

it('takes no more when there are many', () => {
  const headers = headersOf(...Array.from({ length: 1_000 }, (_, i) => `${i} ${'x'.repeat(300)}`))
  expect(headers).toHaveLength(16)
  expect(headers.join('').length).toBeLessThan(5_000)
})
