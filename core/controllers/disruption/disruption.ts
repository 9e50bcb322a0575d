/**
 * PodDisruptionBudgets: keeps in each budget's status how many of its pods may be disturbed now, which the eviction
 * subresource takes from (pkg/controller/disruption). What is counted is plan.ts. While nothing can be counted, nothing
 * is allowed.
 */
import { pods } from '../../api/core/pod.ts'
import { isApiError } from '../../api/errors.ts'
import { controllerOf } from '../../api/meta.ts'
import { podDisruptionBudgets } from '../../api/policy/poddisruptionbudget.ts'
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/schema/types.ts'
import { selectorOf } from '../../api/selector.ts'
import { goSelector } from '../../api/selectortext.ts'
import type { Client } from '../../client/client.ts'
import type { Lister } from '../../client/lister.ts'
import type { Recorder } from '../../client/recorder.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson } from '../../lib/json.ts'
import { memoOf } from '../../lib/memo.ts'
import type { Controller, Env } from '../controller.ts'
import { messageOf } from '../podcontrol.ts'
import { itself } from '../run.ts'
import { type FindManager, managers } from './managers.ts'
import { asksManagers, failedStatus, goingOf, healthyCount, type Need, needOf, statusOf } from './plan.ts'

type Budget = Readonly<PodDisruptionBudget>

export const disruptionController: Controller = {
  name: 'disruption-controller',
  component: 'controllermanager',
  workers: 1,
  setUp(env) {
    const budgets = env.watch(podDisruptionBudgets, itself)
    const podLister = env.watch(pods, (pod) => guardsOf(budgets, env.recorder, pod))
    const counting: Counting = { env, pods: podLister, find: managers(env) }

    return async (ctx, key, client) => {
      const budget = budgets.at(key)
      if (budget === undefined) return
      try {
        const { status, againMs } = await count(ctx, client, counting, budget)
        if (status !== undefined) await write(ctx, client, budget, status)
        if (againMs !== undefined) env.queue.after(key, againMs)
      } catch (error) {
        // Somebody was evicted meanwhile: counted anew with what the budget says then.
        if (ctx.signal.aborted || isApiError(error, 'Conflict')) throw error
        env.log.warn('budget not counted', { key, error })
        await write(ctx, client, budget, failedStatus(budget, messageOf(error), env.clock.now()))
        // What is wrong with the budget stays wrong until something changes; a server that was away comes back.
        if (isApiError(error) && error.code >= 500) throw error
      }
    }
  },
}

/** The keys of the budgets that guard a pod. There should be one at most: no eviction is possible under several. */
function guardsOf(budgets: Lister<PodDisruptionBudget>, recorder: Recorder, pod: Readonly<Pod>): readonly string[] {
  const { namespace = '', name = '', labels } = pod.metadata
  const guards = budgets.list(namespace).filter((budget) => selects(budget, labels))
  if (guards.length > 1) {
    const chosen = JSON.stringify(guards[0]?.metadata.name)
    recorder.event(pods, pod, 'Warning', 'MultiplePodDisruptionBudgets', `Pod ${JSON.stringify(namespace)}/${JSON.stringify(name)} matches multiple PodDisruptionBudgets.  Chose ${chosen} arbitrarily.`)
  }
  return guards.flatMap(itself)
}

const selectorFor = memoOf((budget: Budget) => selectorOf(budget.spec?.selector))

/** A selector that cannot be read selects nothing here; the budget's own key says what is wrong with it. */
function selects(budget: Budget, labels: Readonly<Record<string, string>> | undefined): boolean {
  try {
    return selectorFor(budget).matches(labels)
  } catch {
    return false
  }
}

interface Counting {
  readonly env: Env
  readonly pods: Lister<Pod>
  readonly find: FindManager
}

interface Counted {
  /** Undefined: as it is. */
  readonly status: PodDisruptionBudgetStatus | undefined
  readonly againMs: number | undefined
}

async function count(ctx: Ctx, client: Client, counting: Counting, budget: Budget): Promise<Counted> {
  const { env: { recorder, clock } } = counting
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void => recorder.event(podDisruptionBudgets, budget, type, reason, message)
  const guarded = podsOf(counting, budget, tell)
  if (guarded.length === 0) tell('Normal', 'NoPods', 'No matching pods found')
  const need = await needFor(ctx, client, counting, budget, guarded, tell)
  const now = clock.now()
  const going = goingOf(budget, guarded, now)
  const { namespace } = budget.metadata
  // Upstream says the namespace twice, too.
  for (const pod of going.left) recorder.event(pods, pod, 'Warning', 'NotDeleted', `Pod was expected by PDB ${namespace}/${namespace} to be deleted but it wasn't`)
  return {
    status: statusOf(budget, need, healthyCount(guarded, going.pods, now), going.pods, now),
    againMs: going.untilMs === undefined ? undefined : going.untilMs - now + 1, // just past it
  }
}

type Tell = (type: 'Normal' | 'Warning', reason: string, message: string) => void

function podsOf({ pods: lister }: Counting, budget: Budget, tell: Tell): readonly Readonly<Pod>[] {
  try {
    const selector = selectorFor(budget)
    return lister.list(budget.metadata.namespace ?? '').filter((pod) => selector.matches(pod.metadata.labels))
  } catch (error) {
    tell('Warning', 'NoPods', `Failed to get pods: ${messageOf(error)}`)
    throw error
  }
}

async function needFor(ctx: Ctx, client: Client, { find }: Counting, budget: Budget, guarded: readonly Readonly<Pod>[], tell: Tell): Promise<Need> {
  if (!asksManagers(budget)) return needOf(budget, guarded.length)
  try {
    const need = needOf(budget, await wanted(ctx, client, find, guarded))
    if (guarded.some((pod) => controllerOf(pod) === undefined)) tell('Warning', 'UnmanagedPods', unmanaged(budget))
    return need
  } catch (error) {
    tell('Warning', 'CalculateExpectedPodCountFailed', `Failed to calculate the number of expected pods: ${messageOf(error)}`)
    throw error
  }
}

/** What the managers of these pods want together. Pods without a manager count for nothing. */
async function wanted(ctx: Ctx, client: Client, find: FindManager, guarded: readonly Readonly<Pod>[]): Promise<number> {
  const replicas = new Map<string, number>()
  const asked = new Set<string>()
  for (const pod of guarded) {
    const owner = controllerOf(pod)
    if (owner === undefined || asked.has(owner.uid)) continue
    asked.add(owner.uid)
    const manager = await find(ctx, client, owner, pod.metadata.namespace ?? '')
    if (manager === undefined) throw new Error(`found no controllers for pod ${JSON.stringify(pod.metadata.name)}`)
    replicas.set(manager.uid, manager.replicas)
  }
  return [...replicas.values()].reduce((sum, n) => sum + n, 0)
}

function unmanaged({ spec }: Budget): string {
  return (
    `Pods selected by this PodDisruptionBudget (selector: ${goSelector(spec?.selector)}) were found ` +
    'to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. ' +
    'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
  )
}

async function write(ctx: Ctx, client: Client, budget: Budget, status: PodDisruptionBudgetStatus): Promise<void> {
  await client.update(ctx, podDisruptionBudgets, { ...cloneJson(budget), status }, { subresource: 'status' })
}
