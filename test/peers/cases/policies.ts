/**
 * Policies in CEL: what they say of requests and make of objects. Every policy is about objects with a label of its own;
 * all of them are there before the first request is made.
 */
import { namespaceCases, type Case, type CaseGroup } from '../case.ts'

const registration = '/apis/admissionregistration.k8s.io/v1'
const home = '/api/v1/namespaces/policies'
const apps = '/apis/apps/v1/namespaces/policies/deployments'
/** Upstream looks at policies once a second, and at schemas every five. */
const inForceMs = 8_000

type Json = Readonly<Record<string, unknown>>

interface Scenario {
  readonly name: string
  readonly policy: Json
  readonly binding: Json | readonly Json[]
  readonly kind: 'Validating' | 'Mutating'
  readonly requests: readonly Case[]
}

const everything = [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: ['*/*'] }]

function about(label: string, more: Json = {}): Json {
  return { resourceRules: everything, objectSelector: { matchLabels: { case: label } }, ...more }
}

/** The label is the scenario's name. */
export const configMap = (label: string, more: Json = {}): Json => ({ metadata: { name: `map-${label}`, labels: { case: label } }, ...more })
const post = (name: string, body: Json, path = `${home}/configmaps?dryRun=All`): Case => ({ name, method: 'POST', path, body })

function validating(label: string, policy: Json, more: { readonly binding?: Json | readonly Json[]; readonly map?: Json; readonly requests?: readonly Case[] } = {}): Scenario {
  return {
    kind: 'Validating', name: label,
    policy: { matchConstraints: about(label), ...policy },
    binding: more.binding ?? {},
    requests: more.requests ?? [post(label, configMap(label, more.map ?? { data: { a: '1', b: 'two' } }))],
  }
}

function mutating(label: string, mutations: readonly (string | { readonly json: string })[], more: { readonly policy?: Json; readonly binding?: Json | readonly Json[]; readonly map?: Json; readonly requests?: readonly Case[] } = {}): Scenario {
  return {
    kind: 'Mutating', name: label,
    policy: {
      matchConstraints: about(label), reinvocationPolicy: 'Never',
      mutations: mutations.map((one) => (typeof one === 'string' ? { patchType: 'ApplyConfiguration', applyConfiguration: { expression: one } } : { patchType: 'JSONPatch', jsonPatch: { expression: one.json } })),
      ...more.policy,
    },
    binding: more.binding ?? {},
    requests: more.requests ?? [post(label, configMap(label, more.map ?? { data: { a: '1', b: 'two' } }))],
  }
}

const rules = (...expressions: readonly string[]): Json => ({ validations: expressions.map((expression) => ({ expression })) })
const deployment = (label: string, more: Json = {}, container: Json = {}): Json => ({
  metadata: { name: `app-${label}`, labels: { case: label } },
  spec: { replicas: 2, selector: { matchLabels: { app: 'a' } }, template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'main', image: 'a:1', ...container }] } }, ...more },
})
const deploy = (label: string, more: Json = {}, container: Json = {}): readonly Case[] => [post(label, deployment(label, more, container), `${apps}?dryRun=All`)]
const config = { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } }
const long = `'${'x'.repeat(1_000)}'`

const judging: readonly Scenario[] = [
  validating('allowed', rules('object.data.a == "1"')),
  validating('denied', rules('object.data.a == "2"')),
  validating('second-denied', rules('true', "has(object.data.c)", 'false')),
  validating('message', { validations: [{ expression: 'false', message: ' not like this ' }] }),
  validating('message-expression', { validations: [{ expression: 'false', message: 'plain', messageExpression: "'a is ' + object.data.a" }] }),
  validating('message-fails', { validations: [{ expression: 'false', message: 'plain', messageExpression: 'object.data.missing' }] }),
  validating('message-lines', { validations: [{ expression: 'false', message: 'plain', messageExpression: "'one\\ntwo'" }] }),
  validating('message-empty', { validations: [{ expression: 'false', messageExpression: "'  '" }] }),
  validating('message-long', { validations: [{ expression: 'false', messageExpression: Array.from({ length: 6 }, () => long).join(' + ') }] }),
  ...['Forbidden', 'RequestEntityTooLarge', 'Invalid'].map((reason) => validating(`reason-${reason.toLowerCase()}`, { validations: [{ expression: 'false', message: 'no', reason }] })),
  validating('error', rules('object.data.missing == "1"')),
  validating('error-ignored', { ...rules('object.data.missing == "1"'), failurePolicy: 'Ignore' }),
  validating('error-then-denied', { ...rules('object.data.missing == "1"', 'false'), failurePolicy: 'Ignore' }),
  validating('variables', { variables: [{ name: 'a', expression: 'int(object.data.a)' }, { name: 'next', expression: 'variables.a + 1' }], validations: [{ expression: 'variables.next == 3', messageExpression: "'next is ' + string(variables.next)" }] }),
  validating('variable-fails', { variables: [{ name: 'a', expression: 'int(object.data.b)' }, { name: 'next', expression: 'variables.a + 1' }], ...rules('variables.next == 3') }),
  validating('variable-unused', { variables: [{ name: 'a', expression: 'int(object.data.b)' }], ...rules('true || variables.a == 1') }),
  validating('variables-of-types', { variables: [{ name: 'keys', expression: 'object.data.map(k, k)' }, { name: 'sizes', expression: "{'a': size(object.data)}" }], ...rules("variables.keys.exists(k, k == 'c') || variables.sizes['a'] == 3") }),
  validating('conditions-false', { ...rules('false'), matchConditions: [{ name: 'a', expression: 'object.data.a == "2"' }] }),
  validating('conditions-true', { ...rules('false'), matchConditions: [{ name: 'a', expression: 'object.data.a == "1"' }] }),
  validating('conditions-fail', { ...rules('false'), matchConditions: [{ name: 'a', expression: 'object.data.missing == "1"' }, { name: 'b', expression: 'true' }] }),
  validating('conditions-fail-ignored', { ...rules('false'), failurePolicy: 'Ignore', matchConditions: [{ name: 'a', expression: 'object.data.missing == "1"' }] }),
  validating('request', { validations: [{ expression: 'false', messageExpression: "request.operation + ' ' + request.kind.kind + ' ' + request.resource.resource + ' ' + request.name + ' ' + request.namespace + ' ' + request.userInfo.username + ' ' + string(request.dryRun) + ' ' + string(has(request.subResource)) + ' ' + request.options.kind" }] }),
  validating('namespace', { validations: [{ expression: 'false', messageExpression: "namespaceObject.metadata.name + ' ' + namespaceObject.status.phase + ' ' + namespaceObject.metadata.labels['kubernetes.io/metadata.name']" }] }),
  validating('old-object', { validations: [{ expression: 'oldObject == null', message: 'there is an old one' }] }),
  validating('authorizer', rules("authorizer.group('').resource('pods').namespace('policies').check('create').allowed()", "authorizer.requestResource.check('create').allowed()", "authorizer.path('/healthz').check('get').allowed()", "authorizer.serviceAccount('policies', 'default').group('').resource('pods').check('delete').allowed()")),
  validating('warns', { validations: [{ expression: 'false', message: 'careful' }] }, { binding: { validationActions: ['Warn'] } }),
  validating('audits', { validations: [{ expression: 'false', message: 'noted' }] }, { binding: { validationActions: ['Audit'] } }),
  validating('denies-and-audits', { validations: [{ expression: 'false', message: 'noted' }] }, { binding: { validationActions: ['Audit', 'Deny'] } }),
  validating('annotated', { auditAnnotations: [{ key: 'note', valueExpression: "'x'" }] }),
  validating('annotation-fails', { auditAnnotations: [{ key: 'note', valueExpression: 'object.data.missing' }] }),
  validating('annotation-null', { auditAnnotations: [{ key: 'note', valueExpression: 'null' }] }),
  validating('budget', { variables: [{ name: 'all', expression: 'object.data.map(k, object.data[k])' }], ...rules(...Array.from({ length: 3 }, () => "variables.all.all(a, variables.all.all(b, variables.all.all(c, variables.all.all(d, size(a + b + c + d) > 0))))")) }, { map: { data: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i}`, 'v'])) } }),
  validating('two-bindings', rules('object.data.a == "2"'), { binding: [{ validationActions: ['Warn'] }, {}] }),
  validating('param', { ...config, validations: [{ expression: 'object.data.a == params.data.want', messageExpression: "'wanted ' + params.data.want + ' of ' + params.kind" }] }, { binding: { paramRef: { name: 'want', namespace: 'policies', parameterNotFoundAction: 'Deny' } } }),
  validating('param-of-namespace', { ...config, validations: [{ expression: 'false', messageExpression: "'wanted ' + params.data.want + ' in ' + params.metadata.namespace" }] }, { binding: { paramRef: { name: 'want', parameterNotFoundAction: 'Deny' } } }),
  validating('params-selected', { ...config, validations: [{ expression: "params.data.want != '8'", messageExpression: "'wanted ' + params.data.want" }] }, { binding: { paramRef: { selector: { matchLabels: { role: 'want' } }, parameterNotFoundAction: 'Deny' } } }),
  validating('param-missing', { ...config, ...rules('true') }, { binding: { paramRef: { name: 'missing', namespace: 'policies', parameterNotFoundAction: 'Deny' } } }),
  validating('param-missing-allowed', { ...config, ...rules('false') }, { binding: { paramRef: { name: 'missing', namespace: 'policies', parameterNotFoundAction: 'Allow' } } }),
  validating('param-not-referred', { ...config, ...rules('params != null') }),
  validating('param-kind-unknown', { paramKind: { apiVersion: 'peers.example.com/v1', kind: 'Nothing' }, ...rules('true') }, { binding: { paramRef: { name: 'a', parameterNotFoundAction: 'Deny' } } }),
  validating('param-kind-unknown-ignored', { paramKind: { apiVersion: 'peers.example.com/v1', kind: 'Nothing' }, failurePolicy: 'Ignore', ...rules('true') }, { binding: { paramRef: { name: 'a', parameterNotFoundAction: 'Deny' } } }),
  validating('param-cluster-scoped', { paramKind: { apiVersion: 'v1', kind: 'Namespace' }, ...rules('params.metadata.name == "other"') }, { binding: { paramRef: { name: 'policies', parameterNotFoundAction: 'Deny' } } }),
  validating('param-namespace-refused', { paramKind: { apiVersion: 'v1', kind: 'Namespace' }, ...rules('true') }, { binding: { paramRef: { name: 'policies', namespace: 'policies', parameterNotFoundAction: 'Deny' } } }),
  validating('param-for-cluster', { ...config, ...rules('true') }, { binding: { paramRef: { name: 'want', parameterNotFoundAction: 'Deny' } }, requests: [post('param-for-cluster', { metadata: { name: 'param-for-cluster', labels: { case: 'param-for-cluster' } }, provisioner: 'a' , }, '/apis/storage.k8s.io/v1/storageclasses?dryRun=All')] }),
  validating('binding-narrows', rules('false'), { binding: { matchResources: { resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['*'], resources: ['deployments'] }] } } }),
  validating('binding-excludes', rules('false'), { binding: { matchResources: { excludeResourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }] } } }),
  validating('binding-names', rules('false'), { binding: { matchResources: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'], resourceNames: ['map-other'] }] } } }),
  validating('namespaces-created', { ...rules('namespaceObject == null', "object.metadata.name == 'x'") }, { requests: [post('namespaces-created', { metadata: { name: 'created', labels: { case: 'namespaces-created' } } }, '/api/v1/namespaces?dryRun=All')] }),
  validating('deployment', rules('object.spec.replicas <= 1', 'object.spec.template.spec.containers.all(c, c.image.startsWith("b"))'), { requests: deploy('deployment') }),
  validating('quantity', rules("quantity(object.spec.template.spec.containers[0].resources.requests.memory).isLessThan(quantity('1Gi'))"), { requests: deploy('quantity', {}, { resources: { requests: { memory: '2Gi' } } }) }),
  validating('generated-name', { validations: [{ expression: 'false', messageExpression: "request.name + '|' + object.metadata.generateName + '|' + string(size(object.metadata.name) > 5)" }] }, { requests: [post('generated-name', { metadata: { generateName: 'gen-', labels: { case: 'generated-name' } } })] }),
]

/** About what stands there already. */
const standing: readonly Scenario[] = [
  validating('update', { matchConstraints: about('update', { resourceRules: [{ ...everything[0], operations: ['UPDATE'] }] }), validations: [{ expression: 'object.data.a == oldObject.data.a', messageExpression: "'was ' + oldObject.data.a + ', is ' + object.data.a + ' ' + request.options.kind" }] }, {
    requests: [
      { ...post('update: create', configMap('update', { data: { a: '1' } }), `${home}/configmaps`), compare: 'code' },
      { name: 'update: put', method: 'PUT', path: `${home}/configmaps/map-update`, body: configMap('update', { data: { a: '2' } }) },
      { name: 'update: patch', method: 'PATCH', type: 'application/merge-patch+json', path: `${home}/configmaps/map-update`, body: { data: { a: '3' } } },
      { name: 'update: relabelled', method: 'PATCH', type: 'application/merge-patch+json', path: `${home}/configmaps/map-update`, body: { metadata: { labels: null }, data: { a: '3' } } },
    ],
  }),
  validating('delete', { matchConstraints: about('delete', { resourceRules: [{ ...everything[0], operations: ['DELETE'] }] }), validations: [{ expression: 'false', messageExpression: "'object is ' + (object == null ? 'null' : 'there') + ', old is ' + oldObject.metadata.name" }] }, {
    requests: [
      { ...post('delete: create', configMap('delete'), `${home}/configmaps`), compare: 'code' },
      { name: 'delete', method: 'DELETE', path: `${home}/configmaps/map-delete` },
      { name: 'delete: collection', method: 'DELETE', path: `${home}/configmaps?labelSelector=case%3Ddelete` },
    ],
  }),
  validating('scale', { matchConstraints: { resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['deployments/scale'], resourceNames: ['app-scale'] }] }, validations: [{ expression: 'object.spec.replicas < 5', messageExpression: "object.kind + ' ' + object.apiVersion + ' ' + string(object.spec.replicas) + ' ' + string(oldObject.spec.replicas) + ' ' + request.subResource + ' ' + request.kind.kind + ' ' + request.resource.resource" }] }, {
    requests: [
      { ...post('scale: create', deployment('scale'), apps), compare: 'code' },
      { name: 'scale: up', method: 'PATCH', type: 'application/merge-patch+json', path: `${apps}/app-scale/scale`, body: { spec: { replicas: 9 } } },
      { name: 'scale: a little', method: 'PATCH', type: 'application/merge-patch+json', path: `${apps}/app-scale/scale`, body: { spec: { replicas: 3 } } },
    ],
  }),
  validating('status', { matchConstraints: { resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['deployments/status'], resourceNames: ['app-status'] }] }, ...rules('object.status.replicas < 5') }, {
    requests: [
      { ...post('status: create', deployment('status'), apps), compare: 'code' },
      { name: 'status', method: 'PATCH', type: 'application/merge-patch+json', path: `${apps}/app-status/status`, body: { status: { replicas: 9 } } },
    ],
  }),
  validating('eviction', { matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods/eviction'], resourceNames: ['pod-eviction'] }] }, validations: [{ expression: 'false', messageExpression: "object.kind + ' ' + request.kind.group + ' ' + object.metadata.name" }] }, {
    requests: [
      { ...post('eviction: create', { metadata: { name: 'pod-eviction' }, spec: { containers: [{ name: 'a', image: 'a' }] } }, `${home}/pods`), compare: 'code' },
      post('eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'pod-eviction' } }, `${home}/pods/pod-eviction/eviction`),
    ],
  }),
  validating('equivalent', { matchConstraints: { matchPolicy: 'Equivalent', resourceRules: [{ apiGroups: ['autoscaling'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['horizontalpodautoscalers'] }], objectSelector: { matchLabels: { case: 'equivalent' } } }, validations: [{ expression: 'false', messageExpression: "object.apiVersion + ' ' + string(object.spec.targetCPUUtilizationPercentage) + ' ' + request.kind.version + ' ' + request.requestKind.version" }] }, {
    requests: [post('equivalent', { metadata: { name: 'a', labels: { case: 'equivalent' } }, spec: { scaleTargetRef: { kind: 'Deployment', name: 'a', apiVersion: 'apps/v1' }, maxReplicas: 3, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 66 } } }] } }, '/apis/autoscaling/v2/namespaces/policies/horizontalpodautoscalers?dryRun=All')],
  }),
]

const labelled = "Object{metadata: Object.metadata{labels: {'by': 'policy'}}}"

const changing: readonly Scenario[] = [
  mutating('labels', [labelled]),
  mutating('data', ["Object{data: {'a': '2', 'c': object.data.a}}"]),
  mutating('in-order', ["Object{data: {'a': object.data.a + '1'}}", "Object{data: {'a': object.data.a + '2'}}"]),
  mutating('mutation-variables', ["Object{data: {'a': variables.x}}", "Object{data: {'c': variables.x}}"], { policy: { variables: [{ name: 'x', expression: "object.data.a + 'x'" }] } }),
  mutating('mutation-conditions', [labelled], { policy: { matchConditions: [{ name: 'a', expression: "object.data.a == '2'" }] } }),
  mutating('mutation-conditions-fail', [labelled], { policy: { matchConditions: [{ name: 'a', expression: "object.data.missing == '2'" }] } }),
  mutating('mutation-error', ["Object{data: {'c': object.data.missing}}"]),
  mutating('mutation-error-ignored', ["Object{data: {'c': object.data.missing}}", labelled], { policy: { failurePolicy: 'Ignore' } }),
  mutating('two-errors', ["Object{data: {'c': object.data.missing}}", "Object{data: {'c': object.data.absent}}"]),
  mutating('unknown-field', ["Object{nonsense: 'a'}"]),
  mutating('wrong-type', ['Object{data: 1}']),
  mutating('wrong-inner-type', ["Object{data: {'a': 1}}"]),
  mutating('misnamed', ["Object{metadata: Object.spec{labels: {'by': 'policy'}}}"]),
  mutating('misnamed-deeper', ['Object{spec: Object.spec{template: Object.spec.template{spec: Object.template.spec{hostNetwork: true}}}}'], { requests: deploy('misnamed-deeper') }),
  mutating('replicas', ['Object{spec: Object.spec{replicas: object.spec.replicas + 3}}'], { requests: deploy('replicas') }),
  mutating('container', ["Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: 'side', image: 'b'}, Object.spec.template.spec.containers{name: 'main', image: 'c'}]}}}}"], { requests: deploy('container') }),
  mutating('containers-mapped', ["Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: object.spec.template.spec.containers.map(c, Object.spec.template.spec.containers{name: c.name, env: [Object.spec.template.spec.containers.env{name: 'A', value: c.image}]})}}}}"], { requests: deploy('containers-mapped', {}, { env: [{ name: 'B', value: '2' }] }) }),
  mutating('atomic-list', ["Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: 'main', args: ['a']}]}}}}"], { requests: deploy('atomic-list', {}, { args: ['b'] }) }),
  mutating('atomic-map', ["Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {'a': 'b'}}}}"], { requests: deploy('atomic-map') }),
  mutating('no-key', ['Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{image: "a"}]}}}}'], { requests: deploy('no-key') }),
  mutating('volumes-added', ["Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{volumes: [Object.spec.template.spec.volumes{name: 'v', emptyDir: Object.spec.template.spec.volumes.emptyDir{}}]}}}}"], { requests: deploy('volumes-added') }),
  mutating('finalizers', ["Object{metadata: Object.metadata{finalizers: ['a.b/c']}}"]),
  mutating('mutation-param', ["Object{data: {'want': params.data.want}}"], { policy: config, binding: { paramRef: { name: 'want', namespace: 'policies', parameterNotFoundAction: 'Deny' } } }),
  mutating('mutation-param-missing', [labelled], { policy: config, binding: { paramRef: { name: 'missing', namespace: 'policies', parameterNotFoundAction: 'Deny' } } }),
  mutating('mutation-param-kind-unknown', [labelled], { policy: { paramKind: { apiVersion: 'peers.example.com/v1', kind: 'Nothing' } }, binding: { paramRef: { name: 'a', parameterNotFoundAction: 'Deny' } } }),
  mutating('mutation-two-bindings', ["Object{data: {'a': object.data.a + 'x'}}"], { binding: [{}, {}] }),
  mutating('invalid-result', ["Object{data: {'not a key': 'x'}}"]),
  mutating('json-add', [{ json: "[JSONPatch{op: 'add', path: '/data/c', value: 'x'}, JSONPatch{op: 'remove', path: '/data/b'}, JSONPatch{op: 'replace', path: '/data/a', value: object.data.b}]" }]),
  mutating('json-copy', [{ json: "[JSONPatch{op: 'copy', from: '/data/a', path: '/data/c'}, JSONPatch{op: 'move', from: '/data/b', path: '/data/d'}]" }]),
  mutating('json-empty', [{ json: "object.data.a == '2' ? [JSONPatch{op: 'remove', path: '/data/a'}] : []" }]),
  mutating('json-key', [{ json: "[JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('example.com/a~b'), value: 'x'}]" }]),
  mutating('json-map', [{ json: "[JSONPatch{op: 'add', path: '/metadata/annotations', value: {'a': 'b'}}]" }]),
  mutating('json-object', [{ json: "[JSONPatch{op: 'add', path: '/spec/template/spec/containers/-', value: Object.spec.template.spec.containers{name: 'side', image: 'b', ports: [Object.spec.template.spec.containers.ports{containerPort: 80}]}}]" }], { requests: deploy('json-object') }),
  mutating('json-misnamed', [{ json: "[JSONPatch{op: 'add', path: '/spec/template/spec', value: Object.spec.template.spec{securityContext: Object.spec{runAsNonRoot: true}}}]" }], { requests: deploy('json-misnamed') }),
  mutating('json-missing-path', [{ json: "[JSONPatch{op: 'remove', path: '/data/zzz'}]" }]),
  mutating('json-missing-parent', [{ json: "[JSONPatch{op: 'add', path: '/nothing/zzz', value: 1}]" }]),
  mutating('json-test-fails', [{ json: "[JSONPatch{op: 'test', path: '/data/a', value: '2'}, JSONPatch{op: 'remove', path: '/data/b'}]" }]),
  mutating('json-test-holds', [{ json: "[JSONPatch{op: 'test', path: '/data/a', value: '1'}, JSONPatch{op: 'remove', path: '/data/b'}]" }]),
  mutating('json-unknown-op', [{ json: "[JSONPatch{op: 'nonsense', path: '/data/a', value: '2'}]" }]),
  mutating('json-unknown-field', [{ json: "[JSONPatch{op: 'add', path: '/nonsense', value: '2'}]" }]),
  mutating('json-wrong-type', [{ json: "[JSONPatch{op: 'add', path: '/data/c', value: 1}]" }]),
  mutating('json-error', [{ json: "[JSONPatch{op: 'add', path: '/data/c', value: object.data.missing}]" }]),
  mutating('both', ["Object{data: {'a': 'x'}}", { json: "[JSONPatch{op: 'replace', path: '/data/a', value: object.data.a + 'y'}]" }]),
  mutating('z-later', ["Object{data: {'a': object.data.a + 'z'}}"], { policy: { reinvocationPolicy: 'IfNeeded' } }),
  mutating('reinvoked-alone', ["Object{data: {'n': has(object.data.n) ? object.data.n + '1' : '1'}}"], { policy: { reinvocationPolicy: 'IfNeeded' } }),
  mutating('mutation-authorizer', ["Object{data: {'may': string(authorizer.requestResource.check('create').allowed())}}"]),
  mutating('mutation-namespace', ["Object{data: {'in': namespaceObject.metadata.name}}"]),
  mutating('mutation-scale', ['Object{spec: Object.spec{replicas: object.spec.replicas + 1}}'], {
    policy: { matchConstraints: { resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['deployments/scale'], resourceNames: ['app-mutation-scale'] }] } },
    requests: [
      { ...post('mutation-scale: create', deployment('mutation-scale'), apps), compare: 'code' },
      { name: 'mutation-scale', method: 'PATCH', type: 'application/merge-patch+json', path: `${apps}/app-mutation-scale/scale`, body: { spec: { replicas: 3 } } },
    ],
  }),
]

/** Two policies about the same objects: the first sees what the second did, whichever is asked first. */
const chained: readonly Scenario[] = [
  mutating('chain-1', ["Object{metadata: Object.metadata{labels: {'size': string(size(object.data))}}}"], { policy: { matchConstraints: about('chain'), reinvocationPolicy: 'IfNeeded' }, requests: [] }),
  mutating('chain-2', ["Object{data: {'c': 'x'}}"], { policy: { matchConstraints: about('chain') }, requests: [] }),
]

const widgets = '/apis/policies.example.com/v1/namespaces/policies/widgets'
const definition: Case = {
  name: 'widgets', method: 'POST', path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', compare: 'none',
  body: {
    metadata: { name: 'widgets.policies.example.com' },
    spec: {
      group: 'policies.example.com', scope: 'Namespaced', names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
      versions: [{
        name: 'v1', served: true, storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  size: { type: 'integer' }, tags: { type: 'array', items: { type: 'string' } }, color: { type: 'string', default: 'red' },
                  parts: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' }, count: { type: 'integer' } }, required: ['name'] }, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
                  free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                },
              },
            },
          },
        },
      }],
    },
  },
}
const widget = (label: string): readonly Case[] => [post(label, { apiVersion: 'policies.example.com/v1', kind: 'Widget', metadata: { name: label, labels: { case: label } }, spec: { size: 3, tags: ['a'], parts: [{ name: 'a', count: 1 }], free: { x: 1 } } }, `${widgets}?dryRun=All`)]

const custom: readonly Scenario[] = [
  validating('widget', { validations: [{ expression: 'object.spec.size > 5', messageExpression: "object.kind + ' ' + object.spec.color + ' ' + string(object.spec.size) + ' ' + string(object.spec.free.x) + ' ' + request.resource.resource" }] }, { requests: widget('widget') }),
  validating('widget-param', { paramKind: { apiVersion: 'policies.example.com/v1', kind: 'Widget' }, validations: [{ expression: 'false', messageExpression: "params.kind + ' ' + string(params.spec.size)" }] }, { binding: { paramRef: { name: 'param', parameterNotFoundAction: 'Deny' } } }),
  mutating('widget-merged', ["Object{spec: Object.spec{size: 4, parts: [Object.spec.parts{name: 'b', count: 2}], free: Object.spec.free{y: 2}}}"], { requests: widget('widget-merged') }),
  mutating('widget-atomic', ["Object{spec: Object.spec{tags: ['b']}}"], { requests: widget('widget-atomic') }),
  mutating('widget-unknown', ["Object{spec: Object.spec{nothing: 'b'}}"], { requests: widget('widget-unknown') }),
  mutating('widget-wrong', ["Object{spec: Object.spec{size: 'b'}}"], { requests: widget('widget-wrong') }),
  mutating('widget-patched', [{ json: "[JSONPatch{op: 'add', path: '/spec/tags/-', value: 'b'}, JSONPatch{op: 'remove', path: '/spec/color'}]" }], { requests: widget('widget-patched') }),
  mutating('widget-patched-wrong', [{ json: "[JSONPatch{op: 'add', path: '/spec/size', value: 'b'}]" }], { requests: widget('widget-patched-wrong') }),
]

const scenarios = [...judging, ...standing, ...changing, ...chained, ...custom]

function setUp({ kind, name, policy, binding }: Scenario): readonly Case[] {
  const bindings: readonly Json[] = Array.isArray(binding) ? binding : [binding as Json]
  const path = `${registration}/${kind.toLowerCase()}admissionpolic`
  return [
    { name: `policy ${name}`, method: 'POST', path: `${path}ies`, body: { metadata: { name }, spec: policy }, compare: 'none' },
    ...bindings.map((one, i): Case => ({
      name: `binding ${name} ${i}`, method: 'POST', compare: 'none', path: `${path}ybindings`,
      body: { metadata: { name: `${name}-${i}` }, spec: { policyName: name, ...(kind === 'Validating' ? { validationActions: ['Deny'] } : {}), ...one } },
    })),
  ]
}

export const policies: CaseGroup = {
  name: 'policies',
  golden: true,
  cases: [
    ...namespaceCases('policies'),
    definition,
    ...['want', 'wanted'].map((name, i): Case => ({ name: `param ${name}`, method: 'POST', path: `${home}/configmaps`, compare: 'none', body: { metadata: { name, labels: { role: 'want' } }, data: { want: `${7 + i}` } } })),
    ...scenarios.flatMap(setUp),
    { name: 'policies: table', path: `${registration}/validatingadmissionpolicies/param`, headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } },
    { name: 'bindings: table', path: `${registration}/validatingadmissionpolicybindings/params-selected-0`, headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } },
    { name: 'in force', path: `${registration}/validatingadmissionpolicies?limit=1`, compare: 'none', upstreamNeedsMs: inForceMs },
    { name: 'widget that is a parameter', method: 'POST', path: widgets, compare: 'none', body: { apiVersion: 'policies.example.com/v1', kind: 'Widget', metadata: { name: 'param' }, spec: { size: 7 } } },
    ...scenarios.flatMap(({ requests }) => requests),
    post('chain', configMap('chain', { data: { a: '1' } })),
    { name: 'policy as it is kept', path: `${registration}/mutatingadmissionpolicies/labels` },
    ...scenarios.map(({ kind, name }): Case => ({ name: `end of ${name}`, method: 'DELETE', path: `${registration}/${kind.toLowerCase()}admissionpolicies/${name}`, compare: 'none' })),
  ],
}
