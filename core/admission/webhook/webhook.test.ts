import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { remoteServer } from '../../client/remote.fake.ts'
import { remoteClient } from '../../client/remote.ts'
import { configMaps } from '../../api/core/configmap.ts'
import { Questions } from '../expressions.ts'
import { compileConditions, evaluateConditions } from './conditions.ts'
import { allow, openWebhookRig, patch, type Webhook, type WebhookRig } from './rig.fake.ts'

let rig: WebhookRig

afterEach(() => rig.close())

const maps = '/api/v1/namespaces/default/configmaps'
const map = (name: string, data: object = {}, labels: object = {}): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data })
const deny: Webhook = () => ({ allowed: false, status: { message: 'no thanks' } })
const set = (key: string, value = 'yes'): object => patch({ op: 'add', path: `/data/${key}`, value })

describe('a validating webhook', () => {
  it('is told everything there is to know', async () => {
    rig = await openWebhookRig({ see: () => allow })
    await rig.configure('validating', 'c', { see: { timeoutSeconds: 3 } })
    await rig.ask('POST', `${maps}?dryRun=All&fieldManager=me`, map('a', { x: '1' }))
    expect(rig.calls).toEqual([{
      path: 'see',
      request: {
        uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
        kind: { group: '', version: 'v1', kind: 'ConfigMap' }, resource: { group: '', version: 'v1', resource: 'configmaps' },
        requestKind: { group: '', version: 'v1', kind: 'ConfigMap' }, requestResource: { group: '', version: 'v1', resource: 'configmaps' },
        name: 'a', namespace: 'default', operation: 'CREATE', userInfo: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
        object: expect.objectContaining({ apiVersion: 'v1', kind: 'ConfigMap', data: { x: '1' }, metadata: expect.objectContaining({ name: 'a', namespace: 'default', uid: expect.any(String) as string }) as object }) as object,
        oldObject: null, dryRun: true,
        options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', dryRun: ['All'], fieldManager: 'me' },
      },
    }])
  })

  it('is told of old objects at updates, deletes, and deletes of many', async () => {
    rig = await openWebhookRig({ see: () => allow })
    await rig.ask('POST', maps, map('a'))
    await rig.ask('POST', maps, map('b'))
    await rig.configure('validating', 'c', { see: {} })
    await rig.ask('PUT', `${maps}/a`, map('a', { x: '2' }))
    await rig.ask('DELETE', `${maps}/a`)
    await rig.ask('DELETE', maps)
    await rig.ask('PATCH', `${maps}/c?fieldManager=m`, map('c'), { 'content-type': 'application/apply-patch+yaml' })
    await rig.ask('PATCH', `${maps}/c?fieldManager=m&force=true`, map('c', { x: '3' }), { 'content-type': 'application/apply-patch+yaml' })
    expect(rig.calls.map(({ request: r }) => [r.operation, r.name, r.object?.data, r.oldObject?.metadata.name, r.options.kind])).toEqual([
      ['UPDATE', 'a', { x: '2' }, 'a', 'UpdateOptions'],
      ['DELETE', 'a', undefined, 'a', 'DeleteOptions'],
      ['DELETE', undefined, undefined, 'b', 'DeleteOptions'],
      ['CREATE', 'c', undefined, undefined, 'CreateOptions'],
      ['UPDATE', 'c', { x: '3' }, 'c', 'UpdateOptions'],
    ])
    expect(rig.calls[0]?.request.object.metadata.resourceVersion).toBe(rig.calls[0]?.request.oldObject.metadata.resourceVersion)
    expect(rig.calls.at(-1)?.request.options).toEqual({ kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'm' })
  })

  it.each<[string, object | string, number, string]>([
    ['with a message', { allowed: false, status: { message: 'no thanks' } }, 400, 'admission webhook "w.example.org" denied the request: no thanks'],
    ['with a reason', { allowed: false, status: { reason: 'Whim', code: 418 } }, 418, 'admission webhook "w.example.org" denied the request: Whim'],
    ['without a word', { allowed: false }, 400, 'admission webhook "w.example.org" denied the request without explanation'],
    ['wrongly: a patch', patch({ op: 'add', path: '/data', value: {} }), 500, 'Internal error occurred: failed calling webhook "w.example.org": received invalid webhook response: validating webhook may not return response.patch'],
    ['wrongly: another uid', { uid: 'x', allowed: true }, 500, expect.stringMatching(/received invalid webhook response: expected response.uid="[0-9a-f-]{36}", got "x"$/) as string],
    ['wrongly: nothing', '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}', 500, 'Internal error occurred: failed calling webhook "w.example.org": received invalid webhook response: webhook response was absent'],
  ])('refuses %s', async (_, said, code, message) => {
    rig = await openWebhookRig({ w: () => said })
    await rig.configure('validating', 'c', { w: {} })
    const answer = await rig.ask('POST', maps, map('a'))
    expect([answer.code, answer.json.message]).toEqual([code, message])
    expect((await rig.ask('GET', `${maps}/a`)).code).toBe(404)
  })

  it('may warn, and note something for the audit log', async () => {
    rig = await openWebhookRig({ w: () => ({ ...allow, warnings: ['mind the gap'], auditAnnotations: { why: 'because' } }) })
    await rig.configure('validating', 'c', { w: {} })
    expect((await rig.ask('POST', maps, map('a'))).headers['warning']).toEqual(['299 - "mind the gap"'])
    expect(rig.annotations.get('w.example.org/why')).toBe('because')
  })

  it('that cannot be reached fails the request, or is passed over, as its policy says', async () => {
    const down = (): Error => new Error('Post "https://hooks/w?timeout=10s": context deadline exceeded')
    rig = await openWebhookRig({ w: down })
    await rig.configure('validating', 'c', { w: { failurePolicy: 'Ignore' } })
    expect((await rig.ask('POST', maps, map('a'))).code).toBe(201)
    expect(rig.annotations.get('failed-open.validating.webhook.admission.k8s.io/round_0_index_0')).toBe('w.example.org')
    await rig.configure('validating', 'd', { w: {} })
    const answer = await rig.ask('POST', maps, map('b'))
    expect([answer.code, answer.json.message]).toEqual([500, 'Internal error occurred: failed calling webhook "w.example.org": failed to call webhook: Post "https://hooks/w?timeout=10s": context deadline exceeded'])
    const metrics = rig.metrics.render()
    expect(metrics).toContain('apiserver_admission_webhook_fail_open_count{name="w.example.org",type="validating"} 2')
    expect(metrics).toContain('apiserver_admission_webhook_rejection_count{name="w.example.org",type="validating",operation="CREATE",error_type="calling_webhook_error",rejection_code="503"} 1')
  })

  it('with side effects is never asked about a dry run', async () => {
    rig = await openWebhookRig({ w: () => allow })
    await rig.configure('validating', 'c', { w: { sideEffects: 'NoneOnDryRun' } })
    expect((await rig.ask('POST', `${maps}?dryRun=All`, map('a'))).code).toBe(201)
  })

  it('decides of the next request after its configuration was acknowledged, and of none after it is gone', async () => {
    rig = await openWebhookRig({ w: deny })
    await rig.configure('validating', 'c', { w: {} })
    expect((await rig.ask('POST', maps, map('a'))).code).toBe(400)
    await rig.ask('DELETE', '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/c')
    expect((await rig.ask('POST', maps, map('a'))).code).toBe(201)
  })

  it('never stands in the way of its own removal', async () => {
    rig = await openWebhookRig({ w: deny })
    await rig.configure('validating', 'c', { w: { namespaceSelector: {} } })
    expect((await rig.ask('DELETE', '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/c')).code).toBe(200)
  })

  it('is asked in the version it knows', async () => {
    rig = await openWebhookRig({ w: () => allow })
    await rig.configure('validating', 'c', { w: { rules: [{ operations: ['CREATE'], apiGroups: ['autoscaling'], apiVersions: ['v1'], resources: ['*'] }] } })
    const spec = { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }] }
    expect((await rig.ask('POST', '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers', { metadata: { name: 'h' }, spec })).code).toBe(201)
    const [call] = rig.calls
    expect(call?.request).toMatchObject({
      kind: { group: 'autoscaling', version: 'v1', kind: 'HorizontalPodAutoscaler' }, requestKind: { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' },
      resource: { version: 'v1' }, requestResource: { version: 'v2' }, object: { apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 50 } },
    })
  })
})

describe('a mutating webhook', () => {
  it('changes what is stored, each after the one before, by the name of the configuration', async () => {
    rig = await openWebhookRig({
      first: () => set('one'),
      second: (request) => (request.object.data.one === 'yes' ? set('two') : allow),
      third: (request) => (request.object.data.two === 'yes' ? set('three') : allow),
    })
    await rig.configure('mutating', 'z', { third: {} })
    await rig.configure('mutating', 'a', { first: {}, second: {} })
    const answer = await rig.ask('POST', maps, map('a', { zero: 'yes' }))
    expect(answer.json.data).toEqual({ zero: 'yes', one: 'yes', two: 'yes', three: 'yes' })
    expect((await rig.ask('GET', `${maps}/a`)).json.data).toEqual(answer.json.data)
    expect(rig.calls.map((call) => call.path)).toEqual(['first', 'second', 'third'])
    expect(rig.annotations.get('mutation.webhook.admission.k8s.io/round_0_index_0')).toBe('{"configuration":"a","webhook":"first.example.org","mutated":true}')
    expect(rig.annotations.get('patch.webhook.admission.k8s.io/round_0_index_2')).toBe('{"configuration":"z","webhook":"third.example.org","patch":[{"op":"add","path":"/data/three","value":"yes"}],"patchType":"JSONPatch"}')
  })

  it('is asked again when a later one changed the object, if it wants to be', async () => {
    rig = await openWebhookRig({ early: (r) => set('seen', r.object.data.late ?? 'nothing'), once: () => allow, late: () => set('late', 'something') })
    await rig.configure('mutating', 'c', { early: { reinvocationPolicy: 'IfNeeded' }, once: {}, late: {} })
    expect((await rig.ask('POST', maps, map('a', { x: '1' }))).json.data).toEqual({ x: '1', seen: 'something', late: 'something' })
    expect(rig.calls.map((call) => call.path)).toEqual(['early', 'once', 'late', 'early'])
  })

  it('is not asked again when nothing changed after it', async () => {
    rig = await openWebhookRig({ early: () => set('e'), late: () => allow })
    await rig.configure('mutating', 'c', { early: { reinvocationPolicy: 'IfNeeded' }, late: { reinvocationPolicy: 'IfNeeded' } })
    await rig.ask('POST', maps, map('a', { x: '1' }))
    expect(rig.calls.map((call) => call.path)).toEqual(['early', 'late'])
  })

  it('makes objects that are defaulted, and seen by validating webhooks as they became', async () => {
    const container = { name: 'side', image: 'i' }
    rig = await openWebhookRig({ add: () => patch({ op: 'add', path: '/spec/template/spec/containers/-', value: container }), see: () => allow })
    await rig.configure('mutating', 'c', { add: {} })
    await rig.configure('validating', 'c', { see: {} })
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    const answer = await rig.ask('POST', '/apis/apps/v1/namespaces/default/deployments', { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } })
    expect(answer.json.spec.template.spec.containers[1]).toMatchObject({ ...container, imagePullPolicy: 'Always', terminationMessagePath: '/dev/termination-log' })
    expect(rig.calls.at(-1)?.request.object.spec.template.spec.containers[1]).toMatchObject({ imagePullPolicy: 'Always' })
  })

  it('changes objects in the version it knows', async () => {
    rig = await openWebhookRig({ w: () => patch({ op: 'replace', path: '/spec/targetCPUUtilizationPercentage', value: 77 }) })
    await rig.configure('mutating', 'c', { w: { rules: [{ operations: ['CREATE'], apiGroups: ['autoscaling'], apiVersions: ['v1'], resources: ['*'] }] } })
    const spec = { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }] }
    const answer = await rig.ask('POST', '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers', { metadata: { name: 'h' }, spec })
    expect(answer.json.spec.metrics[0].resource.target.averageUtilization).toBe(77)
  })

  it('changes the scale of a deployment by its Scale', async () => {
    rig = await openWebhookRig({ w: () => patch({ op: 'replace', path: '/spec/replicas', value: 5 }) })
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    await rig.ask('POST', '/apis/apps/v1/namespaces/default/deployments', { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } })
    await rig.configure('mutating', 'c', { w: {} })
    const path = '/apis/apps/v1/namespaces/default/deployments/d/scale'
    expect((await rig.ask('PUT', path, { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'd', namespace: 'default' }, spec: { replicas: 2 } })).json.spec.replicas).toBe(5)
    expect(rig.calls[0]?.request).toMatchObject({ subResource: 'scale', kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, resource: { group: 'apps', resource: 'deployments' }, object: { spec: { replicas: 2 } }, oldObject: { spec: { replicas: 1 } } })
  })

  it.each<[string, object, string]>([
    ['makes it unreadable', patch({ op: 'replace', path: '/data', value: 7 }), 'Internal error occurred: json: cannot unmarshal number into Go struct field ConfigMap.data of type map[string]string'],
    ['patches what is not there', patch({ op: 'remove', path: '/data/q' }), "Internal error occurred: error in remove for path: '/data/q': Unable to remove nonexistent key: q: missing value"],
    ['makes it another kind', patch({ op: 'replace', path: '/kind', value: 'Secret' }), 'Internal error occurred: unable to convert: a v1 ConfigMap cannot become a v1 Secret'],
    ['says no kind of patch', { allowed: true, patch: 'W10=' }, 'Internal error occurred: failed calling webhook "w.example.org": received invalid webhook response: webhook returned response.patch but not response.patchType'],
    ['says another kind of patch', { allowed: true, patch: Buffer.from('[{"op":"add","path":"/x","value":1}]').toString('base64'), patchType: 'Merge' }, 'Internal error occurred: failed calling webhook "w.example.org": unsupported patch type "Merge"'],
    ['sends no JSON', { allowed: true, patch: Buffer.from('{').toString('base64'), patchType: 'JSONPatch' }, expect.stringContaining('received undecodable patch in webhook response: ') as string],
  ])('fails the request when it %s', async (_, said, message) => {
    rig = await openWebhookRig({ w: () => said })
    await rig.configure('mutating', 'c', { w: {} })
    const answer = await rig.ask('POST', maps, map('a', { x: '1' }))
    expect([answer.code, answer.json.message]).toEqual([500, message])
  })

  it('cannot move it to another namespace', async () => {
    rig = await openWebhookRig({ w: () => patch({ op: 'replace', path: '/metadata/namespace', value: 'kube-system' }) })
    await rig.ask('POST', maps, map('old'))
    await rig.configure('mutating', 'c', { w: {} })
    for (const answer of [await rig.ask('POST', maps, map('a')), await rig.ask('PUT', `${maps}/old`, map('old', { x: '1' }))]) {
      expect([answer.code, answer.json.message]).toEqual([400, 'the namespace of the provided object does not match the namespace sent on the request'])
    }
  })

  it('cannot change what is deleted', async () => {
    rig = await openWebhookRig({ w: () => set('a') })
    await rig.ask('POST', maps, map('a'))
    await rig.configure('mutating', 'c', { w: {} })
    expect((await rig.ask('DELETE', `${maps}/a`)).json.message).toBe('Internal error occurred: admission webhook "w.example.org" attempted to modify the object, which is not supported for this operation')
  })

  it('drops what the kind does not know', async () => {
    rig = await openWebhookRig({ w: () => patch({ op: 'add', path: '/nonsense', value: 1 }) })
    await rig.configure('mutating', 'c', { w: {} })
    expect((await rig.ask('POST', maps, map('a'))).json).not.toHaveProperty('nonsense')
  })
})

describe('connections', () => {
  it('are shown with their options, and may be refused', async () => {
    rig = await openWebhookRig({ w: (r) => (r.object.stdin === true ? { allowed: false, status: { message: `attaching to pod '${r.name}' is not allowed` } } : allow) })
    await rig.ask('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
    await rig.ask('POST', '/api/v1/namespaces/default/pods', { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } })
    await rig.configure('validating', 'c', { w: { rules: [{ operations: ['CONNECT'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods/attach', 'pods/exec'] }] } })
    const answer = await rig.ask('POST', '/api/v1/namespaces/default/pods/p/attach?container=c&stdin=true')
    expect(answer.json.message).toBe('admission webhook "w.example.org" denied the request: attaching to pod \'p\' is not allowed')
    await rig.ask('POST', '/api/v1/namespaces/default/pods/p/exec?command=a&command=b')
    expect(rig.calls.map(({ request: r }) => [r.kind.kind, r.resource.resource, r.subResource, r.object, r.options])).toEqual([
      ['PodAttachOptions', 'pods', 'attach', { kind: 'PodAttachOptions', apiVersion: 'v1', container: 'c', stdin: true }, null],
      ['PodExecOptions', 'pods', 'exec', { kind: 'PodExecOptions', apiVersion: 'v1', command: ['a', 'b'] }, null],
    ])
  })
})

describe('match conditions', () => {
  it.each<[string, string, boolean | string]>([
    ['true', 'true', true],
    ['of the object', "object.metadata.name == 'a' && object.data.x == '1'", true],
    ['of another object', "object.metadata.name != 'a'", false],
    ['of no old object', 'oldObject == null', true],
    ['of the request', "request.operation == 'CREATE' && request.resource.resource == 'configmaps' && request.namespace == 'default' && !request.dryRun", true],
    ['of the user', "request.userInfo.username == 'admin' && 'system:masters' in request.userInfo.groups", true],
    ['of options', "request.options.kind == 'CreateOptions'", true],
    ['of what is not there', "object.data.y == '1'", 'configmaps "a" is forbidden: expression \'object.data.y == \'1\'\' resulted in error: no such key: y'],
    ['of rights', "authorizer.group('').resource('pods').namespace('default').check('create').allowed()", true],
    ["of the request's own rights", "authorizer.requestResource.check('custom').allowed()", true],
    ["of others' rights", "authorizer.serviceAccount('default', 'nobody').group('').resource('pods').check('get').allowed()", false],
    ['a webhook has no namespace object', 'namespaceObject == null', true],
  ])('%s', async (_, expression, want) => {
    rig = await openWebhookRig({ w: () => allow })
    await rig.configure('validating', 'c', { w: { matchConditions: [{ name: 'it', expression }] } })
    const answer = await rig.ask('POST', maps, map('a', { x: '1' }))
    expect(answer.code === 201 ? rig.calls.length === 1 : answer.json.message).toBe(want)
  })

  it('that fail count for nothing where another is false, or failures are ignored', async () => {
    const broken = { name: 'broken', expression: "object.data.y == '1'" }
    rig = await openWebhookRig({ w: () => allow })
    await rig.configure('validating', 'c', { w: { matchConditions: [broken, { name: 'no', expression: 'false' }] } })
    await rig.configure('validating', 'd', { w: { failurePolicy: 'Ignore', matchConditions: [broken] } })
    expect((await rig.ask('POST', maps, map('a'))).code).toBe(201)
    expect(rig.calls).toEqual([])
  })

  it('are waited for where the authorizer takes its time', async () => {
    const slow = { authorize: async () => ({ answer: 'allow', reason: 'so' }) as const }
    const conditions = compileConditions([{ name: 'a', expression: "authorizer.path('/x').check('get').reason() == 'so' && authorizer.path('/y').check('get').allowed()" }], { ignoresFailure: false })
    const request = { kind: configMaps, operation: 'CREATE', subresource: '', namespace: 'n', name: 'x', object: undefined, oldObject: undefined, options: {}, dryRun: false, user: { name: 'u', groups: [] }, warn: () => {} } as const
    const match = { as: configMaps, resource: { group: '', version: 'v1', resource: 'configmaps' }, kind: { group: '', version: 'v1', kind: 'ConfigMap' } }
    expect(conditions === undefined ? '' : await evaluateConditions(conditions, { request, match, object: undefined, oldObject: undefined, decider: new Questions(slow) })).toBe(true)
    rig = await openWebhookRig({})
  })

  it('that cost too much together are refused', async () => {
    const check = "authorizer.path('/x').check('get').allowed()" // 350,000 each
    rig = await openWebhookRig({ w: () => allow })
    await rig.configure('validating', 'c', { w: { matchConditions: ['a', 'b', 'c', 'd'].map((name) => ({ name, expression: `${check} && ${check}` })) } })
    expect((await rig.ask('POST', maps, map('a'))).json.message)
      .toBe('configmaps "a" is forbidden: validation failed due to running out of cost budget, no further validation rules will be run')
    await rig.configure('validating', 'b', { w: { matchConditions: [{ name: 'a', expression: `${check} && ${check} && ${check}` }] } })
    expect((await rig.ask('POST', maps, map('a'))).json.message).toContain('operation cancelled: actual cost limit exceeded')
  })
})

describe('over the wire', () => {
  it('a webhook behind a Service is called by its name at a ready endpoint', async () => {
    const server = await remoteServer(['hook.default.svc'], (heard) => {
      const { request } = JSON.parse(heard.body) as { request: { uid: string; object: { data?: Record<string, string> } } }
      const response = { uid: request.uid, allowed: request.object.data?.['bad'] === undefined, status: { message: 'bad data' } }
      return { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response }) }
    })
    const remote = remoteClient({ agent: 'test', services: { resolve: () => ({ host: '127.0.0.1', port: server.port }) } })
    try {
      rig = await openWebhookRig({}, { post: (ctx, ...rest) => remote.post({ clock: systemClock, log: ctx.log, signal: ctx.signal }, ...rest), send: remote.send })
      await rig.configure('validating', 'c', { w: { clientConfig: { service: { namespace: 'default', name: 'hook', path: '/check' }, caBundle: server.caBundle } } })
      expect((await rig.ask('POST', maps, map('a', { good: '1' }))).json.message).toBeUndefined()
      expect((await rig.ask('POST', maps, map('b', { bad: '1' }))).json.message).toBe('admission webhook "w.example.org" denied the request: bad data')
      expect(server.heard.map((heard) => heard.url)).toEqual(['/check?timeout=10s', '/check?timeout=10s'])
      await rig.configure('validating', 'd', { v: { clientConfig: { service: { namespace: 'default', name: 'other' }, caBundle: server.caBundle } } })
      expect((await rig.ask('POST', maps, map('c'))).json.message)
        .toBe('Internal error occurred: failed calling webhook "v.example.org": failed to call webhook: Post "https://other.default.svc:443/?timeout=10s": tls: failed to verify certificate: x509: certificate is valid for hook.default.svc, not other.default.svc')
    } finally {
      remote.close()
      await server.close()
    }
  })
})
