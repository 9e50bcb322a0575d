import { afterEach, describe, expect, it } from 'vitest'
import { deployments } from '../api/apps/deployment.ts'
import { replicaSets } from '../api/apps/replicaset.ts'
import { configMaps } from '../api/core/configmap.ts'
import { endpoints } from '../api/core/endpoints.ts'
import { namespaces } from '../api/core/namespace.ts'
import { nodes } from '../api/core/node.ts'
import { pods } from '../api/core/pod.ts'
import { secrets } from '../api/core/secret.ts'
import { serviceAccounts } from '../api/core/serviceaccount.ts'
import { services } from '../api/core/service.ts'
import { endpointSlices } from '../api/discovery/endpointslice.ts'
import { clusterRoles } from '../api/rbac/clusterrole.ts'
import { formatTime } from '../api/time.ts'
import { testCluster, type TestCluster } from '../../test/support/controllers.ts'
import { controllers } from './controllers.ts'

let cluster: TestCluster
afterEach(() => cluster.stop())

describe('all controllers together', () => {
  it('set a cluster up, run a Deployment, take it down, and write nothing in between', async () => {
    cluster = await testCluster(controllers, { rbac: true }) // with the rights that the bootstrap policy gives, and no others
    await cluster.create(namespaces, { metadata: { name: 'default' }, spec: { finalizers: ['kubernetes'] } })
    await cluster.create(nodes, { metadata: { name: 'n' } })
    const now = formatTime(cluster.clock.now())
    await cluster.change(nodes, 'n', (mine) => (mine.status = { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: now }] }), { subresource: 'status' })
    await cluster.create(deployments, {
      metadata: { name: 'web', namespace: 'default' },
      spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } } },
    })
    await cluster.create(services, { metadata: { name: 'web', namespace: 'default' }, spec: { clusterIP: '10.43.0.9', selector: { app: 'web' }, ports: [{ port: 80 }] } })
    await cluster.settle(2_000)
    expect((await cluster.get(deployments, 'web'))?.status).toMatchObject({ readyReplicas: 2 })
    expect((await cluster.get(serviceAccounts, 'default'))?.metadata.name).toBe('default')
    expect((await cluster.get(configMaps, 'kube-root-ca.crt'))?.data).toEqual({ 'ca.crt': 'CA' })
    expect((await cluster.get(services, 'kubernetes'))?.spec).toMatchObject({ clusterIP: '10.43.0.1', ports: [{ name: 'https', port: 443, targetPort: 6443 }] })
    expect((await cluster.get(endpoints, 'kubernetes'))?.subsets).toMatchObject([{ addresses: [{ ip: '192.0.2.10' }], ports: [{ port: 6443 }] }])
    expect((await cluster.get(endpointSlices, 'kubernetes'))?.endpoints).toMatchObject([{ addresses: ['192.0.2.10'] }])
    expect((await cluster.list(endpointSlices)).flatMap((s) => s.endpoints ?? []).length).toBe(3)
    await cluster.writes()
    await cluster.settle(30_000)
    expect(await cluster.writes()).toBe(0)
    await cluster.client.delete(cluster.ctx, deployments, { namespace: 'default', name: 'web' }, { propagationPolicy: 'Foreground' })
    await cluster.client.delete(cluster.ctx, services, { namespace: 'default', name: 'web' })
    await cluster.settle(2_000)
    expect([(await cluster.list(deployments)).length, (await cluster.list(replicaSets)).length, (await cluster.list(pods)).length]).toEqual([0, 0, 0])
    expect((await cluster.list(endpointSlices)).map((s) => s.metadata.name)).toEqual(['kubernetes'])
  })

  it('put aggregated roles together and remove old bootstrap tokens', async () => {
    cluster = await testCluster(controllers)
    const rule = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] })
    await cluster.create(clusterRoles, { metadata: { name: 'all' }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: 'all' } }] }, rules: [] })
    await cluster.create(clusterRoles, { metadata: { name: 'b', labels: { to: 'all' } }, rules: [rule('pods'), rule('secrets')] })
    await cluster.create(clusterRoles, { metadata: { name: 'a', labels: { to: 'all' } }, rules: [rule('secrets')] })
    const expiration = btoa(formatTime(cluster.clock.now() + 60_000))
    await cluster.create(secrets, { metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' }, type: 'bootstrap.kubernetes.io/token', data: { expiration } })
    await cluster.settle(1_000)
    expect((await cluster.get(clusterRoles, 'all', ''))?.rules).toEqual([rule('secrets'), rule('pods')])
    expect((await cluster.list(secrets)).length).toBe(1)
    await cluster.settle(60_000)
    expect((await cluster.list(secrets)).length).toBe(0)
  })
})
