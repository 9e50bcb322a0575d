import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openRig, type Answer, type Rig } from '../rig.fake.ts'

const pods = '/api/v1/namespaces/default/pods'
const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'
const merge = { 'content-type': 'application/merge-patch+json' }
const violates = "Cannot evict pod as it would violate the pod's disruption budget."
const wholeBudget = { observedGeneration: 1, disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 }

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

async function pod(name: string, status: object = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }): Promise<void> {
  await rig.ask('POST', pods, { metadata: { name, labels: { app: 'web' } }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } })
  await rig.ask('PATCH', `${pods}/${name}/status`, { status }, merge)
}

async function budget(name: string, status: object = wholeBudget, spec: object = {}): Promise<void> {
  await rig.ask('POST', budgets, { metadata: { name }, spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } }, ...spec } })
  await rig.ask('PATCH', `${budgets}/${name}/status`, { status }, merge)
}

const evict = (name: string, more: object = {}, query = ''): Promise<Answer> =>
  rig.ask('POST', `${pods}/${name}/eviction${query}`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name }, ...more })

const exists = async (name: string): Promise<boolean> => {
  const { code, json } = await rig.ask('GET', `${pods}/${name}`)
  return code === 200 && json.metadata.deletionTimestamp === undefined
}

describe('an eviction', () => {
  it('takes one disruption, says so in the condition, and marks the pod', async () => {
    await pod('a')
    await budget('b')
    expect(await evict('a', { apiVersion: 'policy/v1beta1', deleteOptions: { gracePeriodSeconds: 30 } })).toMatchObject({ code: 201, json: { kind: 'Status', status: 'Success', code: 201 } })
    const { status, metadata } = (await rig.ask('GET', `${budgets}/b`)).json
    expect(status).toMatchObject({ disruptionsAllowed: 0, disruptedPods: { a: expect.any(String) }, conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', message: '', observedGeneration: 1 }] })
    expect(metadata.managedFields.map((entry: { manager: string }) => entry.manager)).toContain('kube-apiserver')
    const going = (await rig.ask('GET', `${pods}/a`)).json
    expect(going.metadata.deletionGracePeriodSeconds).toBe(30)
    expect(going.status.conditions).toContainEqual(expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' }))
  })

  it('never breaks the budget, however many come at once', async () => {
    for (let i = 0; i < 8; i++) await pod(`p${i}`)
    await budget('b', { ...wholeBudget, currentHealthy: 8, desiredHealthy: 5, disruptionsAllowed: 3, expectedPods: 8 })
    const codes = (await Promise.all(Array.from({ length: 8 }, (_, i) => evict(`p${i}`)))).map(({ code }) => code)
    expect(codes.filter((code) => code === 201)).toHaveLength(3)
    expect(codes.filter((code) => code === 429)).toHaveLength(5)
    const { status } = (await rig.ask('GET', `${budgets}/b`)).json
    expect(status.disruptionsAllowed).toBe(0)
    expect(Object.keys(status.disruptedPods)).toHaveLength(3)
  })

  it('is refused by a budget that is not counted yet, with when to come again', async () => {
    await pod('a')
    await budget('b', { ...wholeBudget, observedGeneration: 0 })
    const answer = await evict('a')
    expect(answer).toMatchObject({ code: 429, json: { message: violates, details: { retryAfterSeconds: 10, causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget b is still being processed by the server.' }] } } })
    expect(answer.headers['retry-after']).toBe('10')
  })

  it.each([
    [{ currentHealthy: 2 }, 'The disruption budget b needs 2 healthy pods and has 2 currently'],
    [{ currentHealthy: 3 }, 'The disruption budget b does not allow evicting pods currently'],
    [{ conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: 'why', lastTransitionTime: '2026-01-01T00:00:00Z' }] }, 'The disruption budget b does not allow evicting pods currently because it failed sync: why'],
    [{ conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'Other', message: 'why', lastTransitionTime: '2026-01-01T00:00:00Z' }] }, 'The disruption budget b does not allow evicting pods currently (Other): why'],
  ])('is refused when nothing is allowed: %o', async (status, message) => {
    await pod('a')
    await budget('b', { ...wholeBudget, disruptionsAllowed: 0, ...status })
    expect((await evict('a')).json).toEqual({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: violates, reason: 'TooManyRequests', details: { causes: [{ reason: 'DisruptionBudget', message }] }, code: 429 })
    expect(await exists('a')).toBe(true)
  })

  it('is refused under two budgets', async () => {
    await pod('a')
    await budget('b')
    await budget('c')
    expect(await evict('a')).toMatchObject({
      code: 500,
      json: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.', code: 500 },
    })
  })

  it('of a pod that is not healthy is free while enough others are, or where the budget always allows it', async () => {
    const unready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] }
    for (const name of ['a', 'b']) await pod(name, unready)
    await budget('b', { ...wholeBudget, disruptionsAllowed: 0, currentHealthy: 1 })
    expect((await evict('a')).code).toBe(429)
    await rig.ask('PATCH', `${budgets}/b`, { spec: { unhealthyPodEvictionPolicy: 'AlwaysAllow' } }, merge)
    expect((await evict('a')).code).toBe(201)
    await rig.ask('PATCH', `${budgets}/b`, { spec: { unhealthyPodEvictionPolicy: null } }, merge)
    await rig.ask('PATCH', `${budgets}/b/status`, { status: { currentHealthy: 2, observedGeneration: 3 } }, merge)
    expect((await evict('b')).code).toBe(201)
    expect((await rig.ask('GET', `${budgets}/b`)).json.status.disruptedPods).toBeUndefined()
  })

  it.each(['Succeeded', 'Failed', 'Pending'])('of a pod that is %s asks no budget', async (phase) => {
    await pod('a', { phase })
    await budget('b', { ...wholeBudget, disruptionsAllowed: 0 })
    expect((await evict('a')).code).toBe(201)
    expect(await exists('a')).toBe(false)
  })

  it('that is a dry run changes nothing, wherever it was asked for', async () => {
    await pod('a')
    await budget('b')
    expect((await evict('a', {}, '?dryRun=All')).code).toBe(201)
    expect((await evict('a', { deleteOptions: { dryRun: ['All'] } })).code).toBe(201)
    expect((await rig.ask('GET', `${budgets}/b`)).json.status).toMatchObject({ disruptionsAllowed: 1 })
    expect(await exists('a')).toBe(true)
    expect(await evict('a', { deleteOptions: { dryRun: ['All', 'All'] } }, '?dryRun=All')).toMatchObject({ code: 500, json: { message: 'Non-matching dry-run options in request and content: [All] and [All All]' } })
    expect((await evict('a', { deleteOptions: { dryRun: ['No'] } })).json.message).toBe('DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["No"]: supported values: "All"')
  })

  it('keeps to what its client demands of the pod', async () => {
    await pod('a')
    const { uid, resourceVersion } = (await rig.ask('GET', `${pods}/a`)).json.metadata
    const message = async (preconditions: object): Promise<string> => (await evict('a', { deleteOptions: { preconditions } })).json.message
    expect(await message({ uid: 'u' })).toBe(`Operation cannot be fulfilled on Pod "a": the UID in the precondition (u) does not match the UID in record (${uid}). The object might have been deleted and then recreated`)
    expect(await message({ resourceVersion: '1' })).toBe(`Operation cannot be fulfilled on Pod "a": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`)
    expect((await evict('a', { deleteOptions: { preconditions: { uid, resourceVersion } } })).code).toBe(201)
  })

  it('is refused for what it cannot be', async () => {
    await pod('a')
    expect((await evict('a', { metadata: { name: 'z' } })).json).toMatchObject({ code: 400, message: 'name in URL does not match name in Eviction object' })
    expect((await evict('a', { apiVersion: 'policy/v2' })).json.message).toMatch(/^Eviction in version "v2" cannot be handled as a Eviction: no kind "Eviction" is registered for version "policy\/v2" in scheme/)
    expect((await evict('a', { deleteOptions: { ignoreStoreReadErrorWithClusterBreakingPotential: true } })).json).toMatchObject({
      code: 422, message: 'Eviction.policy "a" is invalid: deleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential: Invalid value: true: can not be set for pod eviction, try after removing the option',
    })
    expect((await evict('zz')).json).toMatchObject({ code: 404, message: 'pods "zz" not found' })
  })
})
