/**
 * HorizontalPodAutoscalers: every quarter of a minute as many replicas as the metrics ask for, within the least and the
 * most, as fast as the behavior allows (pkg/controller/podautoscaler). What a metric asks for is proposals.ts, how much
 * of it is followed behavior.ts; here the target is read, the metrics are compared, and the target is scaled.
 */
import { horizontalPodAutoscalers } from '../../api/autoscaling/horizontalpodautoscaler.ts'
import { pods } from '../../api/core/pod.ts'
import { quantityNumber } from '../../api/quantity.ts'
import type { HorizontalPodAutoscaler, MetricStatus, Pod } from '../../api/schema/types.ts'
import { parseLabelSelector, type Selector } from '../../api/selector.ts'
import type { Client } from '../../client/client.ts'
import type { Lister } from '../../client/lister.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import type { Controller, Env } from '../controller.ts'
import { messageOf } from '../podcontrol.ts'
import { itself } from '../run.ts'
import { normalize, withChange } from './behavior.ts'
import { type Metrics, metrics } from './metrics.ts'
import { NoProposal, propose, type Proposed, type Stage } from './proposals.ts'
import type { Tolerances } from './replicas.ts'
import { StatusDraft } from './status.ts'
import { findTarget, rescale, type Target } from './targets.ts'
import { Turns } from './turns.ts'

/** A ratio so near to 1 changes nothing. */
const toleranceDefault = 0.1

export const horizontalPodAutoscaler: Controller = {
  name: 'horizontal-pod-autoscaler',
  workers: 5,
  setUp(env) {
    const turns = new Turns((key, ms) => env.queue.after(key, ms))
    const autoscalers = env.watch(horizontalPodAutoscalers, (object) => {
      const [key = ''] = itself(object)
      turns.seen(key, object.metadata.namespace ?? '', env.clock.now())
      return []
    })
    const tools: Tools = { env, turns, autoscalers, pods: env.read(pods), metrics: metrics(env) }

    return async (ctx, key, client) => {
      const autoscaler = autoscalers.at(key)
      if (autoscaler === undefined) return turns.forget(key)
      if (!turns.takes(key, env.clock.now())) return
      const draft = new StatusDraft(autoscaler.status, env.clock.now())
      const turn = new Turn(tools, { ctx, client, key, autoscaler, draft })
      // The next turn comes soon enough: what fails is not tried before.
      try {
        await turn.take()
      } catch (error) {
        if (ctx.signal.aborted) throw error
        env.log.debug('not scaled', { key, error }) // events and conditions say so
      }
      await turn.writeStatus()
    }
  },
}

interface Tools {
  readonly env: Env
  readonly turns: Turns
  readonly autoscalers: Lister<HorizontalPodAutoscaler>
  readonly pods: Lister<Pod>
  readonly metrics: Metrics
}

interface Case {
  readonly ctx: Ctx
  readonly client: Client
  readonly key: string
  readonly autoscaler: Readonly<HorizontalPodAutoscaler>
  readonly draft: StatusDraft
}

/** What the replicas should be, and why. */
interface Verdict {
  readonly replicas: number
  readonly reason: string
  readonly metrics: readonly MetricStatus[] | undefined
}

/** One look at one autoscaler. */
class Turn {
  readonly #tools: Tools
  readonly #case: Case
  readonly #nowMs: number

  constructor(tools: Tools, own: Case) {
    this.#tools = tools
    this.#case = own
    this.#nowMs = tools.env.clock.now()
  }

  async take(): Promise<void> {
    const { ctx, client, key, autoscaler, draft } = this.#case
    const target = await this.#target()
    const current = target.scale.spec?.replicas ?? 0
    this.#tools.turns.begin(key, current, this.#nowMs)
    const verdict = await this.#verdict(target, current)
    if (verdict === undefined || verdict.replicas === current) return draft.count({ current, desired: current, metrics: verdict?.metrics, rescaled: false })
    const { replicas, reason, metrics: shown } = verdict
    try {
      await rescale(ctx, client, target, replicas)
    } catch (error) {
      this.#tell('Warning', 'FailedRescale', `New size: ${replicas}; reason: ${reason}; error: ${messageOf(error)}`)
      draft.set('AbleToScale', 'False', 'FailedUpdateScale', `the HPA controller was unable to update the target scale: ${messageOf(error)}`)
      draft.count({ current, desired: draft.desiredBefore, metrics: shown, rescaled: false })
      throw error
    }
    draft.set('AbleToScale', 'True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${replicas}`)
    this.#tell('Normal', 'SuccessfulRescale', `New size: ${replicas}; reason: ${reason}`)
    this.#tools.turns.remember(key, withChange(this.#tools.turns.history(key), autoscaler.spec.behavior, { from: current, to: replicas }, this.#nowMs))
    draft.remove('ScaledToZero')
    draft.count({ current, desired: replicas, metrics: shown, rescaled: true })
  }

  async writeStatus(): Promise<void> {
    const { ctx, client, autoscaler, draft } = this.#case
    const status = draft.made()
    if (equalJson(status, autoscaler.status)) return
    try {
      await client.update(ctx, horizontalPodAutoscalers, { ...cloneJson(autoscaler), status }, { subresource: 'status' })
    } catch (error) {
      if (ctx.signal.aborted) throw error
      this.#tell('Warning', 'FailedUpdateStatus', messageOf(error))
    }
  }

  #tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#tools.env.recorder.event(horizontalPodAutoscalers, this.#case.autoscaler, type, reason, message)
  }

  async #target(): Promise<Target> {
    const { ctx, client, autoscaler, draft } = this.#case
    try {
      const target = await findTarget(ctx, client, this.#tools.env.settings.kinds(), autoscaler)
      draft.set('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale")
      return target
    } catch (error) {
      if (ctx.signal.aborted) throw error
      this.#tell('Warning', 'FailedGetScale', messageOf(error))
      draft.set('AbleToScale', 'False', 'FailedGetScale', `the HPA controller was unable to get the target's current scale: ${messageOf(error)}`)
      throw error
    }
  }

  /** Undefined: scaling is off, because somebody scaled to nothing. Who scales to zero on their own is behind a feature that is off. */
  async #verdict(target: Target, current: number): Promise<Verdict | undefined> {
    const { autoscaler: { spec }, draft } = this.#case
    const min = spec.minReplicas ?? 1
    if (current === 0) {
      draft.set('ScalingActive', 'False', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero')
      draft.remove('ScaledToZero')
      return undefined
    }
    if (current > spec.maxReplicas) return { replicas: spec.maxReplicas, reason: 'Current number of replicas above Spec.MaxReplicas', metrics: undefined }
    if (current < min) return { replicas: min, reason: 'Current number of replicas below Spec.MinReplicas', metrics: undefined }
    const { best, statuses } = await this.#compared(target, current)
    return { ...this.#normalized(best, current, min), metrics: statuses }
  }

  #normalized(best: Pick<Proposed, 'replicas' | 'metric'>, current: number, min: number): Pick<Verdict, 'replicas' | 'reason'> {
    const { key, autoscaler: { spec }, draft } = this.#case
    const wish = { behavior: spec.behavior, current, desired: Math.max(0, best.replicas), min, max: spec.maxReplicas }
    const { replicas, conditions, history } = normalize(wish, this.#tools.turns.history(key), this.#nowMs)
    this.#tools.turns.remember(key, history)
    for (const { type, status, reason, message } of conditions) draft.set(type, status, reason, message)
    const reason = wish.desired > current ? `${best.metric} above target` : wish.desired < current ? 'All metrics below target' : ''
    return { replicas, reason }
  }

  /** The highest proposal. One that fails only stands in the way of going down. */
  async #compared(target: Target, current: number): Promise<{ readonly best: Pick<Proposed, 'replicas' | 'metric'>; readonly statuses: readonly MetricStatus[] }> {
    const { autoscaler: { spec: { metrics: specs = [] } }, draft } = this.#case
    const stage = this.#stage(target, current)
    const statuses: MetricStatus[] = []
    const failed: NoProposal[] = []
    let best = { replicas: 0, metric: '' }
    for (const spec of specs) {
      const proposed = await this.#proposed(stage, spec)
      statuses.push(proposed instanceof NoProposal ? { type: '' } : proposed.status)
      if (proposed instanceof NoProposal) failed.push(proposed)
      else if (best.replicas === 0 || proposed.replicas > best.replicas) best = proposed
    }
    const [first] = failed
    if (first !== undefined) this.#tools.env.log.debug('metrics without an answer', { key: this.#case.key, error: first })
    if (failed.length >= specs.length || (failed.length > 0 && best.replicas < current)) {
      if (first !== undefined) draft.set('ScalingActive', 'False', first.reason, `the HPA was unable to compute the replica count: ${first.why}`)
      return this.#refuse(current, statuses, `invalid metrics (${failed.length} invalid out of ${specs.length}), first error is: ${first?.message ?? ''}`)
    }
    draft.set('ScalingActive', 'True', 'ValidMetricFound', `the HPA was able to successfully calculate a replica count from ${best.metric}`)
    return { best, statuses }
  }

  async #proposed(stage: Stage, spec: Parameters<typeof propose>[1]): Promise<Proposed | NoProposal> {
    try {
      return await propose(stage, spec)
    } catch (error) {
      if (!(error instanceof NoProposal) || this.#case.ctx.signal.aborted) throw error
      this.#tell('Warning', error.reason, error.why)
      return error
    }
  }

  #refuse(current: number, statuses: readonly MetricStatus[] | undefined, message: string): never {
    const { draft } = this.#case
    draft.count({ current, desired: draft.desiredBefore, metrics: statuses, rescaled: false })
    this.#tell('Warning', 'FailedComputeMetricsReplicas', message)
    throw new Error(message)
  }

  #stage(target: Target, current: number): Stage {
    const { ctx, client, autoscaler } = this.#case
    const namespace = autoscaler.metadata.namespace ?? ''
    const selector = this.#selector(target, current)
    return {
      asking: { ctx, client, namespace },
      metrics: this.#tools.metrics,
      selector,
      pods: this.#tools.pods.list(namespace).filter((pod) => selector.matches(pod.metadata.labels)),
      current,
      have: target.scale.status?.replicas ?? 0,
      tolerances: tolerancesOf(autoscaler),
      nowMs: this.#nowMs,
    }
  }

  /** Of the target's pods, which no other autoscaler may have. */
  #selector(target: Target, current: number): Selector {
    const { key, autoscaler } = this.#case
    const text = target.scale.status?.selector ?? ''
    const refuse = (event: string, reason: string, message: string, condition = message): never => {
      this.#tell('Warning', event, message)
      this.#case.draft.set('ScalingActive', 'False', reason, condition)
      return this.#refuse(current, undefined, message)
    }
    if (text === '') return refuse('SelectorRequired', 'InvalidSelector', 'selector is required', "the HPA target's scale is missing a selector")
    let selector: Selector
    try {
      selector = parseLabelSelector(text)
    } catch (error) {
      return refuse('InvalidSelector', 'InvalidSelector', `couldn't convert selector into a corresponding internal selector object: ${messageOf(error)}`)
    }
    const labels = this.#tools.pods.list(autoscaler.metadata.namespace ?? '').map((pod) => pod.metadata.labels).filter((of) => selector.matches(of))
    const claims = this.#tools.turns.claim(key, selector, labels, this.#tools.autoscalers)
    if (claims.length > 1) return refuse('AmbiguousSelector', 'AmbiguousSelector', `pods by selector ${text} are controlled by multiple HPAs: [${claims.join(' ')}]`)
    return selector
  }
}

function tolerancesOf({ spec: { behavior } }: Readonly<HorizontalPodAutoscaler>): Tolerances {
  return { up: tolerance(behavior?.scaleUp?.tolerance), down: tolerance(behavior?.scaleDown?.tolerance) }
}

function tolerance(given: string | number | undefined): number {
  return given === undefined ? toleranceDefault : quantityNumber(given)
}
