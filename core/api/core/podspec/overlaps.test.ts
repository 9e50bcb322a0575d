import { expect, it } from 'vitest'
import { overlapWarnings } from './overlaps.ts'

function warningsOf(...paths: readonly string[]): readonly string[] {
  return overlapWarnings([{ name: 'v', configMap: { name: 'c', items: paths.map((path) => ({ key: 'k', path })) } }]).map((text) => text.replace(/^.*overlapping paths: /, ''))
}

it('tells which paths would be written over each other', () => {
  expect(warningsOf('a/b', 'c', 'a', 'a-b', 'a/b/', '', '', 'c/d')).toEqual(['"a" with "a/b"', '"a/b" with "a/b"', '"a/b" with "a"', '"c/d" with "c"'])
  expect(warningsOf('a', 'ab', 'b/a', 'a.b')).toEqual([])
})

it('comes to an end with any number of them', () => {
  const started = performance.now()
  expect(warningsOf(...Array.from({ length: 60_000 }, (_, i) => `${i}`))).toEqual([])
  expect(warningsOf(...Array.from({ length: 60_000 }, () => 'a')).length).toBe(256)
  expect(warningsOf(`${'/'.repeat(500_000)}x`)).toEqual([])
  expect(performance.now() - started).toBeLessThan(5_000)
})
