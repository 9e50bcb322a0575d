/**
 * Node lifecycle: watches heartbeats (leases and the Ready condition), makes silent nodes Unknown, and taints nodes after
 * their conditions; pods on a node that is not ready are marked not ready. What follows from what is health.ts; evicting
 * pods from tainted nodes is eviction.ts.
 */
import { leases } from '../../api/coordination/lease.ts'
import { nodes } from '../../api/core/node.ts'
import { pods } from '../../api/core/pod.ts'
import { isPodReady } from '../../api/core/podstate.ts'
import { isApiError } from '../../api/errors.ts'
import { keyOf } from '../../api/meta.ts'
import type { Node, Pod } from '../../api/schema/types.ts'
import { formatTime, parseTime } from '../../api/time.ts'
import type { Client } from '../../client/client.ts'
import { byNode, nodeIndex, type Lister } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import { conditionOf } from '../conditions.ts'
import { type Controller, type Env, serviceAccountIdentity } from '../controller.ts'
import { itself } from '../run.ts'
import { judgeZones, nextTaints, oldLabels, readyOf, silentConditions, taintsOf, zoneOf } from './health.ts'

const leaseNamespace = 'kube-node-lease'

export const nodeLifecycleController: Controller = {
  name: 'node-lifecycle-controller',
  identity: serviceAccountIdentity('node-controller'),
  component: 'node-controller',
  setUp(env) {
    const watcher = new Watcher(env)
    return (ctx, name, client) => watcher.reconcile(ctx, name, client)
  },
}

/** What is remembered of a node: when it last gave a sign, and what the sign was. */
interface Health {
  readonly uid: string
  readonly sign: string
  readonly heardAt: number
  ready: string | undefined
}

class Watcher {
  readonly #env: Env
  readonly #nodes: Lister<Node>
  readonly #health = new Map<string, Health>()
  /** When a node of the zone was last given up. */
  readonly #evictedAt = new Map<string, number>()
  #allDown = false

  constructor(env: Env) {
    this.#env = env
    this.#nodes = env.watch(nodes, itself)
    env.watch(leases, (lease) => [lease.metadata.name ?? ''], { namespace: leaseNamespace })
    const podInformer = env.informers.of(pods)
    podInformer.addIndex(nodeIndex, byNode)
    const place = (pod: Readonly<Pod>): void => itself(pod).forEach(env.queue.add.bind(env.queue))
    podInformer.on({ added: place, updated: (next, prev) => (next.spec?.nodeName === prev.spec?.nodeName ? undefined : place(next)) })
    const lookAtAll = (): void => this.#nodes.list().forEach((node) => env.queue.add(node.metadata.name ?? ''))
    env.informers.of(nodes).on({
      // Whether others may be evicted from depends on how many are ready.
      updated: (next, prev) => (readyOf(next) === readyOf(prev) && zoneOf(next) === zoneOf(prev) ? undefined : lookAtAll()),
      deleted: (node) => {
        this.#tell(node, 'RemovingNode', `Removing Node ${node.metadata.name} from Controller`)
        lookAtAll()
      },
    })
  }

  /** Of a node, or of a pod that has just come to one (whose key has a namespace). */
  async reconcile(ctx: Ctx, key: string, client: Client): Promise<void> {
    await (key.includes('/') ? this.#reconcilePod(ctx, key, client) : this.#reconcileNode(ctx, key, client))
  }

  /** A pod may come to a node after those that are there were marked. */
  async #reconcilePod(ctx: Ctx, key: string, client: Client): Promise<void> {
    const pod = this.#env.informers.of(pods).lister.at(key)
    const node = this.#nodes.at(pod?.spec?.nodeName ?? '')
    const ready = node === undefined ? undefined : readyOf(node)
    if (pod === undefined || ready === undefined || ready === 'True' || !this.#health.has(node?.metadata.name ?? '')) return
    await this.#markUnready(ctx, client, pod)
  }

  #tell(node: Readonly<Node>, reason: string, message: string): void {
    this.#env.recorder.event(nodes, node, 'Normal', reason, `Node ${node.metadata.name} event: ${message}`)
  }

  async #reconcileNode(ctx: Ctx, name: string, client: Client): Promise<void> {
    const lent = this.#nodes.at(name)
    if (lent === undefined) return void this.#health.delete(name)
    const { node, health } = await this.#listen(ctx, client, lent)
    if (health.ready === 'True' && readyOf(node) !== 'True') {
      this.#env.recorder.event(nodes, node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`)
      for (const pod of this.#env.informers.of(pods).lister.by(nodeIndex, name)) await this.#markUnready(ctx, client, pod)
    }
    health.ready = readyOf(node)
    await this.#taint(ctx, client, node)
    const labels = oldLabels(node)
    if (labels !== undefined) await client.patch(ctx, nodes, keyOf(node), 'merge', { metadata: { labels } })
  }

  /** Notes signs of life; a node that has given none for too long becomes Unknown. */
  async #listen(ctx: Ctx, client: Client, lent: Readonly<Node>): Promise<{ readonly node: Readonly<Node>; readonly health: Health }> {
    const { settings, clock, queue } = this.#env
    const name = lent.metadata.name ?? ''
    const now = clock.now()
    const ready = conditionOf(lent.status?.conditions, 'Ready')
    const lease = this.#env.informers.of(leases, { namespace: leaseNamespace }).lister.get({ namespace: leaseNamespace, name })
    const sign = `${ready?.lastHeartbeatTime ?? ''}|${lease?.spec?.renewTime ?? ''}`
    let health = this.#health.get(name)
    if (health === undefined || health.uid !== lent.metadata.uid) {
      if (health === undefined) this.#tell(lent, 'RegisteredNode', `Registered Node ${name} in Controller`)
      const since = ready === undefined ? (parseTime(lent.metadata.creationTimestamp ?? '') ?? now) : now
      health = { uid: lent.metadata.uid ?? '', sign, heardAt: since, ready: ready?.status }
    } else if (health.sign !== sign) health = { ...health, sign, heardAt: now }
    this.#health.set(name, health)
    const silentAt = health.heardAt + (ready === undefined ? settings.nodeStartupGraceMs : settings.nodeMonitorGraceMs)
    if (now <= silentAt) {
      queue.after(name, silentAt - now + 1)
      return { node: lent, health }
    }
    const conditions = silentConditions(lent, now)
    if (equalJson(conditions, lent.status?.conditions ?? [])) return { node: lent, health }
    const node = await client.update(ctx, nodes, { ...cloneJson(lent), status: { ...lent.status, conditions } }, { subresource: 'status' })
    return { node, health }
  }

  async #taint(ctx: Ctx, client: Client, node: Readonly<Node>): Promise<void> {
    const now = this.#env.clock.now()
    const taints = nextTaints(node, this.#executeTaint(node, now), now)
    if (taints === undefined) return
    const { resourceVersion } = node.metadata
    await client.patch(ctx, nodes, keyOf(node), 'merge', { metadata: { resourceVersion }, spec: { taints: taints.length === 0 ? null : taints } })
  }

  /** The NoExecute taint that the node should have now: none when all are down, one node a while and zone otherwise. */
  #executeTaint(node: Readonly<Node>, now: number): string | undefined {
    const { execute } = taintsOf(node)
    if (execute === undefined && !this.#allDown) return undefined // a heartbeat of a healthy node: the common case
    const zones = judgeZones(this.#nodes.list().map((other) => (other.metadata.uid === node.metadata.uid ? node : other)))
    if (this.#allDown && !zones.allDown) this.#startOver(now)
    this.#allDown = zones.allDown
    if (execute === undefined || zones.allDown) return undefined
    const has = (node.spec?.taints ?? []).some((t) => t.effect === 'NoExecute' && (t.key === 'node.kubernetes.io/not-ready' || t.key === 'node.kubernetes.io/unreachable'))
    if (has) return execute
    const zone = zoneOf(node)
    const mayAt = (this.#evictedAt.get(zone) ?? -Infinity) + zones.intervalMs(zone)
    if (mayAt > now) {
      if (mayAt !== Infinity) this.#env.queue.after(node.metadata.name ?? '', mayAt - now)
      return undefined
    }
    this.#evictedAt.set(zone, now)
    return execute
  }

  /** After all were down: whoever is still silent gets the full grace once more. */
  #startOver(now: number): void {
    for (const [name, health] of this.#health) this.#health.set(name, { ...health, heardAt: now })
  }

  async #markUnready(ctx: Ctx, client: Client, pod: Readonly<Pod>): Promise<void> {
    if (!isPodReady(pod)) return
    const now = formatTime(this.#env.clock.now())
    const conditions = pod.status?.conditions?.map((c) => (c.type === 'Ready' ? { ...c, status: 'False', lastTransitionTime: now } : c)) ?? []
    try {
      await client.update(ctx, pods, { ...cloneJson(pod), status: { ...pod.status, conditions } }, { subresource: 'status' })
      this.#env.recorder.event(pods, pod, 'Warning', 'NodeNotReady', 'Node is not ready')
    } catch (error) {
      // Gone, or written by its kubelet, which then is not that silent.
      if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) throw error
    }
  }
}
