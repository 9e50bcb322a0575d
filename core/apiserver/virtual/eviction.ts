/**
 * Eviction: the deletion of a pod that asks its disruption budget first
 * (k8s.io/kubernetes/pkg/registry/core/pod/storage/eviction.go).
 */
import { withCondition } from '../../api/conditions.ts'
import { ApiError, badRequest, conflict, forbidden, invalid, isApiError, tooManyRequests } from '../../api/errors.ts'
import { invalidValue, notSupported, path } from '../../api/field.ts'
import { allowanceType, syncFailed, withAllowance } from '../../api/policy/allowance.ts'
import { selectorOf } from '../../api/selector.ts'
import type { AnyObject } from '../../api/meta.ts'
import type { Kind } from '../../api/kind.ts'
import type { DeleteOptions, Eviction, Pod, PodDisruptionBudget } from '../../api/schema/types.ts'
import { formatTime } from '../../api/time.ts'
import type { ApiServerDeps, Call, Outcome } from '../deps.ts'
import { writeOptions, type Asked } from '../verbs/options.ts'
import { readCreate } from './create.ts'

const target = { group: 'policy', version: 'v1', kind: 'Eviction', olderVersions: ['v1beta1'] } as const
/** Tries against others who write the same budget or pod. */
const triesMax = 20
const disruptedPodsMax = 2_000
/** What the server itself writes into a budget. */
const manager = 'kube-apiserver'
const violates = "Cannot evict pod as it would violate the pod's disruption budget."
const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as const

export async function evictPod(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const { object, asked } = await readCreate<Eviction>(deps, call, target)
  if ((object.metadata.name ?? '') !== call.info.name)
    throw badRequest('name in URL does not match name in Eviction object')
  const run = new Evicting(deps, call, asked, optionsOf(object, asked))
  await run.evict()
  return { type: 'object', code: 201, object: { ...success } }
}

/** A dry run may be asked for in the request or in the body; both must not differ. */
function optionsOf(eviction: Eviction, asked: Asked): DeleteOptions {
  const given = eviction.deleteOptions ?? {}
  const { dryRun = [], ignoreStoreReadErrorWithClusterBreakingPotential: ignore } = given
  if (ignore === true) {
    const at = path('deleteOptions', 'ignoreStoreReadErrorWithClusterBreakingPotential')
    throw invalid(target, eviction.metadata.name ?? '', [invalidValue(at, true, 'can not be set for pod eviction, try after removing the option')])
  }
  if (!asked.dryRun) return given
  if (dryRun.length === 0) return { ...given, dryRun: ['All'] }
  const requested = asked.options['dryRun'] as readonly string[]
  if (requested.join(' ') !== dryRun.join(' ')) {
    throw new ApiError({ code: 500, reason: '', message: `Non-matching dry-run options in request and content: [${requested.join(' ')}] and [${dryRun.join(' ')}]` })
  }
  return given
}

class Evicting {
  readonly #deps: ApiServerDeps
  readonly #call: Call
  readonly #asked: Asked
  readonly #options: DeleteOptions
  readonly #pods: Kind<Pod>
  readonly #budgets: Kind<PodDisruptionBudget>

  constructor(deps: ApiServerDeps, call: Call, asked: Asked, options: DeleteOptions) {
    this.#deps = deps
    this.#call = call
    this.#options = options
    this.#asked = { ...asked, dryRun: asked.dryRun || (options.dryRun ?? []).length > 0 }
    this.#pods = deps.registry.kind('', 'v1', 'pods') as Kind<Pod>
    this.#budgets = deps.registry.kind('policy', 'v1', 'poddisruptionbudgets') as Kind<PodDisruptionBudget>
  }

  async evict(): Promise<void> {
    const free = await this.#retry(async () => {
      const pod = await this.#pod()
      if (!needsNoBudget(pod)) return pod
      const running = pod.status?.phase === 'Pending' && pod.metadata.deletionTimestamp === undefined
      await this.#delete(running ? this.#at(pod) : this.#options)
      return undefined
    }, this.#options.preconditions?.resourceVersion === undefined)
    if (free === undefined) return
    const { name, unhealthy } = await this.#askBudget(free)
    try {
      await this.#delete(unhealthy ? this.#at(free) : this.#options)
    } catch (error) {
      // The pod became ready meanwhile, perhaps: the client asks again.
      if (unhealthy && isApiError(error, 'Conflict') && this.#options.preconditions?.resourceVersion === undefined)
        throw stillProcessed(name)
      throw error
    }
  }

  async #pod(): Promise<Readonly<Pod>> {
    const item = await this.#deps.registry.get(this.#call.ctx, this.#pods, this.#key())
    return item.object as unknown as Readonly<Pod>
  }

  #key(): { readonly namespace: string; readonly name: string } {
    return { namespace: this.#call.info.namespace, name: this.#call.info.name }
  }

  /** The same deletion, of exactly this version of the pod. */
  #at(pod: Readonly<Pod>): DeleteOptions {
    const { preconditions } = this.#options
    if (preconditions?.resourceVersion !== undefined) return this.#options
    return {
      ...this.#options,
      preconditions: { ...preconditions, resourceVersion: pod.metadata.resourceVersion ?? '' },
    }
  }

  /** One budget at most may speak about a pod. Throws 429, 403, 500. */
  async #askBudget(pod: Readonly<Pod>): Promise<{ readonly name: string; readonly unhealthy: boolean }> {
    const { items } = await this.#deps.registry.list(this.#call.ctx, this.#budgets, {
      namespace: pod.metadata.namespace ?? '',
    })
    const budgets = items
      .map((item) => item.object as unknown as Readonly<PodDisruptionBudget>)
      .filter((budget) => guards(budget, pod))
    if (budgets.length > 1) {
      throw new ApiError({
        code: 500,
        reason: '',
        message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      })
    }
    const [budget] = budgets
    if (budget === undefined) return { name: '', unhealthy: false }
    const name = budget.metadata.name ?? ''
    if (!isReady(pod)) {
      const status = budget.status
      const wanted = status?.desiredHealthy ?? 0
      const enough = wanted > 0 && (status?.currentHealthy ?? 0) >= wanted
      if (budget.spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow' || enough) return { name, unhealthy: true }
    }
    await this.#take(name, pod.metadata.name ?? '')
    return { name, unhealthy: false }
  }

  /** Takes one disruption from the budget and notes the pod in it. */
  async #take(name: string, pod: string): Promise<void> {
    const { ctx, info } = this.#call
    const change = (current: AnyObject | undefined): AnyObject => {
      const budget = current as unknown as PodDisruptionBudget
      const status = (budget.status ??= {})
      if ((status.observedGeneration ?? 0) < (budget.metadata.generation ?? 0)) throw stillProcessed(name)
      const about = { group: 'policy', resource: 'poddisruptionbudget' }
      const allowed = status.disruptionsAllowed ?? 0
      if (allowed < 0) throw forbidden(about, name, 'pdb disruptions allowed is negative')
      if (Object.keys(status.disruptedPods ?? {}).length > disruptedPodsMax) {
        throw forbidden(about, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller')
      }
      if (allowed === 0) throw notAllowed(budget)
      const now = ctx.clock.now()
      status.disruptionsAllowed = allowed - 1
      if (status.disruptionsAllowed === 0) status.conditions = withAllowance(status, now)
      status.disruptedPods = { ...status.disruptedPods, [pod]: formatTime(now) }
      return current as AnyObject
    }
    const options = {
      ...writeOptions(this.#deps, this.#call, this.#asked, { operation: 'UPDATE' }),
      subresource: 'status',
      admission: quiet,
      manager: { name: manager, operation: 'Update' as const },
    }
    await this.#deps.registry.update(ctx, this.#budgets, { namespace: info.namespace, name }, change, options)
  }

  async #delete(options: DeleteOptions): Promise<void> {
    const { ctx } = this.#call
    const write = {
      ...writeOptions(this.#deps, this.#call, this.#asked, { operation: 'DELETE' }),
      subresource: '',
      admission: quiet,
    }
    checkDryRun(options)
    let asked = options
    if (!this.#asked.dryRun) {
      const change = (current: AnyObject | undefined): AnyObject =>
        marked(current as unknown as Pod, options, ctx.clock.now()) as unknown as AnyObject
      const { item } = await this.#deps.registry.update(ctx, this.#pods, this.#key(), change, {
        ...write,
        subresource: 'status',
      })
      if (options.preconditions?.resourceVersion !== undefined) {
        asked = {
          ...options,
          preconditions: { ...options.preconditions, resourceVersion: item.object.metadata.resourceVersion ?? '' },
        }
      }
    }
    await this.#deps.registry.delete(ctx, this.#pods, this.#key(), asked, write)
  }

  async #retry<T>(work: () => Promise<T>, again: boolean): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work()
      } catch (error) {
        if (!again || tries >= triesMax || !isApiError(error, 'Conflict')) throw error
      }
    }
  }
}

function checkDryRun({ dryRun = [] }: DeleteOptions): void {
  if (dryRun.some((value) => value !== 'All')) {
    throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [notSupported(path('dryRun'), dryRun, ['All'])])
  }
}

/** The eviction itself was admitted; what it writes is the server's own. */
const quiet = { mutate: async (): Promise<void> => {}, validate: async (): Promise<void> => {} }

/** Pods that disturb nobody when they go. */
function needsNoBudget(pod: Readonly<Pod>): boolean {
  const phase = pod.status?.phase
  return (
    phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined
  )
}

/** A budget with a selector that cannot be read guards nothing. */
function guards(budget: Readonly<PodDisruptionBudget>, pod: Readonly<Pod>): boolean {
  try {
    return selectorOf(budget.spec?.selector).matches(pod.metadata.labels)
  } catch {
    return false
  }
}

function isReady(pod: Readonly<Pod>): boolean {
  return pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true
}

function marked(pod: Pod, options: DeleteOptions, now: number): Pod {
  const { uid, resourceVersion } = options.preconditions ?? {}
  const about = { group: '', resource: 'Pod' }
  const name = pod.metadata.name ?? ''
  if (uid !== undefined && uid !== '' && uid !== pod.metadata.uid) {
    throw conflict(
      about,
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${pod.metadata.uid ?? ''}). The object might have been deleted and then recreated`,
    )
  }
  if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== pod.metadata.resourceVersion) {
    throw conflict(
      about,
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${pod.metadata.resourceVersion ?? ''}). The object might have been modified`,
    )
  }
  const status = (pod.status ??= {})
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  }
  status.conditions = withCondition(status.conditions, condition, now)
  return pod
}

function withCause(error: ApiError, message: string): ApiError {
  return ApiError.from({
    ...error.status(),
    details: { ...error.details, causes: [{ reason: 'DisruptionBudget', message }] },
  })
}

function stillProcessed(name: string): ApiError {
  return withCause(
    tooManyRequests(violates, 10),
    `The disruption budget ${name} is still being processed by the server.`,
  )
}

function notAllowed(budget: Readonly<PodDisruptionBudget>): ApiError {
  const name = budget.metadata.name ?? ''
  const { currentHealthy = 0, desiredHealthy = 0, conditions = [] } = budget.status ?? {}
  const condition = conditions.find(
    (known) => known.type === allowanceType && known.status === 'False' && known.message !== '',
  )
  const start = `The disruption budget ${name} does not allow evicting pods currently`
  const why =
    condition?.reason === syncFailed
      ? `${start} because it failed sync: ${condition.message}`
      : currentHealthy <= desiredHealthy
        ? `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
        : condition !== undefined
          ? `${start} (${condition.reason}): ${condition.message}`
          : start
  const error = withCause(tooManyRequests(violates, 0), why)
  return ApiError.from({ ...error.status(), details: { causes: error.details?.causes ?? [] } })
}
