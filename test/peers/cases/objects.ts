/** One small valid object of every kind that is served with storage; what is left out is for defaults. */

export interface Sample {
  /** Path of the collection; `{ns}` where it is in a namespace. */
  readonly path: string
  readonly object: { readonly metadata: { readonly name: string }; readonly [field: string]: unknown }
}

const labels = { app: 'a' }
const podSpec = { containers: [{ name: 'c', image: 'registry.example/app' }] }
const template = { metadata: { labels }, spec: podSpec }
const selector = { matchLabels: labels }
const core = '/api/v1'
const within = '/api/v1/namespaces/{ns}'
const of = (group: string, plural: string): string => `/apis/${group}/namespaces/{ns}/${plural}`
const named = (path: string, fields: object = {}, name = 'sample'): Sample => ({ path, object: { metadata: { name }, ...fields } })

const rich = {
  initContainers: [{ name: 'side', image: 'side:1', restartPolicy: 'Always' }],
  containers: [{
    name: 'c', image: 'app:latest', command: ['a'], ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP', name: 'dns' }],
    env: [{ name: 'A', value: '1' }, { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }, { name: 'C', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }],
    livenessProbe: { httpGet: { port: 80 } }, readinessProbe: { tcpSocket: { port: 80 } }, startupProbe: { grpc: { port: 80 } },
    lifecycle: { preStop: { httpGet: { port: 'dns' } } }, resources: { limits: { cpu: '1500m', memory: '1024Ki' }, requests: { memory: '0.5Mi' } },
    volumeMounts: [{ name: 'v', mountPath: '/v' }, { name: 'h', mountPath: '/h', readOnly: true }], securityContext: { runAsUser: 1 },
  }],
  volumes: [
    { name: 'v' }, { name: 'h', hostPath: { path: '/h' } }, { name: 's', secret: { secretName: 's' } }, { name: 'm', configMap: { name: 'm' } },
    { name: 'p', projected: { sources: [{ serviceAccountToken: { path: 't' } }, { downwardAPI: { items: [{ path: 'n', fieldRef: { fieldPath: 'metadata.name' } }] } }] } },
    { name: 'd', downwardAPI: { items: [{ path: 'n', fieldRef: { fieldPath: 'metadata.name' } }] } }, { name: 'e', ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } } } },
    { name: 'i', iscsi: { targetPortal: 't', iqn: 'iqn.2001-04.com.example:storage', lun: 0 } },
  ],
  tolerations: [{ key: 'a', operator: 'Exists' }], terminationGracePeriodSeconds: 5, hostNetwork: true, dnsPolicy: 'Default',
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: selector }],
}

const request = `-----BEGIN CERTIFICATE REQUEST-----
MIHKMHICAQAwEDEOMAwGA1UEAwwFcGVlcnMwWTATBgcqhkjOPQIBBggqhkjOPQMB
BwNCAATtESW5i8So/mkMDpoJgMWva+n98fQuo7BwHiTDLzV9Mcz3+YstcF4nYOo1
n0ILmDV5QjpJLHSyP5vxeX9+cbHgoAAwCgYIKoZIzj0EAwIDSAAwRQIgMXtJyh/n
fxsd1VnDAfI/TgYEYRf+saAYUYvYa8UTn24CIQDGStW4c8rMP+82zWkfpD7ueOWw
XY1kSNtcvZGe8D1Shw==
-----END CERTIFICATE REQUEST-----
`

/** In an order that lets later ones name earlier ones. */
export const samples: readonly Sample[] = [
  named(`${core}/nodes`, { metadata: { name: 'node-sample', labels: { 'kubernetes.io/os': 'linux' } } }, 'node-sample'),
  named(`${within}/configmaps`, { data: { a: '1', b: 'two\nlines' }, binaryData: { c: 'AAE=' } }),
  named(`${within}/secrets`, { stringData: { a: 'b' }, data: { c: 'AAE=' } }),
  named(`${within}/secrets`, { type: 'kubernetes.io/basic-auth', stringData: { username: 'u', password: 'p' } }, 'basic'),
  named(`${within}/serviceaccounts`, { imagePullSecrets: [{ name: 'x' }] }),
  named(`${within}/endpoints`, { subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 80 }] }] }),
  named(`${within}/events`, { involvedObject: { kind: 'Pod', namespace: '{ns}', name: 'x' }, reason: 'Tested', message: 'it was', type: 'Normal', count: 1 }),
  named(`${within}/limitranges`, { spec: { limits: [{ type: 'PersistentVolumeClaim', max: { storage: '100Gi' } }] } }),
  named(`${within}/persistentvolumeclaims`, { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }),
  named(`${core}/persistentvolumes`, { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } } }),
  named(`${core}/persistentvolumes`, { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteMany'], nfs: { server: 's', path: '/x' }, claimRef: { namespace: 'x', name: 'y' } } }, 'nfs'),
  named(`${within}/pods`, { spec: podSpec }),
  named(`${within}/pods`, { metadata: { name: 'rich', labels }, spec: rich }, 'rich'),
  named(`${within}/podtemplates`, { template }),
  named(`${within}/replicationcontrollers`, { spec: { template } }),
  named(`${within}/resourcequotas`, { spec: { hard: { 'count/widgets.example.com': '5', 'services.loadbalancers': '5' } } }),
  named(`${within}/services`, { spec: { selector: labels, ports: [{ port: 80 }] } }),
  named(`${within}/services`, { spec: { clusterIP: 'None', ports: [{ port: 80, targetPort: 'http' }] } }, 'headless'),
  named(`${within}/services`, { spec: { type: 'NodePort', ports: [{ port: 80, name: 'a' }, { port: 53, name: 'b', protocol: 'UDP' }] } }, 'nodeport'),
  named(`${within}/services`, { spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local', sessionAffinity: 'ClientIP', ports: [{ port: 80 }] } }, 'balanced'),
  named(`${within}/services`, { spec: { type: 'ExternalName', externalName: 'example.com' } }, 'external'),
  named(`${core}/namespaces`, {}, 'namespace-sample'),
  named(of('apps/v1', 'controllerrevisions'), { revision: 1, data: { a: { b: 1 } } }),
  named(of('apps/v1', 'daemonsets'), { spec: { selector, template } }),
  named(of('apps/v1', 'deployments'), { spec: { selector, template } }),
  named(of('apps/v1', 'deployments'), { spec: { selector, strategy: { type: 'Recreate' }, template: { metadata: { labels }, spec: rich } } }, 'rich'),
  named(of('apps/v1', 'replicasets'), { spec: { selector, template } }),
  named(of('apps/v1', 'statefulsets'), { spec: { selector, serviceName: 's', template, volumeClaimTemplates: [{ metadata: { name: 'd' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }] } }),
  named(of('batch/v1', 'jobs'), { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } }),
  named(of('batch/v1', 'cronjobs'), { spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: { spec: { ...podSpec, restartPolicy: 'OnFailure' } } } } } }),
  named(of('autoscaling/v2', 'horizontalpodautoscalers'), { spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' }, maxReplicas: 3 } }),
  named(of('autoscaling/v1', 'horizontalpodautoscalers'), { spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' }, maxReplicas: 3, targetCPUUtilizationPercentage: 50 } }, 'v1'),
  named(of('policy/v1', 'poddisruptionbudgets'), { spec: { minAvailable: '50%', selector } }),
  named('/apis/rbac.authorization.k8s.io/v1/clusterroles', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }),
  named('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', { roleRef: { kind: 'ClusterRole', name: 'sample' }, subjects: [{ kind: 'User', name: 'u' }, { kind: 'ServiceAccount', name: 's', namespace: 'n' }] }),
  named(of('rbac.authorization.k8s.io/v1', 'roles'), { rules: [{ apiGroups: ['apps'], resources: ['*'], verbs: ['*'] }] }),
  named(of('rbac.authorization.k8s.io/v1', 'rolebindings'), { roleRef: { kind: 'Role', name: 'sample' }, subjects: [{ kind: 'Group', name: 'g' }] }),
  named('/apis/networking.k8s.io/v1/ingressclasses', { spec: { controller: 'example.com/c' } }),
  named(of('networking.k8s.io/v1', 'ingresses'), { spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } }, rules: [{ host: 'a.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { name: 'http' } } } }] } }] } }),
  named(of('networking.k8s.io/v1', 'networkpolicies'), { spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }], egress: [{}] } }),
  named('/apis/networking.k8s.io/v1/ipaddresses', { spec: { parentRef: { resource: 'services', namespace: 'n', name: 's' } } }, '192.168.7.7'),
  named('/apis/networking.k8s.io/v1/servicecidrs', { spec: { cidrs: ['192.168.0.0/24'] } }),
  named('/apis/storage.k8s.io/v1/storageclasses', { provisioner: 'example.com/p' }),
  named('/apis/storage.k8s.io/v1/csidrivers', {}),
  named('/apis/storage.k8s.io/v1/csinodes', { spec: { drivers: [] } }),
  named(of('storage.k8s.io/v1', 'csistoragecapacities'), { storageClassName: 'sample', capacity: '1Gi' }),
  named('/apis/storage.k8s.io/v1/volumeattachments', { spec: { attacher: 'example.com', nodeName: 'n', source: { persistentVolumeName: 'pv' } } }),
  named('/apis/storage.k8s.io/v1/volumeattributesclasses', { driverName: 'example.com', parameters: { a: 'b' } }),
  named(of('coordination.k8s.io/v1', 'leases'), { spec: { holderIdentity: 'me', leaseDurationSeconds: 10 } }),
  named(of('discovery.k8s.io/v1', 'endpointslices'), { addressType: 'IPv4', endpoints: [{ addresses: ['10.1.2.3'] }], ports: [{ name: 'http', port: 80 }, {}] }),
  named(of('events.k8s.io/v1', 'events'), { eventTime: '2026-01-02T03:04:05.000000Z', reportingController: 'example.com/c', reportingInstance: 'c-1', action: 'Test', reason: 'Tested', type: 'Normal', note: 'it was', regarding: { kind: 'Pod', namespace: '{ns}', name: 'x' } }, 'new-event'),
  named('/apis/node.k8s.io/v1/runtimeclasses', { handler: 'runc' }),
  named('/apis/scheduling.k8s.io/v1/priorityclasses', { value: 100 }),
  named('/apis/certificates.k8s.io/v1/certificatesigningrequests', { spec: { request: Buffer.from(request).toString('base64'), signerName: 'example.com/s', usages: ['client auth'] } }),
]
