/** What answers do not show: audit annotations, when policies are in force, who may write them. What they say of requests is test/peers/cases/policies.ts. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWebhookRig, type WebhookRig } from '../webhook/rig.fake.ts'

const registration = '/apis/admissionregistration.k8s.io/v1'
const maps = '/api/v1/namespaces/default/configmaps'
const everything = { resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }], namespaceSelector: {}, objectSelector: {} }

let rig: WebhookRig

beforeEach(async () => {
  rig = await openWebhookRig({})
})
afterEach(() => rig.close())

async function policy(name: string, spec: object, ...bindings: readonly object[]): Promise<void> {
  const made = [await rig.ask('POST', `${registration}/validatingadmissionpolicies`, { metadata: { name }, spec: { matchConstraints: everything, ...spec } })]
  for (const [i, binding] of bindings.entries()) {
    made.push(await rig.ask('POST', `${registration}/validatingadmissionpolicybindings`, { metadata: { name: `${name}-${i}` }, spec: { policyName: name, validationActions: ['Deny'], ...binding } }))
  }
  expect(made.map(({ code, text }) => (code === 201 ? '' : text))).toEqual(made.map(() => ''))
}

const post = async (name: string, as = 'admin|system:masters'): Promise<number> => (await rig.ask('POST', maps, { metadata: { name } }, { authorization: `Bearer ${as}` })).code

describe('a validating policy', () => {
  it('is in force from the next request to the one after its end', async () => {
    await policy('no', { validations: [{ expression: 'false' }] })
    expect(await post('unbound')).toBe(201)
    await rig.ask('POST', `${registration}/validatingadmissionpolicybindings`, { metadata: { name: 'no' }, spec: { policyName: 'no', validationActions: ['Deny'] } })
    expect(await post('bound')).toBe(422)
    await rig.ask('DELETE', `${registration}/validatingadmissionpolicies/no`)
    expect(await post('gone')).toBe(201)
  })

  it('leaves policies and reviews alone', async () => {
    await policy('no', { validations: [{ expression: 'false' }] }, {})
    expect((await rig.ask('DELETE', `${registration}/validatingadmissionpolicybindings/no-0`)).code).toBe(200)
  })

  it('notes what it was told to, each value once', async () => {
    const spec = { auditAnnotations: [{ key: 'name', valueExpression: "' ' + object.metadata.name" }, { key: 'nothing', valueExpression: "' '" }, { key: 'param', valueExpression: 'string(params.metadata.name)' }], paramKind: { apiVersion: 'v1', kind: 'Namespace' } }
    await policy('notes', spec, { paramRef: { name: 'default', parameterNotFoundAction: 'Deny' } }, { paramRef: { selector: {}, parameterNotFoundAction: 'Deny' } })
    await rig.ask('POST', '/api/v1/namespaces', { metadata: { name: 'other' } })
    rig.annotations.clear()
    expect(await post('a')).toBe(201)
    expect(Object.fromEntries(rig.annotations)).toEqual({ 'notes/name': 'a', 'notes/param': 'default, other' })
  })

  it('notes what failed where that is to be audited', async () => {
    await policy('audits', { validations: [{ expression: 'true' }, { expression: 'false', message: 'a < b' }] }, { validationActions: ['Audit'] })
    expect(await post('a')).toBe(201)
    expect(rig.annotations.get('validation.policy.admission.k8s.io/validation_failure')).toBe(
      String.raw`[{"message":"a \u003c b","policy":"audits","binding":"audits-0","expressionIndex":1,"validationActions":["Audit"]}]`,
    )
  })
})
