import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRig, type Rig } from './rig.fake.ts'

let rig: Rig
beforeAll(async () => {
  rig = await openRig()
  for (const name of ['default', 'other']) await rig.ask('POST', '/api/v1/namespaces', { metadata: { name } })
  await rig.ask('POST', cms, { metadata: { name: 'a', labels: { app: 'x' } }, data: { k: '1' } })
  await rig.ask('POST', deployments, deployment('d'))
})
afterAll(() => rig.close())

const ns = '/api/v1/namespaces/default'
const cms = `${ns}/configmaps`
const deployments = '/apis/apps/v1/namespaces/default/deployments'
const merge = { 'content-type': 'application/merge-patch+json' }
const jsonPatch = { 'content-type': 'application/json-patch+json' }
const strategic = { 'content-type': 'application/strategic-merge-patch+json' }
const apply = { 'content-type': 'application/apply-patch+yaml' }
const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }

function deployment(name: string): object {
  const labels = { app: name }
  return { metadata: { name }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } } } }
}

describe('a scale', () => {
  it('is a Table of its own', async () => {
    const { json } = await rig.ask('GET', `${deployments}/d/scale`, undefined, table)
    const shown = json as { readonly columnDefinitions: readonly { readonly name: string }[]; readonly rows: readonly { readonly cells: readonly unknown[] }[] }
    expect([shown.columnDefinitions.map(({ name }) => name), shown.rows[0]?.cells.slice(0, 3)]).toEqual([['Name', 'Desired', 'Available', 'Age'], ['d', 1, 0]])
  })
})

describe('a request that is refused', () => {
  const mustSpecify = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
  /** Answers of upstream's kube-apiserver v1.36.3 to the same requests. */
  const cases: readonly (readonly [name: string, method: string, url: string, body: unknown, headers: Record<string, string>, code: number, reason: string | undefined, message: string | RegExp])[] = [
    ['broken JSON', 'POST', cms, '{"a":', {}, 400, 'BadRequest', 'the object provided is unrecognized (must be of type ConfigMap): couldn\'t get version/kind; json parse error: unexpected end of JSON input ({"a":)'],
    ['no body', 'POST', cms, '', {}, 400, 'BadRequest', 'the object provided is unrecognized (must be of type ConfigMap): couldn\'t get version/kind; json parse error: unexpected end of JSON input (<empty>)'],
    ['a list', 'POST', cms, '[]', {}, 400, 'BadRequest', /json: cannot unmarshal array into Go value of type struct \{ APIVersion string .* \(5b5d\)$/],
    ['a wrong type', 'POST', cms, '{"metadata":{"name":"w"},"data":{"a":1}}', {}, 400, 'BadRequest', 'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string'],
    ['an unknown field under Strict', 'POST', `${cms}?fieldValidation=Strict`, '{"metadata":{"name":"w"},"foo":1}', {}, 400, 'BadRequest', 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "foo"'],
    ['another kind', 'POST', cms, '{"apiVersion":"v1","kind":"Pod"}', {}, 400, 'BadRequest', 'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion'],
    ['an old version', 'POST', deployments, '{"apiVersion":"apps/v1beta1","kind":"Deployment"}', {}, 400, 'BadRequest', 'the API version in the data (apps/v1beta1) does not match the expected API version (apps/v1)'],
    ['an unknown kind', 'POST', cms, '{"apiVersion":"v1","kind":"Foo"}', {}, 400, 'BadRequest', 'Foo in version "v1" cannot be handled as a ConfigMap: no kind "Foo" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"'],
    ['another namespace', 'POST', cms, '{"metadata":{"name":"w","namespace":"other"}}', {}, 400, 'BadRequest', 'the namespace of the provided object does not match the namespace sent on the request'],
    ['a bad name', 'POST', cms, '{"metadata":{"name":"A_b"}}', {}, 422, 'Invalid', /^ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain/],
    ['a name that is taken', 'POST', cms, '{"metadata":{"name":"a"}}', {}, 409, 'AlreadyExists', 'configmaps "a" already exists'],
    ['a bad option', 'POST', `${cms}?dryRun=foo`, '{"metadata":{"name":"w"}}', {}, 422, 'Invalid', 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["foo"]: supported values: "All"'],
    ['a media type', 'POST', cms, 'x', { 'content-type': 'text/plain' }, 415, 'UnsupportedMediaType', 'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf'],
    ['an answer in HTML', 'GET', `${cms}/a`, undefined, { accept: 'text/html' }, 406, 'NotAcceptable', '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf'],
    ['metadata of a list', 'GET', cms, undefined, { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' }, 406, 'NotAcceptable', 'you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)'],
    ['what is not there', 'GET', `${deployments}/nope`, undefined, {}, 404, 'NotFound', 'deployments.apps "nope" not found'],
    ['an unknown resource', 'GET', `${ns}/foos`, undefined, {}, 404, 'NotFound', 'the server could not find the requested resource'],
    ['a patch of what is only put', 'PATCH', '/api/v1/namespaces/other/finalize', '{}', merge, 405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource'],
    ['an unknown subresource', 'GET', `${cms}/a/foo`, undefined, {}, 404, 'NotFound', 'the server could not find the requested resource'],
    ['a create without a namespace', 'POST', '/api/v1/configmaps', '{}', {}, 405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource'],
    ['a PUT of another name', 'PUT', `${cms}/a`, '{"metadata":{"name":"b"}}', {}, 400, 'BadRequest', 'the name of the object (b) does not match the name on the URL (a)'],
    ['a PUT of an old version', 'PUT', `${cms}/a`, '{"metadata":{"name":"a","resourceVersion":"1"}}', {}, 409, 'Conflict', 'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again'],
    ['a JSON patch that does not apply', 'PATCH', `${cms}/a`, '[{"op":"remove","path":"/data/zz"}]', jsonPatch, 422, 'Invalid', 'the server rejected our request due to an error in our request'],
    ['a JSON patch that is none', 'PATCH', `${cms}/a`, '{}', jsonPatch, 400, 'BadRequest', 'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp'],
    ['a merge patch to a wrong type', 'PATCH', `${cms}/a`, '{"data":{"a":5}}', merge, 422, 'Invalid', /^ "" is invalid: patch: Invalid value: "\{\\"apiVersion\\":\\"v1\\",\\"data\\":\{.*of type string$/],
    ['a merge patch of the name', 'PATCH', `${cms}/a`, '{"metadata":{"name":"b"}}', merge, 400, 'BadRequest', 'the name of the object (b) does not match the name on the URL (a)'],
    ['a merge patch of the uid', 'PATCH', `${cms}/a`, '{"metadata":{"uid":"b"}}', merge, 422, 'Invalid', 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "b": field is immutable'],
    ['a strategic patch to a wrong type', 'PATCH', `${deployments}/d`, '{"spec":{"replicas":"x"}}', strategic, 422, 'Invalid', ' "" is invalid: patch: Invalid value: "map[spec:map[replicas:x]]": unrecognized type: int32'],
    ['a strategic patch without a merge key', 'PATCH', `${deployments}/d`, '{"spec":{"template":{"spec":{"containers":[{"image":"z"}]}}}}', strategic, 500, undefined, 'map: map[image:z] does not contain declared merge key: name'],
    ['an apply without a manager', 'PATCH', `${cms}/a`, '{}', apply, 422, 'Invalid', 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'],
    ['an apply that conflicts', 'PATCH', `${cms}/a?fieldManager=x`, '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"2"}}', apply, 409, 'Conflict', 'Apply failed with 1 conflict: conflict with "test" using v1: .data.k'],
    ['a patch of no known type', 'PATCH', `${cms}/a`, '{}', {}, 415, 'UnsupportedMediaType', '415: Unsupported Media Type'],
    ['a bad selector', 'GET', `${cms}?fieldSelector=foo%3Db`, undefined, {}, 400, 'BadRequest', '"foo" is not a known field selector: only "metadata.name", "metadata.namespace"'],
    ['a match without a version', 'GET', `${cms}?resourceVersionMatch=Exact`, undefined, {}, 422, 'Invalid', /resourceVersionMatch is forbidden unless resourceVersion is provided$/],
    ['a bad timeout', 'GET', `${cms}?timeout=x`, undefined, {}, 400, 'BadRequest', 'invalid timeout specified in the request URL - time: invalid duration "x"'],
    ['a deletion of another uid', 'DELETE', `${cms}/a`, '{"preconditions":{"uid":"x"}}', {}, 409, 'Conflict', /^Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition \(x\) does not match the UID in record/],
    ['a negative scale', 'PUT', `${deployments}/d/scale`, '{"metadata":{"name":"d"},"spec":{"replicas":-1}}', {}, 422, 'Invalid', 'Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    ['a review of nothing', 'POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', '{"spec":{}}', {}, 422, 'Invalid', `.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: ${mustSpecify}`],
    ['a bad token', 'GET', cms, undefined, { authorization: 'Bearer bad' }, 401, 'Unauthorized', 'Unauthorized'],
    ['a user without rights', 'GET', cms, undefined, { authorization: 'Bearer bob' }, 403, 'Forbidden', 'configmaps is forbidden: User "bob" cannot list resource "configmaps" in API group "" in the namespace "default"'],
    ['nobody', 'GET', '/api/v1/nodes/n', undefined, { authorization: '' }, 403, 'Forbidden', 'nodes "n" is forbidden: User "system:anonymous" cannot get resource "nodes" in API group "" at the cluster scope'],
    ['an impersonated user without rights', 'GET', `${deployments}/d/scale`, undefined, { 'impersonate-user': 'eve' }, 403, 'Forbidden', 'deployments.apps "d" is forbidden: User "eve" cannot get resource "deployments/scale" in API group "apps" in the namespace "default"'],
  ]
  it.each(cases)('%s is answered as upstream does', async (_name, method, url, body, headers, code, reason, message) => {
    const answer = await rig.ask(method, url, body, headers)
    expect({ code: answer.code, reason: answer.json?.reason }).toEqual({ code, reason })
    if (typeof message === 'string') expect(answer.json.message).toBe(message)
    else expect(answer.json.message).toMatch(message)
  })

  it('answers plain text when not even the group is known', async () => {
    expect((await rig.ask('GET', '/apis/foo.io/v1/foos')).text).toBe('404 page not found\n')
  })
})

describe('an object\'s life', () => {
  it('is created, read, changed, listed and deleted', async () => {
    const created = await rig.ask('POST', `${cms}?fieldManager=me`, 'metadata: {name: life}\ndata: {mode: "0644"}\n', { 'content-type': 'application/yaml' })
    expect(created.code).toBe(201)
    expect(created.json).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', data: { mode: '0644' }, metadata: { namespace: 'default', managedFields: [{ manager: 'me', operation: 'Update' }] } })
    expect((await rig.ask('GET', `${cms}/life`)).text).toBe(created.text)
    const patched = await rig.ask('PATCH', `${cms}/life`, { data: { b: '2' } }, merge)
    expect(patched.json.data).toEqual({ mode: '0644', b: '2' })
    const put = await rig.ask('PUT', `${cms}/life`, { ...patched.json, data: { c: '3' } })
    expect([put.code, put.json.data]).toEqual([200, { c: '3' }])
    const list = await rig.ask('GET', `${cms}?fieldSelector=metadata.name%3Dlife`)
    expect(list.json).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1', items: [{ data: { c: '3' } }] })
    const gone = await rig.ask('DELETE', `${cms}/life`)
    expect(gone.json).toMatchObject({ kind: 'Status', status: 'Success', details: { name: 'life', kind: 'configmaps', uid: created.json.metadata.uid } })
    expect((await rig.ask('GET', `${cms}/life`)).code).toBe(404)
  })

  it('nothing is left of a dry run', async () => {
    expect((await rig.ask('POST', `${cms}?dryRun=All`, { metadata: { name: 'dry' } })).code).toBe(201)
    expect((await rig.ask('GET', `${cms}/dry`)).code).toBe(404)
  })

  it('is made by an apply, and unknown fields are warned of', async () => {
    const made = await rig.ask('PATCH', `${cms}/applied?fieldManager=x`, 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied}\ndata: {a: b}\n', apply)
    expect([made.code, made.json.metadata.managedFields[0].operation]).toEqual([201, 'Apply'])
    const warned = await rig.ask('PATCH', `${cms}/applied`, { foo: 1 }, merge)
    expect([warned.code, warned.headers['warning']]).toEqual([200, ['299 - "unknown field \\"foo\\""']])
  })

  it('has a scale that is read and written', async () => {
    const scaled = await rig.ask('PATCH', `${deployments}/d/scale`, { spec: { replicas: 3 } }, merge)
    expect(scaled.json).toMatchObject({ kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 3 }, status: { replicas: 0, selector: 'app=d' } })
    expect((await rig.ask('GET', `${deployments}/d`)).json.spec.replicas).toBe(3)
  })

  it('is shown as a table, as metadata only, as YAML, as protobuf', async () => {
    const asTable = await rig.ask('GET', cms, undefined, table)
    expect(asTable.json).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' })
    expect(asTable.json.columnDefinitions.map((column: { name: string }) => column.name)).toEqual(['Name', 'Data', 'Age'])
    expect(asTable.json.rows[0]).toMatchObject({ cells: ['a', 1, expect.any(String)], object: { kind: 'PartialObjectMetadata', metadata: { name: 'a' } } })
    const partial = await rig.ask('GET', cms, undefined, { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' })
    expect(partial.json.items[0]).toEqual({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: expect.objectContaining({ name: 'a' }) })
    expect((await rig.ask('GET', `${cms}/a`, undefined, { accept: 'application/yaml' })).text).toMatch(/^apiVersion: v1\n|\napiVersion: v1\n/)
    const proto = await rig.ask('GET', `${cms}/a`, undefined, { accept: 'application/vnd.kubernetes.protobuf,application/json' })
    expect([proto.headers['content-type'], proto.text.slice(0, 3)]).toEqual(['application/vnd.kubernetes.protobuf', 'k8s'])
  })
})

describe('pods', () => {
  const pods = `${ns}/pods`
  const bind = (name: string, node: string): object => ({ metadata: { name }, target: { kind: 'Node', name: node } })

  it('are bound once', async () => {
    await rig.ask('POST', pods, { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } })
    expect(await rig.ask('POST', `${pods}/p/binding`, bind('p', 'n1'))).toMatchObject({ code: 201, json: { status: 'Success' } })
    const pod = (await rig.ask('GET', `${pods}/p`)).json
    expect([pod.spec.nodeName, pod.status.conditions]).toMatchObject(['n1', [{ type: 'PodScheduled', status: 'True' }]])
    expect((await rig.ask('POST', `${pods}/p/binding`, bind('p', 'n2'))).json).toMatchObject({
      code: 409, reason: 'Conflict', message: 'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"',
    })
  })

  it('are evicted only while their budget allows it', async () => {
    const labels = { app: 'guarded' }
    await rig.ask('POST', pods, { metadata: { name: 'e', labels }, spec: { containers: [{ name: 'c', image: 'i' }] } })
    await rig.ask('PATCH', `${pods}/e/status`, { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }, merge)
    const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'
    await rig.ask('POST', budgets, { metadata: { name: 'b' }, spec: { minAvailable: 1, selector: { matchLabels: labels } } })
    const status = { observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 }
    await rig.ask('PATCH', `${budgets}/b/status`, { status }, merge)
    const evict = (): ReturnType<Rig['ask']> => rig.ask('POST', `${pods}/e/eviction`, { metadata: { name: 'e', namespace: 'default' } })
    expect((await evict()).json).toMatchObject({
      code: 429, reason: 'TooManyRequests', message: "Cannot evict pod as it would violate the pod's disruption budget.",
      details: { causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget b needs 1 healthy pods and has 1 currently' }] },
    })
    await rig.ask('PATCH', `${budgets}/b/status`, { status: { ...status, disruptionsAllowed: 1 } }, merge)
    expect(await evict()).toMatchObject({ code: 201, json: { status: 'Success' } })
    expect((await rig.ask('GET', `${pods}/e`)).code).toBe(404)
    expect((await rig.ask('GET', `${budgets}/b`)).json.status).toMatchObject({ disruptionsAllowed: 0, disruptedPods: { e: expect.any(String) } })
  })

  it('name their containers when a log is asked of none', async () => {
    await rig.ask('POST', pods, { metadata: { name: 'two' }, spec: { containers: [{ name: 'a', image: 'i' }, { name: 'b', image: 'i' }] } })
    expect((await rig.ask('GET', `${pods}/two/log`)).json.message).toBe('a container name must be specified for pod two, choose one of: [a b]')
    expect((await rig.ask('GET', `${pods}/two/log?container=z`)).json.message).toBe('container z is not valid for pod two')
    expect(await rig.ask('GET', `${pods}/two/log?container=a`)).toMatchObject({ code: 200, text: '' })
  })
})

describe('the site', () => {
  it.each([
    ['/livez?verbose', 200, '[+]ping ok\n[+]log ok\n[+]etcd ok\nlivez check passed\n'],
    ['/readyz?verbose&exclude=etcd', 200, '[+]ping ok\n[+]log ok\n[+]etcd excluded: ok\n[+]shutdown ok\nreadyz check passed\n'],
    ['/healthz', 200, 'ok'],
    ['/livez/ping', 200, 'ok'],
    ['/livez/nope', 404, '404 page not found\n'],
    ['/nope', 404, '404 page not found\n'],
  ])('answers %s', async (url, code, text) => {
    expect(await rig.ask('GET', url)).toMatchObject({ code, text })
  })

  it.each([
    ['/ui/../metrics', {}], ['/ui/%2e%2e/metrics', {}], ['/healthz/..\\metrics', {}],
    ['/healthz', { host: 'x/metrics#' }], ['/healthz', { host: 'x/metrics?' }], ['/healthz', { ':authority': 'x/metrics#' }],
  ])('serves no other path than the one that was allowed: %s %j', async (url, headers) => {
    expect((await rig.ask('GET', url, undefined, headers)).code).toBe(404)
  })

  it('describes what it serves, plain and aggregated, and says when it is unchanged', async () => {
    const groups = (await rig.ask('GET', '/apis')).json.groups as { name: string }[]
    expect(groups.slice(0, 3).map((group) => group.name)).toEqual(['apiregistration.k8s.io', 'apps', 'events.k8s.io'])
    const resources = (await rig.ask('GET', '/apis/apps/v1')).json.resources as { name: string; kind: string; group?: string }[]
    expect(resources.find((of) => of.name === 'deployments/scale')).toMatchObject({ kind: 'Scale', group: 'autoscaling', version: 'v1' })
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
    const all = await rig.ask('GET', '/apis', undefined, { accept })
    expect(all.json).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' })
    expect((await rig.ask('GET', '/apis', undefined, { accept, 'if-none-match': String(all.headers['etag']) })).code).toBe(304)
  })

  it('publishes OpenAPI by hash', async () => {
    const index = (await rig.ask('GET', '/openapi/v3')).json.paths as Record<string, { serverRelativeURL: string }>
    const url = index['apis/apps/v1']?.serverRelativeURL ?? ''
    const document = await rig.ask('GET', url)
    expect(document.json.components.schemas['io.k8s.api.apps.v1.Deployment']).toBeDefined()
    expect((await rig.ask('GET', url, undefined, { 'if-none-match': String(document.headers['etag']) })).code).toBe(304)
  })

  it('counts requests', async () => {
    await rig.ask('GET', `${cms}/a`)
    expect((await rig.ask('GET', '/metrics')).text).toMatch(/apiserver_request_total\{code="200",group="",resource="configmaps",scope="resource",subresource="",verb="GET",version="v1"\} \d/)
  })

  it('counts under names that are served alone', async () => {
    const authorization = 'Bearer nobody'
    for (const path of ['/apis/made-up.example.com/v9/inventions/x', '/api/v1/inventions/x', `${cms}/a/invention`]) {
      await rig.ask('GET', path)
      await rig.ask('GET', path, undefined, { authorization })
    }
    const { text } = await rig.ask('GET', '/metrics')
    expect(text).not.toMatch(/invention|made-up/)
    expect(text).toMatch(/apiserver_request_total\{code="403",group="",resource="",scope="resource",subresource="",verb="GET",version=""\} 2/)
  })
})
