/** What is let in, but with a warning: old fields and annotations, things said twice, values that will do nothing. */
import { namespaceCases, type Case, type CaseGroup } from '../case.ts'

const core = '/api/v1/namespaces/warned'
const group = (name: string, plural: string): string => `/apis/${name}/v1/namespaces/warned/${plural}`
const labels = { app: 'a' }
const container = { name: 'c', image: 'i' }
const create = (name: string, path: string, object: object, metadata: object = {}): Case =>
  ({ name, method: 'POST', path: `${path}?dryRun=All`, body: { ...object, metadata: { name: 'x', ...metadata } } })

const pod = (name: string, spec: object, metadata: object = {}): Case => create(`pod: ${name}`, `${core}/pods`, { spec: { containers: [container], ...spec } }, metadata)
const inContainer = (name: string, fields: object, spec: object = {}): Case => pod(name, { containers: [{ ...container, ...fields }], ...spec })
const volume = (name: string, source: object): Case => pod(`volume ${name}`, { volumes: [{ name: 'v', ...source }] })

const pods: readonly Case[] = [
  inContainer('variables twice', { env: [{ name: 'A', value: '1' }, { name: 'B', value: '2' }, { name: 'A', value: '3' }, { name: 'B', value: '$(B)x' }, { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
  inContainer('ports twice', { ports: [{ containerPort: 80 }, { containerPort: 80 }, { containerPort: 80, hostPort: 81 }, { containerPort: 80, hostIP: '127.0.0.1', hostPort: 81 }, { containerPort: 81, name: 'a' }] }, { initContainers: [{ name: 'i', image: 'i', restartPolicy: 'Always', ports: [{ containerPort: 82, name: 'a' }, { containerPort: 81 }] }] }),
  inContainer('parts of bytes', { resources: { limits: { memory: '100m', 'ephemeral-storage': '1500m' }, requests: { memory: '50m', 'ephemeral-storage': '500m' } } }),
  inContainer('address of a port', { ports: [{ containerPort: 80, hostPort: 80, hostIP: '010.0.0.1' }] }),
  pod('names twice', { hostAliases: [{ ip: '10.0.0.1', hostnames: ['a'] }, { ip: '10.0.0.1', hostnames: ['b'] }, { ip: 'fd00:0::1', hostnames: ['c'] }], imagePullSecrets: [{ name: 'a' }, { name: 'a' }, {}] }),
  pod('old node labels', {
    nodeSelector: { 'beta.kubernetes.io/arch': 'amd64', 'failure-domain.beta.kubernetes.io/zone': 'z' },
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'beta.kubernetes.io/os', operator: 'In', values: ['a b'] }] }] }, preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [{ key: 'beta.kubernetes.io/instance-type', operator: 'Exists' }] } }] } },
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'failure-domain.beta.kubernetes.io/region', whenUnsatisfiable: 'ScheduleAnyway' }],
  }),
  pod('affinity to nobody', { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'a' }], preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: 'a' } }] }, podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'a' }] } } }),
  pod('old annotations', {}, { annotations: {
    'scheduler.alpha.kubernetes.io/critical-pod': '', 'seccomp.security.alpha.kubernetes.io/pod': 'runtime/default', 'container.seccomp.security.alpha.kubernetes.io/c': 'unconfined',
    'container.apparmor.security.beta.kubernetes.io/c': 'runtime/default', 'security.alpha.kubernetes.io/sysctls': 'a', 'security.alpha.kubernetes.io/unsafe-sysctls': 'b', 'kubernetes.io/psp': 'x', 'pod.alpha.kubernetes.io/initialized': 'true',
  } }),
  pod('negative grace', { terminationGracePeriodSeconds: -1 }),
  pod('overhead in parts of bytes', { overhead: { memory: '100m' } }),
  pod('addresses', { dnsConfig: { nameservers: ['fd00:0:0::1'] } }),
  volume('gitRepo', { gitRepo: { repository: 'r' } }),
  volume('glusterfs', { glusterfs: { endpoints: 'e', path: 'p' } }),
  volume('cephfs', { cephfs: { monitors: ['m'] } }),
  volume('rbd', { rbd: { monitors: ['m'], image: 'i' } }),
  volume('flocker', { flocker: { datasetName: 'd' } }),
  volume('quobyte', { quobyte: { registry: 'r:1', volume: 'v' } }),
  volume('storageos', { storageos: { volumeName: 'v' } }),
  volume('scaleIO', { scaleIO: { gateway: 'g', system: 's', secretRef: { name: 's' }, volumeName: 'v' } }),
  volume('photon', { photonPersistentDisk: { pdID: 'p' } }),
  volume('claim', { ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '100m' } } } } } }),
  volume('overlaps', { configMap: { name: 'm', items: [{ key: 'a', path: 'x' }, { key: 'b', path: 'x/y' }] } }),
  volume('projected overlaps', { projected: { sources: [{ configMap: { name: 'm', items: [{ key: 'a', path: 'x' }] } }, { secret: { name: 's', items: [{ key: 'a', path: 'x' }] } }, { downwardAPI: { items: [{ path: 'x/z', fieldRef: { fieldPath: 'metadata.name' } }] } }, { serviceAccountToken: { path: 'x' } }, {}] } }),
]

const template = { metadata: { labels, annotations: { 'container.apparmor.security.beta.kubernetes.io/c': 'runtime/default', 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' } }, spec: { containers: [{ ...container, env: [{ name: 'A' }, { name: 'A' }] }], nodeSelector: { 'beta.kubernetes.io/arch': 'amd64' } } }
const workload = { selector: { matchLabels: labels }, template }
const jobSpec = { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } }

const workloads: readonly Case[] = [
  create('deployment', group('apps', 'deployments'), { spec: workload }, { name: 'a.b' }),
  create('statefulset', group('apps', 'statefulsets'), { spec: { ...workload, serviceName: 's', revisionHistoryLimit: -1, volumeClaimTemplates: [{ metadata: { name: 'v' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '100m' } } } }] } }, { name: 'a.b' }),
  create('daemonset', group('apps', 'daemonsets'), { spec: workload }, { name: 'a.b' }),
  create('replicaset', group('apps', 'replicasets'), { spec: workload }, { name: 'a.b' }),
  create('replicationcontroller', `${core}/replicationcontrollers`, { spec: { selector: labels, template } }, { name: 'a.b' }),
  create('podtemplate', `${core}/podtemplates`, { template }),
  create('job', group('batch', 'jobs'), { spec: { ...jobSpec, completionMode: 'Indexed', completions: 100_001, parallelism: 10_001 } }, { name: 'a.b' }),
  create('job with parts of bytes', group('batch', 'jobs'), { spec: { ...jobSpec, podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [] }] } } }),
  create('cronjob', group('batch', 'cronjobs'), { spec: { schedule: 'CRON_TZ=UTC 0 0 * * *', jobTemplate: { spec: jobSpec } } }, { name: 'a.b' }),
]

const others: readonly Case[] = [
  create('service', `${core}/services`, { spec: { ports: [{ port: 80 }, { port: 80, name: 'b', protocol: 'UDP' }], selector: labels, externalIPs: ['010.0.0.1', 'fd00:0::1'] } }, { annotations: { 'service.kubernetes.io/topology-mode': 'Auto', 'service.kubernetes.io/topology-aware-hints': 'auto' } }),
  create('service: loadBalancerIP', `${core}/services`, { spec: { type: 'LoadBalancer', loadBalancerIP: '010.0.0.1', loadBalancerSourceRanges: ['10.0.0.1/8', ' 10.0.0.0/8'], ports: [{ port: 80 }], externalName: 'x' } }),
  create('service: distribution', `${core}/services`, { spec: { trafficDistribution: 'PreferClose', ports: [{ port: 80 }], sessionAffinity: 'ClientIP', clusterIP: 'None', publishNotReadyAddresses: true } }),
  create('persistentvolume', '/api/v1/persistentvolumes', { spec: { capacity: { storage: '1500m' }, accessModes: ['ReadWriteOnce'], persistentVolumeReclaimPolicy: 'Recycle', hostPath: { path: '/x' }, nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'failure-domain.beta.kubernetes.io/zone', operator: 'In', values: ['-a'] }] }] } } } }, { annotations: { 'volume.beta.kubernetes.io/storage-class': 'a', 'volume.beta.kubernetes.io/mount-options': 'ro' } }),
  create('persistentvolume: local retained', '/api/v1/persistentvolumes', { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], glusterfs: { endpoints: 'e', path: 'p' } } }),
  create('persistentvolumeclaim', `${core}/persistentvolumeclaims`, { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1500m' } } } }, { annotations: { 'volume.beta.kubernetes.io/storage-class': 'a' } }),
  create('storageclass', '/apis/storage.k8s.io/v1/storageclasses', { provisioner: 'p', allowedTopologies: [{ matchLabelExpressions: [{ key: 'failure-domain.beta.kubernetes.io/zone', values: ['z'] }] }] }),
  create('csistoragecapacity', group('storage.k8s.io', 'csistoragecapacities'), { storageClassName: 's', nodeTopology: { matchLabels: { 'beta.kubernetes.io/os': 'linux' } } }),
  create('runtimeclass', '/apis/node.k8s.io/v1/runtimeclasses', { handler: 'h', scheduling: { nodeSelector: { 'beta.kubernetes.io/arch': 'a' } }, overhead: { podFixed: { memory: '100m' } } }),
  create('node', '/api/v1/nodes', { spec: { externalID: 'e', configSource: { configMap: { namespace: 'a', name: 'b', kubeletConfigKey: 'c' } }, podCIDRs: ['10.0.0.1/24'] } }),
  create('ingress', group('networking.k8s.io', 'ingresses'), { spec: { ingressClassName: 'c', rules: [{ host: 'a' }] } }, { annotations: { 'kubernetes.io/ingress.class': 'x' } }),
  create('ingress: annotation alone', group('networking.k8s.io', 'ingresses'), { spec: { rules: [{ host: 'a', http: { paths: [{ pathType: 'ImplementationSpecific', backend: { service: { name: 's', port: { number: 80 } } } }] } }] } }, { annotations: { 'kubernetes.io/ingress.class': 'x' } }),
  create('networkpolicy', group('networking.k8s.io', 'networkpolicies'), { spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.1/8', except: ['10.1.0.1/16'] } }] }] } }),
  create('poddisruptionbudget', group('policy', 'poddisruptionbudgets'), { spec: { minAvailable: 1, selector: {} } }),
  create('poddisruptionbudget: nobody', group('policy', 'poddisruptionbudgets'), { spec: { minAvailable: 1 } }),
  create('endpoints', `${core}/endpoints`, { subsets: [{ addresses: [{ ip: '010.0.0.1' }], ports: [{ port: 80 }] }] }),
  create('endpointslice', group('discovery.k8s.io', 'endpointslices'), { addressType: 'IPv6', endpoints: [{ addresses: ['fd00:0::1'] }], ports: [] }),
  create('endpointslice of names', group('discovery.k8s.io', 'endpointslices'), { addressType: 'FQDN', endpoints: [{ addresses: ['a.b'] }], ports: [] }),
  create('serviceaccount', `${core}/serviceaccounts`, { secrets: [{ name: 'a', namespace: 'b' }] }, { annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } }),
  create('secret', `${core}/secrets`, { type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': '' } }),
  create('finalizer', `${core}/configmaps`, {}, { finalizers: ['bare'] }),
  create('namespace', '/api/v1/namespaces', {}, { name: 'a-namespace', labels: { 'pod-security.kubernetes.io/enforce': 'nonsense' } }),
  create('horizontalpodautoscaler', '/apis/autoscaling/v2/namespaces/warned/horizontalpodautoscalers', { spec: { maxReplicas: 1, scaleTargetRef: { kind: 'Deployment', name: 'x', apiVersion: 'apps/v1' } } }),
  create('validatingwebhookconfiguration', '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', { webhooks: [{ name: 'a.b.c', clientConfig: { url: 'https://a' }, sideEffects: 'None', admissionReviewVersions: ['v1'], rules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }] }] }),
  create('certificatesigningrequest', '/apis/certificates.k8s.io/v1/certificatesigningrequests', { spec: { request: 'eA==', signerName: 'a.b/c', usages: ['any'] } }),
  create('unknown fields', `${core}/configmaps`, { nonsense: 1, data: { a: 'b' } }),
]

export const warnings: CaseGroup = { name: 'warnings', golden: true, cases: [...namespaceCases('warned'), ...pods, ...workloads, ...others] }
