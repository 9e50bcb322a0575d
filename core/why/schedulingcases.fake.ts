/** Pods that are not placed, with the true cause of each. */
import { nodes } from '../api/core/node.ts'
import { persistentVolumes } from '../api/core/persistentvolume.ts'
import { persistentVolumeClaims } from '../api/core/persistentvolumeclaim.ts'
import { priorityClasses } from '../api/scheduling/priorityclass.ts'
import { storageClasses } from '../api/storage/storageclass.ts'
import { asks, type Case } from './lab.fake.ts'

const gpu = [{ key: 'gpu', value: 'true', effect: 'NoSchedule' }]
const near = (side: 'podAffinity' | 'podAntiAffinity', app: string) => ({ affinity: { [side]: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app } } }] } } })

export const schedulingCases: readonly Case[] = [
  {
    name: 'too little cpu and a taint',
    async build(lab) {
      for (const name of ['n1', 'n2']) await lab.node(name)
      await lab.node('n3', { taints: gpu, size: { cpu: '16' } })
      await lab.pod('web', asks('4500m'))
    },
    of: 'pod/web',
    cause: 'pod default/web fits on none of 3 nodes: 2 lack 500m cpu, 1 has the taint gpu=true:NoSchedule',
    lines: ['ask for 500m cpu less (4 instead of 4500m): it would fit on node n1', 'tolerate the taint gpu=true:NoSchedule: it would fit on node n3', 'add a node with 4500m cpu free: it would fit there'],
  },
  {
    name: 'other pods have the room',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('big', asks('3'))
      await lab.settle()
      await lab.pod('web', asks('2', '1Gi'))
    },
    of: 'pod/web',
    cause: 'pod default/web does not fit on the only node, n1: it lacks 1 cpu',
    lines: ['ask for 1 cpu less (1 instead of 2): it would fit on node n1', 'delete pod default/big on node n1: there would be room', 'add a node with 2 cpu and 1Gi memory free: it would fit there'],
  },
  {
    name: 'a range of amounts',
    async build(lab) {
      await lab.node('n1', { size: { memory: '1Gi' } })
      await lab.node('n2', { size: { memory: '2Gi' } })
      await lab.pod('web', asks('1', '4Gi'))
    },
    of: 'pod/web',
    cause: 'pod default/web fits on none of 2 nodes: 2 lack 2Gi to 3Gi memory',
    lines: ['ask for 2Gi memory less (2Gi instead of 4Gi): it would fit on node n2'],
  },
  {
    name: 'cordoned nodes',
    async build(lab) {
      await lab.node('n1')
      await lab.patch(nodes, 'n1', { spec: { unschedulable: true } })
      await lab.settle()
      await lab.pod('web')
    },
    of: 'pod/web',
    cause: 'pod default/web does not fit on the only node, n1: it is cordoned',
    lines: ['uncordon node n1: it would fit on node n1'],
  },
  {
    name: 'a node that is not ready',
    async build(lab) {
      await lab.node('n1', { taints: gpu })
      await lab.patch(nodes, 'n1', { status: { conditions: [{ type: 'Ready', status: 'False', reason: 'KubeletNotReady' }] } }, { subresource: 'status' })
      await lab.settle()
      await lab.pod('web')
    },
    of: 'pod/web',
    cause: 'pod default/web does not fit on the only node, n1: it is not ready (taint node.kubernetes.io/not-ready:NoSchedule) and has the taint gpu=true:NoSchedule',
    lines: ['mend node n1 (see kubun why node/n1) and tolerate the taint gpu=true:NoSchedule: it would fit on node n1'],
  },
  {
    name: 'a node selector that nobody meets',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web', { nodeSelector: { disk: 'ssd' } })
    },
    of: 'pod/web',
    cause: 'pod default/web does not fit on the only node, n1: it lacks the label disk=ssd',
    lines: ['label node n1 with disk=ssd: it would fit on node n1', 'do without the node selector disk=ssd: it would fit on node n1', 'add a node labelled disk=ssd: it would fit there'],
  },
  {
    name: 'a node affinity that nobody meets',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web', { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a', 'b'] }] }] } } } })
    },
    of: 'pod/web',
    cause: 'pod default/web does not fit on the only node, n1: it lacks what its node affinity requires (zone In [a b])',
    lines: ['label node n1 with zone=a: it would fit on node n1'],
  },
  {
    name: 'two obstacles on one node need two changes',
    async build(lab) {
      await lab.node('n1', { taints: gpu })
      await lab.pod('web', asks('5'))
    },
    of: 'pod/web',
    cause: 'pod default/web does not fit on the only node, n1: it lacks 1 cpu and has the taint gpu=true:NoSchedule',
    lines: ['tolerate the taint gpu=true:NoSchedule and ask for 1 cpu less (4 instead of 5): it would fit on node n1'],
  },
  {
    name: 'a host port that is taken',
    async build(lab) {
      await lab.node('n1')
      const ports = { containers: [{ name: 'app', image: 'web:1', ports: [{ containerPort: 80, hostPort: 8080 }] }] }
      await lab.pod('first', ports)
      await lab.settle()
      await lab.pod('web', ports)
    },
    of: 'pod/web',
    cause: 'pod default/web does not fit on the only node, n1: it has host port 8080 taken by pod default/first',
    lines: ['ask for no host port 8080: it would fit on node n1', 'delete pod default/first on node n1: there would be room'],
  },
  {
    name: 'anti-affinity against the pods that are there',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('first', {}, { app: 'db' })
      await lab.settle()
      await lab.pod('web', near('podAntiAffinity', 'db'))
    },
    of: 'pod/web',
    cause: 'pod default/web does not fit on the only node, n1: it has a pod that its anti-affinity keeps it away from (app=db per kubernetes.io/hostname)',
    lines: ['do without the required anti-affinity against app=db per kubernetes.io/hostname (or let it be preferred): it would fit on node n1', 'delete pod default/first on node n1: there would be room', 'add a node: it would fit there'],
  },
  {
    name: 'affinity to pods that there are not',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web', near('podAffinity', 'db'))
    },
    of: 'pod/web',
    cause: 'pod default/web does not fit on the only node, n1: it has none of the pods that its affinity wants near (app=db per kubernetes.io/hostname)',
  },
  {
    name: 'a spread that would become uneven',
    async build(lab) {
      await lab.node('n1', { labels: { zone: 'a' } })
      await lab.node('n2', { labels: { zone: 'b' }, taints: gpu })
      const spread = { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } }] }
      await lab.pod('first', spread, { app: 'web' })
      await lab.settle()
      await lab.pod('second', spread, { app: 'web' })
    },
    of: 'pod/second',
    cause: 'pod default/second fits on none of 2 nodes: 1 would get too many of its kind (spread of app=web over zone with maxSkew 1), 1 has the taint gpu=true:NoSchedule',
    lines: ['tolerate the taint gpu=true:NoSchedule: it would fit on node n2', 'do without the spread over zone (or let it be ScheduleAnyway): it would fit on node n1'],
  },
  {
    name: 'a scheduling gate',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web', { schedulingGates: [{ name: 'example.com/budget' }] })
    },
    of: 'pod/web',
    cause: 'pod default/web is held back by the scheduling gate example.com/budget',
    lines: ['it is taken away by whoever set it; then it would fit on n1'],
  },
  {
    name: 'a scheduler that nobody is',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web', { schedulerName: 'mine' })
    },
    of: 'pod/web',
    cause: 'pod default/web waits for the scheduler "mine", and nobody of that name has looked at it',
  },
  {
    name: 'no scheduler at all',
    options: { without: ['scheduler'] },
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web')
      await lab.settle(60_000)
    },
    of: 'pod/web',
    cause: 'pod default/web would fit on 1 node (n1), and no scheduler has looked at it for 64s: none runs, or it hangs',
  },
  {
    name: 'no nodes',
    build: async (lab) => void (await lab.pod('web')),
    of: 'pod/web',
    cause: 'pod default/web has no node to go to: the cluster has none',
    lines: ['add a node: it would fit there'],
  },
  {
    name: 'a priority too low to evict anybody',
    async build(lab) {
      await lab.create(priorityClasses, { metadata: { name: 'high' }, value: 1_000 })
      await lab.node('n1')
      await lab.pod('big', { ...asks('4'), priorityClassName: 'high' })
      await lab.settle()
      await lab.pod('web', asks('2'))
    },
    of: 'pod/web',
    cause: 'pod default/web does not fit on the only node, n1: it lacks 2 cpu',
    lines: ['nobody is evicted for it; its priority is 0; preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.'],
  },
  {
    name: 'a claim that does not exist',
    async build(lab) {
      await lab.node('n1')
      await lab.pod('web', { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] })
    },
    of: 'pod/web',
    cause: 'pod default/web uses the claim data, which does not exist',
  },
  {
    name: 'a claim of a storage class that does not exist',
    async build(lab) {
      await lab.node('n1')
      await lab.create(persistentVolumeClaims, { metadata: { name: 'data', namespace: 'default' }, spec: { storageClassName: 'fast', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } })
      await lab.pod('web', { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] })
    },
    of: 'pod/web',
    cause: 'pod default/web waits for its claim data, which asks for the storage class fast, which does not exist',
  },
  {
    name: 'a node is chosen, and the volume for it does not come',
    async build(lab) {
      await lab.node('n1')
      await lab.create(storageClasses, { metadata: { name: 'slow' }, provisioner: 'example.com/slow', volumeBindingMode: 'WaitForFirstConsumer' })
      await lab.create(persistentVolumeClaims, { metadata: { name: 'data', namespace: 'default' }, spec: { storageClassName: 'slow', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } })
      await lab.pod('web', { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] })
      await lab.settle(30_000)
    },
    of: 'pod/web',
    cause: 'pod default/web is to run on node n1 and waits for its claim data, which waits for the provisioner example.com/slow of storage class slow, which has made no volume yet (no CSI driver of that name is installed)',
  },
  {
    name: 'a volume that is elsewhere',
    async build(lab) {
      await lab.node('n1')
      await lab.create(storageClasses, { metadata: { name: 'local' }, provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer' })
      await lab.create(persistentVolumes, { metadata: { name: 'disk' }, spec: { storageClassName: 'local', capacity: { storage: '5Gi' }, accessModes: ['ReadWriteOnce'], local: { path: '/disk' }, nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['n9'] }] }] } } } })
      await lab.create(persistentVolumeClaims, { metadata: { name: 'data', namespace: 'default' }, spec: { storageClassName: 'local', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } })
      await lab.settle()
      await lab.pod('web', { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] })
    },
    of: 'pod/web',
    cause: "pod default/web does not fit on the only node, n1: it refuses the pod: node(s) didn't find available persistent volumes to bind",
  },
]
