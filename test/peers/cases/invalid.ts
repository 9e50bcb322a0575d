/** Objects that their kind's validation refuses, on create and on update. */
import { namespaceCases, type Case, type CaseGroup } from '../case.ts'

const ns = '/api/v1/namespaces/invalid'
const group = (name: string, plural: string): string => `/apis/${name}/namespaces/invalid/${plural}`
const labels = { app: 'a' }
const container = { name: 'c', image: 'i' }

const create = (name: string, path: string, object: object, metadata: object = {}): Case => ({ name, method: 'POST', path, body: { metadata: { name: 'x', ...metadata }, ...object } })
const made = (name: string, path: string, object: object): Case => ({ ...create(`set-up ${name}`, path, object, { name }), compare: 'none' })
const change = (name: string, path: string, body: object, type = 'application/merge-patch+json'): Case => ({ name, method: 'PATCH', path, type, body })

const pods = `${ns}/pods`
const pod = (name: string, spec: object): Case => create(`Pod: ${name}`, pods, { spec: { containers: [container], ...spec } })
const inContainer = (name: string, fields: object): Case => pod(name, { containers: [{ ...container, ...fields }] })

const podCases: readonly Case[] = [
  create('Pod: no spec', pods, {}),
  pod('no containers', { containers: [] }),
  pod('two containers of one name', { containers: [container, container] }),
  inContainer('no image', { image: '' }),
  inContainer('name of the wrong form', { name: 'C_1' }),
  inContainer('wrong ports', { ports: [{ containerPort: 0 }, { containerPort: 70_000, protocol: 'ICMP', name: 'much-too-long-a-name' }] }),
  inContainer('wrong env', { env: [{ name: '' }, { name: '1=2', value: 'a' }, { name: 'B', value: 'x', valueFrom: { fieldRef: { fieldPath: 'nonsense' } } }] }),
  inContainer('wrong pull policy', { imagePullPolicy: 'Sometimes' }),
  inContainer('request above limit', { resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }),
  inContainer('wrong resources', { resources: { limits: { nonsense: '1', memory: '-1', 'example.com/a': '1.5' } } }),
  inContainer('mount without volume', { volumeMounts: [{ name: 'v', mountPath: '/v' }, { name: 'w', mountPath: '' }] }),
  inContainer('wrong probes', { livenessProbe: {}, readinessProbe: { httpGet: { port: 0, scheme: 'FTP' }, exec: { command: [] } }, startupProbe: { tcpSocket: { port: 'much-too-long-a-name' }, periodSeconds: -1, successThreshold: 2 } }),
  inContainer('wrong security context', { securityContext: { privileged: true, allowPrivilegeEscalation: false, runAsUser: -1 } }),
  pod('wrong volumes', { volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }, { name: 'v' }, { name: 'W' }, { name: 'h', hostPath: { path: '../x', type: 'Door' } }, { name: 's', secret: {} }, { name: 'm', configMap: { name: '', items: [{ key: '', path: '/a' }] } }] }),
  pod('wrong policies', { restartPolicy: 'Perhaps', dnsPolicy: 'Best', terminationGracePeriodSeconds: -1, activeDeadlineSeconds: 0 }),
  pod('dnsPolicy None without servers', { dnsPolicy: 'None' }),
  pod('wrong tolerations', { tolerations: [{ key: 'a b' }, { operator: 'Near' }, { key: 'a', operator: 'Exists', value: 'x' }, { key: 'a', effect: 'Push' }] }),
  pod('wrong affinity', { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } }, podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: '' }] } } }),
  pod('wrong spread', { topologySpreadConstraints: [{ maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'Whenever' }] }),
  pod('wrong names', { nodeName: 'A B', hostname: 'a.b', subdomain: 'C_', schedulerName: 'd e', nodeSelector: { 'a b': 'c d' } }),
  pod('service account that is not there', { serviceAccountName: 'missing' }),
  pod('priority class that is not there', { priorityClassName: 'missing' }),
  pod('runtime class that is not there', { runtimeClassName: 'missing' }),
  pod('host ports twice', { hostNetwork: true, containers: [{ ...container, ports: [{ containerPort: 80, hostPort: 81 }] }, { ...container, name: 'd', ports: [{ containerPort: 80 }, { containerPort: 80 }] }] }),
  pod('ephemeral containers on create', { ephemeralContainers: [{ name: 'e', image: 'i' }] }),
  pod('wrong init container', { initContainers: [{ name: 'c', image: 'i', restartPolicy: 'Never', livenessProbe: { exec: { command: ['x'] } } }] }),
  { ...pod('dry run of what is invalid', { containers: [] }), path: `${pods}?dryRun=All` },
  made('pod', pods, { spec: { containers: [container] } }),
  change('Pod: new command', `${pods}/pod`, { spec: { containers: [{ ...container, command: ['x'] }] } }),
  change('Pod: new image without one', `${pods}/pod`, { spec: { containers: [{ ...container, image: '' }] } }),
  change('Pod: one more container', `${pods}/pod`, { spec: { containers: [container, { name: 'd', image: 'i' }] } }),
  change('Pod: another node', `${pods}/pod`, { spec: { nodeName: 'n' } }),
  change('Pod: longer deadline', `${pods}/pod`, { spec: { activeDeadlineSeconds: 5 } }),
  change('Pod: fewer tolerations', `${pods}/pod`, { spec: { tolerations: [] } }),
  change('Pod: new image', `${pods}/pod`, { spec: { containers: [{ ...container, image: 'j' }] } }),
]

const services = `${ns}/services`
const service = (name: string, spec: object): Case => create(`Service: ${name}`, services, { spec: { ports: [{ port: 80 }], ...spec } })
const serviceCases: readonly Case[] = [
  create('Service: no spec', services, {}),
  service('no ports', { ports: [] }),
  service('wrong ports', { ports: [{ port: 0 }, { port: 70_000, protocol: 'ICMP', targetPort: 'A_B', name: 'UP' }] }),
  service('two ports without names', { ports: [{ port: 80 }, { port: 81 }] }),
  service('two ports of one name and number', { ports: [{ port: 80, name: 'a' }, { port: 80, name: 'a' }] }),
  service('unknown type', { type: 'Magic' }),
  service('address that is none', { clusterIP: 'nonsense' }),
  service('address outside', { clusterIP: '1.2.3.4' }),
  service('node port outside', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }),
  service('node port without the type', { ports: [{ port: 80, nodePort: 30_080 }] }),
  service('external name without a name', { type: 'ExternalName', ports: undefined }),
  service('wrong external name', { type: 'ExternalName', externalName: 'a b', ports: undefined }),
  service('wrong affinity', { sessionAffinity: 'Always' }),
  service('affinity time', { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } } }),
  service('wrong policies', { externalTrafficPolicy: 'Local', internalTrafficPolicy: 'Some' }),
  service('wrong external addresses', { externalIPs: ['127.0.0.1', 'x'], loadBalancerSourceRanges: ['x'] }),
  service('wrong families', { ipFamilies: ['IPv5'], ipFamilyPolicy: 'Many' }),
  service('second family', { ipFamilyPolicy: 'RequireDualStack' }),
  service('wrong selector', { selector: { 'a b': 'c d' } }),
  create('Service: name of the wrong form', services, { spec: { ports: [{ port: 80 }] } }, { name: '1-x' }),
  made('svc', services, { spec: { clusterIP: '10.43.7.7', ports: [{ port: 80 }] } }),
  create('Service: address that is taken', services, { spec: { clusterIP: '10.43.7.7', ports: [{ port: 80 }] } }),
  change('Service: another address', `${services}/svc`, { spec: { clusterIP: '10.43.7.8', clusterIPs: ['10.43.7.8'] } }),
  change('Service: no address', `${services}/svc`, { spec: { clusterIP: null, clusterIPs: null } }),
  change('Service: headless', `${services}/svc`, { spec: { clusterIP: 'None', clusterIPs: ['None'] } }),
]

const deployments = group('apps/v1', 'deployments')
const template = { metadata: { labels }, spec: { containers: [container] } }
const workload = { selector: { matchLabels: labels }, template }
const appsCases: readonly Case[] = [
  create('Deployment: no spec', deployments, {}),
  create('Deployment: selector that does not match', deployments, { spec: { ...workload, selector: { matchLabels: { app: 'b' } } } }),
  create('Deployment: empty selector', deployments, { spec: { ...workload, selector: {} } }),
  create('Deployment: wrong selector', deployments, { spec: { ...workload, selector: { matchExpressions: [{ key: 'a', operator: 'Near' }, { key: 'b', operator: 'In' }, { key: 'c', operator: 'Exists', values: ['x'] }] } } }),
  create('Deployment: wrong numbers', deployments, { spec: { ...workload, replicas: -1, minReadySeconds: -1, revisionHistoryLimit: -1, progressDeadlineSeconds: 0 } }),
  create('Deployment: wrong strategy', deployments, { spec: { ...workload, strategy: { type: 'Boldly' } } }),
  create('Deployment: rolling update of Recreate', deployments, { spec: { ...workload, strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } } }),
  create('Deployment: no room to roll', deployments, { spec: { ...workload, strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } } }),
  create('Deployment: wrong shares', deployments, { spec: { ...workload, strategy: { rollingUpdate: { maxSurge: 'many', maxUnavailable: '200%' } } } }),
  create('Deployment: pods that end', deployments, { spec: { ...workload, template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } } }),
  create('Deployment: container without an image', deployments, { spec: { ...workload, template: { metadata: { labels }, spec: { containers: [{ name: 'c' }] } } } }),
  create('ReplicaSet: selector that does not match', group('apps/v1', 'replicasets'), { spec: { ...workload, selector: { matchLabels: { app: 'b' } } } }),
  create('ReplicaSet: wrong numbers', group('apps/v1', 'replicasets'), { spec: { ...workload, replicas: -1, minReadySeconds: -2 } }),
  made('deploy', deployments, { spec: workload }),
  change('Deployment: another selector', `${deployments}/deploy`, { spec: { selector: { matchLabels: { app: 'c' } }, template: { metadata: { labels: { app: 'c' } } } } }),
  made('set', group('apps/v1', 'replicasets'), { spec: workload }),
  change('ReplicaSet: another selector', `${group('apps/v1', 'replicasets')}/set`, { spec: { selector: { matchLabels: { app: 'c' } }, template: { metadata: { labels: { app: 'c' } } } } }),
]

const rbac = 'rbac.authorization.k8s.io/v1'
const role = { kind: 'ClusterRole', name: 'view' }
const rbacCases: readonly Case[] = [
  create('Role: wrong rules', group(rbac, 'roles'), { rules: [{}, { verbs: ['get'] }, { verbs: ['get'], nonResourceURLs: ['/x'] }, { verbs: ['get'], apiGroups: [''], resources: ['pods'], nonResourceURLs: ['/x'] }, { apiGroups: [''], resources: ['pods'], verbs: [] }] }),
  create('Role: name with a slash', group(rbac, 'roles'), {}, { name: 'a/b' }),
  create('ClusterRole: wrong rules', `/apis/${rbac}/clusterroles`, { rules: [{ verbs: ['get'], apiGroups: ['x'], nonResourceURLs: ['/x'] }, { verbs: ['get'] }] }),
  create('ClusterRole: wrong aggregation', `/apis/${rbac}/clusterroles`, { aggregationRule: { clusterRoleSelectors: [] } }),
  create('RoleBinding: no role', group(rbac, 'rolebindings'), {}),
  create('RoleBinding: wrong role', group(rbac, 'rolebindings'), { roleRef: { apiGroup: 'x', kind: 'Group', name: '' } }),
  create('RoleBinding: wrong subjects', group(rbac, 'rolebindings'), { roleRef: role, subjects: [{ kind: 'User' }, { kind: 'Robot', name: 'x' }, { kind: 'ServiceAccount', name: 'A_', apiGroup: 'x' }, { kind: 'User', apiGroup: 'x', name: 'u' }] }),
  create('ClusterRoleBinding: to a Role', `/apis/${rbac}/clusterrolebindings`, { roleRef: { kind: 'Role', name: 'x' }, subjects: [{ kind: 'ServiceAccount', name: 's' }] }),
  made('binding', group(rbac, 'rolebindings'), { roleRef: role }),
  change('RoleBinding: another role', `${group(rbac, 'rolebindings')}/binding`, { roleRef: { name: 'edit' } }),
]

const leases = group('coordination.k8s.io/v1', 'leases')
const slices = group('discovery.k8s.io/v1', 'endpointslices')
const otherCases: readonly Case[] = [
  create('Namespace: wrong name', '/api/v1/namespaces', {}, { name: 'Upper' }),
  create('Namespace: name that is too long', '/api/v1/namespaces', {}, { name: 'n'.repeat(64) }),
  create('Namespace: wrong finalizer', '/api/v1/namespaces', { spec: { finalizers: ['x y'] } }),
  create('ConfigMap: too large', `${ns}/configmaps`, { data: { a: 'x'.repeat(1_048_577) } }),
  create('Secret: wrong keys', `${ns}/secrets`, { data: { 'a b': 'AA==' } }),
  create('Secret: type without its data', `${ns}/secrets`, { type: 'kubernetes.io/dockerconfigjson' }),
  create('Secret: docker config that is no JSON', `${ns}/secrets`, { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': 'x' } }),
  create('Secret: TLS without a key', `${ns}/secrets`, { type: 'kubernetes.io/tls', stringData: { 'tls.crt': 'x' } }),
  create('Secret: SSH without a key', `${ns}/secrets`, { type: 'kubernetes.io/ssh-auth' }),
  create('Secret: token without an account', `${ns}/secrets`, { type: 'kubernetes.io/service-account-token' }),
  made('secret', `${ns}/secrets`, { stringData: { a: 'b' } }),
  change('Secret: another type', `${ns}/secrets/secret`, { type: 'example.com/x' }),
  create('ServiceAccount: wrong name', `${ns}/serviceaccounts`, {}, { name: 'A' }),
  create('Node: wrong fields', '/api/v1/nodes', { spec: { podCIDR: 'x', taints: [{ key: '', effect: 'Push' }, { key: 'a', effect: 'NoSchedule' }, { key: 'a', effect: 'NoSchedule' }] } }),
  made('node-invalid', '/api/v1/nodes', { spec: { podCIDR: '10.42.9.0/24', podCIDRs: ['10.42.9.0/24'], providerID: 'a' } }),
  change('Node: another podCIDR', '/api/v1/nodes/node-invalid', { spec: { podCIDR: '10.42.8.0/24', podCIDRs: ['10.42.8.0/24'] } }),
  change('Node: another provider', '/api/v1/nodes/node-invalid', { spec: { providerID: 'b' } }),
  create('Lease: wrong fields', leases, { spec: { leaseDurationSeconds: 0, leaseTransitions: -1, holderIdentity: '' } }),
  create('EndpointSlice: no address type', slices, { endpoints: [] }),
  create('EndpointSlice: unknown address type', slices, { addressType: 'IPX', endpoints: [] }),
  create('EndpointSlice: wrong fields', slices, { addressType: 'IPv4', endpoints: [{ addresses: [] }, { addresses: ['x', '127.0.0.1'], hostname: 'A_', nodeName: 'a b' }], ports: [{ name: 'a', port: 80 }, { name: 'a', port: 0, protocol: 'ICMP' }] }),
  made('slice', slices, { addressType: 'IPv4', endpoints: [] }),
  change('EndpointSlice: another address type', `${slices}/slice`, { addressType: 'IPv6' }),
  create('Event: wrong namespace', `${ns}/events`, { involvedObject: { kind: 'Pod', namespace: 'other', name: 'x' } }),
  create('Event: without fields', group('events.k8s.io/v1', 'events'), { eventTime: '2026-01-02T03:04:05.000000Z' }),
  create('Endpoints: wrong fields', `${ns}/endpoints`, { subsets: [{ addresses: [{ ip: 'x' }, { ip: '127.0.0.1' }], ports: [{ port: 0 }] }, {}] }),
  create('PriorityClass: beyond the users\' range', '/apis/scheduling.k8s.io/v1/priorityclasses', { value: 2_000_000_000 }),
  create('PriorityClass: system name', '/apis/scheduling.k8s.io/v1/priorityclasses', { value: 1 }, { name: 'system-x' }),
]

export const invalidKinds: CaseGroup = {
  name: 'invalid',
  golden: true,
  cases: [...namespaceCases('invalid'), ...podCases, ...serviceCases, ...appsCases, ...rbacCases, ...otherCases],
}
