import { afterEach, describe, expect, it } from 'vitest'
import { deployments } from '../api/apps/deployment.ts'
import { namespaces } from '../api/core/namespace.ts'
import { nodes } from '../api/core/node.ts'
import { pods } from '../api/core/pod.ts'
import { openPlanRig, type PlanRig } from './rig.fake.ts'

const open: PlanRig[] = []
afterEach(async () => {
  for (const rig of open.splice(0)) await rig.close()
})

async function cluster(sizes?: Readonly<Record<string, string>>): Promise<PlanRig> {
  const rig = await openPlanRig(sizes)
  open.push(rig)
  return rig
}

interface Web {
  readonly name?: string
  readonly image?: string
  readonly replicas?: number
  readonly cpu?: string
  readonly strategy?: string
}

const web = ({ name = 'web', image = 'web:1', replicas = 2, cpu = '1', strategy = '{}' }: Web = {}): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  replicas: ${replicas}
  strategy: ${strategy}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers: [{name: ${name}, image: "${image}", resources: {requests: {cpu: "${cpu}"}}}]
---
`

const deployment = (name: string): object => ({ kind: 'Deployment', namespace: 'shop', name })

describe('makePlan()', () => {
  it('a new Deployment that fits: what is made, and where its pods go', async () => {
    const { plan } = await cluster()
    const made = await plan(web())
    expect(made.verdict).toBe('changes')
    expect(made.files).toMatchObject([{ verb: 'create', kind: 'Deployment', name: 'web' }])
    expect(made.effects.placed).toEqual([{ owner: deployment('web'), count: 2, nodes: { n1: 1, n2: 1 } }])
    expect(made.effects.stuck).toEqual([])
  })

  it('one that does not fit: the scheduler says why', async () => {
    const { plan } = await cluster()
    const made = await plan(web({ replicas: 3, cpu: '3' }))
    expect(made.verdict).toBe('trouble')
    expect(made.effects.placed).toMatchObject([{ count: 2 }])
    expect(made.effects.stuck).toEqual([{
      about: deployment('web'), pods: 1, because: expect.stringContaining('0/2 nodes are available: 2 Insufficient cpu') as string,
      cause: 'fits on none of 2 nodes: 2 lack 2 cpu', help: ['ask for 2 cpu less (1 instead of 3): it would fit on node n1', 'add a node with 3 cpu free: it would fit there'],
    }])
  })

  it('no change at all', async () => {
    const { plan, has } = await cluster()
    await has(web())
    const made = await plan(web())
    expect([made.verdict, made.files[0]?.verb]).toEqual(['nothing', 'none'])
    expect(made.text).toContain('Nothing would change: 1 unchanged.')
  })

  it('a file that kubectl get -o yaml has written says which version it was', async () => {
    const { plan, has, client, plane } = await cluster()
    await has(web())
    const there = await client.get(plane.ctx, deployments, { namespace: 'shop', name: 'web' })
    const file = (more: object): string => JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', ...there, metadata: { ...there?.metadata, managedFields: undefined, ...more } })
    expect((await plan(file({ labels: { a: 'b' } }))).files).toMatchObject([{ verb: 'change', changes: [{ path: 'metadata.labels', after: { a: 'b' } }] }])
    expect((await plan(file({ resourceVersion: '7' }))).files).toMatchObject([{ verb: 'refuse', message: 'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again' }])
  })

  it('a new image: which field changes, the pods it replaces in steps, and the fewest that are ready on the way', async () => {
    const { plan, has } = await cluster()
    await has(web({ replicas: 3 }))
    const made = await plan(web({ replicas: 3, image: 'web:2' }))
    expect(made.files[0]).toMatchObject({ verb: 'change', changes: [{ path: 'spec.template.spec.containers[web].image', before: 'web:1', after: 'web:2' }] })
    expect(made.effects.rollouts).toMatchObject([{ owner: deployment('web'), ready: 3, lowest: 3 }])
    expect(made.effects.rollouts[0]?.heldUpBy).toBeUndefined()
    expect(made.effects.placed).toMatchObject([{ count: 3 }])
    expect(made.effects.gone).toMatchObject([{ count: 3, because: 'replaced' }])
    const { steps = [] } = made.effects.rollouts[0] ?? {}
    expect([steps.reduce((sum, { created }) => sum + created, 0), steps.reduce((sum, { deleted }) => sum + deleted, 0)]).toEqual([3, 3])
    expect(steps.length).toBeGreaterThan(2)
  })

  it('a new image with maxUnavailable 0 where the cluster is full: held up, and by what', async () => {
    const { plan, has } = await cluster({ n1: '2' })
    const strategy = '{rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}'
    await has(web({ replicas: 2, strategy }))
    const made = await plan(web({ replicas: 2, image: 'web:2', strategy }))
    expect(made.verdict).toBe('trouble')
    expect(made.effects.rollouts).toMatchObject([{ ready: 2, lowest: 2, steps: [{ created: 1, deleted: 0 }] }])
    expect(made.effects.rollouts[0]?.heldUpBy).toMatch(/1 Insufficient cpu.*maxUnavailable 0 lets no old pod go before a new one is ready/)
  })

  it('a quota that is used up: who may not make more pods, and what is used', async () => {
    const { plan, has } = await cluster()
    await has('{apiVersion: v1, kind: ResourceQuota, metadata: {name: cpu, namespace: shop}, spec: {hard: {requests.cpu: "2"}}}')
    const made = await plan(web({ replicas: 3 }))
    expect(made.verdict).toBe('trouble')
    expect(made.effects.stuck).toEqual([{ about: deployment('web'), pods: 0, because: expect.stringContaining('exceeded quota: cpu, requested: requests.cpu=1, used: requests.cpu=2, limited: requests.cpu=2') as string }])
    expect(made.effects.quotas).toEqual([{ kind: 'ResourceQuota', namespace: 'shop', name: 'cpu', resource: 'requests.cpu', before: '0', after: '2', hard: '2' }])
  })

  it('a DaemonSet goes to nodes without taints that it does not tolerate', async () => {
    const { plan, client, plane } = await cluster({ n1: '4', n2: '4', n3: '4' })
    await client.patch(plane.ctx, nodes, { namespace: '', name: 'n2' }, 'strategic', { spec: { taints: [{ key: 'gpu', effect: 'NoSchedule' }] } })
    const made = await plan(`
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: logs}
spec:
  selector: {matchLabels: {app: logs}}
  template: {metadata: {labels: {app: logs}}, spec: {containers: [{name: c, image: i}]}}
`)
    expect([made.verdict, made.effects.placed]).toEqual(['changes', [{ owner: { kind: 'DaemonSet', namespace: 'shop', name: 'logs' }, count: 2, nodes: { n1: 1, n3: 1 } }]])
  })

  it('a StatefulSet with claims: pods one after the other, volumes by the provisioner of the class', async () => {
    const { plan, has } = await cluster()
    await has('{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}, provisioner: example.com/disk, volumeBindingMode: WaitForFirstConsumer}')
    const made = await plan(stateful('fast'))
    expect(made.effects.stuck).toEqual([])
    expect(made.verdict).toBe('changes')
    expect(made.effects.placed).toMatchObject([{ owner: { kind: 'StatefulSet', name: 'db' }, count: 2 }])
    expect(made.effects.claims).toEqual(['data-db-0', 'data-db-1'].map((name) => ({ kind: 'PersistentVolumeClaim', namespace: 'shop', name, phase: 'Bound', because: 'example.com/disk is taken to make its volume; it was not asked' })))
  })

  it('a StatefulSet whose class is not there: claims stay unbound, and pods wait for them', async () => {
    const { plan } = await cluster()
    const made = await plan(stateful('none'))
    expect(made.verdict).toBe('trouble')
    expect(made.effects.claims).toMatchObject([{ name: 'data-db-0', phase: 'Pending', because: 'there is no storage class "none"' }])
    expect(made.effects.stuck.map(({ about, because }) => [about.kind, because])).toContainEqual(['StatefulSet', expect.stringContaining('unbound immediate PersistentVolumeClaims')])
  })

  it('a Job: its pods run as long as they like', async () => {
    const { plan } = await cluster()
    const made = await plan('{apiVersion: batch/v1, kind: Job, metadata: {name: once}, spec: {parallelism: 2, completions: 4, template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}')
    expect([made.verdict, made.effects.placed]).toMatchObject(['changes', [{ owner: { kind: 'Job', name: 'once' }, count: 2 }]])
  })

  it('a definition and an object of its kind in the same files', async () => {
    const { plan } = await cluster()
    const made = await plan(`${widgetDefinition}---\n{apiVersion: x.org/v1, kind: Widget, metadata: {name: w}, spec: {size: 3}}\n---\n{apiVersion: x.org/v1, kind: Widget, metadata: {name: v}, spec: {size: many}}`)
    expect(made.files.map(({ kind, name, verb }) => [kind, name, verb])).toEqual([['CustomResourceDefinition', 'widgets.x.org', 'create'], ['Widget', 'w', 'create'], ['Widget', 'v', 'refuse']])
    expect(made.files[1]?.notes).toEqual([expect.stringContaining('apply twice')])
    expect(made.files[2]?.message).toContain('spec.size')
  })

  it('objects of kinds that the cluster has already are changed by merging', async () => {
    const { plan, has } = await cluster()
    await has(`${widgetDefinition}---\n{apiVersion: x.org/v1, kind: Widget, metadata: {name: w, namespace: shop}, spec: {size: 3}}`)
    const made = await plan('{apiVersion: x.org/v1, kind: Widget, metadata: {name: w}, spec: {size: 4}}')
    expect(made.files).toMatchObject([{ verb: 'change', changes: [{ path: 'spec.size', before: 3, after: 4 }], notes: [] }])
  })

  it('what makes way for pods of higher priority', async () => {
    const { plan, has } = await cluster({ n1: '2' })
    await has(web({ name: 'low', replicas: 2 }))
    const made = await plan(`{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 1000}\n---\n{apiVersion: v1, kind: Pod, metadata: {name: vip, namespace: shop}, spec: {priorityClassName: high, containers: [{name: c, image: i, resources: {requests: {cpu: "1"}}}]}}`)
    expect(made.effects.placed).toMatchObject([{ owner: { kind: 'Pod', name: 'vip' }, nodes: { n1: 1 } }])
    expect(made.effects.gone).toMatchObject([{ owner: deployment('low'), count: 1, because: 'preempted for pod shop/vip' }])
    expect(made.effects.stuck).toMatchObject([{ about: deployment('low'), pods: 1 }])
  })

  it('a disruption budget that a rollout does not keep is told of, and so is a Service without endpoints', async () => {
    const { plan, has } = await cluster()
    await has(web({ replicas: 2, strategy: '{type: Recreate}' }))
    await has('{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web, namespace: shop}, spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}}')
    const made = await plan(`${web({ replicas: 2, image: 'web:2', strategy: '{type: Recreate}' })}{apiVersion: v1, kind: Service, metadata: {name: lost}, spec: {selector: {app: nobody}, ports: [{port: 80}]}}`)
    expect(made.effects.rollouts).toMatchObject([{ ready: 2, lowest: 0 }])
    expect(made.effects.breached).toEqual([{ kind: 'PodDisruptionBudget', namespace: 'shop', name: 'web', healthy: 0, desired: 2 }])
    expect(made.effects.deserted).toEqual([{ kind: 'Service', namespace: 'shop', name: 'lost' }])
  })

  it('a namespace that is not there', async () => {
    const { plan } = await cluster()
    const made = await plan('{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: nowhere}}')
    expect(made.files).toMatchObject([{ verb: 'refuse', message: 'namespaces "nowhere" not found' }])
    expect((await plan('{apiVersion: v1, kind: Namespace, metadata: {name: nowhere}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: nowhere}}')).files.map(({ verb }) => verb)).toEqual(['create', 'create'])
  })

  it('a policy that denies', async () => {
    const { plan, has } = await cluster()
    await has(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: few}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]}
  validations: [{expression: "object.spec.replicas <= 3", message: "three are enough"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: few}
spec: {policyName: few, validationActions: [Deny]}
`)
    const made = await plan(web({ replicas: 5 }))
    expect(made.files).toMatchObject([{ verb: 'refuse', message: expect.stringContaining('three are enough') as string }])
    expect((await plan(web({ replicas: 3 }))).files).toMatchObject([{ verb: 'create' }])
  })

  it('pods that a namespace does not let in (PodSecurity), and fields that nobody knows', async () => {
    const { plan, client, plane } = await cluster()
    await client.patch(plane.ctx, namespaces, { namespace: '', name: 'shop' }, 'merge', { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } })
    const made = await plan('{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, dta: {}}')
    expect(made.files.map(({ message }) => message)).toEqual([expect.stringContaining('violates PodSecurity "restricted:latest"'), expect.stringContaining('unknown field "dta"')])
  })

  it('what the server would warn of', async () => {
    const { plan, client, plane } = await cluster()
    await client.patch(plane.ctx, namespaces, { namespace: '', name: 'shop' }, 'merge', { metadata: { labels: { 'pod-security.kubernetes.io/warn': 'baseline' } } })
    const made = await plan('{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {hostNetwork: true, containers: [{name: c, image: i}]}}')
    expect(made.files).toMatchObject([{ verb: 'create', notes: ['warning: would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)'] }])
  })

  it('webhooks are not called: which would have been is told', async () => {
    const { plan, has } = await cluster()
    await has(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: guard}
webhooks:
- name: guard.x.org
  clientConfig: {service: {namespace: shop, name: guard}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
  failurePolicy: Fail
  sideEffects: None
  admissionReviewVersions: [v1]
`)
    const made = await plan('{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}')
    expect([made.files[0]?.verb, made.webhooks]).toEqual(['create', [{ webhook: 'guard.x.org (guard)', requests: ['create configmaps shop/c'] }]])
  })

  it('who may not read all is told so, and gets the plan that is left', async () => {
    const { plan, has } = await cluster()
    await has(`${web()}
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: bob, namespace: shop}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: bob}]}
`)
    const bob = { name: 'bob', groups: ['system:authenticated'], agent: 'test' }
    const made = await plan(`${web({ replicas: 3, image: 'web:2' })}{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}}`, { as: bob })
    expect(made.files.map(({ verb, message }) => [verb, message])).toEqual([['change', undefined], ['refuse', 'you may not get roles.rbac.authorization.k8s.io r in namespace shop']])
    expect(made.unknown[0]).toMatch(/^you may not read .*nodes/)
    expect(made.effects.placed).toMatchObject([{ owner: deployment('web'), count: 3 }])
    expect(made.effects.objects).toEqual([])
    // Her pods are there, but nobody who may not read them knows: that they would be made anyway is not so.
    const eve = { name: 'eve', groups: ['system:authenticated'], agent: 'test' }
    await has(`
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: few, namespace: shop}, rules: [{apiGroups: [apps], resources: [deployments], verbs: [get, list, create, patch]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: eve, namespace: shop}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: few}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: eve}]}
`)
    const less = await plan(web(), { as: eve })
    expect([less.verdict, less.anyway.placed, less.anyway.stuck]).toEqual(['nothing', [], []])
    expect(less.unknown).toContainEqual('without all pods and ReplicaSets nobody knows what would happen anyway')
  })

  it('what may not be written is refused, custom kinds too, whatever can be read', async () => {
    const { plan, has } = await cluster()
    await has(`${widgetDefinition}---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: reader}, rules: [{apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: eve}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}, subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: eve}]}
`)
    const made = await plan('{apiVersion: x.org/v1, kind: Widget, metadata: {name: w}}', { as: { name: 'eve', groups: ['system:authenticated'], agent: 'test' } })
    expect([made.verdict, made.files[0]?.message, made.unknown]).toEqual(['trouble', 'you may not create widgets.x.org in namespace shop', []])
  })

  it('what would happen without the files is told apart', async () => {
    const { plan, client, plane, has } = await cluster({ n1: '1' })
    const pod = (name: string): string => `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: shop}, spec: {containers: [{name: c, image: i, resources: {requests: {cpu: "1"}}}]}}`
    await has(pod('holds'))
    await has(pod('waits'))
    await client.delete(plane.ctx, pods, { namespace: 'shop', name: 'holds' })
    await plane.clock.advance(0)
    const made = await plan('{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}')
    expect(made.anyway.placed).toMatchObject([{ owner: { kind: 'Pod', name: 'waits' }, nodes: { n1: 1 } }])
    expect([made.effects.placed, made.effects.gone, made.verdict]).toEqual([[], [], 'changes'])
  })

  it('deletion: what goes with it', async () => {
    const { plan, has } = await cluster()
    await has(`${web()}{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{port: 80}]}}`)
    const made = await plan(web(), { deletes: true })
    expect(made.files).toMatchObject([{ verb: 'delete' }])
    expect(made.effects.gone).toMatchObject([{ owner: deployment('web'), count: 2 }])
    expect(made.effects.deserted).toMatchObject([{ name: 'web' }])
    expect((await plan(web({ name: 'other' }), { deletes: true })).files).toMatchObject([{ verb: 'refuse', message: 'deployments "other" not found' }])
    const all = await plan('{apiVersion: v1, kind: Namespace, metadata: {name: shop}}', { deletes: true })
    expect(all.effects.objects.map(({ kind, name, verb }) => [kind, name, verb])).toEqual(expect.arrayContaining([['Deployment', 'web', 'delete'], ['Service', 'web', 'delete']]))
  })

  it('deletion of a pod: one that is made again, and one whose node is gone', async () => {
    const { plan, has, plane, client } = await cluster({ n1: '4', n2: '4' })
    await has(`{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db, namespace: shop}, spec: {replicas: 1, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: i}]}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: lost, namespace: shop}, spec: {nodeName: nowhere, containers: [{name: c, image: i}]}}`)
    await plane.during(client.patch(plane.ctx, pods, { namespace: 'shop', name: 'lost' }, 'merge', { status: { phase: 'Running' } }, { subresource: 'status' }))
    const made = await plan('{apiVersion: v1, kind: Pod, metadata: {name: db-0, namespace: shop}}\n---\n{apiVersion: v1, kind: Pod, metadata: {name: lost, namespace: shop}}', { deletes: true })
    expect(made.files.map(({ name, notes }) => [name, notes])).toEqual([['db-0', ['is made again']], ['lost', []]])
  })

  it('autoscalers keep to their least and most, and say nothing else; CronJobs do not fire', async () => {
    const { plan, has } = await cluster()
    await has(`${web()}{apiVersion: batch/v1, kind: CronJob, metadata: {name: often, namespace: shop}, spec: {schedule: "* * * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}}}`)
    const scaler = (least: number): string => `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web, namespace: shop}, spec: {minReplicas: ${least}, maxReplicas: 5, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}}`
    await has(scaler(2))
    expect((await plan(scaler(2))).verdict).toBe('nothing')
    const made = await plan(scaler(4))
    expect(made.effects.objects).toEqual([{ ...deployment('web'), verb: 'change', changes: [{ path: 'spec.replicas', before: 2, after: 4 }] }])
    expect(made.effects.placed).toMatchObject([{ count: 2 }])
    expect(made.anyway).toMatchObject({ objects: [], placed: [], gone: [], stuck: [] })
  })

  it('says the same each time', async () => {
    const { plan, has } = await cluster({ n1: '4', n2: '4', n3: '4' })
    await has(web({ replicas: 5, cpu: '500m' }))
    const text = web({ replicas: 7, cpu: '500m', image: 'web:2' })
    expect((await plan(text)).text).toBe((await plan(text)).text)
  })
})

const stateful = (storageClass: string): string => `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: db, volumeMounts: [{name: data, mountPath: /data}]}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], storageClassName: ${storageClass}, resources: {requests: {storage: 1Gi}}}
`

const widgetDefinition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.x.org}
spec:
  group: x.org
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
`
