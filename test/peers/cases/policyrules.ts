/** Policies in CEL: what is refused when they are written down. */
import type { Case, CaseGroup } from '../case.ts'

const registration = '/apis/admissionregistration.k8s.io/v1'

type Json = Readonly<Record<string, unknown>>

const some = { resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] }] }

const validating = (name: string, spec: Json, metadata: Json = {}): Case => ({
  name: `validating: ${name}`, method: 'POST', path: `${registration}/validatingadmissionpolicies`,
  body: { metadata: { name: 'refused', ...metadata }, spec: { matchConstraints: some, validations: [{ expression: 'true' }], ...spec } },
})
const mutating = (name: string, spec: Json): Case => ({
  name: `mutating: ${name}`, method: 'POST', path: `${registration}/mutatingadmissionpolicies`,
  body: { metadata: { name: 'refused' }, spec: { matchConstraints: some, reinvocationPolicy: 'Never', mutations: [apply('Object{}')], ...spec } },
})
const binding = (kind: 'validating' | 'mutating', name: string, spec: Json): Case => ({
  name: `${kind} binding: ${name}`, method: 'POST', path: `${registration}/${kind}admissionpolicybindings`,
  body: { metadata: { name: 'refused' }, spec: { policyName: 'a', ...(kind === 'validating' ? { validationActions: ['Deny'] } : {}), ...spec } },
})
const apply = (expression: string): Json => ({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } })
const json = (expression: string): Json => ({ patchType: 'JSONPatch', jsonPatch: { expression } })
const one = (more: Json): Json => ({ validations: [{ expression: 'true', ...more }] })
const expression = (text: string, more: Json = {}): Json => ({ validations: [{ expression: text }], ...more })
const reference = { name: 'a', parameterNotFoundAction: 'Deny' }

export const policyRules: CaseGroup = {
  name: 'policyrules',
  golden: true,
  cases: [
    { name: 'nothing', method: 'POST', path: `${registration}/validatingadmissionpolicies`, body: {} },
    { name: 'mutating nothing', method: 'POST', path: `${registration}/mutatingadmissionpolicies`, body: {} },
    { name: 'no binding', method: 'POST', path: `${registration}/validatingadmissionpolicybindings`, body: {} },
    { name: 'no mutating binding', method: 'POST', path: `${registration}/mutatingadmissionpolicybindings`, body: {} },
    validating('failure policy', { failurePolicy: 'Sometimes' }),
    validating('no rules', { matchConstraints: {} }),
    validating('rules', { matchConstraints: { matchPolicy: 'Nearly', resourceRules: [{ apiGroups: ['*', 'a'], apiVersions: [''], operations: ['PATCH'], resources: ['*', 'a'], resourceNames: ['a', 'a', 'a/b'], scope: 'All' }], excludeResourceRules: [{}], namespaceSelector: { matchExpressions: [{ key: 'a b', operator: 'Is' }] } } }),
    validating('no validations', { validations: [] }),
    validating('empty expression', expression(' ')),
    validating('syntax', expression('a b')),
    validating('unknown name', expression('objects.spec')),
    validating('not a bool', expression('object.spec.replicas')),
    validating('not a bool but text', expression("'a'")),
    validating('times', expression("timestamp('2020-01-01T00:00:00Z')")),
    validating('lists', expression('[duration("1s")]')),
    validating('unknown field of the request', expression('request.nothing')),
    validating('no params', expression('params.a')),
    validating('params', expression('params.a', { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } })),
    validating('no variables', expression('variables.a')),
    validating('unknown variable', expression('variables.b', { variables: [{ name: 'a', expression: '1' }] })),
    validating('variable of another type', expression("variables.a == 'x'", { variables: [{ name: 'a', expression: '1' }] })),
    validating('variables out of order', expression('variables.a == 1', { variables: [{ name: 'a', expression: 'variables.b' }, { name: 'b', expression: '1' }] })),
    validating('variable names', { variables: [{ name: '', expression: '' }, { name: 'in', expression: '1' }, { name: 'a-b', expression: ' ' }, { name: 'ok', expression: 'a b' }] }),
    validating('variable of an object', expression('variables.n.metadata.nothing == 1', { variables: [{ name: 'n', expression: 'namespaceObject' }] })),
    validating('variable of lists', expression('variables.n[0] == 1', { variables: [{ name: 'n', expression: "[['a']]" }] })),
    validating('patches', expression('Object{} == Object{}')),
    validating('literal that cannot be made', expression("int('x') == 1")),
    validating('message expression', one({ messageExpression: '1' })),
    validating('message expression of any type', one({ messageExpression: 'object.a' })),
    validating('blank message expression', one({ messageExpression: ' ' })),
    validating('authorizer in a message expression', one({ messageExpression: "string(authorizer.path('/a').check('get').allowed())" })),
    validating('blank message', one({ message: ' ' })),
    validating('message of two lines', one({ message: 'a\nb' })),
    validating('reason', one({ reason: 'Teapot' })),
    validating('param kind', { paramKind: { apiVersion: 'a/b/c', kind: 'My_Kind' } }),
    validating('no param kind', { paramKind: {} }),
    validating('param kind of a wrong group', { paramKind: { apiVersion: 'A_b/V1', kind: 'a' } }),
    validating('param kind without version', { paramKind: { apiVersion: 'a/', kind: 'a' } }),
    validating('conditions', { matchConditions: [{ name: '', expression: '' }, { name: 'a b', expression: '1' }, { name: 'c', expression: 'variables.a' }, { name: 'c', expression: 'true' }] }),
    validating('annotations', { auditAnnotations: [{ key: '', valueExpression: '' }, { key: 'a b', valueExpression: '1' }, { key: 'c', valueExpression: ' a b' }, { key: 'c', valueExpression: "'a'" }, { key: 'd', valueExpression: `'${'x'.repeat(5_200)}'` }, { key: 'e', valueExpression: 'null' }, { key: 'f', valueExpression: 'object.a' }] }),
    validating('too many annotations', { auditAnnotations: Array.from({ length: 21 }, (_, i) => ({ key: `k${i}`, valueExpression: "'a'" })) }),
    validating('generated name', { auditAnnotations: [{ key: 'a', valueExpression: "'a'" }] }, { name: '', generateName: 'gen-' }),
    validating('reserved name', { failurePolicy: 'No' }, { name: 'a.static.k8s.io' }),
    validating('wrong name', {}, { name: 'A_b' }),
    mutating('no mutations', { mutations: [] }),
    mutating('operations', { matchConstraints: { resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['DELETE', 'CONNECT', 'CREATE'], resources: ['*'] }] } }),
    mutating('any operation', { matchConstraints: { resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }] } }),
    mutating('reinvocation', { reinvocationPolicy: 'Maybe' }),
    mutating('no reinvocation', { reinvocationPolicy: undefined }),
    mutating('patch types', { mutations: [{}, { patchType: 'Merge' }, { patchType: 'JSONPatch' }, { patchType: 'ApplyConfiguration' }, { ...apply('Object{}'), jsonPatch: { expression: '[]' } }, { ...json('[]'), applyConfiguration: { expression: '[]' } }, apply(' '), json('')] }),
    mutating('results', { mutations: [apply('Object.spec{}'), apply('1'), apply('object'), json('[]'), json("[JSONPatch{op: 'add'}, Object{}]"), json('Object{}'), json('[1]')] }),
    mutating('patch fields', { mutations: [json("[JSONPatch{op: 1, path: 'a'}]")] }),
    mutating('unknown type', { mutations: [apply('Objects{}'), apply('Object.spec'), apply('Object{a b}')] }),
    mutating('variables', { variables: [{ name: 'a', expression: '1' }], mutations: [apply("Object{metadata: Object.metadata{name: variables.b}}"), apply("Object{metadata: Object.metadata{name: variables.a + 'x'}}")] }),
    mutating('escape', { mutations: [json("[JSONPatch{op: 'add', path: jsonpatch.escapeKey(1)}]")] }),
    binding('validating', 'policy name', { policyName: 'A_b' }),
    binding('validating', 'no actions', { validationActions: [] }),
    binding('validating', 'actions', { validationActions: ['Deny', 'Warn', 'Deny', 'Shout'] }),
    binding('validating', 'reference to nothing', { paramRef: {} }),
    binding('validating', 'reference twice', { paramRef: { ...reference, selector: { matchLabels: { 'a b': 'c' } } } }),
    binding('validating', 'reference with a wrong action', { paramRef: { ...reference, name: 'a/b', parameterNotFoundAction: 'Cry' } }),
    binding('validating', 'resources', { matchResources: { matchPolicy: 'No', resourceRules: [{ apiGroups: [] }] } }),
    binding('mutating', 'policy name', { policyName: '' }),
    binding('mutating', 'operations', { matchResources: { resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['DELETE'], resources: ['*'] }] } }),
    binding('mutating', 'reference', { paramRef: { selector: {} } }),
  ],
}
