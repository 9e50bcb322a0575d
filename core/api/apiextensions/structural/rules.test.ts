/** What upstream finds out of rules before they are asked (test/golden/costs): costs, how often, and what is wrong with them. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { JSONSchemaProps } from '../../schema/types.ts'
import { type Declared, declare } from './declared.ts'
import { type Rule, rulesOf } from './rules.ts'
import { structuralOf, type Structural } from './schema.ts'

interface Found {
  readonly cost: number
  readonly card: number
  readonly msg: number
  readonly old: boolean
  readonly error?: string
  readonly msgerror?: string
}

const golden = JSON.parse(readFileSync(new URL('../../../../test/golden/costs/customrules.json', import.meta.url), 'utf8')) as {
  readonly schema: JSONSchemaProps
  readonly rules: Readonly<Record<string, Found>>
}

function collect(into: Map<string, Rule>, path: string, schema: Structural | undefined, root: boolean): void {
  if (schema === undefined) return
  const declared = declare(schema, root || schema.embedded, 'selfType') as Declared
  rulesOf(schema.rules, schema, declared).forEach((rule, i) => into.set(`${path}#${i}`, rule))
  collect(into, `${path}/items`, schema.items, false)
  collect(into, `${path}/*`, schema.additional, false)
  for (const [name, inner] of schema.properties) collect(into, `${path}/${name}`, inner, false)
}

const rules = new Map<string, Rule>()
collect(rules, '', structuralOf(golden.schema), true)

describe('rules', () => {
  it.each(Object.keys(golden.rules))('%s', (place) => {
    const want = golden.rules[place] as Found
    const { source, error, messageError, cost, messageCost = 0, cardinality, readsOldSelf } = rules.get(place) as Rule
    if (want.error !== undefined) return expect([source.rule, error]).toEqual([source.rule, want.error])
    expect({ rule: source.rule, cost, card: cardinality, msg: messageCost, old: readsOldSelf, error, msgerror: messageError }).toEqual({ rule: source.rule, ...want, error: undefined, msgerror: want.msgerror })
  })

  it('are all of the schema', () => {
    expect([...rules.keys()].sort()).toEqual(Object.keys(golden.rules).sort())
  })
})
