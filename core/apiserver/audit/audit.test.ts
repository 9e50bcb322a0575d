import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { virtualClock } from '../../lib/clock.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { silentLog } from '../../lib/log.ts'
import { createMetrics } from '../../lib/metrics.ts'
import { configMaps } from '../../api/core/configmap.ts'
import { pods } from '../../api/core/pod.ts'
import { ApiError } from '../../api/errors.ts'
import { loopbackClient } from '../../client/loopback.ts'
import { inProcess } from '../inprocess.ts'
import { parseRequest } from '../request.ts'
import { openRig, type Rig } from '../rig.fake.ts'
import { Audit, type Sink } from './audit.ts'
import { openAuditFile } from './file.ts'
import { builtInPolicy, evaluator, readPolicy, type Policy } from './policy.ts'
import { kubeconfigTarget } from '../../client/kubeconfig.ts'
import { Webhook } from './webhook.ts'

const cms = '/api/v1/namespaces/default/configmaps'

class Lines implements Sink {
  readonly name = 'lines'
  readonly lines: string[] = []
  add(line: string): boolean {
    this.lines.push(line)
    return true
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into events freely
  get events(): any[] {
    return this.lines.map((line) => JSON.parse(line) as unknown)
  }
}

let rig: Rig
let sink: Lines
async function open(policy: Policy): Promise<void> {
  const clock = virtualClock()
  const metrics = createMetrics()
  sink = new Lines()
  rig = await openRig({ audit: new Audit({ policy, sinks: [sink], clock, metrics }), metrics }, clock)
  await rig.ask('POST', '/api/v1/namespaces', { metadata: { name: 'default' } })
  sink.lines.length = 0
}
afterEach(() => rig?.close())

const everything = (level: Policy['rules'][number]['level'], more: Partial<Policy> = {}): Policy => ({ rules: [{ level }], ...more })

describe('a policy', () => {
  const policy = (rules: unknown, more: object = {}): unknown => ({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules, ...more })
  const wrong: readonly (readonly [string, unknown, string])[] = [
    ['another kind', { kind: 'Pod', apiVersion: 'v1' }, 'unknown group version field v1, Kind=Pod in policy: it must be audit.k8s.io/v1, Kind=Policy'],
    ['no rules', policy([]), 'loaded illegal policy with 0 rules'],
    ['an unknown field', policy([{ level: 'None', user: ['a'] }]), 'strict decoding error: unknown field "rules[0].user"'],
    ['an unknown level', policy([{ level: 'All' }]), 'rules[0].level: Unsupported value: "All": supported values: "None", "Metadata", "Request", "RequestResponse"'],
    ['no level', policy([{}]), 'rules[0].level: Required value'],
    ['an unknown stage', policy([{ level: 'None' }], { omitStages: ['Never'] }), 'omitStages[0]: Invalid value: "Never": allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic'],
    ['a path that is none', policy([{ level: 'None', nonResourceURLs: ['logs', '/a*b'] }]), 'rules[0].nonResourceURLs[0]: Invalid value: "logs": non-resource URL rules must begin with a \'/\' character; rules[0].nonResourceURLs[1]: Invalid value: "/a*b": non-resource URL wildcards \'*\' must be the final character of the rule'],
    ['names without a resource', policy([{ level: 'None', resources: [{ resourceNames: ['a'] }] }]), 'rules[0].resources.resourceNames: Invalid value: ["a"]: using resourceNames requires at least one resource'],
    ['verbs that are no list', policy([{ level: 'None', verbs: 'get' }]), 'rules[0].verbs is not a list'],
  ]
  it.each(wrong)('that has %s is refused', (_name, document, message) => expect(() => readPolicy(document)).toThrow(message))

  const matched: readonly (readonly [string, Omit<Policy['rules'][number], 'level'>, string, boolean])[] = [
    ['a verb', { verbs: ['list'] }, `GET ${cms}`, true],
    ['another verb', { verbs: ['get'] }, `GET ${cms}`, false],
    ['a group of the user', { userGroups: ['devs'] }, `GET ${cms}`, true],
    ['another user', { users: ['eve'] }, `GET ${cms}`, false],
    ['a resource', { resources: [{ resources: ['configmaps'] }] }, `GET ${cms}`, true],
    ['a resource of another group', { resources: [{ group: 'apps', resources: ['configmaps'] }] }, `GET ${cms}`, false],
    ['a resource without its subresources', { resources: [{ resources: ['pods'] }] }, 'GET /api/v1/namespaces/a/pods/p/log', false],
    ['all subresources of a resource', { resources: [{ resources: ['pods/*'] }] }, 'GET /api/v1/namespaces/a/pods/p/log', true],
    ['a subresource of all', { resources: [{ resources: ['*/log'] }] }, 'GET /api/v1/namespaces/a/pods/p/log', true],
    ['a name', { resources: [{ resources: ['configmaps'], resourceNames: ['a'] }] }, `GET ${cms}/a`, true],
    ['another name', { resources: [{ resources: ['configmaps'], resourceNames: ['a'] }] }, `GET ${cms}/b`, false],
    ['a namespace', { namespaces: ['default'] }, `GET ${cms}`, true],
    ['no namespace', { namespaces: [''] }, 'GET /api/v1/nodes', true],
    ['a path by its beginning', { nonResourceURLs: ['/api*'] }, 'GET /apis', true],
    ['a path, for a resource', { nonResourceURLs: ['*'] }, `GET ${cms}`, false],
    ['a resource, for a path', { resources: [{ group: '*' }] }, 'GET /version', false],
  ]
  it.each(matched)('speaks of %s', (_name, rule, request, yes) => {
    const [method = '', url = ''] = request.split(' ')
    const wanted = evaluator({ rules: [{ level: 'Metadata', ...rule }] })(parseRequest(method, url), { name: 'bob', groups: ['devs'] })
    expect(wanted !== undefined).toBe(yes)
  })

  it('lists that are null in its file are empty', () => {
    const of = evaluator(readPolicy({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'Metadata', users: null, namespaces: null }] }))
    expect(of(parseRequest('GET', cms), undefined)?.level).toBe('Metadata')
  })

  it('of our own tells who changed what, and is silent about the rest', () => {
    const of = evaluator(readPolicy({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', ...builtInPolicy }))
    const level = (method: string, url: string, user = 'bob', groups: readonly string[] = []) => of(parseRequest(method, url), { name: user, groups })?.level
    expect(level('POST', cms)).toBe('Metadata')
    expect(level('DELETE', `${cms}/a`)).toBe('Metadata')
    expect(level('GET', cms)).toBeUndefined()
    expect(level('GET', '/api/v1/namespaces/a/pods/p/exec')).toBe('Metadata')
    expect(level('POST', '/api/v1/namespaces/a/events')).toBeUndefined()
    expect(level('PUT', '/apis/coordination.k8s.io/v1/namespaces/a/leases/x')).toBeUndefined()
    expect(level('POST', '/apis/authentication.k8s.io/v1/tokenreviews')).toBeUndefined()
    expect(level('PATCH', '/api/v1/namespaces/a/pods/p/status', 'system:node:n', ['system:nodes'])).toBeUndefined()
    expect(level('PATCH', '/api/v1/namespaces/a/pods/p/status')).toBe('Metadata')
    expect(level('POST', '/healthz')).toBeUndefined()
  })
})

describe('an event', () => {
  it('says who did what, when, from where, and what came of it', async () => {
    await open(everything('Metadata', { omitStages: ['RequestReceived'] }))
    await rig.clock.advance(1_234.5)
    const answer = await rig.ask('POST', `${cms}?pretty=0`, { metadata: { name: 'a' } }, { 'audit-id': 'mine', 'x-forwarded-for': '10.1.1.1, x', 'user-agent': 'kubectl/v1' })
    expect(answer.headers['audit-id']).toBe('mine')
    expect(sink.events).toEqual([{
      kind: 'Event', apiVersion: 'audit.k8s.io/v1', level: 'Metadata', auditID: 'mine', stage: 'ResponseComplete',
      requestURI: `${cms}?pretty=0`, verb: 'create', user: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
      sourceIPs: ['10.1.1.1', '127.0.0.1'], userAgent: 'kubectl/v1',
      objectRef: { resource: 'configmaps', namespace: 'default', name: 'a', apiVersion: 'v1' },
      responseStatus: { metadata: {}, code: 201 },
      requestReceivedTimestamp: '2026-01-01T00:00:01.234500Z', stageTimestamp: '2026-01-01T00:00:01.234500Z',
      annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
    }])
  })

  it('has what was sent and what was answered, as far as the level goes', async () => {
    await open({ omitManagedFields: true, omitStages: ['RequestReceived'], rules: [{ level: 'Request', verbs: ['patch'] }, { level: 'RequestResponse' }] })
    await rig.ask('POST', cms, { metadata: { name: 'b' }, data: { k: '1' } })
    await rig.ask('PATCH', `${cms}/b`, '{"data":{"k":"2"}}', { 'content-type': 'application/merge-patch+json' })
    await rig.ask('GET', cms)
    await rig.ask('DELETE', `${cms}/b`, { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 })
    const [created, patched, listed, deleted] = sink.events
    expect(created.requestObject).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'b' }, data: { k: '1' } })
    expect(created.responseObject.metadata).toMatchObject({ name: 'b', namespace: 'default' })
    expect(created.responseObject.metadata).not.toHaveProperty('managedFields')
    expect(patched).toMatchObject({ requestObject: { data: { k: '2' } } })
    expect(patched).not.toHaveProperty('responseObject')
    expect(listed.responseObject).toMatchObject({ kind: 'ConfigMapList', items: [{ metadata: { name: 'b' } }] })
    expect(deleted).toMatchObject({ requestObject: { kind: 'DeleteOptions', gracePeriodSeconds: 0 }, responseStatus: { status: 'Success', code: 200 } })
  })

  it('has the reason of a refusal, and both users where one stands for another', async () => {
    await open(everything('Metadata', { omitStages: ['RequestReceived'] }))
    await rig.ask('GET', `${cms}/none`)
    await rig.ask('GET', cms, undefined, { 'impersonate-user': 'eve' })
    const [missing, refused] = sink.events
    expect(missing.responseStatus).toEqual({ metadata: {}, status: 'Failure', message: 'configmaps "none" not found', reason: 'NotFound', details: { name: 'none', kind: 'configmaps' }, code: 404 })
    expect(refused).toMatchObject({ user: { username: 'admin' }, impersonatedUser: { username: 'eve', groups: ['system:authenticated'] }, responseStatus: { code: 403 }, annotations: { 'authorization.k8s.io/decision': 'forbid' } })
  })

  it('is made of a request that nobody knows', async () => {
    await open(everything('Metadata', { omitStages: ['RequestReceived'] }))
    await rig.ask('GET', cms, undefined, { authorization: 'Bearer bad' })
    expect(sink.events).toMatchObject([{ stage: 'ResponseStarted', user: {}, responseStatus: { message: 'Authentication failed, attempted: bearer', code: 401 } }])
  })

  it('comes at each stage of a watch', async () => {
    await open(everything('Metadata'))
    const watch = rig.open(`${cms}?watch=1`)
    await watch.done
    expect(sink.events.map((event) => event.stage)).toEqual(['RequestReceived', 'ResponseStarted'])
    watch.close()
    expect(sink.events.map((event) => [event.stage, event.responseStatus?.code])).toEqual([['RequestReceived', undefined], ['ResponseStarted', 200], ['ResponseComplete', 200]])
    expect(new Set(sink.events.map((event) => event.auditID)).size).toBe(1)
  })

  it('tells an accident of the server', async () => {
    await open(everything('Metadata', { omitStages: ['RequestReceived'] }))
    const { registry } = rig
    Object.assign(registry, { get: () => Promise.reject(new TypeError('boom')) })
    expect((await rig.ask('GET', `${cms}/a`)).code).toBe(500)
    expect(sink.events).toMatchObject([{ stage: 'Panic', responseStatus: { status: 'Failure', reason: 'InternalError', message: "APIServer panic'd: boom", code: 500 } }])
  })

  it('is made of paths, and of what parts in the same process do', async () => {
    await open(everything('Metadata', { omitStages: ['RequestReceived'] }))
    await rig.ask('GET', '/version')
    const client = loopbackClient(inProcess(rig.deps), { name: 'part', groups: ['system:masters'], agent: 'kubun/part' })
    await client.create(rig.ctx, configMaps, { metadata: { name: 'c', namespace: 'default' } }, { fieldManager: 'x' })
    const [version, created] = sink.events
    expect(version).toMatchObject({ requestURI: '/version', verb: 'get', responseStatus: { code: 200 } })
    expect(version).not.toHaveProperty('objectRef')
    expect(created).toMatchObject({ requestURI: `${cms}?fieldManager=x`, verb: 'create', user: { username: 'part' }, userAgent: 'kubun/part', objectRef: { name: 'c' }, responseStatus: { code: 201 } })
  })

  it('is made of a log that a part reads', async () => {
    await open(everything('Metadata', { omitStages: ['RequestReceived'] }))
    const client = loopbackClient(inProcess(rig.deps), { name: 'ann', groups: ['system:masters'], agent: 'kubun/why' })
    await client.create(rig.ctx, pods, { metadata: { name: 'p', namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i' }] } })
    expect(await client.ask(rig.ctx, pods, { namespace: 'default', name: 'p', subresource: 'log' })).toBe('') // it has no node yet
    expect(sink.events[1]).toMatchObject({ verb: 'get', user: { username: 'ann' }, objectRef: { resource: 'pods', name: 'p', subresource: 'log' } })
    expect(sink.events[1].responseStatus).toEqual({ metadata: {}, code: 200 })
  })

  it('is one line, whatever the sender writes', async () => {
    await open(everything('Request', { omitStages: ['RequestReceived'] }))
    const forged = '{"kind":"Event","apiVersion":"audit.k8s.io/v1","user":{"username":"somebody else"}}'
    await rig.ask('PATCH', `${cms}/a`, `[\r\n${forged}\n]`, { 'content-type': 'application/json-patch+json' })
    expect(sink.lines.map((line) => line.trimEnd().split(/[\r\n]/).length)).toEqual([1])
    expect(sink.events[0]).toMatchObject({ user: { username: 'admin' }, requestObject: [JSON.parse(forged)] })
  })

  it('has what admission says of it', async () => {
    await open(everything('Metadata', { omitStages: ['RequestReceived'] }))
    Object.assign(rig.deps.admission, { validate: (_ctx: Ctx, request: { annotate?: (key: string, value: string, level?: 'Request') => void }) => {
      request.annotate?.('plugin.example.com/note', 'seen')
      request.annotate?.('plugin.example.com/patch', 'long', 'Request')
      return Promise.reject(new ApiError({ code: 403, reason: 'Forbidden', message: 'no' }))
    } })
    await rig.ask('POST', cms, { metadata: { name: 'd' } })
    expect(sink.events[0]).toMatchObject({ annotations: { 'plugin.example.com/note': 'seen' }, responseStatus: { code: 403, message: 'no' } })
    expect(sink.events[0].annotations).not.toHaveProperty(['plugin.example.com/patch'])
  })
})

describe('the audit log', () => {
  it('is written in order, moved aside when it is full, and only so many of the old ones are kept', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kubun-audit-'))
    const clock = virtualClock()
    const ctx: Ctx = { clock, log: silentLog, signal: new AbortController().signal }
    try {
      writeFileSync(join(dir, 'audit-2020-01-01T00-00-00.000.log'), 'old\n')
      for (let round = 0; round < 4; round++) {
        const file = await openAuditFile(ctx, { path: join(dir, 'audit.log'), bytesMax: 100, backupsMax: 2, ageMsMax: 0 })
        for (let i = 0; i < 10; i++) expect(file.add(`{"round":${round},"i":${i}}\n`)).toBe(true)
        await file.close()
        await clock.advance(1) // names of old logs tell milliseconds
      }
      const names = readdirSync(dir).toSorted()
      expect(names).toHaveLength(3)
      expect(names).not.toContain('audit-2020-01-01T00-00-00.000.log')
      const rounds = [...names.filter((name) => name !== 'audit.log'), 'audit.log'].map((name) => readFileSync(join(dir, name), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { round: number; i: number }))
      expect(rounds.map((lines) => lines.map(({ round, i }) => `${round}.${i}`))).toEqual([1, 2, 3].map((round) => Array.from({ length: 10 }, (_, i) => `${round}.${i}`)))
    } finally {
      rmSync(dir, { recursive: true })
    }
  })

  it('begins anew where somebody took the file away that was to be moved aside', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kubun-audit-'))
    const ctx: Ctx = { clock: virtualClock(), log: silentLog, signal: new AbortController().signal }
    const path = join(dir, 'audit.log')
    let lost = 0
    try {
      writeFileSync(path, 'x'.repeat(200))
      const file = await openAuditFile(ctx, { path, bytesMax: 100, backupsMax: 2, ageMsMax: 0 }, (events) => void (lost += events))
      rmSync(path)
      for (let i = 0; i < 3; i++) file.add(`{"i":${i}}\n`)
      await file.close()
      expect(readFileSync(path, 'utf8')).toBe('{"i":0}\n{"i":1}\n{"i":2}\n')
      expect(lost).toBe(0)
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})

describe('the webhook', () => {
  it('is sent batches, again when it does not take them', async () => {
    const clock = virtualClock()
    const end = new AbortController()
    const ctx: Ctx = { clock, log: silentLog, signal: end.signal }
    const bodies: { items: { n: number }[] }[] = []
    let lost = 0
    const statuses = [500, 200, 200]
    const webhook = new Webhook(ctx, {
      target: { url: 'https://audit.example' },
      remote: { post: (_ctx, _target, body) => {
        bodies.push(body as { items: { n: number }[] })
        return Promise.resolve({ status: statuses.shift() ?? 503, headers: {}, body: new Uint8Array() })
      } },
      options: { batchMax: 2, bufferMax: 4, batchWaitMs: 1_000, initialBackoffMs: 100 },
      lost: (events) => void (lost += events),
    })
    expect([1, 2, 3, 4, 5].map((n) => webhook.add(`{"n":${n}}\n`))).toEqual([true, true, true, true, false])
    await clock.advance(2_000)
    expect(bodies.map((body) => body.items.map(({ n }) => n))).toEqual([[1, 2], [1, 2], [3, 4]])
    expect(bodies[0]).toMatchObject({ kind: 'EventList', apiVersion: 'audit.k8s.io/v1' })
    webhook.add('{"n":6}\n')
    await clock.advance(10_000)
    expect(bodies).toHaveLength(8)
    expect(lost).toBe(1)
    end.abort()
  })

  it('is found in a kubeconfig', () => {
    const dir = mkdtempSync(join(tmpdir(), 'kubun-audit-'))
    try {
      writeFileSync(join(dir, 'ca.pem'), 'CA')
      writeFileSync(join(dir, 'kc'), 'current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [{name: k, cluster: {server: "https://a", certificate-authority: ca.pem}}]\nusers: [{name: u, user: {token: t}}]\n')
      expect(kubeconfigTarget(join(dir, 'kc'))).toEqual({ url: 'https://a', caBundle: Buffer.from('CA').toString('base64'), credentials: { token: 't' } })
      writeFileSync(join(dir, 'kc'), 'current-context: d\n')
      expect(() => kubeconfigTarget(join(dir, 'kc'))).toThrow('there is no context "d"')
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})
