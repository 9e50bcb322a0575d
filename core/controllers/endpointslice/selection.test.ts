import { afterEach, describe, expect, it } from 'vitest'
import { endpoints } from '../../api/core/endpoints.ts'
import { nodes } from '../../api/core/node.ts'
import { pods } from '../../api/core/pod.ts'
import { services } from '../../api/core/service.ts'
import { endpointSlices } from '../../api/discovery/endpointslice.ts'
import { testCluster, type TestCluster } from '../../../test/support/controllers.ts'
import { endpointsController } from '../endpoints.ts'
import { endpointSliceController } from './endpointslice.ts'

let cluster: TestCluster
afterEach(async () => cluster.stop())

/** Of each Service, the pods that its slices and its Endpoints show. */
async function shown(): Promise<Record<string, readonly [slices: string, endpoints: string]>> {
  const slices = await cluster.list(endpointSlices, 'default')
  const objects = await cluster.list(endpoints, 'default')
  return Object.fromEntries((await cluster.list(services, 'default')).map(({ metadata: { name = '' } }) => {
    const mine = slices.filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === name).flatMap((slice) => slice.endpoints ?? [])
    const old = objects.filter((object) => object.metadata.name === name).flatMap(({ subsets = [] }) => subsets.flatMap(({ addresses = [] }) => addresses))
    const names = (of: readonly { readonly targetRef?: { readonly name?: string } }[]): string => of.map(({ targetRef }) => targetRef?.name ?? '').toSorted().join(' ')
    return [name, [names(mine), names(old)] as const]
  }))
}

describe('what a Service selects', () => {
  it('follows labels of pods, and selectors of Services', async () => {
    cluster = await testCluster([endpointSliceController, endpointsController])
    await cluster.create(nodes, { metadata: { name: 'n' } })
    const serve = (name: string, selector: Record<string, string>) => cluster.create(services, { metadata: { name, namespace: 'default' }, spec: { clusterIP: 'None', selector, ports: [{ port: 80 }] } })
    await serve('all', { part: 'shop' })
    await serve('front', { part: 'shop', app: 'front' })
    await serve('back', { app: 'back', part: 'shop' })
    const run = (name: string, labels: Record<string, string>) => cluster.create(pods, { metadata: { name, namespace: 'default', labels }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } })
    await run('a', { app: 'front', part: 'shop', tier: 'x' })
    await run('b', { part: 'shop', app: 'back' })
    await run('other', { app: 'front', part: 'office' })
    await cluster.settle(1_000)
    expect(await shown()).toEqual({ all: ['a b', 'a b'], front: ['a', 'a'], back: ['b', 'b'] })

    await cluster.change(pods, 'a', ({ metadata }) => (metadata.labels = { app: 'back', part: 'shop' }))
    await cluster.settle(1_000)
    expect(await shown()).toEqual({ all: ['a b', 'a b'], front: ['', ''], back: ['a b', 'a b'] })

    await cluster.change(services, 'front', ({ spec }) => (spec!.selector = { part: 'office' }))
    await cluster.settle(1_000)
    await cluster.change(pods, 'other', ({ metadata }) => (metadata.labels = { part: 'shop' }))
    await cluster.settle(1_000)
    expect(await shown()).toEqual({ all: ['a b other', 'a b other'], front: ['', ''], back: ['a b', 'a b'] })
  })
})
