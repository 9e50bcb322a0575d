/** resource.k8s.io: device classes, claims, their templates and status, slices; what is refused, and to whom. */
import { namespaceCases, type Case, type CaseGroup } from '../case.ts'

const api = '/apis/resource.k8s.io/v1'
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const merge = 'application/merge-patch+json'
const of = (plural: string, namespace = 'devices'): string => (plural.startsWith('resourceclaim') ? `${api}/namespaces/${namespace}/${plural}` : `${api}/${plural}`)
const create = (name: string, plural: string, spec: object, metadata: object = {}): Case =>
  ({ name: `${plural}: ${name}`, method: 'POST', path: of(plural), body: { metadata: { name: 'x', ...metadata }, spec } })
const change = (name: string, path: string, body: object, type = merge): Case => ({ name: `${path.split('/').slice(-2).join('/')}: ${name}`, method: 'PATCH', path, body, type })
const long = (count: number): string => 'a'.repeat(count)

const cel = (expression: string): object => ({ cel: { expression } })
const selectors: Readonly<Record<string, string>> = {
  'syntax': '?!',
  'number': '1',
  'dyn': 'dyn(true)',
  'no such variable': 'self.x',
  'no such field': 'device.name == "a"',
  'loop over an attribute': 'device.attributes["a.b"].c.exists(x, x == 1)',
  'includes': 'device.attributes["a.b"].c.includes("x")',
  'wrong quantity call': 'device.capacity["a.b"].c > 1',
  'wrong literal': 'device.capacity["a.b"].c.isGreaterThan(quantity("x"))',
  'bind without a name': 'cel.bind(a.b, 1, true)',
  'wrong conversion': 'int("x") == 1',
  'expensive': '[1,2,3,4,5,6,7,8,9,10].all(x, [1,2,3,4,5,6,7,8,9,10].all(y, [1,2,3,4,5,6,7,8,9,10].all(z, [1,2,3,4,5,6,7,8,9,10].all(z2, [1,2,3,4,5,6,7,8,9,10].all(z3, [1,2,3,4,5,6,7,8,9,10].all(z4, [1,2,3,4,5,6,7,8,9,10].all(z5, int("1".find("[0-9]*")) < 100)))))))',
  'long': `device.driver == "${long(10_300)}"`,
}

const classes: readonly Case[] = [
  create('empty', 'deviceclasses', {}, { name: 'empty' }),
  create('good', 'deviceclasses', {
    selectors: [
      cel('true'), cel('device.driver == "a.b"'), cel('cel.bind(dra, device.attributes["a.b"], dra.c && dra.d)'), cel('device.attributes["a.b"].c'),
      cel('device.attributes["a.b"].v.isGreaterThan(semver("0.0.1")) && device.capacity["a.b"].m.isGreaterThan(quantity("1Ki"))'),
      cel('device.allowMultipleAllocations && device.attributes.exists_one(x, x == "dra.example.com")'),
    ],
    config: [{ opaque: { driver: 'a.b', parameters: { kind: 'P', apiVersion: 'v1' } } }],
    extendedResourceName: 'example.com/gpu',
  }, { name: 'good' }),
  ...Object.entries(selectors).map(([name, expression]) => create(`selector: ${name}`, 'deviceclasses', { selectors: [cel(expression)] })),
  create('selector without expression', 'deviceclasses', { selectors: [{}, cel('')] }),
  create('many selectors', 'deviceclasses', { selectors: Array.from({ length: 33 }, () => cel('true')) }),
  create('wrong configuration', 'deviceclasses', { config: [{}, { opaque: { driver: '' } }, { opaque: { driver: `${long(64)}_`, parameters: [1] } }, { opaque: { driver: 'A.b', parameters: { a: long(10_300) } } }, { opaque: { driver: 'a', parameters: null } }] }),
  create('wrong extended resource', 'deviceclasses', { extendedResourceName: 'cpu' }),
  create('wrong name', 'deviceclasses', {}, { name: 'A_b' }),
  change('raises the generation', `${api}/deviceclasses/good`, { spec: { config: null } }),
  change('wrong selector', `${api}/deviceclasses/good`, { spec: { selectors: [cel('x')] } }),
  change('labels raise nothing', `${api}/deviceclasses/good`, { metadata: { labels: { a: 'b' } } }),
  { name: 'classes: table', path: `${api}/deviceclasses`, headers: { accept: table } },
]

const exactly = { deviceClassName: 'good' }
const request = (fields: object, name = 'r'): object => ({ name, exactly: { ...exactly, ...fields } })
const claim = (name: string, devices: object, metadata: object = {}): Case => create(name, 'resourceclaims', { devices }, metadata)

const claims: readonly Case[] = [
  create('no spec', 'resourceclaims', {}, { name: 'empty' }),
  claim('good', {
    requests: [request({}), { name: 's', firstAvailable: [{ name: 'a', deviceClassName: 'good', count: 2 }, { name: 'b', deviceClassName: 'good', allocationMode: 'All', capacity: { requests: { m: '1Gi' } } }] }, request({ tolerations: [{ key: 'a', operator: 'Exists' }] }, 't')],
    constraints: [{ requests: ['r', 's', 's/a'], matchAttribute: 'a.b/c' }, { distinctAttribute: 'a.b/d' }],
    config: [{ requests: ['s/b'], opaque: { driver: 'a.b', parameters: { x: 1 } } }],
  }, { name: 'good' }),
  claim('wrong requests', { requests: [{ name: '' }, { name: 'A' }, { name: 'b', exactly, firstAvailable: [{ name: 'c', deviceClassName: 'x' }] }, { name: 'd', exactly: {} }, { name: 'd', exactly: { deviceClassName: 'A_' } }] }),
  claim('wrong counts', { requests: [request({ count: -1 }, 'a'), request({ allocationMode: 'All', count: 1 }, 'b'), request({ allocationMode: 'Some' }, 'c')] }),
  claim('wrong alternatives', { requests: [{ name: 'a', firstAvailable: [{ name: 'x', deviceClassName: '' }, { name: 'x', deviceClassName: 'y' }, { name: 'X', deviceClassName: 'y', selectors: [{}] }] }, { name: 'b', firstAvailable: Array.from({ length: 9 }, (_, i) => ({ name: `n${i}`, deviceClassName: 'x' })) }] }),
  claim('wrong tolerations', { requests: [request({ tolerations: [{ operator: 'Exists', value: 'x' }, { key: 'a b', operator: 'Equal', value: 'c d' }, {}, { operator: 'Near' }, { operator: 'Exists', effect: 'Push' }] })] }),
  claim('wrong selectors', { requests: [request({ selectors: [cel('1'), {}] })] }),
  claim('wrong constraints', { requests: [request({})], constraints: [{}, { matchAttribute: 'x' }, { matchAttribute: '/' }, { matchAttribute: 'A_b/1x' }, { distinctAttribute: `a.b/${long(33)}` }, { requests: ['x', 'r', 'r', 'r/x', 'a/b/c', 'A'], matchAttribute: 'a.b/c' }] }),
  claim('wrong configuration', { requests: [request({})], config: [{}, { requests: ['y'], opaque: { driver: 'a.b', parameters: 'x' } }] }),
  claim('many requests', { requests: Array.from({ length: 33 }, (_, i) => request({}, `r${i}`)), constraints: Array.from({ length: 33 }, () => ({})), config: Array.from({ length: 33 }, () => ({})) }),
  claim('admin access without the label', { requests: [request({}), request({ adminAccess: true }, 'a')] }),
  claim('status on create', { requests: [request({})] }, { name: 'plain' }),
  change('another spec', `${of('resourceclaims')}/good`, { spec: { devices: { constraints: null, requests: [request({ selectors: [cel('true')] }), { name: 's', firstAvailable: [{ name: 'a', deviceClassName: 'good', capacity: { requests: { m: '1Gi' } } }] }] } } }),
  change('labels', `${of('resourceclaims')}/good`, { metadata: { labels: { a: 'b' } } }),
  { name: 'claims: table', path: of('resourceclaims'), headers: { accept: table } },
]

const templates: readonly Case[] = [
  create('good', 'resourceclaimtemplates', { metadata: { labels: { a: 'b' } }, spec: { devices: { requests: [request({})] } } }, { name: 'good' }),
  create('wrong', 'resourceclaimtemplates', { metadata: { name: 'n', labels: { 'a b': 'c d' }, annotations: { 'A B': 'c' } }, spec: { devices: { requests: [{ name: 'r' }] } } }),
  create('admin access without the label', 'resourceclaimtemplates', { spec: { devices: { requests: [request({ adminAccess: true })] } } }),
  change('another spec', `${of('resourceclaimtemplates')}/good`, { spec: { spec: { devices: { requests: [] } } } }),
  change('other metadata in the spec', `${of('resourceclaimtemplates')}/good`, { spec: { metadata: { labels: { a: 'c' } } } }),
]

const share = '0b1f6a2e-6a1d-4a53-8a6f-3f6e2b0b7c11'
const status = `${of('resourceclaims')}/good/status`
const result = { request: 'r', driver: 'a.b', pool: 'p/q', device: 'd' }
const node = { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }] }
const write = (name: string, body: object, path = status): Case => change(name, path, { status: body })
const user = { resource: 'pods', name: 'p', uid: 'u' }
const now = '2026-01-01T00:00:00Z'

const statuses: readonly Case[] = [
  write('reserved without allocation', { reservedFor: [user, user, {}] }),
  write('device without allocation', { devices: [{ driver: 'a.b', pool: 'p', device: 'd' }] }),
  write('wrong allocation', { allocation: {
    devices: {
      results: [{}, { request: 'x', driver: 'A_', pool: 'A//b', device: 'A' }, { ...result, shareID: 'x' }, { ...result, shareID: share.toUpperCase() }, { ...result, bindingConditions: ['a', 'a', 'b c'] }, { ...result, bindingConditions: ['a'], bindingFailureConditions: ['a', 'b'] }, { ...result, bindingFailureConditions: ['a'] }],
      config: [{ source: '' }, { source: 'FromHeaven', requests: ['x'], opaque: { driver: 'a.b', parameters: {} } }],
    },
    nodeSelector: { nodeSelectorTerms: [] },
  } }),
  write('many results', { allocation: { devices: { results: Array.from({ length: 33 }, () => result) } } }),
  write('admin access without the label', { allocation: { devices: { results: [{ ...result, adminAccess: true }] } } }),
  write('allocated', { allocation: { devices: { results: [result, { ...result, device: 'e', shareID: share, consumedCapacity: { m: '1024Mi' } }], config: [{ source: 'FromClass', opaque: { driver: 'a.b', parameters: { a: 1 } } }] }, nodeSelector: node }, reservedFor: [user] }),
  write('another allocation', { allocation: { devices: { results: [{ ...result, tolerations: [{ operator: 'Exists' }] }] } } }),
  write('two users of one uid', { reservedFor: [user, { ...user, name: 'q' }] }),
  write('wrong device status', { devices: [
    { driver: 'a.b', pool: 'p', device: 'd', conditions: [{ type: 'a b', status: 'Perhaps', reason: '1', message: '' }, { type: 'A', status: 'True', lastTransitionTime: now, reason: '', message: '', observedGeneration: -1 }, { type: 'A', status: 'True', lastTransitionTime: now, reason: 'R', message: '' }] },
    { driver: 'a.b', pool: 'p/q', device: 'd', data: [1], networkData: { interfaceName: long(257), hardwareAddress: long(129), ips: ['10.0.0.1', '10.0.0.1/24', '10.0.0.1/24', '010.0.0.1/24', 'fd00:0::1/64'] } },
    { driver: 'a.b', pool: 'p/q', device: 'd' },
  ] }),
  write('many conditions', { devices: [{ driver: 'a.b', pool: 'p/q', device: 'd', conditions: Array.from({ length: 9 }, (_, i) => ({ type: `T${i}`, status: 'True', lastTransitionTime: now, reason: 'R', message: '' })) }] }),
  write('device status', { devices: [{ driver: 'a.b', pool: 'p/q', device: 'd', data: { a: 1 }, networkData: { interfaceName: 'eth0', ips: ['10.0.0.1/24'] } }, { driver: 'a.b', pool: 'p/q', device: 'e', shareID: share }] }),
  { name: 'reserved: table', path: of('resourceclaims'), headers: { accept: table } },
  { ...write('without the right to bind', { reservedFor: null }), as: 'reader' },
  { ...write('without the right to speak for a driver', { devices: null }), as: 'reader' },
  { ...write('unchanged', {}), as: 'reader' },
  write('deallocated', { allocation: null, reservedFor: null }),
  change('spec through status', status, { spec: { devices: null } }),
]

const device = (fields: object, name = 'd'): object => ({ name, ...fields })
const pool = { name: 'p', resourceSliceCount: 1, generation: 1 }
const slice = (name: string, spec: object, metadata: object = {}): Case => create(name, 'resourceslices', { driver: 'a.b', pool, nodeName: 'n', ...spec }, metadata)
const policy = (requestPolicy: object, value = '10Gi'): object => slicePolicy(requestPolicy, value)
const slicePolicy = (requestPolicy: object, value: string): object => ({ devices: [device({ allowMultipleAllocations: true, capacity: { m: { value, requestPolicy } } })] })

const slices: readonly Case[] = [
  slice('good', { devices: [
    device({ attributes: { a: { bool: true }, 'x.y/b': { int: 1 }, c: { string: 's' }, e: { version: '1.2.3-rc.1+b' } }, capacity: { m: { value: '1Gi' } }, taints: [{ key: 'k', effect: 'NoSchedule', timeAdded: now }], bindsToNode: true, bindingConditions: ['a.b/Ready'], bindingFailureConditions: ['a.b/Failed'] }),
    device({ allowMultipleAllocations: true, capacity: { m: { value: '1Gi', requestPolicy: { default: '1Mi', validValues: ['1Mi', '2Mi'] } }, n: { value: '8', requestPolicy: { default: '2', validRange: { min: '1', max: '7', step: '1' } } } } }, 'e'),
  ] }, { name: 'good' }),
  slice('taint without a time', { devices: [device({ taints: [{ key: 'k', effect: 'None' }] })] }, { name: 'timed' }),
  slice('counters', { nodeName: undefined, perDeviceNodeSelection: true, devices: [device({ allNodes: true, consumesCounters: [{ counterSet: 's', counters: { c: { value: '1' } } }] })] }, { name: 'counters' }),
  slice('shared counters', { nodeName: undefined, allNodes: true, sharedCounters: [{ name: 's', counters: { c: { value: '8' } } }] }, { name: 'shared' }),
  slice('capitals in the driver', { driver: 'A.b' }, { name: 'capitals' }),
  slice('wrong', { driver: '', pool: { name: '', resourceSliceCount: 0, generation: -1 } }),
  slice('no nodes', { nodeName: undefined }),
  slice('nodes four times', { allNodes: true, perDeviceNodeSelection: true, nodeSelector: { nodeSelectorTerms: [] } }),
  slice('two terms', { nodeName: undefined, nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }, { matchFields: [{ key: 'x', operator: 'Gt' }] }] } }),
  slice('false', { nodeName: '', allNodes: false, perDeviceNodeSelection: false }),
  slice('wrong node name', { nodeName: 'A_' }),
  slice('devices and counters', { devices: [device({})], sharedCounters: [{ name: '', counters: {} }, { name: 'A', counters: { B: { value: '1' } } }, { name: 'A', counters: { b: { value: '1' } } }] }),
  slice('wrong devices', { devices: [device({}), device({}), device({ nodeName: 'n' }, 'A')] }),
  slice('attribute of nothing', { devices: [device({ attributes: { a: {} } })] }),
  slice('attribute of two', { devices: [device({ attributes: { a: { int: 1, string: 'x' } } })] }),
  slice('attribute of a list', { devices: [device({ attributes: { a: { strings: ['x'] } } })] }),
  slice('long attribute', { devices: [device({ attributes: { a: { string: long(65) } } })] }),
  slice('wrong version', { devices: [device({ attributes: { a: { version: `1.0${long(70)}` } } })] }),
  slice('attribute names', { devices: [device({ attributes: { '/': { int: 1 } } })] }),
  slice('attribute name with a number', { devices: [device({ attributes: { 'A_b/1c': { int: 1 } } })] }),
  slice('long attribute name', { devices: [device({ attributes: { [`a.b/${long(120)}`]: {} } })] }),
  slice('many attributes', { devices: [device({ attributes: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`a${i}`, { int: i }])) })] }),
  slice('policy of one allocation', { devices: [device({ capacity: { m: { value: '1', requestPolicy: { default: '1' } } } })] }),
  slice('policy with both', policy({ validValues: ['1'], validRange: { min: '1' } })),
  slice('policy without default', policy({ validValues: ['1'] })),
  slice('range without default', policy({ validRange: { min: '1' } })),
  slice('range without min', policy({ default: '1', validRange: {} })),
  slice('unordered values', policy({ default: '3', validValues: ['2', '1', '1', '20Gi'] })),
  slice('many values', policy({ default: '3', validValues: Array.from({ length: 11 }, (_, i) => `${i}`) })),
  slice('wrong range', policy({ default: '1Gi', validRange: { min: '20Gi', max: '15Gi', step: '3Gi' } })),
  slice('default above max', policy({ default: '9Gi', validRange: { min: '1Gi', max: '8Gi', step: '3Gi' } })),
  slice('wrong taints', { devices: [device({ taints: [{}, { key: 'a b', value: 'c d', effect: 'Push' }] })] }),
  slice('many taints', { devices: [device({ taints: Array.from({ length: 17 }, (_, i) => ({ key: `k${i}`, effect: 'None' })) })] }),
  slice('wrong consumption', { devices: [device({ consumesCounters: [{}, { counterSet: 'A', counters: { B: { value: '1' } } }] })] }),
  slice('many consumptions', { devices: [device({ consumesCounters: [{}, {}, {}] })] }),
  slice('per device, but not said', { nodeName: undefined, perDeviceNodeSelection: true, devices: [device({}), device({ nodeName: 'n', allNodes: true }, 'e'), device({ nodeName: '', allNodes: false }, 'f'), device({ nodeSelector: { nodeSelectorTerms: [] } }, 'g')] }),
  slice('many devices', { devices: Array.from({ length: 129 }, (_, i) => device({}, `d${i}`)) }),
  slice('many devices with taints', { devices: Array.from({ length: 65 }, (_, i) => device(i === 0 ? { taints: [{ key: 'k', effect: 'None' }] } : {}, `d${i}`)) }),
  slice('mappings', { devices: [device({ nodeAllocatableResourceMappings: { cpu: {} } })] }, { name: 'mappings' }),
  change('another driver, pool and node', `${api}/resourceslices/good`, { spec: { driver: 'b.c', nodeName: 'm', pool: { name: 'q' } } }),
  change('generation', `${api}/resourceslices/good`, { spec: { pool: { generation: 2 } } }),
  { name: 'slices of a node: table', path: `${api}/resourceslices?fieldSelector=${encodeURIComponent('spec.nodeName=n')}`, headers: { accept: table } },
  { name: 'slices of a driver: table', path: `${api}/resourceslices?fieldSelector=${encodeURIComponent('spec.driver=a.b,spec.nodeName!=n')}`, headers: { accept: table } },
  { name: 'slices by what cannot be selected', path: `${api}/resourceslices?fieldSelector=${encodeURIComponent('spec.pool.name=n')}` },
]

const rbac = '/apis/rbac.authorization.k8s.io/v1'
const rights: readonly Case[] = [
  { name: 'role', method: 'POST', path: `${rbac}/clusterroles`, compare: 'none', body: { metadata: { name: 'claim-status' }, rules: [{ apiGroups: ['resource.k8s.io'], resources: ['resourceclaims/status'], verbs: ['update', 'patch'] }] } },
  { name: 'binding', method: 'POST', path: `${rbac}/clusterrolebindings`, compare: 'none', body: { metadata: { name: 'claim-status' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'claim-status' }, subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'readers' }] } },
]

const deletes: readonly Case[] = ['deviceclasses/good', 'resourceslices/good', 'resourceclaims/plain', 'resourceclaimtemplates/good'].flatMap((one) => {
  const [plural = '', name = ''] = one.split('/')
  return [{ name: `${plural}: dry run of a delete`, method: 'DELETE', path: `${of(plural)}/${name}?dryRun=All` }, { name: `${plural}: delete`, method: 'DELETE', path: `${of(plural)}/${name}` }]
})

const labelled: readonly Case[] = [
  change('label', '/api/v1/namespaces/devices', { metadata: { labels: { 'resource.kubernetes.io/admin-access': 'true' } } }),
  claim('admin access', { requests: [request({ adminAccess: true })] }, { name: 'admin' }),
]

export const devices: CaseGroup = { name: 'devices', golden: true, cases: [...namespaceCases('devices'), ...rights, ...classes, ...claims, ...templates, ...statuses, ...slices, ...labelled, ...deletes] }
