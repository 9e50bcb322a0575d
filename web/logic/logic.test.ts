import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { AnyObject, KubeObject } from '../../core/api/meta.ts'
import type { Deployment, Event, Node, Pod } from '../../core/api/schema/types.ts'
import { groupOf, listPlace, objectPlace, parsePlace, placeText, referenceOf } from '../router.ts'
import { fold, held, objectShape } from './fold.ts'
import { descendantKinds, ownerTree, type Branch } from './owners.ts'
import { apiPath, menu, resourceOf, resourcesOf, titleOf } from './resources.ts'
import { bytesText, latest, namespaceSums, nodeSums } from './sums.ts'
import { cellText, matches, sorted, toneOf, type Column, type Row } from './table.ts'
import { conditionsOf, containersOf, stateOf, toneOfState } from './state.ts'
import { sortedKeys, yamlLines, yamlText } from './yaml.ts'

describe('yaml', () => {
  it('is written as kubectl writes it', () => {
    const object = {
      apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', labels: {}, annotations: { 'a.b/c': 'yes' } },
      spec: { containers: [{ name: 'x', args: ['-c', 'echo: hi', '0644'], ports: [{ containerPort: 80 }] }], nested: [[1, 2], []] },
      data: { 'run.sh': '#!/bin/sh\necho $1\n', 'one.txt': 'a\nb', odd: ' lead\nx' }, nothing: null, on: true,
    }
    expect(yamlText(object)).toBe(`apiVersion: v1
kind: Pod
metadata:
  name: a
  labels: {}
  annotations:
    a.b/c: "yes"
spec:
  containers:
  - name: x
    args:
    - "-c"
    - "echo: hi"
    - "0644"
    ports:
    - containerPort: 80
  nested:
  - - 1
    - 2
  - []
data:
  run.sh: |
    #!/bin/sh
    echo $1
  one.txt: |-
    a
    b
  odd: " lead\\nx"
nothing: null
"on": true
`)
    expect(yamlLines({ a: 1 })).toEqual([[{ kind: 'mark', text: '' }, { kind: 'key', text: 'a' }, { kind: 'mark', text: ':' }, { kind: 'mark', text: ' ' }, { kind: 'number', text: '1' }]])
  })

  it('quotes what could be taken for something else, and only that', () => {
    const plain = ['8db82705-ea98-4c20-b2ad-8d48c2b06e77', '745f4dff45', '10.42.0.1', '1.2.3', 'nginx:1.29', '250m', 'a-b', '/bin/sh', 'two words']
    expect(plain.map((text) => yamlText(text).trim())).toEqual(['8db82705-ea98-4c20-b2ad-8d48c2b06e77', '745f4dff45', '10.42.0.1', '1.2.3', 'nginx:1.29', '250m', 'a-b', '/bin/sh', 'two words'])
    const odd = ['1', '1.5', '0x1f', '1e3', '1_000', '2026-01-01', '2026-01-01T00:00:00Z', 'on', '12:30', '-', 'a: b', '745e4']
    expect(odd.filter((text) => yamlText(text).trim() !== JSON.stringify(text))).toEqual([])
    expect(Object.keys(sortedKeys({ b: [{ d: 1, c: 2 }], a: 1 }) as object)).toEqual(['a', 'b'])
  })

  it('says what it was made of, whatever that is', () => {
    const tricky = fc.constantFrom('yes', 'no', '~', 'null', '1e3', '0x1f', '1:30', '2020-01-01', '- a', 'a: b', 'a #b', '', ' ', 'x\n', 'x\n\n', '\nx', 'a\n b', 'a \nb', '\t', '\u0085', '\u2028', 'é', '{}', '[', '*a', '&a', '!x', '%x', '@', '`', '"', "'", '|', '>', '?', '=', '<<', '---', '...', 'k:', 'a\r\nb')
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ depthSize: 'small' }, tricky, fc.string(), fc.string({ unit: 'binary' }).filter((s) => s.isWellFormed()), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null), fc.array(tie('any'), { maxLength: 4 }), fc.dictionary(fc.oneof(tricky, fc.string()).filter((k) => k !== '__proto__'), tie('any'), { maxKeys: 4 })),
    })).any
    fc.assert(fc.property(value, (v) => {
      const plain = JSON.parse(JSON.stringify(v)) as unknown
      expect(parse(yamlText(plain), { version: '1.1', merge: false })).toEqual(plain)
      expect(parse(yamlText(plain), { version: '1.2' })).toEqual(plain)
    }), { seed: 1, numRuns: 120 })
  })
})

function object(kind: string, uid: string, owner?: string, more: object = {}): KubeObject {
  const apiVersion = kind === 'Pod' || kind === 'Node' ? 'v1' : 'apps/v1'
  return { apiVersion, kind, metadata: { uid, name: uid, ...(owner === undefined ? {} : { ownerReferences: [{ apiVersion, kind: 'x', name: owner, uid: owner }] }) }, ...more } as AnyObject
}

function show({ object: { metadata }, children }: Branch): unknown {
  return children.length === 0 ? metadata.name : { [metadata.name ?? '']: children.map(show) }
}

describe('owner tree', () => {
  it('goes from the topmost owner down to the pods; what is spent comes last', () => {
    const chain = [object('Deployment', 'd'), object('ReplicaSet', 'new', 'd', { spec: { replicas: 2 } }), object('Pod', 'p1', 'new')]
    const others = [object('ReplicaSet', 'old', 'd', { spec: { replicas: 0 } }), object('Pod', 'p2', 'new'), object('Pod', 'p1', 'new'), object('Pod', 'foreign', 'z')]
    const tree = ownerTree(chain, others)
    expect(tree && show(tree)).toEqual({ d: [{ new: ['p1', 'p2'] }, 'old'] })
  })

  it('shows a chain of kinds it knows nothing of, and survives a circle', () => {
    const tree = ownerTree([object('Node', 'n'), object('Pod', 'mirror', 'n')], [])
    expect(tree && show(tree)).toEqual({ n: ['mirror'] })
    expect(ownerTree([object('A', 'a', 'b'), object('B', 'b', 'a')], [])).toBeDefined()
    expect(ownerTree([], [])).toBeUndefined()
  })

  it('knows what to look through', () => {
    expect(descendantKinds('apps/Deployment')).toEqual(['apps/ReplicaSet', '/Pod'])
    expect(descendantKinds('batch/CronJob')).toEqual(['batch/Job', '/Pod'])
    expect(descendantKinds('/ConfigMap')).toEqual([])
  })
})

describe('a watch', () => {
  it('folds into what is there now, and the value before stays as it was', () => {
    const at = (uid: string, resourceVersion: string): KubeObject => ({ metadata: { uid, resourceVersion, name: uid } })
    const before = held(objectShape, [at('a', '1'), at('b', '2')], '2')
    const after = fold(objectShape, before, [
      { type: 'MODIFIED', object: at('a', '3') },
      { type: 'DELETED', object: at('b', '4') },
      { type: 'ADDED', object: at('c', '5') },
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
    ])
    expect([...after.items.values()].map((o) => `${o.metadata.uid}@${o.metadata.resourceVersion}`)).toEqual(['a@3', 'c@5'])
    expect(after.version).toBe('9')
    expect([...before.items.keys()]).toEqual(['a', 'b'])
  })
})

describe('tables', () => {
  const columns: readonly Column[] = [{ name: 'Name', type: 'string' }, { name: 'Ready', type: 'string' }, { name: 'Restarts', type: 'string' }, { name: 'Age', type: 'string' }]
  const row = (namespace: string, name: string, ready: string, restarts: unknown, creationTimestamp: string): Row => ({ cells: [name, ready, restarts, 'x'], object: { metadata: { namespace, name, creationTimestamp, labels: { app: `app-${name}` } } } })
  const rows = [row('b', 'web-10', '1/1', 0, '2026-01-01T00:00:00Z'), row('b', 'web-9', '0/1', '12 (3m ago)', '2026-01-02T00:00:00Z'), row('a', 'db', '10/10', 3, '2025-12-31T00:00:00Z')]
  const names = (of: readonly Row[]): string[] => of.map((r) => r.object.metadata.name ?? '')

  it.each([
    [undefined, ['db', 'web-9', 'web-10']],
    [{ column: 'Name', down: true }, ['web-10', 'web-9', 'db']],
    [{ column: 'Ready', down: false }, ['web-9', 'web-10', 'db']],
    [{ column: 'Restarts', down: true }, ['web-9', 'db', 'web-10']],
    [{ column: 'Age', down: false }, ['web-9', 'web-10', 'db']],
    [{ column: 'Namespace', down: true }, ['web-9', 'web-10', 'db']],
    [{ column: 'gone', down: true }, ['db', 'web-9', 'web-10']],
  ])('are sorted by %j', (order, expected) => {
    expect(names(sorted(rows, columns, order))).toEqual(expected)
  })

  it.each([['', 3], ['WEB', 2], ['web 12', 1], ['app=app-db', 1], ['b', 3], ['nothing', 0]])('find %j', (search, count) => {
    expect(rows.filter((r) => matches(r, search))).toHaveLength(count)
  })

  it('tell the age by the object, and other cells as they are', () => {
    const now = Date.parse('2026-01-02T00:05:00Z')
    expect(rows.map((r) => cellText(columns[3] as Column, 3, r, now))).toEqual(['24h', '5m', '2d'])
    expect(cellText(columns[2] as Column, 2, rows[0] as Row, now)).toBe('0')
  })

  it.each([['Status', 'Running', 'good'], ['Status', 'CrashLoopBackOff', 'bad'], ['Status', 'ContainerCreating', 'busy'], ['Status', 'Completed', 'quiet'], ['Status', 'NotReady', 'bad'], ['Status', 'Ready,SchedulingDisabled', 'busy'], ['Ready', '1/2', 'busy'], ['Ready', '2/2', 'none'], ['Name', 'Running', 'none']])(
    'colour %s %s %s', (column, cell, tone) => expect(toneOf(column, cell)).toBe(tone),
  )
})

describe('resources', () => {
  const discovered = resourcesOf([
    { items: [{ versions: [{ version: 'v1', resources: [
      { resource: 'pods', responseKind: { kind: 'Pod' }, scope: 'Namespaced', verbs: ['list', 'watch'] },
      { resource: 'bindings', responseKind: { kind: 'Binding' }, scope: 'Namespaced', verbs: ['create'] },
    ] }] }] },
    { items: [
      { metadata: { name: 'example.com' }, versions: [{ version: 'v2', resources: [{ resource: 'widgets', responseKind: { kind: 'Widget' }, scope: 'Cluster', verbs: ['list'] }] }, { version: 'v1', resources: [{ resource: 'widgets', scope: 'Cluster', verbs: ['list'] }] }] },
      { metadata: { name: 'coordination.k8s.io' }, versions: [{ version: 'v1', resources: [{ resource: 'leases', responseKind: { kind: 'Lease' }, scope: 'Namespaced', verbs: ['list'] }] }] },
    ] },
  ])

  it('are what can be listed, in their preferred version, each in one place of the menu', () => {
    expect(discovered.map((r) => `${r.group}/${r.version}/${r.resource}`)).toEqual(['/v1/pods', 'example.com/v2/widgets', 'coordination.k8s.io/v1/leases'])
    expect(menu(discovered).map(({ title, resources }) => `${title}: ${resources.map((r) => r.kind).join()}`)).toEqual(['Workloads: Pod', 'Custom: Widget', 'More: Lease'])
    expect(resourceOf(discovered, { apiVersion: 'example.com/v1', kind: 'Widget' })?.version).toBe('v2')
  })

  it('have paths and titles', () => {
    const [pods, widgets] = discovered
    if (pods === undefined || widgets === undefined) throw new Error('not found')
    expect([apiPath(pods, 'a'), apiPath(pods, ''), apiPath(pods, 'a', 'b'), apiPath(widgets, 'a', 'b')]).toEqual(['/api/v1/namespaces/a/pods', '/api/v1/pods', '/api/v1/namespaces/a/pods/b', '/apis/example.com/v2/widgets/b'])
    expect([['HorizontalPodAutoscaler', 'horizontalpodautoscalers'], ['NetworkPolicy', 'networkpolicies'], ['Ingress', 'ingresses'], ['CSIDriver', 'csidrivers'], ['Endpoints', 'endpoints']].map(([kind = '', resource = '']) => titleOf({ kind, resource }))).toEqual(['HorizontalPodAutoscalers', 'NetworkPolicies', 'Ingresses', 'CSIDrivers', 'Endpoints'])
  })

  it('are places that can be gone to and come back from', () => {
    const [pods] = discovered
    if (pods === undefined) throw new Error('not found')
    const list = parsePlace(listPlace(pods, 'kube-system', { q: 'a b&c' }))
    expect(list).toEqual({ parts: ['list', 'core', 'v1', 'pods'], query: { ns: 'kube-system', q: 'a b&c' } })
    expect(groupOf(list.parts[1] ?? '')).toBe('')
    expect(referenceOf(parsePlace(objectPlace(pods, { namespace: '', name: 'system:node/x' }, '', 'yaml')).parts)).toEqual({ namespace: '', name: 'system:node/x' })
    expect(placeText(parsePlace('#/'))).toBe('#/')
    expect(parsePlace('#/a/%zz').parts).toEqual(['a', '%zz'])
  })
})

describe('state', () => {
  const pod: Pod = {
    kind: 'Pod', metadata: {}, spec: { initContainers: [{ name: 'init', image: 'i' }], containers: [{ name: 'a', image: 'x' }, { name: 'b', image: 'y' }] },
    status: {
      phase: 'Running',
      initContainerStatuses: [{ name: 'init', image: '', imageID: '', ready: true, restartCount: 0, state: { terminated: { exitCode: 0, reason: 'Completed' } } }],
      containerStatuses: [{ name: 'b', image: '', imageID: '', ready: false, restartCount: 4, state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } } }],
    },
  }

  it('of a pod is what holds it up', () => {
    expect(stateOf(pod)).toBe('CrashLoopBackOff')
    expect(stateOf({ ...pod, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })).toBe('Terminating')
    expect(containersOf(pod).map(({ name, role, state, detail, restarts }) => [name, role, state, detail, restarts])).toEqual([
      ['init', 'init', 'Completed', '', 0], ['a', 'container', 'Waiting', '', 0], ['b', 'container', 'CrashLoopBackOff', 'back-off 40s', 4],
    ])
  })

  it.each([
    [object('Deployment', 'd', undefined, { spec: { replicas: 3 }, status: { readyReplicas: 2 } }), '2/3 ready', 'busy'],
    [object('ReplicaSet', 'r', undefined, { spec: { replicas: 0 } }), '0/0 ready', 'quiet'],
    [object('Node', 'n', undefined, { status: { conditions: [{ type: 'Ready', status: 'True' }] } }), 'Ready', 'good'],
    [object('Job', 'j', undefined, { spec: { completions: 2 }, status: { succeeded: 2, conditions: [{ type: 'Complete', status: 'True' }] } }), 'Complete', 'good'],
    [object('ConfigMap', 'c'), undefined, undefined],
  ])('of others is one word', (of, state, tone) => {
    expect(stateOf(of)).toBe(state)
    if (state !== undefined) expect(toneOfState(state)).toBe(tone)
    expect(conditionsOf({ ...of, status: { conditions: 'odd' } } as AnyObject)).toEqual([])
  })
})

describe('sums', () => {
  const pod = (namespace: string, nodeName: string, phase: string, ready = true): Pod => ({
    metadata: { namespace },
    spec: { nodeName, containers: [{ name: 'a', resources: { requests: { cpu: '250m', memory: '64Mi' } } }] },
    status: { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  })

  it('of a node are what its living pods ask for', () => {
    const node: Node = {
      metadata: { name: 'n1', labels: { 'node-role.kubernetes.io/control-plane': '' } },
      status: { allocatable: { cpu: '2', memory: '1Gi', pods: '110' }, conditions: [{ type: 'Ready', status: 'True' }, { type: 'DiskPressure', status: 'True' }, { type: 'PIDPressure', status: 'False' }] },
    }
    const [sum] = nodeSums([node], [pod('a', 'n1', 'Running'), pod('a', 'n1', 'Pending'), pod('a', 'n1', 'Succeeded'), pod('a', 'n2', 'Running')])
    expect(sum).toMatchObject({ ready: 'Ready', pressures: ['DiskPressure'], roles: ['control-plane'], pods: { used: 2, of: 110 }, cpu: { used: 500, of: 2_000 }, memoryBytes: { used: 128 * 2 ** 20, of: 2 ** 30 } })
  })

  it('of a namespace count what is as it should be', () => {
    const deployment: Deployment = { metadata: { namespace: 'a' }, spec: { replicas: 2, selector: {}, template: {} as never }, status: { availableReplicas: 1 } }
    expect(namespaceSums({ pods: [pod('a', 'n', 'Running'), pod('a', 'n', 'Running', false), pod('b', 'n', 'Failed')], deployments: [deployment], statefulsets: [], daemonsets: [], jobs: [] })).toMatchObject([
      { namespace: 'a', pods: { ready: 1, of: 2 }, deployments: { ready: 0, of: 1 } },
    ])
  })

  it('of events are the latest', () => {
    const event = (name: string, lastTimestamp: string): Event => ({ metadata: { name }, involvedObject: {}, lastTimestamp })
    expect(latest([event('old', '2026-01-01T00:00:00Z'), event('new', '2026-01-02T00:00:00Z'), event('older', '2025-01-01T00:00:00Z')], 2).map((e) => e.metadata.name)).toEqual(['new', 'old'])
    expect([bytesText(0), bytesText(1536 * 2 ** 20), bytesText(200 * 2 ** 20)]).toEqual(['0 B', '1.5 GiB', '200 MiB'])
  })
})
