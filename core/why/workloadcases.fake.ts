/** Workloads, Services, namespaces and what else does not do what it is to do, with the true cause of each. */
import { validatingAdmissionPolicies } from '../api/admissionregistration/validatingadmissionpolicy.ts'
import { validatingAdmissionPolicyBindings } from '../api/admissionregistration/validatingadmissionpolicybinding.ts'
import { apiServices } from '../api/apiregistration/apiservice.ts'
import { daemonSets } from '../api/apps/daemonset.ts'
import { deployments } from '../api/apps/deployment.ts'
import { statefulSets } from '../api/apps/statefulset.ts'
import { horizontalPodAutoscalers } from '../api/autoscaling/horizontalpodautoscaler.ts'
import { cronJobs } from '../api/batch/cronjob.ts'
import { jobs } from '../api/batch/job.ts'
import { configMaps } from '../api/core/configmap.ts'
import { limitRanges } from '../api/core/limitrange.ts'
import { namespaces } from '../api/core/namespace.ts'
import { nodes } from '../api/core/node.ts'
import { resourceQuotas } from '../api/core/resourcequota.ts'
import { services } from '../api/core/service.ts'
import { podDisruptionBudgets } from '../api/policy/poddisruptionbudget.ts'
import type { Deployment, Job, PodSpec } from '../api/schema/types.ts'
import { asks, type Case, type Lab } from './lab.fake.ts'

const selector = { matchLabels: { app: 'web' } }
const template = (spec: Partial<PodSpec> = {}) => ({ metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image: 'web:1' }], ...spec } })
const deployment = (replicas: number, spec: Partial<PodSpec> = {}): Deployment => ({ metadata: { name: 'web', namespace: 'default' }, spec: { replicas, selector, template: template(spec) } })
const job = (more: Partial<NonNullable<Job['spec']>> = {}): Job => ({ metadata: { name: 'load', namespace: 'default' }, spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'app', image: 'web:1' }] } }, ...more } })
const jobTemplate = { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'app', image: 'web:1' }] } } } }
const service = (spec: object) => ({ metadata: { name: 'web', namespace: 'default' }, spec: { ports: [{ port: 80 }], ...spec } })

async function rollout(lab: Lab, made: Deployment): Promise<void> {
  await lab.create(deployments, made)
  await lab.settle()
}

export const workloadCases: readonly Case[] = [
  {
    name: 'pods of a deployment that fit nowhere, three alike',
    async build(lab) {
      await lab.node('n1', { size: { cpu: '2' } })
      await rollout(lab, deployment(5, asks('1')))
      await lab.settle()
      for (const pod of await lab.podsOf('web')) if ((pod.spec?.nodeName ?? '') !== '') await lab.says(pod.metadata.name ?? '', { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] })
    },
    of: 'deployment/web',
    cause: 'deployment default/web has 2 of 5 pods ready: each of 3 pods does not fit on the only node, n1: it lacks 1 cpu',
    // Another of its kind would take the room again.
    never: 'delete pod',
  },
  {
    name: 'the pod of a daemon set has the room, and would be made again there',
    options: { fate: { startMs: 0, readyMs: 0, stopMs: 0 } },
    async build(lab) {
      await lab.node('n1', { size: { cpu: '2' } })
      await lab.create(daemonSets, { metadata: { name: 'agent', namespace: 'default' }, spec: { selector: { matchLabels: { app: 'agent' } }, template: { metadata: { labels: { app: 'agent' } }, spec: asks('1500m') } } })
      await lab.settle()
      await lab.pod('web', asks('1'))
    },
    of: 'pod/web',
    cause: 'pod default/web does not fit on the only node, n1: it lacks 500m cpu',
    never: 'delete pod',
  },
  {
    name: 'a rollout whose new pods cannot get their image, the old ones still there',
    async build(lab) {
      await lab.node('n1')
      await rollout(lab, deployment(2))
      await lab.runs('web')
      await lab.patch(deployments, 'web', { spec: { template: { spec: { containers: [{ name: 'app', image: 'web:2' }] } } } })
      await lab.settle()
      for (const pod of await lab.podsOf('web')) {
        if (pod.spec?.containers[0]?.image !== 'web:2') continue
        await lab.says(pod.metadata.name ?? '', { phase: 'Pending', containerStatuses: [{ name: 'app', image: 'web:2', imageID: '', restartCount: 0, ready: false, state: { waiting: { reason: 'ErrImagePull', message: 'web:2: manifest unknown' } } }] })
      }
    },
    of: 'deploy/web',
    cause: 'deployment default/web has 2 of 2 pods ready, 0 of them with its latest template: pod NAME cannot pull the image web:2: the registry has no such image or tag',
  },
  {
    name: 'a quota that has no room',
    async build(lab) {
      await lab.node('n1')
      await lab.create(resourceQuotas, { metadata: { name: 'team', namespace: 'default' }, spec: { hard: { 'requests.cpu': '1' } } })
      await lab.settle()
      await rollout(lab, deployment(3, asks('600m')))
      await lab.runs('web')
    },
    of: 'deployment/web',
    cause: 'deployment default/web has 1 of 3 pods, and may make no more: the ResourceQuota team has no room: one pod asks for requests.cpu=600m, requests.cpu=600m is used, the limit is requests.cpu=1',
  },
  {
    name: 'a LimitRange that forbids it',
    async build(lab) {
      await lab.create(limitRanges, { metadata: { name: 'small', namespace: 'default' }, spec: { limits: [{ type: 'Container', max: { cpu: '500m' } }] } })
      await lab.settle()
      await rollout(lab, deployment(1, { containers: [{ name: 'app', image: 'web:1', resources: { limits: { cpu: '2' }, requests: { cpu: '1' } } }] }))
    },
    of: 'deployment/web',
    cause: 'deployment default/web has none of 1 pod, and may make no more: a LimitRange of the namespace forbids the pod: maximum cpu usage per Container is 500m, but limit is 2',
  },
  {
    name: 'a namespace whose pods must be restricted',
    async build(lab) {
      await lab.patch(namespaces, 'default', { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } } })
      await lab.settle()
      await lab.create(daemonSets, { metadata: { name: 'web', namespace: 'default' }, spec: { selector, template: template({ hostNetwork: true }) } })
      await lab.node('n1')
    },
    of: 'daemonset/web',
    cause: "daemonset default/web has none of 1 pod, and may make no more: the namespace's PodSecurity level baseline:latest forbids the pod: host namespaces (hostNetwork=true)",
  },
  {
    name: 'a ServiceAccount that there is not',
    build: (lab) => rollout(lab, deployment(1, { serviceAccountName: 'robot' })),
    of: 'deployment/web',
    cause: 'deployment default/web has none of 1 pod, and may make no more: the ServiceAccount default/robot does not exist',
  },
  {
    name: 'a policy that forbids it',
    async build(lab) {
      const matchConstraints = { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }] }
      await lab.create(validatingAdmissionPolicies, { metadata: { name: 'owned' }, spec: { matchConstraints, validations: [{ expression: "'team' in object.metadata.labels", message: 'every pod names its team' }] } })
      await lab.create(validatingAdmissionPolicyBindings, { metadata: { name: 'all' }, spec: { policyName: 'owned', validationActions: ['Deny'] } })
      await lab.settle()
      await rollout(lab, deployment(1))
    },
    of: 'deployment/web',
    cause: 'deployment default/web has none of 1 pod, and may make no more: the ValidatingAdmissionPolicy owned (binding all) forbids the pod: every pod names its team',
  },
  {
    name: 'a StatefulSet whose first pod does not get its volume',
    async build(lab) {
      await lab.node('n1')
      const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }]
      await lab.create(statefulSets, { metadata: { name: 'web', namespace: 'default' }, spec: { replicas: 3, serviceName: 'web', selector, template: template(), volumeClaimTemplates } })
    },
    of: 'sts/web',
    cause: 'statefulset default/web has 0 of 3 pods ready: pod web-0 waits for its claim data-web-0, which names no storage class, and the cluster has no default one; there is no volume at all that it could take',
  },
  {
    name: 'a DaemonSet that no node matches',
    async build(lab) {
      await lab.node('n1')
      await lab.create(daemonSets, { metadata: { name: 'web', namespace: 'default' }, spec: { selector, template: template({ nodeSelector: { role: 'edge' } }) } })
    },
    of: 'ds/web',
    cause: 'daemonset default/web has no pods: its node selector or affinity matches none of 1 node',
  },
  {
    name: 'a DaemonSet whose pod does not fit on its node',
    async build(lab) {
      await lab.node('n1', { size: { cpu: '1' } })
      await lab.node('n2', { taints: [{ key: 'gpu', effect: 'NoSchedule' }] })
      await lab.create(daemonSets, { metadata: { name: 'web', namespace: 'default' }, spec: { selector, template: template(asks('3')) } })
    },
    of: 'ds/web',
    cause: 'daemonset default/web has 0 of 1 pod ready: pod NAME may go to node n1 only: it lacks 2 cpu',
    lines: ['ask for 2 cpu less (1 instead of 3): it would fit on node n1'],
  },
  {
    name: 'pods that were evicted and replaced are the past',
    async build(lab) {
      await lab.node('n1')
      await rollout(lab, deployment(1))
      for (const pod of await lab.podsOf('web')) await lab.says(pod.metadata.name ?? '', { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' })
      await lab.settle(5_000)
      for (const pod of await lab.podsOf('web')) if (pod.status?.phase !== 'Failed') await lab.says(pod.metadata.name ?? '', { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] })
    },
    of: 'deployment/web',
    cause: 'deployment default/web has its pod ready',
  },
  {
    name: 'a paused deployment',
    async build(lab) {
      await lab.node('n1')
      await rollout(lab, deployment(1))
      await lab.runs('web')
      await lab.patch(deployments, 'web', { spec: { paused: true } })
      await lab.settle()
      await lab.patch(deployments, 'web', { spec: { template: { spec: { containers: [{ name: 'app', image: 'web:2' }] } } } })
    },
    of: 'deployment/web',
    cause: 'deployment default/web is paused: 0 of 1 pod have its latest template, and no more get it until it is resumed',
  },
  {
    name: 'no controllers',
    options: { without: ['deployment-controller'] },
    build: (lab) => rollout(lab, deployment(1)),
    of: 'deployment/web',
    cause: 'deployment default/web has not been seen by its controller yet: it was made just now, or no controller runs',
  },
  {
    name: 'a deployment that is well',
    async build(lab) {
      await lab.node('n1')
      await rollout(lab, deployment(2))
      await lab.runs('web')
    },
    of: 'deployment/web',
    cause: 'deployment default/web has all of its 2 pods ready',
  },
  {
    name: 'a suspended job',
    build: async (lab) => void (await lab.create(jobs, job({ suspend: true }))),
    of: 'job/load',
    cause: 'job default/load is suspended: it starts no pods until spec.suspend is false',
  },
  {
    name: 'a job that failed too often',
    options: { fate: { startMs: 0, readyMs: 0, runMs: 1_000, exitCodes: [3], stopMs: 0 } },
    async build(lab) {
      await lab.node('n1')
      await lab.create(jobs, job({ backoffLimit: 1 }))
      await lab.settle(120_000)
    },
    of: 'job/load',
    cause: 'job default/load has failed: its pods failed 2 times, and it gives up after 1 retry (backoffLimit); pod NAME has failed: its container app exits with code 3',
  },
  {
    name: 'a suspended cron job',
    build: async (lab) => void (await lab.create(cronJobs, { metadata: { name: 'nightly', namespace: 'default' }, spec: { schedule: '0 3 * * *', suspend: true, jobTemplate } })),
    of: 'cronjob/nightly',
    cause: 'cronjob default/nightly is suspended: it starts no jobs until spec.suspend is false',
  },
  {
    name: 'a cron job that is never due',
    build: async (lab) => void (await lab.create(cronJobs, { metadata: { name: 'nightly', namespace: 'default' }, spec: { schedule: '0 0 31 2 *', jobTemplate } })),
    of: 'cj/nightly',
    cause: 'cronjob default/nightly starts no jobs: its schedule "0 0 31 2 *" is never due',
  },
  {
    name: 'a cron job whose jobs fail',
    options: { fate: { startMs: 0, readyMs: 0, runMs: 1_000, exitCodes: [1], stopMs: 0 } },
    async build(lab) {
      await lab.node('n1')
      await lab.create(cronJobs, { metadata: { name: 'load', namespace: 'default' }, spec: { schedule: '* * * * *', jobTemplate: { spec: { ...jobTemplate.spec, backoffLimit: 0 } } } })
      await lab.settle(80_000)
    },
    of: 'cj/load',
    cause: 'cronjob default/load starts jobs, and the last, load-29453761, has failed: its pods failed 1 time, and it gives up after 0 retries (backoffLimit); pod NAME has failed: its container app exits with code 1',
  },
  {
    name: 'a cron job that waits for a job that cannot run',
    async build(lab) {
      await lab.node('n1')
      await lab.create(cronJobs, { metadata: { name: 'load', namespace: 'default' }, spec: { schedule: '* * * * *', concurrencyPolicy: 'Forbid', jobTemplate: { spec: { template: { spec: { ...jobTemplate.spec.template.spec, nodeSelector: { disk: 'ssd' } } } } } } })
      await lab.settle(150_000)
    },
    of: 'cj/load',
    cause: 'cronjob default/load starts no further job while job load-29453761 runs (concurrencyPolicy Forbid), and that has 0 of 1 completion: pod NAME does not fit on the only node, n1: it lacks the label disk=ssd',
  },
  {
    name: 'a service whose selector is misspelt',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web')
      await lab.create(services, service({ selector: { app: 'wep' } }))
      await lab.runs('web')
    },
    of: 'svc/web',
    cause: 'service default/web leads nowhere: its selector app=wep matches none of 1 pod in namespace default',
    lines: ['app: the selector says wep, pod web has web'],
  },
  {
    name: 'a service whose port has another name',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web', { containers: [{ name: 'app', image: 'web:1', ports: [{ name: 'http', containerPort: 8080 }] }] })
      await lab.create(services, service({ selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'web' }] }))
      await lab.settle()
      await lab.runs('web')
    },
    of: 'svc/web',
    cause: 'service default/web leads nowhere on port 80: no container of its pods has a port named web (they have http)',
  },
  {
    name: 'a service whose pods are not ready',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web')
      await lab.create(services, service({ selector: { app: 'web' } }))
      await lab.settle()
      await lab.says('web', { phase: 'Running', containerStatuses: [{ name: 'app', image: 'web:1', imageID: '', restartCount: 4, ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 127, reason: 'Error' } } }] })
    },
    of: 'service/web',
    cause: 'service default/web leads nowhere: none of its 1 pod is ready: pod web crashes again and again: its container exits with code 127: command not found',
  },
  {
    name: 'a load balancer that nobody makes',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web')
      await lab.create(services, service({ type: 'LoadBalancer', selector: { app: 'web' } }))
      await lab.settle()
      await lab.runs('web')
    },
    of: 'svc/web',
    cause: 'service default/web has no address from outside: no controller of load balancers has given it one; inside it works',
  },
  {
    name: 'a namespace that does not go away',
    async build(lab) {
      await lab.create(namespaces, { metadata: { name: 'old' } })
      await lab.create(configMaps, { metadata: { name: 'kept', namespace: 'old', finalizers: ['example.com/backup'] } })
      await lab.fork.client.delete(lab.fork.ctx, namespaces, { namespace: '', name: 'old' })
      await lab.settle(30_000)
    },
    of: 'namespace/old',
    cause: 'namespace old was deleted 34s ago and is not gone yet: Some content in the namespace has finalizers remaining: example.com/backup in 1 resource instances',
  },
  {
    name: 'an autoscaler without metrics',
    async build(lab) {
      await lab.node('n1')
      await rollout(lab, deployment(1, asks('100m')))
      await lab.runs('web')
      await lab.create(horizontalPodAutoscalers, { metadata: { name: 'web', namespace: 'default' }, spec: { maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }] } })
      await lab.settle(30_000)
    },
    of: 'hpa/web',
    cause: 'autoscaler default/web gets no metrics for Deployment web (is a metrics server installed?): failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)',
  },
  {
    name: 'a job that another controller is to run',
    async build(lab) {
      await lab.create(jobs, job({ managedBy: 'example.com/queue' }))
    },
    of: 'job/load',
    cause: 'job default/load waits for example.com/queue (managedBy), which has not begun it',
  },
  {
    name: 'a job with parallelism 0',
    async build(lab) {
      await lab.create(jobs, job({ parallelism: 0, completions: 3 }))
    },
    of: 'job/load',
    cause: 'job default/load starts no pods: its parallelism is 0; it has 0 of 3 completions',
  },
  {
    name: 'a service of a deployment that is scaled to 0',
    async build(lab) {
      await lab.pod('other')
      await rollout(lab, deployment(0))
      await lab.create(services, service({ selector: { app: 'web' } }))
    },
    of: 'service/web',
    cause: 'service default/web leads nowhere: there is no pod with app=web now; deployment/web, which makes such pods, is scaled to 0',
  },
  {
    name: 'an API that another server is to serve, which is not there',
    async build(lab) {
      await lab.create(apiServices, { metadata: { name: 'v1beta1.metrics.k8s.io' }, spec: { group: 'metrics.k8s.io', version: 'v1beta1', groupPriorityMinimum: 100, versionPriority: 100, insecureSkipTLSVerify: true, service: { namespace: 'default', name: 'metrics' } } })
    },
    of: 'apiservice/v1beta1.metrics.k8s.io',
    cause: 'apiservice v1beta1.metrics.k8s.io is not available: service/metrics in "default" is not present',
  },
  {
    name: 'a budget that lets nobody go',
    async build(lab) {
      await lab.node('n1')
      await rollout(lab, deployment(2))
      await lab.create(podDisruptionBudgets, { metadata: { name: 'web', namespace: 'default' }, spec: { maxUnavailable: 0, selector } })
      await lab.runs('web')
    },
    of: 'pdb/web',
    cause: 'disruption budget default/web allows no eviction: 2 of 2 pods are healthy, and 2 must stay so (maxUnavailable 0)',
  },
  {
    name: 'a node that is well',
    build: async (lab) => {
      await lab.node('n1')
      await lab.patch(nodes, 'n1', { metadata: { labels: { role: 'edge' } } })
    },
    of: 'node/n1',
    cause: 'node n1 is ready and takes pods',
  },
]
