/** CustomResourceDefinitions: what their rules refuse on create, on update and through /status, and what writes make of them. */
import type { Case, CaseGroup } from '../case.ts'

const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const group = 'peers.example.com'

type Json = Readonly<Record<string, unknown>>

const names = (plural: string): Json => ({ plural, singular: plural.slice(0, -1), kind: `${plural[0]?.toUpperCase() ?? ''}${plural.slice(1, -1)}` })
const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
const version = (more: Json = {}): Json => ({ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: anything }, ...more })
const body = (plural: string, spec: Json = {}, metadata: Json = {}): Json => ({
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${group}`, ...metadata },
  spec: { group, names: names(plural), scope: 'Namespaced', versions: [version()], ...spec },
})

const create = (name: string, spec: Json, metadata: Json = {}): Case => ({ name, method: 'POST', path, body: body('refused', spec, metadata) })
const inVersion = (name: string, more: Json): Case => create(name, { versions: [version(more)] })
const schema = (name: string, openAPIV3Schema: unknown, more: Json = {}): Case => inVersion(name, { schema: { openAPIV3Schema }, ...more })
const spec = (name: string, of: unknown, more: Json = {}): Case => schema(name, { type: 'object', properties: { spec: of } }, more)
const made = (name: string, plural: string, more: Json = {}): Case => ({ name, method: 'POST', path, body: body(plural, more) })
const change = (name: string, plural: string, patch: Json, part = ''): Case => ({
  name, method: 'PATCH', path: `${path}/${plural}.${group}${part}`, type: 'application/merge-patch+json', body: patch,
})

const text = { type: 'string' }
const int = { type: 'integer' }
const object = (properties: Json): Json => ({ type: 'object', properties })
const list = (items: unknown, more: Json = {}): Json => ({ type: 'array', items, ...more })

const ofSpec: readonly Case[] = [
  { name: 'nothing', method: 'POST', path, body: {} },
  { name: 'no spec', method: 'POST', path, body: { metadata: { name: 'a.b' } } },
  create('name that is another', {}, { name: 'other.peers.example.com' }),
  create('name of the wrong form', {}, { name: 'Refused_' }),
  create('generated name', {}, { name: undefined, generateName: 'gen-' }),
  create('any finalizer', {}, { finalizers: ['nonsense', 'a b'] }),
  create('no group', { group: '' }),
  create('group of the wrong form', { group: 'A.b' }),
  create('group without a dot', { group: 'example' }),
  create('no scope', { scope: '' }),
  create('unknown scope', { scope: 'Everywhere' }),
  create('no versions', { versions: [] }),
  inVersion('version of the wrong form', { name: 'V_1' }),
  inVersion('version that is not stored', { storage: false }),
  create('two stored versions', { versions: [version(), version({ name: 'v2' })] }),
  create('one version twice', { versions: [version(), version({ storage: false })] }),
  create('two versions with columns', { versions: [version({ additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.a' }], subresources: { status: {}, scale: { specReplicasPath: '.spec.a', statusReplicasPath: '.status.b' } } }), version({ name: 'v2', deprecated: true, deprecationWarning: 'old', selectableFields: [{ jsonPath: '.spec.a' }] })] }),
  inVersion('no schema', { schema: undefined }),
  inVersion('empty schema', { schema: {} }),
  create('schema in one of two versions', { versions: [version(), version({ name: 'v2', storage: false, schema: undefined })] }),
  inVersion('warning without deprecation', { deprecationWarning: 'x' }),
  inVersion('empty warning', { deprecated: true, deprecationWarning: '' }),
  inVersion('warning that is too long', { deprecated: true, deprecationWarning: 'x'.repeat(257) }),
  inVersion('warning that cannot be printed', { deprecated: true, deprecationWarning: 'aä\u0007' }),
  create('no names', { names: { plural: '', kind: '' } }),
  create('names of the wrong form', { names: { plural: 'Refused', singular: '1a', kind: 'My_Kind', listKind: 'A b', shortNames: ['ok', 'No'], categories: ['All'] } }, { name: 'Refused.peers.example.com' }),
  create('kind that is its list', { names: { ...names('refused'), kind: 'A', listKind: 'A' } }),
  create('unknown fields kept', { preserveUnknownFields: true }),
  create('unknown fields kept, and defaults', { preserveUnknownFields: true, conversion: { strategy: 'Webhook' }, versions: [version({ schema: { openAPIV3Schema: object({ a: { ...text, default: 'x' } }) } })] }),
  { ...create('with an unknown field', { nonsense: 1 }), path: `${path}?dryRun=All` },
  { ...create('strictly, with an unknown field', { nonsense: 1 }), path: `${path}?fieldValidation=Strict` },
  create('versions that are no list', { versions: {} }),
]

const ofCommunity: readonly Case[] = [
  ['no approval', undefined], ['bad approval', 'yes'], ['unapproved', 'unapproved, trying'], ['approved', 'https://github.com/kubernetes/kubernetes/pull/1'],
].map(([name, approval]): Case => ({
  name: `community: ${name}`, method: 'POST', path: `${path}?dryRun=All`,
  body: body('things', { group: 'peers.k8s.io' }, { name: 'things.peers.k8s.io', ...(approval === undefined ? {} : { annotations: { 'api-approved.kubernetes.io': approval } }) }),
}))

const column = (name: string, more: Json): Case => inVersion(`column: ${name}`, { additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.a', ...more }] })
const scale = (name: string, more: Json): Case => inVersion(`scale: ${name}`, { subresources: { scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', ...more } } })
const selectable = (name: string, ...paths: readonly string[]): Case =>
  inVersion(`selectable: ${name}`, {
    schema: { openAPIV3Schema: object({ spec: object({ a: text, b: int, c: { type: 'number' }, o: object({}), l: list(text), m: { type: 'object', additionalProperties: text } }), metadata: { type: 'object' } }) },
    selectableFields: paths.map((jsonPath) => ({ jsonPath })),
  })

const ofParts: readonly Case[] = [
  column('no name', { name: '' }),
  column('no type', { type: '' }),
  column('wrong type and format', { type: 'text', format: 'long' }),
  column('no path', { jsonPath: '' }),
  column('path without a dot', { jsonPath: 'a' }),
  scale('no paths', { specReplicasPath: '', statusReplicasPath: '' }),
  scale('paths elsewhere', { specReplicasPath: '.status.a', statusReplicasPath: '.spec.b', labelSelectorPath: '.metadata.c' }),
  scale('paths without a dot', { specReplicasPath: 'spec.a', statusReplicasPath: 'status.b', labelSelectorPath: 'status.c' }),
  selectable('no path', ''),
  selectable('path of the wrong form', 'spec.a'),
  selectable('path to nothing', '.spec.z'),
  selectable('path in brackets', ".spec['a']"),
  selectable('path that ends early', '.spec.'),
  selectable('no scalar', '.spec.o', '.spec.c', '.spec.l'),
  selectable('metadata', '.metadata.name'),
  selectable('twice', '.spec.a', '.spec.a'),
  selectable('value of a map', '.spec.m.x'),
  schema('selectable: too many', { type: 'object', properties: Object.fromEntries('abcdefghi'.split('').map((name) => [name, text])) }, { selectableFields: 'abcdefghi'.split('').map((name) => ({ jsonPath: `.${name}` })) }),
]

const webhook = (name: string, client: unknown, reviews: unknown = ['v1']): Case => create(`webhook: ${name}`, { conversion: { strategy: 'Webhook', webhook: { clientConfig: client, conversionReviewVersions: reviews } } })
const service = { namespace: 'a', name: 'b' }

const ofConversion: readonly Case[] = [
  create('conversion: unknown strategy', { conversion: { strategy: 'Magic' } }),
  create('conversion: no strategy', { conversion: {} }),
  create('conversion: webhook without a client', { conversion: { strategy: 'Webhook' } }),
  create('conversion: client without a webhook', { conversion: { strategy: 'None', webhook: { clientConfig: { url: 'https://a' }, conversionReviewVersions: ['v1'] } } }),
  webhook('neither', {}),
  webhook('both', { url: 'https://a', service }),
  webhook('url of the wrong kind', { url: 'http://user@host/path?x=y#z' }),
  webhook('url without a host', { url: 'https:///path' }),
  webhook('url that is none', { url: ':nothing' }),
  webhook('service without names', { service: { namespace: '', name: '' } }),
  webhook('service without a name', { service: { namespace: 'a', name: '' } }),
  webhook('service with a wrong port', { service: { ...service, port: 70_000 } }),
  webhook('service with a wrong path', { service: { ...service, path: 'a//B_' } }),
  webhook('service with an empty path', { service: { ...service, path: '//' } }),
  webhook('no review versions', { url: 'https://a' }, []),
  webhook('unknown review versions', { url: 'https://a' }, ['v7', 'v7', 'V']),
]

const ofSchemas: readonly Case[] = [
  schema('schema: no type', {}),
  schema('schema: no object', { type: 'string' }),
  schema('schema: unknown type', { type: 'thing' }),
  schema('schema: type null', object({ a: { type: 'null' } })),
  schema('schema: nullable root', { type: 'object', nullable: true }),
  spec('schema: no type inside', {}),
  spec('schema: array without items', { type: 'array' }),
  spec('schema: items without a type', list({})),
  spec('schema: items that are a list', { type: 'array', items: [text, int] }),
  schema('schema: additional properties at the root', { type: 'object', additionalProperties: true }),
  spec('schema: properties and additional ones', { type: 'object', properties: { a: text }, additionalProperties: text }),
  spec('schema: closed', { type: 'object', properties: { a: text }, additionalProperties: false }),
  spec('schema: unique items', list(text, { uniqueItems: true })),
  spec('schema: reference', { $ref: '#/definitions/a' }),
  spec('schema: what is not supported', { type: 'object', id: 'x', patternProperties: { a: text } }),
  spec('schema: dependencies', { type: 'object', dependencies: { a: ['b'] } }),
  spec('schema: definitions', { type: 'object', definitions: { a: text } }),
  spec('schema: additional items', list(text, { additionalItems: true })),
  spec('schema: $schema', { type: 'object', $schema: 'http://json-schema.org/schema#' }),
  spec('schema: pattern that is none', { type: 'string', pattern: '[' }),
  spec('schema: pattern that looks ahead', { type: 'string', pattern: '(?!a)' }),
  spec('schema: unknown format', { type: 'string', format: 'nonsense' }),
  spec('schema: unknown fields dropped', { type: 'object', 'x-kubernetes-preserve-unknown-fields': false }),
  spec('schema: int or string', { 'x-kubernetes-int-or-string': true, anyOf: [int, text] }),
  spec('schema: int or string, with more', { 'x-kubernetes-int-or-string': true, allOf: [{ anyOf: [int, text] }, { pattern: 'a' }] }),
  spec('schema: int or string, the other way', { 'x-kubernetes-int-or-string': true, anyOf: [text, int] }),
  spec('schema: int or string that keeps', { 'x-kubernetes-int-or-string': true, 'x-kubernetes-preserve-unknown-fields': true }),
  spec('schema: embedded without a type', { 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true }),
  spec('schema: embedded text', { type: 'string', 'x-kubernetes-embedded-resource': true }),
  spec('schema: embedded without fields', { type: 'object', 'x-kubernetes-embedded-resource': true }),
  spec('schema: embedded with additional ones', { type: 'object', 'x-kubernetes-embedded-resource': true, additionalProperties: text }),
  spec('schema: embedded, of wrong types', { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { kind: int, apiVersion: text, metadata: { type: 'object' } } }),
  schema('schema: metadata that says more', object({ metadata: object({ labels: { type: 'object' } }) })),
  schema('schema: metadata with names', object({ metadata: object({ name: { type: 'string', maxLength: 5 } }), kind: text, apiVersion: text })),
  schema('schema: metadata that is text', object({ metadata: text })),
  schema('schema: kind that is a number', object({ kind: int })),
  spec('schema: types under junctors', { type: 'object', properties: { a: text }, allOf: [{ properties: { a: { type: 'string', minLength: 1 } } }] }),
  spec('schema: much under junctors', { type: 'object', anyOf: [{ description: 'd', title: 't', nullable: true, default: {} }] }),
  spec('schema: extensions under junctors', { type: 'object', oneOf: [{ 'x-kubernetes-list-type': 'set', 'x-kubernetes-list-map-keys': ['a'], 'x-kubernetes-map-type': 'atomic', 'x-kubernetes-validations': [{ rule: 'true' }] }] }),
  spec('schema: junctors that add', { type: 'object', not: { properties: { a: { minLength: 1 } } }, anyOf: [{ required: ['b'], items: { minLength: 1 } }] }),
  spec('schema: additional properties under junctors', { type: 'object', additionalProperties: text, allOf: [{ additionalProperties: { minLength: 1 } }] }),
  schema('schema: fields at the root with a status', { type: 'object', properties: { spec: anything }, oneOf: [{ required: ['spec'] }] }, { subresources: { status: {} } }),
  schema('schema: rules at the root with a status', { type: 'object', properties: { spec: anything }, 'x-kubernetes-map-type': 'atomic' }, { subresources: { status: {} } }),
  schema('schema: text at the root with a status', { type: 'string' }, { subresources: { status: {} } }),
  spec('schema: list type of an object', { type: 'object', 'x-kubernetes-list-type': 'map' }),
  spec('schema: list type of nothing', { 'x-kubernetes-preserve-unknown-fields': true, 'x-kubernetes-list-type': 'set' }),
  spec('schema: unknown list type', list(text, { 'x-kubernetes-list-type': 'heap' })),
  spec('schema: keys of no map', list(text, { 'x-kubernetes-list-map-keys': ['a'] })),
  spec('schema: keys of a set', list(text, { 'x-kubernetes-list-type': 'set', 'x-kubernetes-list-map-keys': ['a'] })),
  spec('schema: map without keys', list(object({ a: text }), { 'x-kubernetes-list-type': 'map' })),
  spec('schema: map of texts', list(text, { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['a'] })),
  spec('schema: wrong keys', list(object({ a: text, o: object({}) }), { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['a', 'a', 'z', 'o'] })),
  spec('schema: nullable keys', list({ ...object({ a: { ...text, nullable: true } }), required: ['a'], nullable: true }, { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['a'] })),
  spec('schema: set of objects', list(object({ a: text }), { 'x-kubernetes-list-type': 'set' })),
  spec('schema: set of sets', list(list(text, { 'x-kubernetes-list-type': 'set' }), { 'x-kubernetes-list-type': 'set' })),
  spec('schema: set of nullable texts', list({ type: 'string', nullable: true }, { 'x-kubernetes-list-type': 'set' })),
  spec('schema: map type of a list', list(text, { 'x-kubernetes-map-type': 'atomic' })),
  spec('schema: unknown map type', { type: 'object', 'x-kubernetes-map-type': 'heap' }),
]

const ofDefaults: readonly Case[] = [
  spec('default: wrong type', { type: 'string', default: 5 }),
  spec('default: unknown field', { ...object({ a: text }), default: { a: 'x', z: 1 } }),
  spec('default: missing field', { ...object({ a: text }), required: ['a'], default: {} }),
  spec('default: too long', { type: 'string', maxLength: 1, default: 'abc' }),
  spec('default: not in the list', { type: 'string', enum: ['a', 'b'], default: 'c' }),
  spec('default: number that is too small', { type: 'integer', minimum: 3, default: 2 }),
  spec('default: null', { type: 'string', default: null }),
  schema('default: in metadata', object({ metadata: object({ name: { type: 'string', default: 'a' } }) })),
  schema('default: of metadata', object({ metadata: { type: 'object', default: {} } })),
  spec('default: in embedded metadata', { ...object({ metadata: object({ name: { type: 'string', default: 'A_B' } }) }), 'x-kubernetes-embedded-resource': true }),
  spec('default: embedded object', { ...object({ a: text }), 'x-kubernetes-embedded-resource': true, default: { a: 'x' } }),
  spec('default: embedded kind', { ...object({ kind: { type: 'string', default: 'my kind' } }), 'x-kubernetes-embedded-resource': true }),
  spec('default: in a map', { type: 'object', additionalProperties: { ...object({ a: { type: 'string', default: 'x' } }) } }),
]

const rules = (name: string, of: Json, ...each: readonly Json[]): Case => spec(`rule: ${name}`, { ...of, 'x-kubernetes-validations': each })
const replicas = object({ replicas: int, max: int, name: { type: 'string', maxLength: 10 } })
const open = { type: 'object', additionalProperties: { type: 'string' } }

const ofRules: readonly Case[] = [
  rules('empty', replicas, { rule: ' ' }),
  rules('that does not parse', replicas, { rule: 'self.replicas <' }),
  rules('of an unknown field', replicas, { rule: 'self.min <= self.max' }),
  rules('that is no bool', replicas, { rule: 'self.max' }),
  rules('of different types', replicas, { rule: 'self.replicas < self.name' }),
  rules('of an unknown function', replicas, { rule: 'self.name.shout() == "A"' }),
  rules('empty message', replicas, { rule: 'true', message: ' ' }),
  rules('message of two lines', replicas, { rule: 'true', message: 'a\nb' }),
  rules('rule of two lines', replicas, { rule: 'true ||\nfalse' }),
  rules('empty message expression', replicas, { rule: 'true', messageExpression: ' ' }),
  rules('message expression that is no text', replicas, { rule: 'true', messageExpression: 'self.max' }),
  rules('message expression that does not parse', replicas, { rule: 'true', messageExpression: '"a' }),
  rules('unknown reason', replicas, { rule: 'true', reason: 'Whim' }),
  rules('field that is not there', replicas, { rule: 'true', fieldPath: '.min' }),
  rules('field of the wrong form', replicas, { rule: 'true', fieldPath: 'max' }),
  rules('empty field', replicas, { rule: 'true', fieldPath: ' ' }),
  rules('field of two lines', replicas, { rule: 'true', fieldPath: '.max\n' }),
  rules('optional old self that is not read', replicas, { rule: 'true', optionalOldSelf: true }),
  spec('rule: old self in a list', list({ type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] }, { maxItems: 5 })),
  { ...spec('rule: old self in an atomic map', { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] } } }), path: `${path}?dryRun=All` },
  rules('without a limit', list(text), { rule: 'self.all(a, self.all(b, a == b))' }),
  rules('a little too much', list({ type: 'string', maxLength: 100 }, { maxItems: 1_000 }), { rule: 'self.all(a, self.exists(b, a == b))' }),
  rules('map without a limit', open, { rule: 'self.all(k, self[k].contains("x"))' }),
  spec('rule: in an unlimited list', list(object({ s: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self.contains("x")' }] } }))),
  rules('costly message', list(text), { rule: 'true', messageExpression: 'self.map(a, self.map(b, a + b).join(" ")).join(" ")' }),
  rules('too much together', list({ type: 'string', maxLength: 100 }, { maxItems: 460 }), ...'abcdefghijkl'.split('').map((name) => ({ rule: `self.all(${name}, self.exists(z, ${name} == z))` }))),
  rules('list in a list', list(list({ type: 'string', maxLength: 10 }, { maxItems: 10 }), { maxItems: 10 }), { rule: 'self.all(a, a.all(b, b.matches("^[a-z]+$")))' }),
  rules('pattern that is none', replicas, { rule: 'self.name.matches("[")' }),
  rules('number that is none', replicas, { rule: 'int("x") == self.max' }),
  rules('of several lines', replicas, { rule: 'self.min <\n  self.max', message: 'x' }),
  rules('two that are wrong', replicas, { rule: 'self.a' }, { rule: 'self.b' }),
  rules('with a library', object({ at: { type: 'string', format: 'date-time' }, ip: { type: 'string', maxLength: 45 }, q: { type: 'string', maxLength: 20 } }), { rule: 'isIP(self.ip) && ip(self.ip).family() == 4 && quantity(self.q).isLessThan(quantity("5")) && self.at > timestamp("2020-01-01T00:00:00Z") && self.nothing' }),
  rules('optional fields', replicas, { rule: 'self.?name.orValue("") == "" && self.?nothing.hasValue()' }),
  spec('rule: fields that CEL has words for', { ...object({ 'a-b': int, namespace: text, 'x.y/z': text }), 'x-kubernetes-validations': [{ rule: 'self.a__dash__b > 0 && self.__namespace__ == "" && self.x__dot__y__slash__z == "" && self.namespace' }] }),
  spec('rule: embedded object', { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true, 'x-kubernetes-validations': [{ rule: 'self.kind == "A" && self.metadata.name != "" && self.spec' }] }),
  spec('rule: int or string', { 'x-kubernetes-int-or-string': true, 'x-kubernetes-validations': [{ rule: 'type(self) == string ? self.endsWith("%") : self > 0' }, { rule: 'self.nothing' }] }),
  spec('rule: of what may be anything', { 'x-kubernetes-preserve-unknown-fields': true, 'x-kubernetes-validations': [{ rule: 'true' }] }),
  spec('rule: unlimited in what is limited', list({ type: 'object', properties: { n: list(text) } }, { maxItems: 10, 'x-kubernetes-validations': [{ rule: 'self.all(a, a.n.all(b, b.contains("x")))' }] })),
  rules('optional old self', replicas, { rule: '!oldSelf.hasValue() || oldSelf.value().max <= self.max', optionalOldSelf: true }, { rule: 'oldSelf.max', optionalOldSelf: true }),
  rules('default that breaks it', { ...replicas, default: { max: 1, replicas: 2 } }, { rule: 'self.replicas <= self.max' }),
  rules('default that breaks it, with a message', { ...replicas, default: { max: 1, replicas: 2 } }, { rule: 'self.replicas <= self.max', messageExpression: '"max is " + string(self.max)', fieldPath: '.max', reason: 'FieldValueForbidden' }),
  schema('rule: metadata', { ...object({ spec: anything }), 'x-kubernetes-validations': [{ rule: 'self.metadata.name.startsWith("a") && self.metadata.labels.size() > 0' }] }),
  { ...rules('that are right', replicas, { rule: 'self.replicas <= self.max', message: 'too many', fieldPath: '.max', reason: 'FieldValueForbidden' }, { rule: 'self.max == oldSelf.max || !has(self.name)', messageExpression: '"a" + self.name' }), path: `${path}?dryRun=All` },
]

/** Upstream's controllers have done their part when this has ended. */
const settled = (name: string): Case => ({ name, path: `${path}?watch=true&timeoutSeconds=2&fieldSelector=metadata.name%3Dnobody`, compare: 'none' })

const two = { versions: [version(), version({ name: 'v2', storage: false })] }

const ofUpdates: readonly Case[] = [
  made('made', 'changes', two),
  { ...made('made for its names', 'others'), compare: 'code' },
  { ...made('of the same name', 'changes'), compare: 'all' },
  settled('established'),
  { name: 'got', path: `${path}/changes.${group}` },
  { name: 'listed as a table', path: `${path}?fieldSelector=metadata.name%3Dchanges.${group}`, headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' }, compare: 'code' },
  change('another group', 'changes', { spec: { group: 'b.c' } }),
  change('another plural', 'changes', { spec: { names: { plural: 'others' } } }),
  change('another kind', 'changes', { spec: { names: { kind: 'Other' } } }),
  change('another scope', 'changes', { spec: { scope: 'Cluster' } }),
  change('another version is stored', 'changes', { spec: { versions: [version({ storage: false }), version({ name: 'v2' })] } }),
  change('the version that was stored is gone', 'changes', { spec: { versions: [version({ name: 'v2' })] } }),
  change('what was stored is forgotten', 'changes', { status: { storedVersions: ['v2'] } }, '/status'),
  change('the version that was stored goes', 'changes', { spec: { versions: [version({ name: 'v2' })] } }),
  change('what is stored is forgotten', 'changes', { status: { storedVersions: ['v9'] } }, '/status'),
  change('nothing is stored', 'changes', { status: { storedVersions: [] } }, '/status'),
  change('labels through status', 'changes', { metadata: { labels: { a: 'b' } } }, '/status'),
  change('spec through status', 'changes', { spec: { scope: 'Cluster' } }, '/status'),
  change('status through the object', 'changes', { status: { conditions: [] } }),
  change('wrong accepted names', 'changes', { status: { acceptedNames: { plural: 'A_' } } }, '/status'),
  change('unknown fields are kept', 'changes', { spec: { preserveUnknownFields: true } }),
  change('format that nobody knows', 'changes', { spec: { versions: [version({ name: 'v2', schema: { openAPIV3Schema: object({ a: { type: 'string', format: 'odd' } }) } })] } }),
  change('the same format again', 'changes', { metadata: { labels: { c: 'd' } } }),
  change('wrong bundle once established', 'changes', { spec: { conversion: { strategy: 'Webhook', webhook: { clientConfig: { url: 'https://a', caBundle: 'eA==' }, conversionReviewVersions: ['v1'] } } } }),
  change('bundle without a certificate', 'changes', { spec: { conversion: { strategy: 'Webhook', webhook: { clientConfig: { url: 'https://a', caBundle: btoa('-----BEGIN KEY-----\neA==\n-----END KEY-----\n') }, conversionReviewVersions: ['v1'] } } } }),
  { name: 'put without a version', method: 'PUT', path: `${path}/changes.${group}`, body: body('changes') },
  { name: 'put that creates', method: 'PUT', path: `${path}/absent.${group}`, body: body('absent') },
  { name: 'delete of another uid', method: 'DELETE', path: `${path}/changes.${group}`, body: { preconditions: { uid: 'x' } } },
  { name: 'delete of another version', method: 'DELETE', path: `${path}/changes.${group}`, body: { preconditions: { resourceVersion: '1' } } },
  { name: 'delete of what is not there', method: 'DELETE', path: `${path}/absent.${group}` },
  { name: 'delete as a try', method: 'DELETE', path: `${path}/changes.${group}?dryRun=All` },
  { name: 'delete', method: 'DELETE', path: `${path}/changes.${group}?propagationPolicy=Foreground` },
  { name: 'delete others', method: 'DELETE', path: `${path}/others.${group}`, compare: 'code' },
]

const ofConflicts: readonly Case[] = [
  { ...made('first of a name', 'firsts', { names: { ...names('firsts'), shortNames: ['fst'] } }), compare: 'code' },
  settled('first has its names'),
  { ...made('second of the same names', 'seconds', { names: { plural: 'seconds', singular: 'first', kind: 'First', shortNames: ['fst', 'snd'] } }), compare: 'code' },
  settled('second has not'),
  { name: 'conflicts', path: `${path}/seconds.${group}` },
  { name: 'the first goes', method: 'DELETE', path: `${path}/firsts.${group}`, compare: 'code' },
  settled('its names are free'),
  { name: 'the second has them', path: `${path}/seconds.${group}` },
  { name: 'the second goes', method: 'DELETE', path: `${path}/seconds.${group}`, compare: 'code' },
  settled('all are gone'),
  { name: 'gone', path: `${path}/seconds.${group}` },
]

export const definitions: CaseGroup = {
  name: 'definitions', golden: true,
  cases: [...ofSpec, ...ofCommunity, ...ofParts, ...ofConversion, ...ofSchemas, ...ofDefaults, ...ofRules, ...ofUpdates, ...ofConflicts],
}
