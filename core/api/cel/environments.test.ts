/** Kubernetes' libraries against what upstream's (v1.36) answered for the same expressions: test/golden/cel/kubernetes.json. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Selector } from '../selector.ts'
import { environment } from './cel.ts'
import { mutatingLibraries } from './environments.ts'
import { Address, Network } from './library/addresses.ts'
import { authorizerType, authorizerValue, requestResourceValue, resourceCheckType, type Asked, type Decided, type Decider } from './library/authorizer.ts'
import { listOf } from './library/elements.ts'
import type { Range } from './library.ts'
import { dyn, int, list, string } from './type.ts'
import { formatType, typeName } from './typing.ts'
import { CelError, Duration, EvaluationError, ListValue, MapValue, OpaqueValue, OptionalValue, Timestamp, TypeValue, Uint, type Value } from './value.ts'

interface Case {
  readonly expression: string
  /** Why it does not compile. */
  readonly issues?: string
  /** Why no program can be made of it. */
  readonly program?: string
  readonly type?: string
  readonly min?: string
  readonly max?: string
  readonly value?: string
  readonly error?: string
  readonly cost?: string
}

const golden = JSON.parse(readFileSync(new URL('../../../test/golden/cel/kubernetes.json', import.meta.url), 'utf8')) as readonly Case[]

const env = environment({
  libraries: mutatingLibraries,
  variables: { d: dyn, s: string, ss: list(string), n: list(int), authorizer: authorizerType, 'authorizer.requestResource': resourceCheckType },
})

const sizes: Readonly<Record<string, Range>> = { s: { min: 0, max: 20 }, ss: { min: 0, max: 10 }, 'ss.@items': { min: 0, max: 5 }, n: { min: 0, max: 7 } }

const decider: Decider = { decide }

function decide(asked: Asked): Decided {
  if (asked.verb === 'get') return { allowed: true, reason: 'fine' }
  if (asked.verb === 'deny') return { allowed: false, reason: 'no' }
  if (asked.verb === 'fail') return { allowed: false, reason: 'broken', error: 'it broke' }
  return { allowed: false, reason: echo(asked) }
}

function echo(asked: Asked): string {
  const who = `${asked.user.name} [${asked.user.groups.join(' ')}] ${asked.verb}`
  if (asked.type === 'path') return `${who} ${asked.path}`
  const fields = (asked.fieldRequirements ?? []).map((r) => ` field ${r.field}${r.equal ? '=' : '!='}${r.value}`)
  const labels = asked.labelRequirements === undefined ? [] : [` labels ${new Selector(asked.labelRequirements).toString()}`]
  return `${who} ${asked.group}/${asked.version} ${asked.resource}/${asked.subresource} ${asked.namespace}/${asked.name}${[...fields, ...labels].join('')}`
}

const jane = { name: 'jane', groups: ['devs', 'system:authenticated'] }
const deployment = { group: 'apps', resource: 'deployments', subresource: 'scale', namespace: 'default', name: 'web' }
const bindings = {
  d: 1n,
  s: 'abcab',
  ss: listOf(['b', 'a', 'c', 'b']),
  n: listOf([3n, 1n, 2n]),
  authorizer: authorizerValue(jane, decider),
  'authorizer.requestResource': requestResourceValue(jane, decider, deployment),
}

/** As the program that asked upstream wrote values down. */
function show(value: Value): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return `double ${bits(value)}`
  if (value instanceof Uint) return `${value.value}u`
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (value instanceof Duration) return `duration ${value.nanos}`
  if (value instanceof Timestamp) return `timestamp ${value.nanos}`
  if (value instanceof OptionalValue) return value.value === undefined ? 'none' : `some(${show(value.value)})`
  if (value instanceof TypeValue) return `type ${typeName(value.of)}`
  if (value instanceof ListValue) return `[${Array.from({ length: value.size }, (_, i) => show(value.at(i))).join(', ')}]`
  if (value instanceof MapValue) return `{${[...value.keys()].map((key) => `${show(key)}: ${show(value.get(key) ?? null)}`).sort().join(', ')}}`
  if (value instanceof Address || value instanceof Network) return `${value.type.name} ${value.toString()}`
  return value instanceof OpaqueValue ? typeName(value.type) : 'object'
}

function bits(value: number): string {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  return view.getBigUint64(0).toString(16).padStart(16, '0')
}

function outcome(expression: string): Case {
  const compilation = env.compile(expression)
  if (!compilation.ok) return compilation.stage === 'check' ? { expression, issues: compilation.text } : { expression, program: compilation.text }
  const { compiled } = compilation
  const estimate = compiled.estimate((path) => sizes[path.join('.')])
  const checked = { expression, type: formatType(compiled.type), min: whole(estimate.min), max: whole(estimate.max) }
  try {
    const { value, cost } = compiled.evaluate(bindings)
    return { ...checked, value: show(value), cost: String(cost) }
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    return { ...checked, error: error.message, ...(error instanceof EvaluationError ? { cost: String(error.cost) } : {}) }
  }
}

/** Costs past what a double has digits for are near enough: to ten digits. */
const whole = (cost: number | string | undefined): string => Number(cost).toPrecision(10)

describe('libraries answer as upstream does', () => {
  it.each(golden)('$expression', (want) => {
    const { program } = want
    if (program !== undefined) return expect(outcome(want.expression)).toEqual({ expression: want.expression, program })
    expect(outcome(want.expression)).toEqual(want.max === undefined ? want : { ...want, min: whole(want.min), max: whole(want.max) })
  })
})
