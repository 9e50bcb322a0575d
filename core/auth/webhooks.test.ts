import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { compileMatchCondition } from '../api/apiserver/matchconditions.ts'
import { remoteServer, type Heard, type RemoteServer, type Said } from '../client/remote.fake.ts'
import { remoteClient } from '../client/remote.ts'
import { virtualClock, type VirtualClock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import { silentLog } from '../lib/log.ts'
import { seededRandom } from '../lib/random.ts'
import { tokenWebhook } from './authn/tokenwebhook.ts'
import { unionAuthorizer } from './authz/authorizers.ts'
import { webhookAuthorizer, type WebhookAuthorizerInit } from './authz/webhook.ts'
import type { Attributes, Decision } from './user.ts'

const remote = remoteClient({ agent: 'test', services: { resolve: () => ({ host: '', port: 0 }) } })
let server: RemoteServer
let say: (heard: Heard) => Said = () => ({})
let clock: VirtualClock
let ctx: Ctx

beforeAll(async () => {
  server = await remoteServer(['127.0.0.1'], (heard) => say(heard))
})
beforeEach(() => {
  clock = virtualClock()
  ctx = { clock, log: silentLog, signal: new AbortController().signal }
})
afterAll(async () => {
  remote.close()
  await server.close()
})

const target = (): { url: string; caBundle: string } => ({ url: `https://127.0.0.1:${server.port}/ask`, caBundle: server.caBundle })
const status = (of: object): Said => ({ body: JSON.stringify({ kind: 'Review', status: of }) })
/** Answers that are tried again wait on the virtual clock. */
async function patiently<T>(work: Promise<T>): Promise<T> {
  let done = false
  const waiting = work.finally(() => (done = true))
  while (!done) await clock.advance(500)
  return await waiting
}

describe('a token webhook', () => {
  const way = (cacheMs = 120_000) => tokenWebhook({ ctx, remote, random: seededRandom(1), target: target(), version: 'v1', audiences: ['api'], cacheMs })

  it('is sent the token, and what it says is remembered', async () => {
    say = () => status({ authenticated: true, user: { username: 'jane', uid: '1', groups: ['g'], extra: { a: ['b'] } } })
    const asked = way()
    const before = server.heard.length
    const user = { name: 'jane', uid: '1', groups: ['g'], extra: { a: ['b'] } }
    expect(await Promise.all([asked.review(ctx, 't', ['api']), asked.review(ctx, 't', ['api'])])).toEqual([{ user, audiences: ['api'] }, { user, audiences: ['api'] }])
    expect(server.heard.length).toBe(before + 1)
    expect(server.heard.at(-1)?.url).toBe('/ask?timeout=30s')
    expect(JSON.parse(server.heard.at(-1)?.body ?? '')).toMatchObject({ kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec: { token: 't', audiences: ['api'] } })
    await clock.advance(119_000)
    await asked.review(ctx, 't', ['api'])
    expect(server.heard.length).toBe(before + 1)
    await clock.advance(2_000)
    await asked.review(ctx, 't', ['api'])
    expect(server.heard.length).toBe(before + 2)
  })

  it('may not know it, refuse it, or know it for others', async () => {
    say = () => status({ authenticated: false })
    expect(await way().review(ctx, 't', ['api'])).toBeUndefined()
    say = () => status({ authenticated: false, error: 'old' })
    expect(await way().review(ctx, 't', ['api'])).toEqual({ error: 'old' })
    say = () => status({ authenticated: true, user: { username: 'jane' }, audiences: ['x', 'y'] })
    expect(await way().review(ctx, 't', ['api'])).toBeUndefined()
    expect(await way().review(ctx, 't', ['y', 'z'])).toEqual({ user: { name: 'jane', groups: [] }, audiences: ['y'] })
  })

  it('is asked again when it fails for a moment, and failures are not remembered', async () => {
    const before = server.heard.length
    say = () => (server.heard.length - before < 3 ? { status: 500, body: 'oh' } : status({ authenticated: true, user: { username: 'jane' } }))
    expect(await patiently(way().review(ctx, 't', ['api']))).toMatchObject({ user: { name: 'jane' } })
    say = () => ({ status: 403, headers: { 'content-type': 'text/plain' }, body: 'go away' })
    const asked = way()
    expect(await asked.review(ctx, 't', ['api'])).toEqual({ error: 'go away' })
    say = () => status({ authenticated: true, user: { username: 'jane' } })
    expect(await asked.review(ctx, 't', ['api'])).toMatchObject({ user: { name: 'jane' } })
  })
})

const list: Attributes = {
  type: 'resource', user: { name: 'jane', groups: ['g'], extra: { k: ['v'] } }, verb: 'list', group: 'apps', version: 'v1', resource: 'deployments', subresource: '', namespace: 'ns', name: '',
  fieldSelector: 'metadata.name=a', labelSelector: 'app in (x,y),!old',
}

describe('an authorization webhook', () => {
  const hook = (more: Partial<WebhookAuthorizerInit> = {}) =>
    webhookAuthorizer({ ctx, remote, random: seededRandom(1), target: target(), version: 'v1', allowedMs: 300_000, refusedMs: 30_000, timeoutMs: 3_000, denyOnError: false, conditions: [], ...more })
  const decide = async (of: ReturnType<typeof hook>, asked: Attributes = list): Promise<Decision> => await of.authorize(asked)
  const conditions = (...texts: readonly string[]) => texts.map((text) => {
    const compiled = compileMatchCondition(text)
    if (!compiled.ok) throw new Error(compiled.detail)
    return compiled.condition
  })

  it('is sent the question with its selectors, and remembers both answers for their times', async () => {
    say = () => status({ allowed: true, reason: 'because' })
    const asked = hook()
    const before = server.heard.length
    expect(await decide(asked)).toEqual({ answer: 'allow', reason: 'because' })
    expect(JSON.parse(server.heard.at(-1)?.body ?? '')).toMatchObject({
      apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview',
      spec: {
        user: 'jane', groups: ['g'], extra: { k: ['v'] },
        resourceAttributes: {
          namespace: 'ns', verb: 'list', group: 'apps', version: 'v1', resource: 'deployments',
          fieldSelector: { requirements: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] },
          labelSelector: { requirements: [{ key: 'app', operator: 'In', values: ['x', 'y'] }, { key: 'old', operator: 'DoesNotExist' }] },
        },
      },
    })
    expect(server.heard.at(-1)?.url).toBe('/ask?timeout=3s')
    await clock.advance(299_000)
    expect(asked.authorize(list)).toEqual({ answer: 'allow', reason: 'because' })
    await clock.advance(2_000)
    say = () => status({ allowed: false })
    expect(await decide(asked)).toEqual({ answer: 'no opinion', reason: '' })
    expect(server.heard.length).toBe(before + 2)
    await clock.advance(31_000)
    say = () => status({ allowed: false, denied: true, reason: 'never' })
    expect(await decide(asked)).toEqual({ answer: 'deny', reason: 'never' })
    expect(await decide(hook({ version: 'v1beta1' }), { type: 'path', user: { name: 'u', groups: ['g'] }, verb: 'get', path: '/x' })).toEqual({ answer: 'deny', reason: 'never' })
    expect(JSON.parse(server.heard.at(-1)?.body ?? '')).toMatchObject({ apiVersion: 'authorization.k8s.io/v1beta1', spec: { user: 'u', group: ['g'], nonResourceAttributes: { path: '/x', verb: 'get' } } })
  })

  it('that fails has no opinion, or denies, as its policy says; others may still allow', async () => {
    say = () => ({ status: 404, body: '' })
    const failure = { answer: 'no opinion', reason: '', error: 'the server could not find the requested resource' }
    expect(await decide(hook())).toEqual(failure)
    expect(await decide(hook({ denyOnError: true }))).toEqual({ ...failure, answer: 'deny' })
    const yes = { authorize: (): Decision => ({ answer: 'allow', reason: 'r' }) }
    expect(await unionAuthorizer([hook(), yes]).authorize(list)).toEqual({ answer: 'allow', reason: 'r' })
    expect(await unionAuthorizer([hook({ denyOnError: true }), yes]).authorize(list)).toMatchObject({ answer: 'deny' })
    expect(await unionAuthorizer([hook()]).authorize(list)).toEqual(failure)
    say = () => status({ allowed: true, denied: true })
    expect(await decide(hook())).toEqual({ answer: 'deny', reason: '', error: 'webhook subject access review returned both allow and deny response' })
  })

  it.each([
    [["request.resourceAttributes.namespace == 'ns'", "request.user == 'jane'"], 'allow', true],
    [["request.resourceAttributes.namespace == 'other'"], 'no opinion', false],
    [['has(request.nonResourceAttributes)'], 'no opinion', false],
    [["request.nonResourceAttributes.path == '/x'", 'false'], 'no opinion', false],
    [["request.nonResourceAttributes.path == '/x'"], 'no opinion', false],
    [["request.resourceAttributes.fieldSelector.requirements.exists(r, r.key == 'metadata.name')"], 'allow', true],
    [["'g' in request.groups && request.extra['k'] == ['v'] && request.uid == ''"], 'allow', true],
  ])('is asked where %j: %s', async (texts, answer, isAsked) => {
    say = () => status({ allowed: true })
    const before = server.heard.length
    expect((await decide(hook({ conditions: conditions(...texts) }))).answer).toBe(answer)
    expect(server.heard.length - before).toBe(isAsked ? 1 : 0)
  })

  it('whose condition fails follows its policy', async () => {
    const failing = conditions("request.nonResourceAttributes.path == '/x'")
    expect(await decide(hook({ conditions: failing, denyOnError: true }))).toEqual({
      answer: 'deny', reason: '', error: "cel evaluation error: expression 'request.nonResourceAttributes.path == '/x'' resulted in error: no such key: nonResourceAttributes",
    })
  })
})
