/** What test/golden/cel does not ask: bindings, limits, extensions, and that nothing crashes. */
import { describe, expect, it } from 'vitest'
import { type Compiled, environment } from './cel.ts'
import { fromJson } from './json.ts'
import type { Library } from './library.ts'
import { dyn, int, list, string } from './type.ts'
import { CelError, CostExceeded, EvaluationError } from './value.ts'

const env = environment({ libraries: [], variables: { self: dyn, i: int, l: list(int) } })

function compiled(text: string, environment = env): Compiled {
  const compilation = environment.compile(text)
  if (!compilation.ok) throw new Error(compilation.text)
  return compilation.compiled
}

describe('Compiled', () => {
  it('says what variables it reads', () => {
    expect([...compiled('l.all(x, x > i) && l.exists(self, self > 0)').reads]).toEqual(['l', 'i'])
  })

  it('calls a binding that is a function once, when it is read', () => {
    let calls = 0
    const self = () => {
      calls++
      return 1n
    }
    const expression = compiled('i > 0 ? self + self : 0')
    expect(expression.evaluate({ i: 0n, self }).value).toBe(0n)
    expect(calls).toBe(0)
    expect(expression.evaluate({ i: 1n, self }).value).toBe(2n)
    expect(calls).toBe(1)
  })

  it('what a binding throws is looked past where it does not matter', () => {
    const self = () => {
      throw new CelError('not today')
    }
    expect(compiled('self == 1 || i == 1').evaluate({ i: 1n, self }).value).toBe(true)
    expect(() => compiled('self == 1').evaluate({ self })).toThrow(new EvaluationError('not today', 2))
  })

  it('ends when it costs too much', () => {
    const all = fromJson(Array.from({ length: 1_000 }, () => 1), list(int))
    expect(() => compiled('l.all(x, l.all(y, l.all(z, x + y + z > 0)))').evaluate({ l: all }, 10_000)).toThrow(CostExceeded)
  })

  it('an error tells its cost', () => {
    expect(() => compiled('i / 0').evaluate({ i: 1n })).toThrow(expect.objectContaining({ message: 'division by zero', cost: 2 }))
  })

  it('estimates with the sizes it is told', () => {
    const { estimate } = compiled('l.all(x, x > 0)')
    expect(estimate((path) => (path.join('.') === 'l' ? { min: 0, max: 10 } : undefined))).toEqual({ min: 2, max: 52 })
  })
})

describe('environment()', () => {
  const library: Library = {
    name: 'test',
    functions: [{
      name: 'shout',
      overloads: [{
        id: 'string_shout', member: true, params: [string], result: string,
        apply: ([text]) => `${String(text)}!`,
        cost: ([text]) => String(text).length,
        estimate: ([text]) => ({ cost: text?.size ?? { min: 0, max: 0 } }),
        prepare: ([text]) => {
          if (text === '') throw new CelError('nothing to shout')
        },
      }],
    }],
    constants: { answer: { type: int, value: 42n } },
  }
  const shouting = environment({ libraries: [library], variables: { self: dyn } })

  it('has what libraries declare', () => {
    expect(compiled("'abc'.shout()", shouting).evaluate({})).toEqual({ value: 'abc!', cost: 3 })
    expect(compiled("'abc'.shout()", shouting).estimate(() => undefined)).toEqual({ min: 3, max: 3 })
    expect(compiled('answer', shouting).evaluate({}).value).toBe(42n)
  })

  it('looks at arguments that the checker could not know', () => {
    expect(() => compiled('self.shout()', shouting).evaluate({ self: 1n })).toThrow('no such overload: shout(int)')
  })

  it('what can never work does not compile', () => {
    expect(shouting.compile("''.shout()")).toMatchObject({ ok: false, stage: 'plan', text: 'nothing to shout' })
    expect(shouting.compile("int('x')")).toMatchObject({ ok: false, stage: 'plan' })
    expect(shouting.compile("'a'.matches('[')")).toMatchObject({ ok: false, stage: 'check' })
  })

  it('optionals can be left out', () => {
    const plain = environment({ libraries: [], variables: { self: dyn }, optionals: false })
    expect(plain.compile('self.?a')).toMatchObject({ ok: false, issues: [{ line: 1, column: 4, message: "unsupported syntax '.?'" }] })
  })

  it('refuses what is too long or too deep', () => {
    expect(env.compile(' '.repeat(100_001))).toMatchObject({ ok: false, text: expect.stringContaining('size: 100001, limit 100000') })
    expect(env.compile(`${'('.repeat(10_000)}1`)).toMatchObject({ ok: false, text: expect.stringContaining('expression recursion limit exceeded: 250') })
  })
})

describe('any text', () => {
  const pieces = [
    'i', 'l', 'self', '1', '2u', "'a'", '1.5', 'true', 'null', '(', ')', '[', ']', '{', '}', '.', ',', ':', '?', '.?', '[?', '!', '-', '+', '*', '/', '%', '==', '<',
    '&&', '||', ' in ', '.map(x, ', '.all(x, ', '.exists(x, y, ', 'has(', '.size()', '.a', 'x', ' ', '"', "'", '\\', 'r"', '`', '//', '\n', 'é', '😀', 'duration("1h")',
    '.optMap(v, ', 'optional.none()', '.transformMap(k, v, ', '9223372036854775807', 'type(', '.matches("(a*)*b")', 'Obj{', 'a: ',
  ]

  it.each([1, 2, 3, 4])('compiles, or says why not; runs, or fails (seed %i)', (seed) => {
    const random = lcg(seed)
    for (let round = 0; round < 1_500; round++) {
      const text = Array.from({ length: 1 + random(14) }, () => pieces[random(pieces.length)]).join('')
      const compilation = env.compile(text)
      if (!compilation.ok) expect(compilation.text, text).not.toBe('')
      else expect(outcome(compilation.compiled), text).toMatch(/^(value|failed)$/)
    }
  })

  function outcome(expression: Compiled): string {
    try {
      expression.estimate(() => undefined)
      expression.evaluate({ self: fromJson({ a: [1] }, dyn), i: 1n, l: fromJson([1, 2], list(int)) }, 100_000)
      return 'value'
    } catch (error) {
      if (error instanceof CelError || error instanceof CostExceeded) return 'failed'
      throw error
    }
  }
})

function lcg(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
