import { afterEach, describe, expect, it } from 'vitest'
import { customResourceDefinitions } from '../../api/apiextensions/customresourcedefinition.ts'
import { deployments } from '../../api/apps/deployment.ts'
import { replicaSets } from '../../api/apps/replicaset.ts'
import { events } from '../../api/core/event.ts'
import { pods } from '../../api/core/pod.ts'
import { serviceUnavailable } from '../../api/errors.ts'
import { defineKind } from '../../api/kind.ts'
import { podDisruptionBudgets } from '../../api/policy/poddisruptionbudget.ts'
import type { AnyObject } from '../../api/meta.ts'
import type { OwnerReference, Pod, PodDisruptionBudgetSpec } from '../../api/schema/types.ts'
import { formatTime } from '../../api/time.ts'
import { testCluster, type TestCluster, type TestClusterOptions } from '../../../test/support/controllers.ts'
import { definitionRegistration } from '../crd/registration.ts'
import { deploymentController } from '../deployment/deployment.ts'
import { replicaSetController } from '../replicaset/replicaset.ts'
import { disruptionController } from './disruption.ts'
import { staleDisruptions } from './stale.ts'

const controllers = [disruptionController, staleDisruptions, deploymentController, replicaSetController, definitionRegistration]
const labels = { app: 'web' }
const selector = { matchLabels: labels }

let cluster: TestCluster
afterEach(() => cluster.stop())

const open = async (options: TestClusterOptions = {}): Promise<TestCluster> => (cluster = await testCluster(controllers, { rbac: true, ...options }))
const budget = (spec: PodDisruptionBudgetSpec, name = 'b') => cluster.create(podDisruptionBudgets, { metadata: { name, namespace: 'default' }, spec: { selector, ...spec } })
const statusOf = async (name = 'b') => (await cluster.get(podDisruptionBudgets, name))?.status

async function pod(name: string, owner?: OwnerReference): Promise<Readonly<Pod>> {
  return await cluster.create(pods, {
    metadata: { name, namespace: 'default', labels, ...(owner === undefined ? {} : { ownerReferences: [owner] }) },
    spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] },
  })
}

async function deployment(replicas: number): Promise<void> {
  await cluster.create(deployments, { metadata: { name: 'web', namespace: 'default' }, spec: { replicas, selector, template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } } } })
}

async function reasons(): Promise<readonly string[]> {
  return (await cluster.list(events)).filter((e) => e.source?.component === 'controllermanager').map((e) => `${e.involvedObject.kind} ${e.type} ${e.reason}: ${e.message}`)
}

async function evict(name: string): Promise<number> {
  try {
    await cluster.client.post(cluster.ctx, pods, { namespace: 'default', name }, 'eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } })
    return 201
  } catch (error) {
    return (error as { code: number }).code
  }
}

describe('a budget', () => {
  it('is counted again when the server could not be asked, though nothing else changes', async () => {
    let refused = 0
    const refuse = (request: { readonly kind: { readonly plural: string }; readonly subresource: string }): Promise<void> =>
      request.kind.plural === 'poddisruptionbudgets' && request.subresource === 'status' && refused++ < 3 && refused !== 2 ? Promise.reject(serviceUnavailable('away')) : Promise.resolve()
    await open({ admission: { mutate: (_ctx, request) => refuse(request), validate: () => Promise.resolve() } })
    await budget({ minAvailable: 2 })
    await cluster.settle()
    expect(await statusOf()).toMatchObject({ observedGeneration: 1, desiredHealthy: 2 })
  })

  it('with a number of available pods counts the pods there are, whoever made them', async () => {
    await open()
    await budget({ minAvailable: 2 })
    await cluster.settle()
    expect(await statusOf()).toEqual({
      observedGeneration: 1, currentHealthy: 0, desiredHealthy: 2, expectedPods: 0, disruptionsAllowed: 0,
      conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', message: '', observedGeneration: 1, lastTransitionTime: expect.any(String) }],
    })
    expect(await reasons()).toEqual(['PodDisruptionBudget Normal NoPods: No matching pods found'])
    for (const name of ['p1', 'p2', 'p3']) await pod(name)
    await cluster.settle()
    expect(await statusOf()).toMatchObject({ currentHealthy: 3, desiredHealthy: 2, expectedPods: 3, disruptionsAllowed: 1, conditions: [{ status: 'True', reason: 'SufficientPods' }] })
  })

  it.each([
    [{ maxUnavailable: 1 }, 4, 1],
    [{ maxUnavailable: '30%' }, 3, 2], // rounded up
    [{ minAvailable: '50%' }, 3, 2],
    [{ maxUnavailable: '100%' }, 0, 5],
    [{ maxUnavailable: 9 }, 0, 5],
  ])('with %o asks what the managers want', async (spec, desired, allowed) => {
    await open()
    await deployment(5)
    await budget(spec)
    await cluster.settle(1_000)
    expect(await statusOf()).toMatchObject({ expectedPods: 5, currentHealthy: 5, desiredHealthy: desired, disruptionsAllowed: allowed })
  })

  it('counts pods that are ready and stay', async () => {
    let ready = false
    await open({ ready: () => ready })
    await budget({ minAvailable: 1 })
    await pod('p1')
    await cluster.settle()
    expect(await statusOf()).toMatchObject({ currentHealthy: 0, expectedPods: 1 })
    ready = true
    await pod('p2')
    await cluster.settle()
    expect(await statusOf()).toMatchObject({ currentHealthy: 1, expectedPods: 2, disruptionsAllowed: 0 })
  })

  it('asks the scale of a custom manager', async () => {
    await open()
    const sprockets = defineKind<AnyObject>({ group: 'example.com', version: 'v1', kind: 'Sprocket', plural: 'sprockets', namespaced: true })
    await cluster.create(customResourceDefinitions, {
      metadata: { name: 'sprockets.example.com' },
      spec: {
        group: 'example.com', scope: 'Namespaced', names: { plural: 'sprockets', kind: 'Sprocket' },
        versions: [{
          name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          subresources: { scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
        }],
      },
    })
    await cluster.settle(6_000)
    const owner = await cluster.create(sprockets, { apiVersion: 'example.com/v1', kind: 'Sprocket', metadata: { name: 's', namespace: 'default' }, spec: { replicas: 10 } } as AnyObject)
    await pod('p1', { apiVersion: 'example.com/v1', kind: 'Sprocket', name: 's', uid: owner.metadata.uid ?? '', controller: true })
    await budget({ maxUnavailable: '20%' })
    await cluster.settle()
    expect(await statusOf()).toMatchObject({ expectedPods: 10, desiredHealthy: 8, currentHealthy: 1, disruptionsAllowed: 0 })
  })

  it.each([
    ['DaemonSet', 'apps/v1', 'daemonsets.apps does not implement the scale subresource'],
    ['Gone', 'example.com/v1', 'no matches for kind "Gone" in version "example.com/v1"'],
    ['ReplicaSet', 'apps/v1', 'found no controllers for pod "p1"'],
  ])('allows nothing while a %s cannot be asked', async (kind, apiVersion, message) => {
    await open()
    await pod('p1', { apiVersion, kind, name: 'x', uid: 'u', controller: true })
    await budget({ maxUnavailable: 1 })
    await cluster.settle()
    expect(await statusOf()).toMatchObject({ disruptionsAllowed: 0, conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message }] })
    expect(await reasons()).toEqual([`PodDisruptionBudget Warning CalculateExpectedPodCountFailed: Failed to calculate the number of expected pods: ${message}`])
  })

  it('tells of pods that nobody manages', async () => {
    await open()
    await pod('p1')
    await budget({ maxUnavailable: 1 })
    await cluster.settle()
    expect(await statusOf()).toMatchObject({ expectedPods: 0, disruptionsAllowed: 0, conditions: [{ reason: 'InsufficientPods' }] })
    expect((await reasons()).join()).toContain('(selector: &LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged.')
  })

  it('tells of pods under several budgets', async () => {
    await open()
    await budget({ minAvailable: 1 }, 'b1')
    await budget({ minAvailable: 1 }, 'b2')
    await cluster.settle()
    await pod('p1')
    await cluster.settle()
    expect(await reasons()).toContain('Pod Warning MultiplePodDisruptionBudgets: Pod "default"/"p1" matches multiple PodDisruptionBudgets.  Chose "b1" arbitrarily.')
    for (const name of ['b1', 'b2']) expect(await statusOf(name)).toMatchObject({ currentHealthy: 1 })
  })

  it('follows its own changes, and writes nothing when there are none', async () => {
    await open()
    for (const name of ['p1', 'p2', 'p3']) await pod(name)
    await budget({ minAvailable: 2 })
    await cluster.settle()
    await cluster.writes()
    await cluster.settle(600_000)
    expect(await cluster.writes()).toBe(0)
    await cluster.change(podDisruptionBudgets, 'b', (mine) => void (mine.spec = { ...mine.spec, minAvailable: 3 }))
    await cluster.settle()
    expect(await statusOf()).toMatchObject({ observedGeneration: 2, desiredHealthy: 3, disruptionsAllowed: 0 })
  })
})

describe('evictions', () => {
  it('keep to the budget while it is counted anew', async () => {
    await open()
    await deployment(5)
    await budget({ maxUnavailable: 2 })
    await cluster.settle(1_000)
    const names = (await cluster.list(pods)).map(({ metadata }) => metadata.name ?? '')
    const codes = await Promise.all(names.map(evict))
    expect(codes.filter((code) => code === 201)).toHaveLength(2)
    await cluster.settle(1_000)
    expect(await statusOf()).toMatchObject({ currentHealthy: 5, disruptionsAllowed: 2 })
    expect((await statusOf())?.disruptedPods).toBeUndefined()
  })

  it('that were granted and not done are forgotten after two minutes', async () => {
    await open()
    for (const name of ['p1', 'p2', 'p3']) await pod(name)
    await budget({ minAvailable: 1 })
    await cluster.settle()
    await cluster.change(podDisruptionBudgets, 'b', (mine) => void (mine.status = { ...mine.status, disruptionsAllowed: 1, disruptedPods: { p1: formatTime(cluster.clock.now()), gone: formatTime(cluster.clock.now()) } }), { subresource: 'status' })
    await cluster.settle()
    expect(await statusOf()).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1, disruptedPods: { p1: expect.any(String) } })
    expect(Object.keys((await statusOf())?.disruptedPods ?? {})).toEqual(['p1'])
    await cluster.settle(121_000)
    expect(await statusOf()).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 2 })
    expect((await statusOf())?.disruptedPods).toBeUndefined()
    expect(await reasons()).toContain("Pod Warning NotDeleted: Pod was expected by PDB default/default to be deleted but it wasn't")
  })
})

describe('the condition DisruptionTarget', () => {
  it.each([
    ['EvictionByEvictionAPI', 'False'],
    ['TerminationByKubelet', 'True'],
  ])('of a pod that stays: %s becomes %s after two minutes', async (reason, expected) => {
    await open()
    await pod('p1')
    await cluster.settle()
    const condition = { type: 'DisruptionTarget', status: 'True', reason, message: 'm', lastTransitionTime: formatTime(cluster.clock.now()) }
    await cluster.change(pods, 'p1', (mine) => void (mine.status = { ...mine.status, conditions: [condition, ...(mine.status?.conditions ?? [])] }), { subresource: 'status' })
    const have = async () => (await cluster.get(pods, 'p1'))?.status?.conditions?.find((c) => c.type === 'DisruptionTarget')
    await cluster.settle(115_000)
    expect(await have()).toMatchObject({ status: 'True' })
    await cluster.settle(10_000)
    expect(await have()).toMatchObject({ status: expected })
    if (expected === 'False') expect((await have())?.reason).toBeUndefined()
  })
})

it('replica sets without a deployment are managers themselves', async () => {
  await open()
  await cluster.create(replicaSets, { metadata: { name: 'set', namespace: 'default' }, spec: { replicas: 3, selector, template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } } } })
  await budget({ maxUnavailable: 1 })
  await cluster.settle(1_000)
  expect(await statusOf()).toMatchObject({ expectedPods: 3, currentHealthy: 3, desiredHealthy: 2, disruptionsAllowed: 1 })
})
