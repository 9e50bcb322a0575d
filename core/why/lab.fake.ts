/**
 * A cluster for tests of why(): the real registry, admission, controllers and scheduler on the memory store and virtual
 * time, with nodes that are ready and kubelets that say what a case lets them say (or hollow ones that run pods).
 */
import { nodes } from '../api/core/node.ts'
import { events } from '../api/core/event.ts'
import { pods } from '../api/core/pod.ts'
import type { KindRef } from '../api/kind.ts'
import type { KubeObject } from '../api/meta.ts'
import type { Event, Node, Pod, PodSpec, PodStatus } from '../api/schema/types.ts'
import { formatTime } from '../api/time.ts'
import { serverIdentity } from '../controllers/controller.ts'
import { controllers } from '../controllers/controllers.ts'
import { bootFork, forkSettings, openFork, type Fork, type Laid } from '../fork/fork.ts'
import { HollowNodes, hollowNode } from '../fork/hollow.ts'
import type { Fate } from '../fork/hollowpod.ts'
import { start, startControllers, startScheduler } from '../fork/running.ts'
import { virtualClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { seededRandom } from '../lib/random.ts'
import type { Answer } from './finding.ts'
import type { LogPlace } from './reader.ts'
import { kindNamed } from './subjects.ts'
import { why } from './why.ts'

export interface LabOptions {
  /** Names of controllers (and 'scheduler') that do not run. */
  readonly without?: readonly string[]
  /** Hollow kubelets run the pods, so; without it nobody does but the case. */
  readonly fate?: Fate
  /** So long a node may be silent. */
  readonly graceMs?: number
}

export interface Lab {
  readonly fork: Fork
  /** Nodes fall silent and return here. */
  readonly hollow: HollowNodes
  create<T extends KubeObject>(kind: KindRef<T>, object: T): Promise<Readonly<T>>
  /** A ready node of 4 cpu and 8Gi, unless said. */
  node(name: string, more?: Parameters<typeof hollowNode>[1]): Promise<void>
  pod(name: string, spec?: Partial<PodSpec>, labels?: Record<string, string>): Promise<Readonly<Pod>>
  patch<T extends KubeObject>(kind: KindRef<T>, name: string, patch: object, options?: { readonly namespace?: string; readonly subresource?: string }): Promise<void>
  /** What the kubelet says of a pod's state. */
  says(name: string, status: PodStatus): Promise<void>
  /** What the kubelet tells about a pod, or one of its containers. */
  tells(name: string, reason: string, message: string, container?: string): Promise<void>
  /** All pods of an app run and are ready. */
  runs(app: string): Promise<void>
  podsOf(app: string): Promise<readonly Readonly<Pod>[]>
  settle(ms?: number): Promise<void>
  /** Of KIND/NAME in default, or KIND/NAMESPACE/NAME. */
  ask(subject: string, logs?: (place: LogPlace) => string): Promise<Answer>
}

let booted: readonly Laid[] | undefined

export async function openLab({ without = [], fate, graceMs = 10 ** 9 }: LabOptions = {}): Promise<Lab & { close(): Promise<void> }> {
  const clock = virtualClock()
  const random = seededRandom(1)
  const fork = await openFork({ clock, log: silentLog, signal: new AbortController().signal }, { random, ...(booted === undefined ? {} : { state: booted }) })
  if (booted === undefined) {
    await bootFork(fork)
    booted = await fork.state()
  }
  const manager = startControllers(fork, controllers.filter(({ name }) => !without.includes(name)), { settings: { ...forkSettings(fork), nodeMonitorGraceMs: graceMs }, freeze: true })
  const scheduler = without.includes('scheduler') ? undefined : startScheduler(fork)
  const hollow = new HollowNodes({ reader: fork.clientAs(serverIdentity), clientAs: fork.clientAs, random, fate: () => fate ?? { startMs: 0, readyMs: 0, stopMs: 0 } })
  const kubelets = fate === undefined ? undefined : start(fork.ctx, (ctx) => hollow.run(ctx))
  await clock.until(() => manager.state !== undefined)
  const { ctx, client } = fork
  const lab: Lab = {
    fork, hollow,
    create: (kind, object) => client.create(ctx, kind, object),
    async node(name, more) {
      const now = formatTime(clock.now())
      await client.create(ctx, nodes, hollowNode(name, more))
      const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status', lastHeartbeatTime: now, lastTransitionTime: now }
      await lab.patch<Node>(nodes, name, { status: { conditions: [ready] } }, { subresource: 'status' })
    },
    async pod(name, spec = {}, labels = { app: name }) {
      return await client.create<Pod>(ctx, pods, { metadata: { name, namespace: 'default', labels }, spec: { containers: [{ name: 'app', image: 'web:1' }], ...spec } })
    },
    async patch(kind, name, patch, { namespace = 'default', ...options } = {}) {
      await client.patch(ctx, kind, { namespace: kind.namespaced ? namespace : '', name }, 'merge', patch, options)
    },
    says: (name, status) => lab.patch<Pod>(pods, name, { status }, { subresource: 'status' }),
    async tells(name, reason, message, container) {
      const pod = await client.get<Pod>(ctx, pods, { namespace: 'default', name })
      const time = formatTime(clock.now())
      const involvedObject = { kind: 'Pod', apiVersion: 'v1', namespace: 'default', name, uid: pod?.metadata.uid ?? '', ...(container === undefined ? {} : { fieldPath: `spec.containers{${container}}` }) }
      await client.create<Event>(ctx, events, { metadata: { generateName: `${name}-`, namespace: 'default' }, involvedObject, type: 'Warning', reason, message, count: 1, firstTimestamp: time, lastTimestamp: time, source: { component: 'kubelet' } })
    },
    async podsOf(app) {
      return (await client.list(ctx, pods, { namespace: 'default', labelSelector: `app=${app}` })).items
    },
    async runs(app) {
      const now = formatTime(clock.now())
      for (const { metadata, spec } of await lab.podsOf(app)) {
        const containerStatuses = (spec?.containers ?? []).map(({ name, image = '' }) => ({ name, image, imageID: '', restartCount: 0, ready: true, started: true, state: { running: { startedAt: now } } }))
        await lab.says(metadata.name ?? '', { phase: 'Running', podIP: '10.42.0.7', podIPs: [{ ip: '10.42.0.7' }], conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now }], containerStatuses })
      }
      await lab.settle()
    },
    async settle(ms = 0) {
      await clock.advance(ms)
      for (let i = 0; i < 8; i++) await clock.advance(250)
    },
    async ask(subject, logs) {
      const [kindText = '', ...names] = subject.split('/')
      const kind = kindNamed(kindText)
      if (kind === undefined) throw new Error(`no kind ${kindText}`)
      const at = { namespace: names.length > 1 ? (names[0] ?? '') : 'default', name: names.at(-1) ?? '' }
      return await why(ctx, client, kind, at, logs === undefined ? {} : { logs: (_, place) => Promise.resolve(logs(place)) })
    },
  }
  await lab.settle()
  return {
    ...lab,
    async close() {
      await Promise.all([manager.stop(), scheduler?.stop(), kubelets?.stop()])
      await fork.close()
    },
  }
}

export interface Case {
  readonly name: string
  readonly options?: LabOptions
  /** Makes it fail. */
  readonly build: (lab: Lab) => Promise<void>
  /** KIND/NAME */
  readonly of: string
  /** The whole first line. */
  readonly cause: string
  /** Lines of the details that must be there. */
  readonly lines?: readonly string[]
  /** What no line may say. */
  readonly never?: string
  readonly logs?: (place: LogPlace) => string
}

export const asks = (cpu: string, memory?: string): Pick<PodSpec, 'containers'> => ({ containers: [{ name: 'app', image: 'web:1', resources: { requests: { cpu, ...(memory === undefined ? {} : { memory }) } } }] })
