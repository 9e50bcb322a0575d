/** Pods that have a node and do not run, claims, and nodes: what the kubelet said, and the true cause of each. */
import { configMaps } from '../api/core/configmap.ts'
import { nodes } from '../api/core/node.ts'
import { persistentVolumeClaims } from '../api/core/persistentvolumeclaim.ts'
import { pods } from '../api/core/pod.ts'
import { storageClasses } from '../api/storage/storageclass.ts'
import { podDisruptionBudgets } from '../api/policy/poddisruptionbudget.ts'
import type { ContainerState, ContainerStatus, Pod } from '../api/schema/types.ts'
import { asks, type Case, type Lab } from './lab.fake.ts'

const waiting = (reason: string, message = ''): ContainerState => ({ waiting: { reason, message } })
const ended = (exitCode: number, reason: string): ContainerState => ({ terminated: { exitCode, reason } })

function status(name: string, state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus {
  return { name, image: 'web:1', imageID: '', restartCount: 0, ready: false, state, ...more }
}

/** A pod on n1 whose kubelet says this of its only container. */
async function stands(lab: Lab, state: ContainerState, more: Partial<ContainerStatus> = {}, spec: Parameters<Lab['pod']>[1] = {}): Promise<void> {
  await lab.node('n1')
  await lab.pod('web', spec)
  await lab.settle()
  await lab.says('web', { phase: state.running === undefined ? 'Pending' : 'Running', containerStatuses: [status('app', state, more)] })
}

export const podCases: readonly Case[] = [
  {
    name: 'an image that there is not',
    async build(lab) {
      await stands(lab, waiting('ImagePullBackOff', 'Back-off pulling image "web:1"'))
      await lab.tells('web', 'Failed', 'Failed to pull image "web:1": rpc error: code = NotFound desc = failed to resolve reference "docker.io/library/web:1": docker.io/library/web:1: not found', 'app')
    },
    of: 'pod/web',
    cause: 'pod default/web cannot pull the image web:1: the registry has no such image or tag',
  },
  {
    name: 'a registry that wants credentials, and a pull secret that does not exist',
    async build(lab) {
      await stands(lab, waiting('ErrImagePull', 'pull access denied for web, repository does not exist or may require docker login: denied: requested access to the resource is denied'), {}, { imagePullSecrets: [{ name: 'regcred' }] })
    },
    of: 'pod/web',
    cause: 'pod default/web cannot pull the image web:1: the registry wants credentials, or there is no such repository; the pull secret regcred does not exist',
  },
  {
    name: 'a name that is no image',
    build: (lab) => stands(lab, waiting('InvalidImageName', 'Failed to apply default image tag "Web:": couldn\'t parse image name'), {}, { containers: [{ name: 'app', image: 'Web:' }] }),
    of: 'pod/web',
    cause: 'pod default/web cannot pull the image "Web:": that is no name of an image',
  },
  {
    name: 'killed for its memory, again and again',
    build: (lab) => stands(lab, waiting('CrashLoopBackOff', 'back-off 5m0s restarting failed container'), { restartCount: 7, lastState: ended(137, 'OOMKilled') }, { containers: [{ name: 'app', image: 'web:1', resources: { limits: { memory: '64Mi' } } }] }),
    of: 'pod/web',
    cause: 'pod default/web crashes again and again: its container is killed for using more memory than its limit of 64Mi (OOMKilled, exit code 137)',
  },
  {
    name: 'a crash with the last lines of its log',
    build: (lab) => stands(lab, waiting('CrashLoopBackOff'), { restartCount: 3, lastState: ended(1, 'Error') }),
    of: 'pod/web',
    cause: 'pod default/web crashes again and again: its container exits with code 1',
    logs: ({ container, previous }) => (previous ? `starting ${container}\npanic: no database\n` : ''),
    lines: ['last lines of container app:', 'panic: no database'],
  },
  {
    name: 'a liveness probe that ends it',
    async build(lab) {
      await stands(lab, waiting('CrashLoopBackOff'), { restartCount: 3, lastState: ended(137, 'Error') })
      await lab.tells('web', 'Unhealthy', 'Liveness probe failed: HTTP probe failed with statuscode: 503', 'app')
      await lab.tells('web', 'Killing', 'Container app failed liveness probe, will be restarted', 'app')
    },
    of: 'pod/web',
    cause: 'pod default/web crashes again and again: its container is ended because its liveness probe fails: HTTP probe failed with statuscode: 503',
  },
  {
    name: 'a readiness probe that fails',
    async build(lab) {
      const probe = { containers: [{ name: 'app', image: 'web:1', readinessProbe: { httpGet: { path: '/ready', port: 8080 } } }] }
      await stands(lab, { running: { startedAt: '2026-01-01T00:00:00Z' } }, { started: true }, probe)
      await lab.tells('web', 'Unhealthy', 'Readiness probe failed: Get "http://10.42.0.7:8080/ready": dial tcp: connection refused', 'app')
    },
    of: 'pod/web',
    cause: 'pod default/web is not ready: the readiness probe of its container fails: Get "http://10.42.0.7:8080/ready": dial tcp: connection refused',
    lines: ['Readiness: GET :8080/ready every 10s, 3 failures count'],
  },
  {
    name: 'an init container that fails',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web', { initContainers: [{ name: 'migrate', image: 'web:1' }] })
      await lab.settle()
      await lab.says('web', { phase: 'Pending', initContainerStatuses: [status('migrate', waiting('CrashLoopBackOff'), { restartCount: 2, lastState: ended(2, 'Error') })], containerStatuses: [status('app', waiting('PodInitializing'))] })
    },
    of: 'pod/web',
    cause: 'pod default/web crashes again and again: its init container migrate exits with code 2',
  },
  {
    name: 'an init container that goes on and on',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web', { initContainers: [{ name: 'wait', image: 'web:1' }] })
      await lab.settle()
      await lab.says('web', { phase: 'Pending', initContainerStatuses: [status('wait', { running: { startedAt: '2026-01-01T00:00:00Z' } })], containerStatuses: [status('app', waiting('PodInitializing'))] })
    },
    of: 'pod/web',
    cause: 'pod default/web waits for its init container wait, which has not ended yet',
  },
  {
    name: 'a ConfigMap that there is not',
    build: (lab) => stands(lab, waiting('ContainerCreating'), {}, { volumes: [{ name: 'config', configMap: { name: 'settings' } }] }),
    of: 'pod/web',
    cause: 'pod default/web needs the ConfigMap settings for volume config, and there is none in namespace default',
  },
  {
    name: 'a key that a ConfigMap has not',
    async build(lab) {
      await lab.create(configMaps, { metadata: { name: 'settings', namespace: 'default' }, data: { host: 'db' } })
      const env = [{ name: 'PORT', valueFrom: { configMapKeyRef: { name: 'settings', key: 'port' } } }]
      await stands(lab, waiting('CreateContainerConfigError', "couldn't find key port in ConfigMap default/settings"), {}, { containers: [{ name: 'app', image: 'web:1', env }] })
    },
    of: 'pod/web',
    cause: 'pod default/web needs the key port of ConfigMap settings for variable PORT of container app, and it has no such key',
  },
  {
    name: 'a Secret that there is not',
    build: (lab) => stands(lab, waiting('CreateContainerConfigError', 'secret "keys" not found'), {}, { containers: [{ name: 'app', image: 'web:1', envFrom: [{ secretRef: { name: 'keys' } }] }] }),
    of: 'pod/web',
    cause: 'pod default/web needs the Secret keys for the environment of container app, and there is none in namespace default',
  },
  {
    name: 'a pod that was evicted',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web')
      await lab.settle()
      await lab.says('web', { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' })
    },
    of: 'pod/web',
    cause: 'pod default/web was evicted from node n1: The node was low on resource: memory.',
  },
  {
    name: 'a finalizer of somebody else',
    async build(lab) {
      await lab.node('n1')
      await lab.create<Pod>(pods, { metadata: { name: 'web', namespace: 'default', finalizers: ['example.com/backup'] }, spec: { containers: [{ name: 'app', image: 'web:1' }] } })
      await lab.settle()
      await lab.fork.client.delete(lab.fork.ctx, pods, { namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 })
      await lab.settle(60_000)
    },
    of: 'pod/web',
    cause: 'pod default/web was deleted 64s ago and is still held by the finalizer example.com/backup (whoever runs example.com, set by kube-apiserver)',
  },
  {
    name: 'a node that fell silent',
    options: { fate: { startMs: 0, readyMs: 500, stopMs: 0 }, graceMs: 40_000 },
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web', { tolerations: [{ operator: 'Exists' }] })
      await lab.settle(5_000)
      lab.hollow.kill('n1')
      await lab.settle(118_000)
    },
    of: 'pod/web',
    cause: 'pod default/web is on node n1, which is silent: its kubelet has given no sign of life for 2m9s (the machine is down, or cut off)',
  },
  {
    name: 'a node that is gone',
    options: { without: ['pod-garbage-collector'] },
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web')
      await lab.settle()
      await lab.fork.client.delete(lab.fork.ctx, nodes, { namespace: '', name: 'n1' })
    },
    of: 'pod/web',
    cause: 'pod default/web is bound to node n1, which does not exist',
  },
  {
    name: 'a pod that runs',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web')
      await lab.settle()
      await lab.runs('web')
    },
    of: 'pod/web',
    cause: 'pod default/web runs on node n1 and is ready',
  },
  {
    name: 'a claim without a class',
    build: async (lab) => void (await lab.create(persistentVolumeClaims, { metadata: { name: 'data', namespace: 'default' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } })),
    of: 'pvc/data',
    cause: 'claim default/data names no storage class, and the cluster has no default one; there is no volume at all that it could take',
  },
  {
    name: 'a claim whose provisioner is not there',
    async build(lab) {
      await lab.create(storageClasses, { metadata: { name: 'fast' }, provisioner: 'disk.example.com' })
      await lab.create(persistentVolumeClaims, { metadata: { name: 'data', namespace: 'default' }, spec: { storageClassName: 'fast', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } })
    },
    of: 'pvc/data',
    cause: 'claim default/data waits for the provisioner disk.example.com of storage class fast, which has made no volume yet (no CSI driver of that name is installed)',
  },
  {
    name: 'a claim that a pod still uses',
    async build(lab) {
      await lab.node('n1')
      await lab.create(persistentVolumeClaims, { metadata: { name: 'data', namespace: 'default' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } })
      await lab.pod('web', { nodeName: 'n1', volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] })
      await lab.settle()
      await lab.fork.client.delete(lab.fork.ctx, persistentVolumeClaims, { namespace: 'default', name: 'data' })
    },
    of: 'pvc/data',
    cause: 'claim default/data was deleted 2s ago and is still held by the finalizer kubernetes.io/pvc-protection (the claim protection controller); pod default/web still uses it',
  },
  {
    name: 'a node that cannot be drained',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web', asks('1'))
      await lab.create(podDisruptionBudgets, { metadata: { name: 'web', namespace: 'default' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } } })
      await lab.settle()
      await lab.runs('web')
      await lab.patch(nodes, 'n1', { spec: { unschedulable: true } })
    },
    of: 'node/n1',
    cause: 'node n1 is cordoned and cannot be drained: pod default/web must stay: disruption budget web allows no eviction now (1 of 1 healthy pods that it demands)',
  },
  {
    name: 'a node that is not ready',
    async build(lab) {
      await lab.node('n1')
      await lab.patch(nodes, 'n1', { status: { conditions: [{ type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: 'container runtime network not ready: cni plugin not initialized' }] } }, { subresource: 'status' })
    },
    of: 'node/n1',
    cause: 'node n1 is not ready: container runtime network not ready: cni plugin not initialized',
  },
]
