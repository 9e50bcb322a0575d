import { describe, expect, it } from 'vitest'
import { jsonPath } from './jsonpath.ts'

const value = {
  a: 1,
  text: 'x',
  list: [1, 2, 3, 4],
  'a key': { b: 2 },
  'dot.ted': 5,
  pods: [{ name: 'p', ready: true, n: 1 }, { name: 'q', ready: false, n: 2, labels: { x: 'y' } }],
}

describe('jsonPath()', () => {
  it.each([
    ['.a', [1]],
    ['$.a', [1]],
    ['.gone', []],
    ['.gone.more', []],
    ['.list[0]', [1]],
    ['.list[-1:]', [4]],
    ['.list[1:3]', [2, 3]],
    ['.list[::2]', [1, 3]],
    ['.list[*]', [1, 2, 3, 4]],
    ['.list[0,2]', [1, 3]],
    [".dot\\.ted", [5]],
    ["['a']", [1]],
    [".['a']", []],
    ['.pods[*].name', ['p', 'q']],
    ['.pods[?(@.name=="q")].n', [2]],
    [".pods[?(@.name=='q')].n", [2]],
    ['.pods[?(@.n>1)].name', ['q']],
    ['.pods[?(@.n!=1)].name', ['q']],
    ['.pods[?(@.ready==true)].name', ['p']],
    ['.pods[?(@.labels)].name', ['q']],
    ['.pods[?(@.name=="none")].n', []],
    ['..n', [1, 2]],
    ['.list[9]', undefined],
    ['.a[0]', undefined],
    ['.pods[?(@.n=="1")].name', undefined],
  ])('finds what %s says', (text, found) => {
    expect(jsonPath(text)?.(value)).toEqual(found)
  })

  it.each(['.list[x]', '.list[', '.pods[?(@.a==1]', 'word'])('does not read %s', (text) => {
    expect(jsonPath(text)).toBeUndefined()
  })
})

it('paths that find everything below everything, again and again, come to an end', () => {
  const deep = { a: { b: { c: { d: [1, { e: 2 }] } } } }
  expect(jsonPath('..e')?.(deep)).toEqual([2])
  expect(jsonPath('.'.repeat(250))?.(deep)).toBeUndefined()
})
