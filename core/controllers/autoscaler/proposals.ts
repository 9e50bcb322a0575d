/**
 * What each metric of an autoscaler proposes: its samples, the replicas they ask for, how the status shows them, and,
 * where it cannot be had, why. The arithmetic is replicas.ts.
 */
import type { ContainerResourceMetricSource, ExternalMetricSource, MetricSpec, MetricStatus, MetricTarget, ObjectMetricSource, PodsMetricSource, ResourceMetricSource } from '../../api/schema/types.ts'
import { selectorOf, type Selector } from '../../api/selector.ts'
import { goSelector } from '../../api/selectortext.ts'
import { messageOf } from '../podcontrol.ts'
import { amountOf, quantityOf } from './amounts.ts'
import type { Asking, Metrics } from './metrics.ts'
import { byAverage, byShare, byUtilization, byValue, type Proposal, type Scene, sumOf } from './replicas.ts'

export interface Stage extends Scene {
  readonly asking: Asking
  readonly metrics: Metrics
  readonly selector: Selector
  /** Replicas there are, as the target says. */
  readonly have: number
}

export interface Proposed {
  readonly replicas: number
  /** As events name it. */
  readonly metric: string
  readonly status: MetricStatus
}

/** A metric that proposes nothing. */
export class NoProposal extends Error {
  /** Of the event and the condition. */
  readonly reason: string
  /** What event and condition say: the message without what it is a part of. */
  readonly why: string

  constructor(reason: string, why: string, message: string) {
    super(message)
    this.reason = reason
    this.why = why
  }
}

/** Throws NoProposal. */
export async function propose(stage: Stage, spec: Readonly<MetricSpec>): Promise<Proposed> {
  const { resource, containerResource, pods, object, external } = spec
  if (spec.type === 'Resource' && resource !== undefined) {
    return await attempt('FailedGetResourceMetric', `failed to get ${resource.name} resource metric value`, async () => await byResource(stage, resource))
  }
  if (spec.type === 'ContainerResource' && containerResource !== undefined) {
    return await attempt('FailedGetContainerResourceMetric', `failed to get ${containerResource.container} container metric value`, async () => await byContainer(stage, containerResource))
  }
  if (spec.type === 'Pods' && pods !== undefined) return await attempt('FailedGetPodsMetric', 'failed to get pods metric value', async () => await byPods(stage, pods))
  if (spec.type === 'Object' && object !== undefined) return await attempt('FailedGetObjectMetric', 'failed to get object metric value', async () => await byObject(stage, object))
  if (spec.type === 'External' && external !== undefined) {
    return await attempt('FailedGetExternalMetric', `failed to get ${external.metric.name} external metric value`, async () => await byExternal(stage, external))
  }
  const why = `unknown metric source type ${JSON.stringify(spec.type)}`
  throw new NoProposal('InvalidMetricSourceType', why, why)
}

async function attempt(reason: string, failing: string, work: () => Promise<Proposed>): Promise<Proposed> {
  try {
    return await work()
  } catch (error) {
    const inner = error instanceof Inside ? error : undefined
    throw new NoProposal(reason, inner?.why ?? messageOf(error), `${failing}: ${messageOf(error)}`)
  }
}

/** Part of a failure that its event leaves out. */
class Inside extends Error {
  readonly why: string

  constructor(failing: string, why: string) {
    super(`${failing}: ${why}`)
    this.why = why
  }
}

async function inside<T>(failing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new Inside(failing, messageOf(error))
  }
}

/** What a part of the way says before what went wrong on it. */
async function unable<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new Error(`unable to get ${what}: ${messageOf(error)}`, { cause: error })
  }
}

interface OfResource {
  readonly current: { readonly averageValue: string; readonly averageUtilization?: number }
  readonly replicas: number
  /** As events name it. */
  readonly metric: string
}

async function byResource(stage: Stage, { name, target }: Readonly<ResourceMetricSource>): Promise<Proposed> {
  const { current, ...proposed } = await ofResource(stage, { name, target, container: '' })
  return { ...proposed, status: { type: 'Resource', resource: { name, current } } }
}

async function byContainer(stage: Stage, { name, target, container }: Readonly<ContainerResourceMetricSource>): Promise<Proposed> {
  const { current, ...proposed } = await ofResource(stage, { name, target, container })
  return { ...proposed, status: { type: 'ContainerResource', containerResource: { name, container, current } } }
}

async function ofResource(stage: Stage, { name, target, container }: { readonly name: string; readonly target: Readonly<MetricTarget>; readonly container: string }): Promise<OfResource> {
  const samples = () => unable(`metrics for resource ${name}`, async () => await stage.metrics.ofResource(stage.asking, name, stage.selector, container))
  const { averageValue, averageUtilization } = target
  const calculated = async (what: string, calculate: () => Promise<Proposal>): Promise<Proposal> => {
    try {
      return await calculate()
    } catch (error) {
      throw new Error(`failed to get ${name} ${what}: ${messageOf(error)}`, { cause: error })
    }
  }
  if (averageValue !== undefined) {
    const { replicas, usage } = await calculated('usage', async () => byAverage(stage, await samples(), name, amountOf(averageValue)))
    return { replicas, metric: `${name} resource`, current: { averageValue: quantityOf(usage, name) } }
  }
  if (averageUtilization === undefined) throw new Error('invalid resource metric source: neither an average utilization target nor an average value (usage) target was set')
  const { replicas, usage, utilization = 0 } = await calculated('utilization', async () => byUtilization(stage, await samples(), { resource: name, container }, averageUtilization))
  const metric = `${name} ${container === '' ? '' : 'container '}resource utilization (percentage of request)`
  return { replicas, metric, current: { averageUtilization: utilization, averageValue: quantityOf(usage, name) } }
}

async function byPods(stage: Stage, { metric, target }: Readonly<PodsMetricSource>): Promise<Proposed> {
  const selector = selectorOf(metric.selector)
  const samples = await unable(`metric ${metric.name}`, async () => await stage.metrics.ofPods(stage.asking, { name: metric.name, selector }, stage.selector))
  const { replicas, usage } = byAverage(stage, samples, '', amountOf(target.averageValue ?? 0))
  return { replicas, metric: `pods metric ${metric.name}`, status: { type: 'Pods', pods: { metric, current: { averageValue: quantityOf(usage) } } } }
}

async function byObject(stage: Stage, { metric, target, describedObject }: Readonly<ObjectMetricSource>): Promise<Proposed> {
  const selector = selectorOf(metric.selector)
  const value = async (): Promise<bigint> => {
    try {
      return await stage.metrics.ofObject(stage.asking, { name: metric.name, selector }, describedObject)
    } catch (error) {
      // Upstream's words, in its order.
      throw new Error(`unable to get metric ${metric.name}: ${describedObject.kind} on ${stage.asking.namespace} ${describedObject.name}/${messageOf(error)}`, { cause: error })
    }
  }
  const status = (current: { readonly value?: string; readonly averageValue?: string }): MetricStatus => ({ type: 'Object', object: { metric, describedObject, current } })
  if (target.type === 'Value' && target.value !== undefined) {
    const { replicas, usage } = await counting(stage, await value(), amountOf(target.value))
    return { replicas, metric: `${describedObject.kind} metric ${metric.name}`, status: status({ value: quantityOf(usage) }) }
  }
  if (target.type === 'AverageValue' && target.averageValue !== undefined) {
    const whole = await inside(`failed to get ${metric.name} object metric`, value)
    const { replicas, usage } = byShare(stage.tolerances, stage.have, whole, amountOf(target.averageValue))
    return { replicas, metric: `external metric ${metric.name}(${goSelector(metric.selector)})`, status: status({ averageValue: quantityOf(usage) }) }
  }
  throw new Error('invalid object metric source: neither a value target nor an average value target was set')
}

async function byExternal(stage: Stage, { metric, target }: Readonly<ExternalMetricSource>): Promise<Proposed> {
  const selector = goSelector(metric.selector)
  const whole = async (): Promise<bigint> => {
    const labels = selectorOf(metric.selector)
    return sumOf(await unable(`external metric ${stage.asking.namespace}/${metric.name}/${selector}`, async () => await stage.metrics.external(stage.asking, { name: metric.name, selector: labels })))
  }
  const proposed = (replicas: number, current: { readonly value?: string; readonly averageValue?: string }): Proposed => ({
    replicas, metric: `external metric ${metric.name}(${selector})`, status: { type: 'External', external: { metric, current } },
  })
  if (target.averageValue !== undefined) {
    const { replicas, usage } = byShare(stage.tolerances, stage.have, await inside(`failed to get ${metric.name} external metric`, whole), amountOf(target.averageValue))
    return proposed(replicas, { averageValue: quantityOf(usage) })
  }
  if (target.value === undefined) throw new Error('invalid external metric source: neither a value target nor an average value target was set')
  const goal = amountOf(target.value)
  const { replicas, usage } = await inside(`failed to get external metric ${metric.name}`, async () => await counting(stage, await whole(), goal))
  return proposed(replicas, { value: quantityOf(usage) })
}

async function counting(stage: Stage, usage: bigint, target: bigint): Promise<Proposal> {
  try {
    return byValue(stage, usage, target)
  } catch (error) {
    throw new Error(`unable to calculate ready pods: ${messageOf(error)}`, { cause: error })
  }
}
