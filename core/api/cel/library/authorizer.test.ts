import { describe, expect, it } from 'vitest'
import { environment } from '../cel.ts'
import { kubernetesLibraries } from '../environments.ts'
import type { Value } from '../value.ts'
import { authorizerType, authorizerValue, Undecided, type Asked, type Decided, type Decider } from './authorizer.ts'

const jane = { name: 'jane', groups: ['devs'] }
const env = environment({ libraries: kubernetesLibraries, variables: { authorizer: authorizerType } })

function evaluate(expression: string, decider: Decider): Value {
  const compilation = env.compile(expression)
  if (!compilation.ok) throw new Error(compilation.text)
  return compilation.compiled.evaluate({ authorizer: authorizerValue(jane, decider) }).value
}

/** Knows only what it was told; what it does not know it asks for. */
class Remembering implements Decider {
  readonly known = new Map<string, Decided>()
  readonly asked: string[] = []

  decide(asked: Asked): Decided {
    const question = asked.type === 'path' ? asked.path : asked.resource
    const known = this.known.get(question)
    if (known !== undefined) return known
    this.asked.push(question)
    throw new Undecided(Promise.resolve().then(() => this.known.set(question, { allowed: question === 'pods', reason: '' })))
  }
}

/** As callers do: wait, and evaluate again. */
async function settled(expression: string, decider: Decider): Promise<Value> {
  for (let rounds = 0; rounds < 5; rounds++) {
    try {
      return evaluate(expression, decider)
    } catch (error) {
      if (!(error instanceof Undecided)) throw error
      await error.until
    }
  }
  throw new Error('never decided')
}

describe('decisions that have to be waited for', () => {
  it('come out of an evaluation, which is then made again', async () => {
    const decider = new Remembering()
    const expression = "authorizer.path('/x').check('get').allowed() || authorizer.group('').resource('pods').check('get').allowed()"
    await expect(settled(expression, decider)).resolves.toBe(true)
    expect(decider.asked).toEqual(['/x', 'pods'])
  })

  it('are no errors that || looks past', () => {
    expect(() => evaluate("authorizer.path('/x').check('get').allowed() || true", new Remembering())).toThrow(Undecided)
  })

  it('are not asked for where they do not matter', async () => {
    const decider = new Remembering()
    await expect(settled("false && authorizer.path('/x').check('get').allowed()", decider)).resolves.toBe(false)
    expect(decider.asked).toEqual([])
  })
})

it('a service account is asked about in place of the user', () => {
  const asked: Asked[] = []
  const decider: Decider = { decide: (question) => (asked.push(question), { error: 'down' }) }
  expect(evaluate("authorizer.serviceAccount('ns', 'sa').group('apps').resource('deployments').check('get').errored()", decider)).toBe(true)
  expect(asked.map(({ user }) => user)).toEqual([{ name: 'system:serviceaccount:ns:sa', groups: ['system:serviceaccounts', 'system:serviceaccounts:ns'] }])
})
