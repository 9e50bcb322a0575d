import { describe, expect, it } from 'vitest'
import { cloneJson } from '../../lib/json.ts'
import type { FlowSchema, PriorityLevelConfiguration } from '../schema/types.ts'
import { mandatoryLevels, mandatorySchemas, suggestedLevels, suggestedSchemas } from './bootstrap.ts'
import { byPrecedence } from './flowschema.ts'
import { levelStrategy } from './levelrules.ts'
import { flowSchemaStrategy } from './schemarules.ts'

const env = { now: 0, user: '' }

function wrongSchema(change: (schema: FlowSchema) => void, name = 'mine'): readonly string[] {
  const schema = cloneJson(suggestedSchemas.find((s) => s.metadata.name === 'system-node-high')) as FlowSchema
  schema.metadata.name = name
  change(schema)
  return (flowSchemaStrategy.validateCreate?.(schema, env) ?? []).map((e) => e.message())
}

function wrongLevel(change: (level: PriorityLevelConfiguration) => void, name = 'mine'): readonly string[] {
  const level = cloneJson(suggestedLevels[0]) as PriorityLevelConfiguration
  level.metadata.name = name
  change(level)
  return (levelStrategy.validateCreate?.(level, env) ?? []).map((e) => e.message())
}

const firstRule = (schema: FlowSchema) => schema.spec?.rules?.[0] as NonNullable<NonNullable<FlowSchema['spec']>['rules']>[number]

describe('FlowSchema', () => {
  it('takes everything that comes with a cluster', () => {
    for (const schema of [...mandatorySchemas, ...suggestedSchemas]) expect(flowSchemaStrategy.validateCreate?.(schema, env)).toEqual([])
  })

  const cases: readonly (readonly [string, (schema: FlowSchema) => void, readonly string[]])[] = [
    ['a precedence that is kept for exempt', (s) => void (s.spec!.matchingPrecedence = 1), ["spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"]],
    ['a precedence beyond the last', (s) => void (s.spec!.matchingPrecedence = 10_001), ['spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000']],
    ['no level', (s) => void (s.spec!.priorityLevelConfiguration.name = ''), ['spec.priorityLevelConfiguration.name: Required value: must reference a priority level']],
    ['no subject', (s) => void (firstRule(s).subjects = []), ['spec.rules[0].subjects: Required value: subjects must contain at least one value']],
    ['a subject of two kinds', (s) => void (firstRule(s).subjects = [{ kind: 'User', user: { name: 'a' }, group: { name: 'b' } }]), ["spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'"]],
    ['a verb beside all verbs', (s) => void (firstRule(s).resourceRules![0]!.verbs = ['*', 'get']), ["spec.rules[0].resourceRules[0].verbs: Invalid value: [\"*\",\"get\"]: if '*' is present, must not specify other verbs"]],
    ['no namespace and no cluster scope', (s) => void Object.assign(firstRule(s).resourceRules![1]!, { namespaces: [], clusterScope: false }), ['spec.rules[0].resourceRules[1].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace']],
    ['a wildcard within a path', (s) => void (firstRule(s).nonResourceRules = [{ verbs: ['get'], nonResourceURLs: ['/a*'] }]), ['spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "/a*": wildcard can only do suffix matching']],
  ]
  it.each(cases)('refuses %s', (_name, change, messages) => expect(wrongSchema(change)).toEqual(messages))

  it('keeps the mandatory ones as they are', () => {
    expect(wrongSchema(() => {}, 'catch-all').at(-1)).toMatch(/spec of 'catch-all' must equal the fixed value$/)
  })

  it('is asked by precedence, then by name', () => {
    const names = [...suggestedSchemas].toSorted(byPrecedence).map((s) => s.metadata.name)
    expect(names).toEqual(['probes', 'system-leader-election', 'system-node-high', 'system-nodes', 'kube-controller-manager', 'kube-scheduler', 'kube-system-service-accounts', 'service-accounts', 'global-default'])
  })
})

describe('PriorityLevelConfiguration', () => {
  it('takes everything that comes with a cluster', () => {
    for (const level of [...mandatoryLevels, ...suggestedLevels]) expect(levelStrategy.validateCreate?.(level, env)).toEqual([])
  })

  const limited = (level: PriorityLevelConfiguration) => level.spec?.limited as NonNullable<NonNullable<PriorityLevelConfiguration['spec']>['limited']>
  const cases: readonly (readonly [string, (level: PriorityLevelConfiguration) => void, readonly string[]])[] = [
    ['exempt under another name', (l) => void (l.spec = { type: 'Exempt', exempt: {} }), ["spec.type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'"]],
    ['nothing said of limits', (l) => void (l.spec = { type: 'Limited' }), ['spec.limited: Required value: must not be empty when type is Limited']],
    ['queues for what is rejected', (l) => void (limited(l).limitResponse!.type = 'Reject'), ['spec.limited.limitResponse.queuing: Forbidden: must be nil if limited.limitResponse.type is not Limited']],
    ['more lent than there is', (l) => void (limited(l).lendablePercent = 101), ['spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive']],
    ['a hand larger than the deck', (l) => void (limited(l).limitResponse!.queuing = { queues: 2, handSize: 3, queueLengthLimit: 1 }), ['spec.limited.limitResponse.queuing.handSize: Invalid value: 3: should not be greater than queues (2)']],
    ['a hand that no hash can deal', (l) => void (limited(l).limitResponse!.queuing = { queues: 1_024, handSize: 8, queueLengthLimit: 1 }), ['spec.limited.limitResponse.queuing.handSize: Invalid value: 8: required entropy bits of deckSize 1024 and handSize 8 should not be greater than 60']],
  ]
  it.each(cases)('refuses %s', (_name, change, messages) => expect(wrongLevel(change)).toEqual(messages))

  it('lets the shares of exempt be changed, and nothing else of it', () => {
    expect(wrongLevel((l) => void (l.spec = { type: 'Exempt', exempt: { nominalConcurrencyShares: 10, lendablePercent: 50 } }), 'exempt')).toEqual([])
    expect(wrongLevel((l) => void (l.spec = { type: 'Limited' }), 'exempt').at(-1)).toMatch(/except the 'spec.exempt' field must equal the fixed value$/)
  })
})
