/** Expressions about devices are judged, and cost, as upstream's compiler says (test/golden/costs/deviceselectors.json). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Errors } from '../checks.ts'
import { path } from '../field.ts'
import { compileSelector, sizeOfDevice, validateExpression } from './selectors.ts'

interface Golden {
  readonly expression: string
  readonly error?: string
  readonly cost: number
}

const golden = JSON.parse(readFileSync(new URL('../../../test/golden/costs/deviceselectors.json', import.meta.url), 'utf8')) as readonly Golden[]

describe('selectors', () => {
  it.each(golden)('$expression', ({ expression, error, cost }) => {
    const errors: Errors = []
    validateExpression(errors, expression, path('e'))
    const wrong = errors.find(({ type }) => type === 'FieldValueInvalid' || type === 'InternalError')?.detail
    expect(wrong).toBe(error)
    if (error !== undefined) return
    const result = compileSelector(expression)
    expect(result.ok ? result.compiled.estimate(sizeOfDevice).max : undefined).toBe(cost)
    expect(errors.map(({ detail }) => detail)).toEqual(cost > 1_000_000 ? ['too complex, exceeds cost limit'] : [])
  })
})
