/** What clients learn about the server before the first object. */
import type { Case, CaseGroup } from '../case.ts'

const get = (path: string, accept = 'application/json'): Case => ({ name: accept === 'application/json' ? path : `${path} ${accept}`, path, headers: { accept } })
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const groupVersions = [
  'apps/v1', 'batch/v1', 'autoscaling/v1', 'autoscaling/v2', 'policy/v1', 'rbac.authorization.k8s.io/v1', 'networking.k8s.io/v1',
  'storage.k8s.io/v1', 'coordination.k8s.io/v1', 'discovery.k8s.io/v1', 'events.k8s.io/v1', 'node.k8s.io/v1', 'scheduling.k8s.io/v1',
  'certificates.k8s.io/v1', 'authentication.k8s.io/v1', 'authorization.k8s.io/v1', 'apiregistration.k8s.io/v1', 'apiextensions.k8s.io/v1',
  'admissionregistration.k8s.io/v1', 'flowcontrol.apiserver.k8s.io/v1', 'resource.k8s.io/v1',
]
const groups = [...new Set(groupVersions.map((each) => each.split('/')[0] ?? ''))]

export const discovery: CaseGroup = {
  name: 'discovery',
  golden: true,
  cases: [
    get('/api'), get('/apis'), get('/api/v1'), get('/version'), get('/healthz'), get('/livez'), get('/readyz'),
    ...groupVersions.map((each) => get(`/apis/${each}`)),
    ...groups.map((each) => get(`/apis/${each}`)),
    get('/apis', aggregated), get('/api', aggregated),
    get('/'), get('/apis/'), get('/apis/apps/'), get('/apis/nonsense.io'), get('/apis/apps/v9'),
    get('/apis', 'text/html'), get('/apis/coordination.k8s.io/v1', 'application/yaml'),
    get('/openapi/v3'), get('/openapi/v3/nonsense'), get('/healthz/nonsense'), get('/.well-known/openid-configuration'),
  ].map((one) => (/^\/(openapi\/v3|)$/.test(one.name) ? { ...one, compare: 'code' as const } : one)),
}
