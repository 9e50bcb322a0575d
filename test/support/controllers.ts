/** Controllers for tests: run over testApi() with frozen listers, a kubelet that starts every pod at once, and a count of writes. */
import { pods } from '../../core/api/core/pod.ts'
import { keyOf } from '../../core/api/meta.ts'
import type { Pod } from '../../core/api/schema/types.ts'
import { formatTime } from '../../core/api/time.ts'
import type { Controller, Settings } from '../../core/controllers/controller.ts'
import { forkSettings } from '../../core/fork/fork.ts'
import type { Client } from '../../core/client/client.ts'
import { runControllers, type RunningControllers } from '../../core/controllers/run.ts'
import { testApi, type TestApi, type TestApiOptions } from './api.ts'

export interface TestCluster extends TestApi {
  /** Lets everything that can happen now happen, moving time only by `ms`. */
  settle(ms?: number): Promise<void>
  /** Ends a pod as a kubelet would, when its containers end with this code. */
  endPod(pod: Readonly<Pod>, exitCode: number): Promise<void>
  /** Writes since the last call, events not counted. */
  writes(): Promise<number>
}

export interface TestClusterOptions extends TestApiOptions {
  readonly settings?: Partial<Settings>
  /** Whether pods become ready as they come; by default they do. */
  readonly ready?: (pod: Readonly<Pod>) => boolean
  /** Whether pods that are to go do so at once; by default they do. */
  readonly gone?: (pod: Readonly<Pod>) => boolean
  /** Stands between the controllers and the API. */
  readonly between?: (client: Client) => Client
}

export async function testCluster(controllers: readonly Controller[], options: TestClusterOptions = {}): Promise<TestCluster> {
  const api = await testApi(options)
  let state: RunningControllers | undefined
  const run = runControllers(
    api.ctx,
    { clientAs: (who) => (options.between ?? ((client) => client))(api.clientAs(who)), random: api.random, settings: { ...forkSettings(api), sign: () => Promise.resolve('CERTIFICATE'), ...options.settings }, freeze: true },
    controllers,
    { ready: (running) => (state = running) },
  )
  let broke: unknown
  run.catch((error: unknown) => (broke = error))
  const starts = startPods(api, options.ready ?? (() => true), options.gone ?? (() => true))
  await api.clock.until(() => state !== undefined || broke !== undefined)
  if (broke !== undefined) throw broke
  let revision = api.registry.revision()
  const cluster: TestCluster = {
    ...api,
    async settle(ms = 0) {
      await api.clock.advance(ms)
      // Retries and events of one cause lie within a second.
      for (let i = 0; i < 4; i++) await api.clock.advance(250)
    },
    async endPod(pod, exitCode) {
      const now = formatTime(api.clock.now())
      const containerStatuses = (pod.spec?.containers ?? []).map(({ name, image = '' }) => ({
        name, image, imageID: '', ready: false, restartCount: 0, state: { terminated: { exitCode, finishedAt: now } },
      }))
      const conditions = [{ type: 'Ready', status: 'False', lastTransitionTime: now }]
      const status = { phase: exitCode === 0 ? 'Succeeded' : 'Failed', conditions, containerStatuses }
      await api.client.patch(api.ctx, pods, keyOf(pod), 'merge', { status }, { subresource: 'status' })
    },
    async writes() {
      const count = api.registry.revision() - revision
      revision = api.registry.revision()
      return count
    },
    async stop() {
      await api.stop()
      await run.catch(() => {})
      await starts
      if (broke !== undefined) throw broke
    },
  }
  return cluster
}

/** What a kubelet would do, at once: runs pods, and ends those that are to go. */
async function startPods(api: TestApi, ready: (pod: Readonly<Pod>) => boolean, gone: (pod: Readonly<Pod>) => boolean): Promise<void> {
  const { ctx, client, clock } = api
  try {
    for await (const { type, object } of client.watch(ctx, pods, { sendInitialEvents: true, allowBookmarks: true })) {
      if (type !== 'ADDED' && type !== 'MODIFIED') continue
      const key = { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' }
      if (object.metadata.deletionTimestamp !== undefined) {
        if ((object.spec?.nodeName ?? '') !== '' && gone(object)) await client.delete(ctx, pods, key, { gracePeriodSeconds: 0 }).catch(() => {})
      } else if ((object.status?.phase ?? 'Pending') === 'Pending' && ready(object)) {
        const now = formatTime(clock.now())
        const status = { phase: 'Running', podIP: '10.42.0.9', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now }] }
        await client.patch(ctx, pods, key, 'merge', { status }, { subresource: 'status' }).catch(() => {})
      }
    }
  } catch (error) {
    if (!ctx.signal.aborted) throw error
  }
}
