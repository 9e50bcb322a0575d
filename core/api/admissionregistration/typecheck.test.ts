/** Warnings about types against what upstream (v1.36) says of the same policies: test/golden/errors/policytypes.json. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { customKind } from '../custom.fake.ts'
import { kinds } from '../kinds.ts'
import type { ExpressionWarning, ValidatingAdmissionPolicySpec } from '../schema/types.ts'
import { typeWarnings } from './typecheck.ts'

interface Case {
  readonly spec: ValidatingAdmissionPolicySpec
  readonly warnings: readonly ExpressionWarning[]
}

const golden = JSON.parse(readFileSync(new URL('../../../test/golden/errors/policytypes.json', import.meta.url), 'utf8')) as readonly Case[]

describe('typeWarnings()', () => {
  it.each(golden.map((one, i) => [JSON.stringify(one.spec.matchConstraints?.resourceRules?.map((rule) => rule.resources)) + String(i), one] as const))('says of %s what upstream says', (_, { spec, warnings }) => {
    expect(typeWarnings({ metadata: { name: 'a' }, spec }, kinds)).toEqual(warnings)
  })

  it('knows custom kinds by what their definition publishes', () => {
    const schema = {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: {
            size: { type: 'integer' }, any: { 'x-kubernetes-int-or-string': true }, at: { type: 'string', format: 'date-time' }, free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            tags: { type: 'array', items: { type: 'string' } }, counts: { type: 'object', additionalProperties: { type: 'integer' } },
          },
        },
      },
    }
    const published = { group: 'stable.example.com', version: 'v1', kind: 'CronTab', listKind: 'CronTabList', resource: 'crontabs', schema }
    const kind = customKind('v1', {}, { published })
    const expressions = [
      'object.spec.size > 1', "object.spec.size > '1'", "object.spec.any == 1 || object.spec.any == 'a'", 'object.spec.nothing', 'object.spec.free.x == 1', 'object.metadata.labels.a == "b"',
      'object.spec.at < object.metadata.creationTimestamp', "object.spec.tags[0] == 1", 'object.spec.counts.a == 1', 'object.metadata.nothing', "object.kind == 'a'",
    ]
    const rules = [{ apiGroups: ['stable.example.com'], apiVersions: ['v1'], operations: ['*'], resources: ['crontabs'] }]
    const warnings = typeWarnings({ metadata: { name: 'a' }, spec: { matchConstraints: { resourceRules: rules }, validations: expressions.map((expression) => ({ expression })) } }, [kind])
    expect(warnings.map(({ fieldRef, warning }) => [expressions[Number(/\d+/.exec(fieldRef)?.[0])], warning.split('\n')[0]])).toEqual([
      ["object.spec.size > '1'", "stable.example.com/v1, Kind=CronTab: ERROR: <input>:1:18: found no matching overload for '_>_' applied to '(int, string)'"],
      ['object.spec.nothing', "stable.example.com/v1, Kind=CronTab: ERROR: <input>:1:12: undefined field 'nothing'"],
      ['object.spec.free.x == 1', "stable.example.com/v1, Kind=CronTab: ERROR: <input>:1:17: undefined field 'x'"],
      ['object.spec.tags[0] == 1', "stable.example.com/v1, Kind=CronTab: ERROR: <input>:1:21: found no matching overload for '_==_' applied to '(string, int)'"],
      ['object.metadata.nothing', "stable.example.com/v1, Kind=CronTab: ERROR: <input>:1:16: undefined field 'nothing'"],
    ])
  })
})
