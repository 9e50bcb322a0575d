import { afterEach, describe, expect, it } from 'vitest'
import { testCluster, type TestCluster } from '../../../test/support/controllers.ts'
import { customResourceDefinitions } from '../../api/apiextensions/customresourcedefinition.ts'
import { apiServices } from '../../api/apiregistration/apiservice.ts'
import { services } from '../../api/core/service.ts'
import { endpointSlices } from '../../api/discovery/endpointslice.ts'
import type { APIService, APIServiceCondition, CustomResourceDefinition } from '../../api/schema/types.ts'
import type { Aggregated } from '../../client/aggregated.ts'
import { apiServiceAvailability } from './availability.ts'
import { apiServiceRegistration, managedLabel, stepFor } from './register.ts'

let cluster: TestCluster | undefined
afterEach(async () => {
  await cluster?.stop()
  cluster = undefined
})

async function start(...of: Parameters<typeof testCluster>): Promise<TestCluster> {
  cluster = await testCluster(...of)
  return cluster
}

describe('apiServiceRegistration', () => {
  it('makes one for every built-in group-version, once', async () => {
    const cluster = await start([apiServiceRegistration])
    await cluster.settle(100)
    const made = await cluster.list(apiServices)
    const apps = made.find((one) => one.metadata.name === 'v1.apps')
    expect(apps?.metadata.labels).toEqual({ [managedLabel]: 'onstart' })
    expect(apps?.spec).toEqual({ group: 'apps', version: 'v1', groupPriorityMinimum: 17_800, versionPriority: 15 })
    expect(apps?.status?.conditions).toMatchObject([{ type: 'Available', status: 'True', reason: 'Local' }])
    expect(made.map((one) => one.metadata.name)).toContain('v1.')
    expect(made.map((one) => one.metadata.name)).not.toContain('v1.apiregistration.k8s.io')
    await cluster.client.delete(cluster.ctx, apiServices, { namespace: '', name: 'v1.apps' })
    await cluster.settle(5_000)
    expect(await cluster.get(apiServices, 'v1.apps')).toBeUndefined() // its users' from then on
  })

  it('makes one for each version that definitions of a group are served in, for as long as one is', async () => {
    const cluster = await start([apiServiceRegistration])
    const define = (plural: string): CustomResourceDefinition => ({
      metadata: { name: `${plural}.example.com` },
      spec: {
        group: 'example.com', scope: 'Namespaced', names: { plural, kind: plural.toUpperCase() },
        versions: ['v1', 'v2'].map((name) => ({ name, served: name === 'v1', storage: name === 'v2', schema: { openAPIV3Schema: { type: 'object' } } })),
      },
    })
    const made = async (): Promise<readonly unknown[]> => (await cluster.list(apiServices)).filter(({ spec }) => spec?.group === 'example.com').map(({ metadata, spec }) => [metadata.name, metadata.labels?.[managedLabel], spec?.version])
    const withdraw = (plural: string) => cluster.change(customResourceDefinitions, `${plural}.example.com`, (mine) => mine.spec.versions.forEach((version) => (version.served = false)))
    await cluster.create(customResourceDefinitions, define('as'))
    await cluster.create(customResourceDefinitions, define('bs'))
    await cluster.settle(100)
    expect(await made()).toEqual([['v1.example.com', 'true', 'v1']])
    await withdraw('as')
    await cluster.settle(100)
    expect(await made()).toHaveLength(1)
    await withdraw('bs')
    await cluster.settle(100)
    expect(await made()).toEqual([])
  })

  const one = (label: string | undefined, version = 'v1'): APIService => ({
    metadata: { name: 'v1.a', ...(label === undefined ? {} : { labels: { [managedLabel]: label } }) },
    spec: { group: 'a', version, groupPriorityMinimum: 1, versionPriority: 1 },
  })
  it.each([
    ['not there, not wanted', undefined, undefined, false, false, 'nothing'],
    ['not there, wanted at the start', one('onstart'), undefined, false, false, 'create'],
    ['not there, wanted at the start, but that was long ago', one('onstart'), undefined, true, false, 'nothing'],
    ['not there, always wanted', one('true'), undefined, true, false, 'create'],
    ["somebody's own", one('true'), one(undefined, 'v2'), false, true, 'nothing'],
    ['left from a start before', undefined, one('onstart'), false, true, 'delete'],
    ['made for the start, but only now', undefined, one('onstart'), false, false, 'nothing'],
    ['its definition has gone', undefined, one('true'), true, true, 'delete'],
    ['another than it should be', one('true'), one('true', 'v2'), true, true, 'update'],
    ['as it should be', one('true'), one('true'), true, true, 'nothing'],
  ] as const)('%s', (_, want, have, isDone, wasAtStart, step) => {
    expect(stepFor({ want, have, isDone, wasAtStart })).toBe(step)
  })
})

describe('apiServiceAvailability', () => {
  const remote: APIService = {
    metadata: { name: 'v1.example.com' },
    spec: { group: 'example.com', version: 'v1', groupPriorityMinimum: 1_000, versionPriority: 15, service: { namespace: 'default', name: 'api', port: 443 } },
  }
  const condition = async (): Promise<APIServiceCondition | undefined> => (await cluster?.get(apiServices, 'v1.example.com'))?.status?.conditions?.[0]

  it('tells what is missing, one thing after the other, and looks again', async () => {
    let why: string | undefined = 'failing or missing response from https://192.0.2.1:6443/apis/example.com/v1: …'
    let asked = 0
    const check: Aggregated['check'] = () => {
      asked++
      return Promise.resolve(why)
    }
    const cluster = await start([apiServiceAvailability], { settings: { aggregated: { check } as Aggregated } })
    await cluster.create(apiServices, remote)
    await cluster.settle()
    expect(await condition()).toMatchObject({ status: 'False', reason: 'ServiceNotFound', message: 'service/api in "default" is not present' })
    await cluster.create(services, { metadata: { name: 'api', namespace: 'default' }, spec: { clusterIP: '10.43.0.9', ports: [{ port: 80, name: 'web' }] } })
    await cluster.settle()
    expect(await condition()).toMatchObject({ reason: 'ServicePortError', message: 'service/api in "default" is not listening on port 443' })
    await cluster.change(services, 'api', (mine) => (mine.spec = { ...mine.spec, ports: [{ port: 443, name: 'web' }] }))
    await cluster.settle()
    expect(await condition()).toMatchObject({ reason: 'EndpointsNotFound', message: 'cannot find endpointslices for service/api in "default"' })
    await cluster.create(endpointSlices, { metadata: { name: 'api-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'api' } }, addressType: 'IPv4', endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: false } }], ports: [{ name: 'web', port: 6_443 }] })
    await cluster.settle()
    expect(await condition()).toMatchObject({ reason: 'MissingEndpoints', message: 'endpointslices for service/api in "default" have no addresses with port name "web"' })
    expect(asked).toBe(0)
    await cluster.change(endpointSlices, 'api-1', (mine) => (mine.endpoints = [{ addresses: ['192.0.2.1'], conditions: { ready: true } }]))
    await cluster.settle()
    expect(await condition()).toMatchObject({ status: 'False', reason: 'FailedDiscoveryCheck', message: why })
    why = undefined
    await cluster.settle(30_000)
    expect(await condition()).toMatchObject({ status: 'True', reason: 'Passed', message: 'all checks passed' })
    const before = asked
    await cluster.writes()
    await cluster.settle(120_000)
    expect(asked - before).toBeGreaterThanOrEqual(3)
    expect(await cluster.writes()).toBe(0)
    why = 'it ended'
    await cluster.settle(31_000)
    expect(await condition()).toMatchObject({ status: 'False', reason: 'FailedDiscoveryCheck', message: 'it ended' })
  })

  it('of one that became local says so', async () => {
    const cluster = await start([apiServiceAvailability])
    await cluster.create(apiServices, remote)
    await cluster.settle()
    await cluster.change(apiServices, 'v1.example.com', (mine) => delete mine.spec?.service)
    await cluster.settle()
    expect(await condition()).toMatchObject({ status: 'True', reason: 'Local' })
  })
})
