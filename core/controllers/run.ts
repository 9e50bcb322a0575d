/**
 * Runs controllers: informers shared by all, a work queue, an identity and a recorder for each. Every controller starts
 * when every lister is complete; leaving waits for what is under way.
 */
import { isApiError } from '../api/errors.ts'
import type { KindRef } from '../api/kind.ts'
import type { KubeObject } from '../api/meta.ts'
import type { Client } from '../client/client.ts'
import type { Informer } from '../client/informer.ts'
import { Informers } from '../client/informers.ts'
import type { Identity } from '../client/inprocess.ts'
import type { Lister } from '../client/lister.ts'
import { EventRecorder } from '../client/recorder.ts'
import { named, type Ctx } from '../lib/ctx.ts'
import { Group } from '../lib/group.ts'
import type { Random } from '../lib/random.ts'
import { WorkQueue } from '../lib/workqueue.ts'
import { type Controller, type Env, identityOf, managerIdentity, type Settings } from './controller.ts'
import { OwnWrites } from './writes.ts'

const workersDefault = 4

export interface ControllerDeps {
  /** A client that acts as this user. */
  readonly clientAs: (who: Identity) => Client
  readonly random: Random
  readonly settings: Settings
  /** Freezes what listers lend: for tests. */
  readonly freeze?: boolean
}

export interface RunOptions {
  /** Called with what the controllers keep in mind, once they work. */
  readonly ready?: (state: RunningControllers) => void
}

export interface RunningControllers {
  readonly informers: Informers
  /** Whether no controller has anything to do now. */
  quiet(): boolean
}

/** Until ctx ends. */
export async function runControllers(ctx: Ctx, deps: ControllerDeps, controllers: readonly Controller[], options: RunOptions = {}): Promise<void> {
  const { random, freeze } = deps
  const informers = new Informers({ client: deps.clientAs(managerIdentity), random, ...(freeze === undefined ? {} : { freeze }) })
  await using group = new Group(ctx)
  const running = controllers.map((controller) => prepare(group.ctx, deps, informers, controller))
  group.go('informers', (part) => informers.run(part))
  await informers.synced(group.ctx)
  for (const { controller, recorder, work } of running) {
    group.go(`${controller.name} events`, (part) => recorder.run(part))
    group.go(controller.name, work)
  }
  options.ready?.({ informers, quiet: () => running.every(({ queue }) => queue.quiet) })
  await group.wait()
}

interface Prepared {
  readonly controller: Controller
  readonly recorder: EventRecorder
  readonly queue: WorkQueue
  readonly work: (ctx: Ctx) => Promise<void>
}

function prepare(parent: Ctx, deps: ControllerDeps, informers: Informers, controller: Controller): Prepared {
  const ctx = named(parent, controller.name)
  const client = deps.clientAs(identityOf(controller))
  const recorder = new EventRecorder(ctx, client, { component: controller.component ?? controller.name }, deps.random)
  const refills: (() => void)[] = []
  const queue = new WorkQueue({ clock: ctx.clock, random: deps.random, refill: () => refills.forEach((refill) => refill()) })
  const writes = new OwnWrites(informers, ctx.clock, (key, ms) => queue.after(key, ms))
  const env: Env = {
    clock: ctx.clock, random: deps.random, log: ctx.log, informers, recorder, settings: deps.settings, queue,
    read: (kind) => informers.of(kind).lister,
    watch: (kind, keys, selection) => watch(queue, refills, informers.of(kind, selection), keys),
  }
  const reconcile = controller.setUp(env)
  const failed = (key: string, error: unknown): void => {
    // A lost race is the ordinary way of hearing that the cache was behind; so is that the object has gone.
    if (isApiError(error, 'Conflict') || isApiError(error, 'NotFound')) ctx.log.debug('lost a race', { key, error })
    else ctx.log.warn('reconcile failed', { key, error, failures: queue.failures(key) + 1 })
  }
  const work = (part: Ctx): Promise<void> =>
    queue.run(part, async (turn, key) => (writes.settled(key) ? await reconcile(turn, key, writes.clientFor(key, client)) : undefined), {
      workers: controller.workers ?? workersDefault,
      failed,
    })
  return { controller, recorder, queue, work }
}

function watch<T extends KubeObject>(
  queue: WorkQueue, refills: (() => void)[], informer: Informer<T>, keys: (object: Readonly<T>) => readonly string[],
): Lister<T> {
  const add = (object: Readonly<T>): void => {
    for (const key of keys(object)) queue.add(key)
  }
  informer.on({
    added: add,
    updated: (next, prev) => {
      add(next)
      add(prev)
    },
    deleted: add,
  })
  refills.push(() => informer.lister.list().forEach(add))
  return informer.lister
}

/** The key of the object itself: what most controllers watch their own kind by. */
export function itself(object: Readonly<KubeObject>): readonly string[] {
  const { namespace, name } = object.metadata
  return [namespace === undefined || namespace === '' ? (name ?? '') : `${namespace}/${name ?? ''}`]
}

/** The key of the managing owner, where it is of this kind. */
export function ownerKey(kind: KindRef): (object: Readonly<KubeObject>) => readonly string[] {
  return (object) => {
    const owner = object.metadata.ownerReferences?.find((o) => o.controller === true)
    if (owner === undefined || owner.kind !== kind.kind || groupOf(owner.apiVersion) !== kind.group) return []
    return [`${object.metadata.namespace ?? ''}/${owner.name}`]
  }
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? '' : apiVersion.slice(0, slash)
}
