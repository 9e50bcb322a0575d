import { describe, expect, it } from 'vitest'
import { applyDefaults } from '../schema/defaults.ts'
import type { MutatingWebhook, MutatingWebhookConfiguration } from '../schema/types.ts'
import { mutatingWebhookConfigurations as kind } from './mutatingwebhookconfiguration.ts'

const env = { now: 0, user: '' }
const plain: MutatingWebhook = {
  name: 'a.b.c', admissionReviewVersions: ['v1'], sideEffects: 'None', clientConfig: { url: 'https://h/p' },
  rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
}
const configuration = (...webhooks: object[]): MutatingWebhookConfiguration => {
  const object = { metadata: { name: 'c' }, webhooks: webhooks.map((one) => ({ ...structuredClone(plain), ...one })) } as MutatingWebhookConfiguration
  applyDefaults(kind, object)
  return object
}
const rule = (part: object): object => ({ rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], ...part }] })
const resources = (...names: string[]): object => rule({ resources: names })
const created = (...webhooks: object[]): string[] => (kind.strategy.validateCreate?.(configuration(...webhooks), env) ?? []).map((e) => e.message())

describe('a webhook configuration', () => {
  it('gets upstream\'s defaults', () => {
    expect(configuration({ clientConfig: { service: { name: 's', namespace: 'n' } } }).webhooks?.[0]).toMatchObject({
      failurePolicy: 'Fail', matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {}, timeoutSeconds: 10, reinvocationPolicy: 'Never',
      clientConfig: { service: { port: 443 } }, rules: [{ scope: '*' }],
    })
  })

  it.each<[string, object, readonly string[]]>([
    ['a good one', {}, []],
    ['no name', { name: '' }, ['webhooks[0].name: Required value']],
    ['a short name', { name: 'a.b' }, ['webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots']],
    ['no versions', { admissionReviewVersions: [] }, ['webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1']],
    ['odd versions', { admissionReviewVersions: ['v2', 'v2'] }, [
      'webhooks[0].admissionReviewVersions[1]: Invalid value: "v2": duplicate version',
      'webhooks[0].admissionReviewVersions: Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1',
    ]],
    ['side effects', { sideEffects: 'Some' }, ['webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"']],
    ['time', { timeoutSeconds: 31 }, ['webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds']],
    ['policies', { failurePolicy: 'x', matchPolicy: 'x', reinvocationPolicy: 'x' }, [
      'webhooks[0].failurePolicy: Unsupported value: "x": supported values: "Fail", "Ignore"',
      'webhooks[0].matchPolicy: Unsupported value: "x": supported values: "Equivalent", "Exact"',
      'webhooks[0].reinvocationPolicy: Unsupported value: "x": supported values: "IfNeeded", "Never"',
    ]],
    ['nowhere', { clientConfig: {} }, ['webhooks[0].clientConfig: Required value: exactly one of url or service is required']],
    ['plain HTTP', { clientConfig: { url: 'http://h' } }, ['webhooks[0].clientConfig.url: Invalid value: "http": \'https\' is the only allowed URL scheme; desired format: https://host[/path]']],
    ['a nameless service', { clientConfig: { service: { name: '', namespace: 'n' } } }, ['webhooks[0].clientConfig.service.namespace: Required value']],
    ['no operations', rule({ operations: [] }), ['webhooks[0].rules[0].operations: Required value']],
    ['odd operations', rule({ operations: ['*', 'GET'] }), [
      'webhooks[0].rules[0].operations: Invalid value: ["*","GET"]: if \'*\' is present, must not specify other operations',
      'webhooks[0].rules[0].operations[1]: Unsupported value: "GET": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
    ]],
    ['groups and versions', rule({ apiGroups: ['*', 'a'], apiVersions: [''] }), [
      'webhooks[0].rules[0].apiGroups: Invalid value: ["*","a"]: if \'*\' is present, must not specify other API groups',
      'webhooks[0].rules[0].apiVersions[0]: Required value',
    ]],
    ['resources twice', resources('*/*', 'a'), ['webhooks[0].rules[0].resources: Invalid value: ["*/*","a"]: if \'*/*\' is present, must not specify other resources']],
    ['subresources twice', resources('a/*', 'a/x'), ['webhooks[0].rules[0].resources[1]: Invalid value: "a/x": if \'a/*\' is present, must not specify a/x']],
    ['all and one', resources('*', 'a'), ['webhooks[0].rules[0].resources: Invalid value: ["*","a"]: if \'*\' is present, must not specify other resources without subresources']],
    ['scope', rule({ scope: 'x' }), ['webhooks[0].rules[0].scope: Unsupported value: "x": supported values: "*", "Cluster", "Namespaced"']],
    ['selectors', { objectSelector: { matchLabels: { a: '/' } } }, [expect.stringContaining('webhooks[0].objectSelector.matchLabels: Invalid value: "/": a valid label must be')]],
    ['conditions', { matchConditions: [{ name: '', expression: ' ' }, { name: 'a', expression: 'true' }, { name: 'a', expression: 'true' }] }, [
      'webhooks[0].matchConditions[0].expression: Required value',
      'webhooks[0].matchConditions[0].name: Required value',
      'webhooks[0].matchConditions[2].name: Duplicate value: "a"',
    ]],
    ['no condition', { matchConditions: [{ name: 'a', expression: 'object.x' }, { name: 'b', expression: '1 +' }, { name: 'c', expression: 'params == null' }] }, [
      'webhooks[0].matchConditions[0].expression: Invalid value: "object.x": must evaluate to bool but got dyn',
      expect.stringMatching(/^webhooks\[0\].matchConditions\[1\].expression: Invalid value: "1 \+": compilation failed: ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>'/),
      expect.stringContaining("compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')"),
    ]],
    ['many conditions', { matchConditions: Array.from({ length: 65 }, (_, i) => ({ name: `c${i}`, expression: 'true' })) }, ['webhooks[0].matchConditions: Too many: 65: must have at most 64 items']],
  ])('%s', (_, part, want) => {
    expect(created(part)).toEqual(want)
  })

  it('has no two webhooks of one name, unless it had before', () => {
    expect(created({}, {})).toEqual(['webhooks[1].name: Duplicate value: "a.b.c"'])
    const twice = configuration({}, {})
    expect(kind.strategy.validateUpdate?.(twice, twice, env)).toEqual([])
  })

  it('may keep side effects that it had', () => {
    const old = configuration({ sideEffects: 'Some' })
    expect(kind.strategy.validateUpdate?.(configuration({ sideEffects: 'Unknown' }), old, env)).toEqual([])
    expect(kind.strategy.validateUpdate?.(old, configuration({}), env)).toHaveLength(1)
  })
})
