import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apiServices } from '../../api/apiregistration/apiservice.ts'
import { customResourceDefinitions } from '../../api/apiextensions/customresourcedefinition.ts'
import { daemonSets } from '../../api/apps/daemonset.ts'
import { deployments } from '../../api/apps/deployment.ts'
import { horizontalPodAutoscalers } from '../../api/autoscaling/horizontalpodautoscaler.ts'
import { events } from '../../api/core/event.ts'
import { pods } from '../../api/core/pod.ts'
import { defineKind } from '../../api/kind.ts'
import type { AnyObject } from '../../api/meta.ts'
import type { CrossVersionObjectReference, HorizontalPodAutoscalerSpec, MetricSpec } from '../../api/schema/types.ts'
import { formatTime } from '../../api/time.ts'
import { testCluster, type TestCluster } from '../../../test/support/controllers.ts'
import { fakeMetricServers, type FakeMetricServers } from '../../../test/support/metricservers.ts'
import { definitionRegistration } from '../crd/registration.ts'
import { deploymentController } from '../deployment/deployment.ts'
import { replicaSetController } from '../replicaset/replicaset.ts'
import { horizontalPodAutoscaler } from './autoscaler.ts'

const periodMs = 15_000
const namespace = 'default'
const podMetricsPath = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`
const customPath = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}`
const noMetrics = 'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)'

let cluster: TestCluster
let servers: FakeMetricServers
beforeEach(async () => {
  servers = fakeMetricServers()
  cluster = await testCluster([horizontalPodAutoscaler, deploymentController, replicaSetController, definitionRegistration], { rbac: true, aggregator: servers.aggregator })
})
afterEach(() => cluster.stop())

const cpu = (averageUtilization: number): MetricSpec => ({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } })
const web: CrossVersionObjectReference = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }

async function deployment(replicas: number, name = 'web'): Promise<void> {
  const labels = { app: name }
  const containers = [{ name: 'c', image: 'i', resources: { requests: { cpu: '100m' } } }]
  await cluster.create(deployments, { metadata: { name, namespace }, spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } } })
  await cluster.settle(1_000)
}

const autoscaler = (metrics: MetricSpec[], spec: Partial<HorizontalPodAutoscalerSpec> = {}, name = 'web') =>
  cluster.create(horizontalPodAutoscalers, { metadata: { name, namespace }, spec: { scaleTargetRef: web, minReplicas: 1, maxReplicas: 10, metrics, ...spec } })

const statusOf = async (name = 'web') => (await cluster.get(horizontalPodAutoscalers, name))?.status
const conditionsOf = async (name = 'web') => ((await statusOf(name))?.conditions ?? []).map(({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`)
const replicas = async (name = 'web') => (await cluster.get(deployments, name))?.spec?.replicas
const told = async () => (await cluster.list(events)).filter((e) => e.source?.component === 'horizontal-pod-autoscaler').map((e) => `${e.type} ${e.reason}: ${e.message}`)

/** Every pod uses so much; samples are fresh. */
async function usage(cpuEach: string, only?: number): Promise<void> {
  servers.served.set('metrics.k8s.io/v1beta1', true)
  const all = (await cluster.list(pods, namespace)).slice(0, only)
  servers.answers[podMetricsPath] = {
    items: all.map(({ metadata }) => ({ metadata: { name: metadata.name }, timestamp: formatTime(cluster.clock.now() + periodMs), window: '10s', containers: [{ name: 'c', usage: { cpu: cpuEach, memory: '64Mi' } }] })),
  }
}

/** Pods as if a kubelet had started them a while ago: samples of young pods do not count. */
async function aged(): Promise<void> {
  for (const pod of await cluster.list(pods, namespace)) {
    await cluster.change(pods, pod.metadata.name ?? '', (mine) => void (mine.status = { ...mine.status, startTime: formatTime(cluster.clock.now() - 3_600_000) }), { subresource: 'status' })
  }
}

async function period(cpuEach: string): Promise<void> {
  await aged()
  await usage(cpuEach)
  await cluster.settle(periodMs - 1_000)
}

describe('by the CPU that pods use', () => {
  it('goes up, and says how and why', async () => {
    await deployment(2)
    await autoscaler([cpu(50)])
    await period('100m')
    expect(await replicas()).toBe(4)
    expect(await statusOf()).toMatchObject({ currentReplicas: 2, desiredReplicas: 4, lastScaleTime: expect.any(String), currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 100, averageValue: '100m' } } }] })
    expect(await conditionsOf()).toEqual([
      'AbleToScale True SucceededRescale: the HPA controller was able to update the target scale to 4',
      'ScalingActive True ValidMetricFound: the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)',
      'ScalingLimited False DesiredWithinRange: the desired count is within the acceptable range',
    ])
    expect(await told()).toEqual(['Normal SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target'])
    expect(servers.asked[0]).toBe(`${podMetricsPath}?labelSelector=app%3Dweb`)
  })

  it('looks once a period, not whenever something was written', async () => {
    await deployment(2)
    await autoscaler([cpu(50)])
    await cluster.settle(13_000)
    expect(servers.asked).toHaveLength(0)
    await aged()
    await usage('100m')
    await cluster.settle(11_000)
    expect(servers.asked).toHaveLength(1)
    expect(await replicas()).toBe(4)
  })

  it('never goes above the most, nor more than doubles, nor below the least', async () => {
    await deployment(2)
    await autoscaler([cpu(10)], { minReplicas: 2, maxReplicas: 5 })
    await period('100m')
    expect(await replicas()).toBe(4)
    expect(await conditionsOf()).toContain('ScalingLimited True ScaleUpLimit: the desired replica count is increasing faster than the maximum scale rate')
    await period('100m')
    expect(await replicas()).toBe(5)
    expect(await conditionsOf()).toContain('ScalingLimited True TooManyReplicas: the desired replica count is more than the maximum replica count')
  })

  it('stays within the tolerance', async () => {
    await deployment(4)
    await autoscaler([cpu(50)])
    await period('54m')
    expect(await replicas()).toBe(4)
    expect(await conditionsOf()).toContain('AbleToScale True ReadyForNewScale: recommended size matches current size')
  })

  it('keeps to tolerances of its own', async () => {
    await deployment(4)
    await autoscaler([cpu(50)], { behavior: { scaleUp: { tolerance: '0.01' } } })
    await period('54m')
    expect(await replicas()).toBe(5)
  })

  it('goes down only when nothing more was asked for five minutes', async () => {
    await deployment(4)
    await autoscaler([cpu(50)])
    await period('20m')
    expect(await replicas()).toBe(4)
    expect(await conditionsOf()).toContain('AbleToScale True ScaleDownStabilized: recent recommendations were higher than current one, applying the highest recent recommendation')
    for (let passed = 0; passed < 285_000; passed += periodMs) await period('20m')
    expect(await replicas()).toBe(4)
    for (let i = 0; i < 3; i++) await period('20m')
    expect(await replicas()).toBe(2)
    expect(await told()).toContain('Normal SuccessfulRescale: New size: 2; reason: All metrics below target')
  })

  it('follows the policies of its behavior', async () => {
    await deployment(8)
    await autoscaler([cpu(50)], { behavior: { scaleDown: { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } } })
    await period('5m')
    expect(await replicas()).toBe(7)
    await period('5m')
    expect(await replicas()).toBe(7)
    expect(await conditionsOf()).toContain('ScalingLimited True ScaleDownLimit: the desired replica count is decreasing faster than the maximum scale rate')
    for (let i = 0; i < 4; i++) await period('5m')
    expect(await replicas()).toBe(6)
  })

  it('counts a container alone, and raw amounts', async () => {
    await deployment(2)
    await autoscaler([
      { type: 'ContainerResource', containerResource: { name: 'cpu', container: 'c', target: { type: 'Utilization', averageUtilization: 50 } } },
      { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '32Mi' } } },
    ])
    await period('60m')
    expect(await replicas()).toBe(4)
    expect((await statusOf())?.currentMetrics).toEqual([
      { type: 'ContainerResource', containerResource: { name: 'cpu', container: 'c', current: { averageUtilization: 60, averageValue: '60m' } } },
      { type: 'Resource', resource: { name: 'memory', current: { averageValue: '64Mi' } } },
    ])
  })

  it('takes pods without a sample for idle on the way up', async () => {
    await deployment(3)
    await autoscaler([cpu(50)])
    await aged()
    await usage('100m', 2)
    await cluster.settle(periodMs)
    expect(await replicas()).toBe(4) // 67 % of three, not 100 % of three
  })
})

describe('a metric that cannot be had', () => {
  it('is said as a client of a server without metrics says it', async () => {
    await deployment(1)
    await autoscaler([cpu(50)])
    await cluster.settle(periodMs)
    expect(await conditionsOf()).toEqual([
      "AbleToScale True SucceededGetScale: the HPA controller was able to get the target's current scale",
      `ScalingActive False FailedGetResourceMetric: the HPA was unable to compute the replica count: ${noMetrics}`,
    ])
    expect(await statusOf()).toMatchObject({ currentReplicas: 1, desiredReplicas: 0, currentMetrics: [{ type: '' }] })
    expect((await told()).toSorted()).toEqual([
      `Warning FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${noMetrics}`,
      `Warning FailedGetResourceMetric: ${noMetrics}`,
    ])
  })

  it.each([
    ['a server that is away', false, undefined, 'unable to fetch metrics from resource metrics API: the server is currently unable to handle the request (get pods.metrics.k8s.io)'],
    ['a server without samples', true, { items: [] }, 'no metrics returned from resource metrics API'],
  ])('%s', async (_, available, answer, message) => {
    await deployment(1)
    await autoscaler([cpu(50)])
    servers.served.set('metrics.k8s.io/v1beta1', available)
    servers.answers[podMetricsPath] = answer
    await cluster.settle(periodMs)
    expect((await conditionsOf())[1]).toBe(`ScalingActive False FailedGetResourceMetric: the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: ${message}`)
  })

  it.each<[string, MetricSpec, string]>([
    ['Pods', { type: 'Pods', pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '10' } } }, 'FailedGetPodsMetric: the HPA was unable to compute the replica count: unable to get metric rps: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered'],
    ['Object', { type: 'Object', object: { metric: { name: 'rps' }, describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'in' }, target: { type: 'Value', value: '10' } } }, 'FailedGetObjectMetric: the HPA was unable to compute the replica count: unable to get metric rps: Ingress on default in/unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered'],
    ['External', { type: 'External', external: { metric: { name: 'q', selector: { matchLabels: { a: 'b' } } }, target: { type: 'AverageValue', averageValue: '10' } } }, 'FailedGetExternalMetric: the HPA was unable to compute the replica count: unable to get external metric default/q/&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{},}: unable to fetch metrics from external metrics API: the server could not find the requested resource (get q.external.metrics.k8s.io)'],
  ])('of type %s', async (_, metric, message) => {
    await deployment(1)
    await autoscaler([metric])
    await cluster.settle(periodMs)
    expect((await conditionsOf())[1]).toBe(`ScalingActive False ${message}`)
  })

  it('is no reason against going up, and one against going down', async () => {
    await deployment(4)
    await autoscaler([cpu(50), { type: 'Pods', pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '10' } } }], { behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } })
    await period('10m')
    expect(await replicas()).toBe(4)
    expect(await conditionsOf()).toContainEqual(expect.stringContaining('ScalingActive False FailedGetPodsMetric'))
    await period('100m')
    expect(await replicas()).toBe(8)
  })
})

describe('custom and external metrics', () => {
  const registered = async (...versions: readonly string[]): Promise<void> => {
    for (const [i, version] of versions.entries()) {
      servers.served.set(`custom.metrics.k8s.io/${version}`, true)
      await cluster.create(apiServices, {
        metadata: { name: `${version}.custom.metrics.k8s.io` },
        spec: { group: 'custom.metrics.k8s.io', version, groupPriorityMinimum: 100, versionPriority: 100 - i, insecureSkipTLSVerify: true, service: { namespace: 'kube-system', name: 'adapter' } },
      })
    }
  }

  it('of pods, by labels of pods and of the metric', async () => {
    await registered('v1beta2', 'v1beta1')
    await deployment(2)
    await autoscaler([{ type: 'Pods', pods: { metric: { name: 'rps', selector: { matchLabels: { verb: 'GET' } } }, target: { type: 'AverageValue', averageValue: '10' } } }])
    servers.answers[`${customPath}/pods/*/rps`] = { items: (await cluster.list(pods)).map(({ metadata }) => ({ describedObject: { name: metadata.name }, timestamp: formatTime(cluster.clock.now()), value: '20' })) }
    await cluster.settle(periodMs)
    expect(servers.asked).toEqual([`${customPath}/pods/*/rps?labelSelector=app%3Dweb&metricLabelSelector=verb%3DGET`])
    expect(await replicas()).toBe(4)
    expect((await statusOf())?.currentMetrics).toEqual([{ type: 'Pods', pods: { metric: { name: 'rps', selector: { matchLabels: { verb: 'GET' } } }, current: { averageValue: '20' } } }])
  })

  it('of an object, altogether and for each pod; of a namespace', async () => {
    await registered('v1beta1')
    await deployment(2)
    const ingress = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'in' }
    await autoscaler([
      { type: 'Object', object: { metric: { name: 'rps' }, describedObject: ingress, target: { type: 'Value', value: '10' } } },
      { type: 'Object', object: { metric: { name: 'rps' }, describedObject: ingress, target: { type: 'AverageValue', averageValue: '5' } } },
      { type: 'Object', object: { metric: { name: 'jobs' }, describedObject: { apiVersion: 'v1', kind: 'Namespace', name: 'other' }, target: { type: 'Value', value: '10' } } },
    ])
    const root = customPath.replace('v1beta2', 'v1beta1')
    servers.answers[`${root}/ingresses.networking.k8s.io/in/rps`] = { items: [{ value: '15500m' }] }
    servers.answers[`${root}/metrics/jobs`] = { items: [{ value: '1' }] }
    await cluster.settle(periodMs)
    expect(await replicas()).toBe(4)
    expect((await statusOf())?.currentMetrics?.map(({ object }) => object?.current)).toEqual([{ value: '15500m' }, { averageValue: '7750m' }, { value: '1' }])
  })

  it('external ones, summed up', async () => {
    await deployment(2)
    await autoscaler([{ type: 'External', external: { metric: { name: 'q', selector: { matchLabels: { a: 'b' } } }, target: { type: 'AverageValue', averageValue: '10' } } }])
    servers.served.set('external.metrics.k8s.io/v1beta1', true)
    servers.answers[`/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/q`] = { items: [{ value: '11' }, { value: '18' }] }
    await cluster.settle(periodMs)
    expect(servers.asked).toEqual([`/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/q?labelSelector=a%3Db`])
    expect(await replicas()).toBe(3)
    expect((await statusOf())?.currentMetrics).toEqual([{ type: 'External', external: { metric: { name: 'q', selector: { matchLabels: { a: 'b' } } }, current: { averageValue: '14500m' } } }])
  })
})

describe('a target', () => {
  it.each<[CrossVersionObjectReference, string]>([
    [{ ...web, name: 'nope' }, 'deployments.apps "nope" not found'],
    [{ apiVersion: 'foo.example.com/v1', kind: 'Foo', name: 'x' }, 'no matches for kind "Foo" in group "foo.example.com"'],
    [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'ds' }, 'the server could not find the requested resource'],
  ])('that cannot be scaled: %o', async (scaleTargetRef, message) => {
    await cluster.create(daemonSets, { metadata: { name: 'ds', namespace }, spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } } })
    await autoscaler([cpu(50)], { scaleTargetRef })
    await cluster.settle(periodMs)
    expect(await conditionsOf()).toEqual([`AbleToScale False FailedGetScale: the HPA controller was unable to get the target's current scale: ${message}`])
    expect(await told()).toEqual([`Warning FailedGetScale: ${message}`])
    expect(await statusOf()).toMatchObject({ desiredReplicas: 0 })
  })

  it('outside its bounds is brought there without any metric', async () => {
    await deployment(8)
    await autoscaler([cpu(50)], { maxReplicas: 5 })
    await cluster.settle(periodMs)
    expect(await replicas()).toBe(5)
    await cluster.change(horizontalPodAutoscalers, 'web', (mine) => void (mine.spec = { ...mine.spec, minReplicas: 7, maxReplicas: 9 }))
    await cluster.settle(periodMs)
    expect(await replicas()).toBe(7)
    expect(await told()).toEqual(expect.arrayContaining(['Normal SuccessfulRescale: New size: 5; reason: Current number of replicas above Spec.MaxReplicas', 'Normal SuccessfulRescale: New size: 7; reason: Current number of replicas below Spec.MinReplicas']))
  })

  it('that somebody scaled to zero is left alone', async () => {
    await deployment(0)
    await autoscaler([cpu(50)])
    await period('100m')
    expect(await replicas()).toBe(0)
    expect((await conditionsOf())[1]).toBe('ScalingActive False ScalingDisabled: scaling is disabled since the replica count of the target is zero')
  })

  it('has one autoscaler', async () => {
    await deployment(1)
    await autoscaler([cpu(50)], {}, 'one')
    await autoscaler([cpu(50)], {}, 'two')
    await cluster.settle(2 * periodMs)
    for (const name of ['one', 'two']) expect((await conditionsOf(name))[1]).toBe('ScalingActive False AmbiguousSelector: pods by selector app=web are controlled by multiple HPAs: [default/one default/two]')
    await cluster.client.delete(cluster.ctx, horizontalPodAutoscalers, { namespace, name: 'two' })
    await cluster.settle(periodMs)
    expect((await conditionsOf('one'))[1]).toContain('FailedGetResourceMetric')
  })

  it('may be of any kind that can be scaled', async () => {
    await cluster.create(customResourceDefinitions, {
      metadata: { name: 'sprockets.example.com' },
      spec: {
        group: 'example.com', scope: 'Namespaced', names: { plural: 'sprockets', kind: 'Sprocket' },
        versions: [{
          name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          subresources: { scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size', labelSelectorPath: '.status.selector' } },
        }],
      },
    })
    await cluster.settle(6_000)
    const sprockets = defineKind<AnyObject>({ group: 'example.com', version: 'v1', kind: 'Sprocket', plural: 'sprockets', namespaced: true })
    await cluster.create(sprockets, { apiVersion: 'example.com/v1', kind: 'Sprocket', metadata: { name: 's', namespace }, spec: { size: 1 }, status: { size: 1, selector: 'app=s' } } as AnyObject)
    await autoscaler([{ type: 'External', external: { metric: { name: 'q' }, target: { type: 'AverageValue', averageValue: '10' } } }], { scaleTargetRef: { apiVersion: 'example.com/v1', kind: 'Sprocket', name: 's' } })
    servers.served.set('external.metrics.k8s.io/v1beta1', true)
    servers.answers[`/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/q`] = { items: [{ value: '35' }] }
    await cluster.settle(periodMs)
    expect((await cluster.get(sprockets, 's'))?.['spec']).toEqual({ size: 4 })
  })

  it('writes nothing while nothing changes', async () => {
    await deployment(2)
    await autoscaler([cpu(50)])
    await period('50m')
    await cluster.writes()
    for (let i = 0; i < 4; i++) await cluster.settle(periodMs)
    expect(await cluster.writes()).toBe(0)
  })
})
