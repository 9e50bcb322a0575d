/** Objects that are written in one version and read in another; the scale of everything that has one. */
import { namespaceCases, type Case, type CaseGroup } from '../case.ts'

const at = (group: string, plural: string, name = ''): string => `/apis/${group}/namespaces/converted/${plural}${name === '' ? '' : `/${name}`}`
const create = (name: string, path: string, body: object): Case => ({ name, method: 'POST', path, body })
const put = (name: string, path: string, body: object): Case => ({ name, method: 'PUT', path, body })
const patch = (name: string, path: string, body: object): Case => ({ name, method: 'PATCH', path, body, type: 'application/merge-patch+json' })
const get = (name: string, path: string): Case => ({ name, path })

const [v1, v2] = ['autoscaling/v1', 'autoscaling/v2']
const scalers = 'horizontalpodautoscalers'
const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }
const metric = { name: 'm', selector: { matchLabels: { a: 'b' } } }
const rich = {
  scaleTargetRef: target, minReplicas: 2, maxReplicas: 9,
  metrics: [
    { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1500m' } } },
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
    { type: 'ContainerResource', containerResource: { name: 'cpu', container: 'c', target: { type: 'Utilization', averageUtilization: 5 } } },
    { type: 'Pods', pods: { metric, target: { type: 'AverageValue', averageValue: '1Ki' } } },
    { type: 'Object', object: { metric, describedObject: { kind: 'Service', name: 's', apiVersion: 'v1' }, target: { type: 'Value', value: '10' } } },
    { type: 'External', external: { metric, target: { type: 'Value', value: '0.5' } } },
  ],
  behavior: { scaleDown: { stabilizationWindowSeconds: 5, selectPolicy: 'Min', policies: [{ type: 'Pods', value: 1, periodSeconds: 10 }] } },
}
const status = { currentReplicas: 3, desiredReplicas: 4, observedGeneration: 7, currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 12, averageValue: '10m' } } }], conditions: [{ type: 'ScalingActive', status: 'True', reason: 'R', message: 'm', lastTransitionTime: '2026-01-01T00:00:00Z' }] }

const autoscalers: readonly Case[] = [
  create('scaler in version 2', at(v2, scalers), { metadata: { name: 'rich', annotations: { mine: 'kept' } }, spec: rich }),
  patch('its status', `${at(v2, scalers, 'rich')}/status`, { status }),
  get('it in version 1', at(v1, scalers, 'rich')),
  patch('changed in version 1', at(v1, scalers, 'rich'), { spec: { targetCPUUtilizationPercentage: 70, maxReplicas: 10 } }),
  get('it in version 2', at(v2, scalers, 'rich')),
  create('scaler in version 1', at(v1, scalers), { metadata: { name: 'plain' }, spec: { scaleTargetRef: target, maxReplicas: 3, targetCPUUtilizationPercentage: 40 } }),
  get('that in version 2', at(v2, scalers, 'plain')),
  create('scaler without metrics', at(v1, scalers), { metadata: { name: 'bare' }, spec: { scaleTargetRef: target, maxReplicas: 3 } }),
  get('its default in version 2', at(v2, scalers, 'bare')),
  create('annotations that say metrics', at(v1, scalers), { metadata: { name: 'said', annotations: { 'autoscaling.alpha.kubernetes.io/metrics': '[{"type":"Pods","pods":{"metricName":"m","targetAverageValue":"1"}}]', 'autoscaling.alpha.kubernetes.io/behavior': '{}', 'autoscaling.alpha.kubernetes.io/conditions': 'nonsense' } }, spec: { scaleTargetRef: target, maxReplicas: 3 } }),
  get('them in version 2', at(v2, scalers, 'said')),
  get('all in version 1', at(v1, scalers)),
]

const core = '/api/v1/namespaces/converted/events'
const about = { kind: 'Pod', namespace: 'converted', name: 'p' }
const events: readonly Case[] = [
  create('event of old', core, { metadata: { name: 'old' }, involvedObject: about, reason: 'R', message: 'm', source: { component: 'c', host: 'h' }, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:01Z', count: 3, type: 'Normal' }),
  get('it in the new group', at('events.k8s.io/v1', 'events', 'old')),
  create('event of new', at('events.k8s.io/v1', 'events'), { metadata: { name: 'new' }, eventTime: '2026-01-01T00:00:00.123456Z', reportingController: 'a.b/c', reportingInstance: 'i', action: 'A', reason: 'R', note: 'n', type: 'Warning', regarding: about, related: about, series: { count: 2, lastObservedTime: '2026-01-01T00:00:05.000001Z' } }),
  get('it in the old group', `${core}/new`),
  get('chosen by a field', `${core}?fieldSelector=${encodeURIComponent('reason=R,involvedObject.name=p,type=Warning')}`),
]

const labels = { app: 'a' }
const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } }
const spec = { replicas: 2, selector: { matchLabels: labels }, template }

function scaled(plural: string, path: string, of: object): readonly Case[] {
  const here = `${path}/x/scale`
  const scale = (replicas: number, metadata: object = {}): object => ({ metadata: { name: 'x', namespace: 'converted', ...metadata }, spec: { replicas } })
  return [
    create(`${plural}: object`, path, { metadata: { name: 'x', labels }, spec: of }),
    get(`${plural}: scale`, here),
    put(`${plural}: scaled`, here, scale(5)),
    put(`${plural}: scaled from an old version`, here, scale(6, { resourceVersion: '1' })),
    put(`${plural}: scaled below nothing`, here, scale(-1)),
    put(`${plural}: scale of another name`, here, scale(1, { name: 'y' })),
    patch(`${plural}: scale patched`, here, { spec: { replicas: 0 } }),
    patch(`${plural}: status of a scale`, here, { status: { replicas: 9 } }),
    get(`${plural}: object after`, `${path}/x`),
    get(`${plural}: scale of nothing`, `${path}/none/scale`),
    { name: `${plural}: delete of a scale`, method: 'DELETE', path: here },
  ]
}

const scales: readonly Case[] = [
  ...scaled('deployments', at('apps/v1', 'deployments'), spec),
  ...scaled('replicasets', at('apps/v1', 'replicasets'), spec),
  ...scaled('statefulsets', at('apps/v1', 'statefulsets'), { ...spec, serviceName: 's' }),
  ...scaled('replicationcontrollers', '/api/v1/namespaces/converted/replicationcontrollers', { replicas: 2, selector: labels, template }),
]

export const conversions: CaseGroup = { name: 'conversions', golden: true, cases: [...namespaceCases('converted'), ...autoscalers, ...events, ...scales] }
