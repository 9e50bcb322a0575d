/**
 * What /livez, /readyz and component statuses say of a server: the store, the steps of its start, its parts. Checks have
 * upstream's names where ours do the same work; what upstream has and we have not is not among them.
 */
import type { ApiServerDeps, HealthCheck } from './deps.ts'

/** Steps of a start. The first is over before the server listens, the others write what a cluster begins with. */
export type Step = 'caches' | 'roles' | 'objects' | 'flow' | 'parts'

export class Progress {
  readonly #done = new Set<Step>()

  /** `step`, noted once it is over. */
  async after(step: Step, work: Promise<unknown>): Promise<void> {
    await work
    this.done(step)
  }

  done(step: Step): void {
    this.#done.add(step)
  }

  has(step: Step): boolean {
    return this.#done.has(step)
  }
}

/** In upstream's order. */
const hooks: readonly (readonly [string, Step])[] = [
  ['start-apiserver-admission-initializer', 'caches'],
  ['generic-apiserver-start-informers', 'caches'],
  ['priority-and-fairness-config-consumer', 'parts'],
  ['priority-and-fairness-filter', 'caches'],
  ['storage-object-count-tracker-hook', 'caches'],
  ['start-apiextensions-informers', 'caches'],
  ['start-apiextensions-controllers', 'parts'],
  ['crd-informer-synced', 'caches'],
  ['start-system-namespaces-controller', 'objects'],
  ['start-cluster-authentication-info-controller', 'parts'],
  ['storage-readiness', 'caches'],
  ['start-legacy-token-tracking-controller', 'parts'],
  ['start-service-ip-repair-controllers', 'parts'],
  ['rbac/bootstrap-roles', 'roles'],
  ['scheduling/bootstrap-system-priority-classes', 'objects'],
  ['priority-and-fairness-config-producer', 'flow'],
  ['bootstrap-controller', 'objects'],
  ['start-kubernetes-service-cidr-controller', 'objects'],
  ['apiservice-status-local-available-controller', 'parts'],
  ['apiservice-status-remote-available-controller', 'parts'],
  ['apiservice-registration-controller', 'parts'],
  ['apiservice-discovery-controller', 'parts'],
  ['kube-apiserver-autoregistration', 'parts'],
  ['apiservice-openapi-controller', 'parts'],
  ['apiservice-openapiv3-controller', 'parts'],
]

/** `reads` asks the store for something. */
export function healthChecks(reads: HealthCheck['check'], progress: Progress): readonly HealthCheck[] {
  return [
    { name: 'etcd', live: true, check: reads },
    { name: 'etcd-readiness', live: false, check: reads },
    { name: 'informer-sync', live: false, check: () => over(progress, 'caches', 'informers not started yet') },
    ...hooks.map(([name, step]) => ({ name: `poststarthook/${name}`, live: true, check: () => over(progress, step, 'not finished') })),
  ]
}

function over(progress: Progress, step: Step, why: string): void {
  if (!progress.has(step)) throw new Error(why)
}

/** Of one process: what is in it runs, or the process does not. */
export function components(reads: HealthCheck['check'], runsHere: { readonly controllers: boolean; readonly scheduler: boolean }, progress: Progress): NonNullable<ApiServerDeps['components']> {
  const runs = (here: boolean): void => {
    if (!here) throw new Error('does not run in this server')
    over(progress, 'parts', 'has not started yet')
  }
  return [
    { name: 'controller-manager', check: () => runs(runsHere.controllers) },
    { name: 'scheduler', check: () => runs(runsHere.scheduler) },
    { name: 'etcd-0', check: reads },
  ]
}
