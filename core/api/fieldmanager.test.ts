import { describe, expect, it } from 'vitest'
import { path } from './field.ts'
import { managerOfAgent, validateManagerName } from './fieldmanager.ts'

describe('validateManagerName()', () => {
  it.each([
    ['kubectl client', []],
    ['a\nb', ['fieldManager: Invalid value: "a\\nb": invalid character U+000A (at position 1)']],
    ['é\u00a0', ['fieldManager: Invalid value: "é\\u00a0": invalid character U+00A0 (at position 2)']],
    ['x'.repeat(129), ['fieldManager: Too long: may not be more than 128 bytes']],
    ['é'.repeat(65), ['fieldManager: Too long: may not be more than 128 bytes']],
  ])('%j', (manager, want) => {
    expect(validateManagerName(manager, path('fieldManager')).map((error) => error.message())).toEqual(want)
  })
})

it.each([['kubectl/v1.36 (linux)', 'kubectl'], ['a\u0000b', 'ab'], ['é'.repeat(100), 'é'.repeat(64)], ['/v1', 'unknown'], ['', 'unknown']])(
  'managerOfAgent(%j) is %j', (agent, want) => { expect(managerOfAgent(agent)).toBe(want) },
)
