/**
 * The autoscaler's arithmetic against upstream's own answers: pods, samples, behaviors and histories by chance, with what
 * pkg/controller/podautoscaler of v1.36 made of them. One JSON document a line.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { HorizontalPodAutoscalerBehavior, Pod } from '../../../core/api/schema/types.ts'
import { formatMicroTime } from '../../../core/api/time.ts'
import { normalize, withChange } from '../../../core/controllers/autoscaler/behavior.ts'
import type { History } from '../../../core/controllers/autoscaler/history.ts'
import { type Proposal, byAverage, byShare, byUtilization, byValue, sumOf } from '../../../core/controllers/autoscaler/replicas.ts'

const lines = <T>(file: string): T[] => readFileSync(new URL(file, import.meta.url), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as T)
const now = Date.UTC(2026, 0, 1)
const ago = (seconds: number): number => now - seconds * 1_000

interface GoldenPod {
  readonly name: string
  readonly phase: string
  readonly deleted?: boolean
  readonly ready?: string
  readonly readyAgeS: number
  /** -1: it has none. */
  readonly startAgeS: number
  readonly containers: readonly { readonly name: string; readonly cpu: number; readonly sidecar?: boolean }[]
  readonly podCpu?: number
}

interface ReplicasCase {
  readonly op: string
  readonly current: number
  readonly target: number
  readonly up: number
  readonly down: number
  readonly resource?: string
  readonly container?: string
  readonly pods: readonly GoldenPod[]
  readonly metrics?: Readonly<Record<string, { readonly value: number; readonly ageS: number; readonly windowS: number }>>
  readonly values?: readonly string[]
  readonly want: { readonly error?: string; readonly replicas?: number; readonly usage?: string; readonly utilization?: number }
}

function podOf(golden: GoldenPod): Pod {
  const containers = golden.containers.map(({ name, cpu, sidecar }) => ({ name, resources: cpu < 0 ? {} : { requests: { cpu: `${cpu}m` } }, ...(sidecar === true ? { restartPolicy: 'Always' } : {}) }))
  return {
    metadata: { name: golden.name, ...(golden.deleted === true ? { deletionTimestamp: formatMicroTime(ago(1)) } : {}) },
    spec: {
      containers: containers.filter((c) => c.restartPolicy === undefined),
      initContainers: containers.filter((c) => c.restartPolicy !== undefined),
      ...(golden.podCpu === undefined ? {} : { resources: { requests: { cpu: `${golden.podCpu}m` } } }),
    },
    status: {
      phase: golden.phase,
      ...(golden.startAgeS < 0 ? {} : { startTime: formatMicroTime(ago(golden.startAgeS)) }),
      conditions: golden.ready === undefined ? [] : [{ type: 'Ready', status: golden.ready, lastTransitionTime: formatMicroTime(ago(golden.readyAgeS)) }],
    },
  } as Pod
}

function answer(golden: ReplicasCase): Proposal {
  const { op, current, target, up, down, resource = '', container = '', metrics = {}, values = [] } = golden
  const tolerances = { up, down }
  const scene = { pods: golden.pods.map(podOf), current, tolerances, nowMs: now }
  const samples = new Map(Object.entries(metrics).map(([name, { value, ageS, windowS }]) => [name, { value: BigInt(value), atMs: ago(ageS), windowMs: windowS * 1_000 }]))
  const whole = sumOf(values.map(BigInt))
  switch (op) {
    case 'utilization': return byUtilization(scene, samples, { resource, container }, target)
    case 'raw':
    case 'pods': return byAverage(scene, samples, resource, BigInt(target))
    case 'object':
    case 'external': return byValue(scene, whole, BigInt(target))
    default: return byShare(tolerances, current, whole, BigInt(target))
  }
}

function said(golden: ReplicasCase): ReplicasCase['want'] {
  try {
    const { replicas, usage, utilization } = answer(golden)
    return { replicas, usage: String(usage), ...(utilization === undefined ? {} : { utilization }) }
  } catch (error) {
    return { error: (error as Error).message }
  }
}

/** Of several pods without a request, upstream names any; what wraps its sentences tells the caller's business. */
const plain = ({ error, ...want }: ReplicasCase['want']): ReplicasCase['want'] => (error === undefined ? want : { error: error.replace('unable to calculate ready pods: ', '').replace(/ in container .*| in Pod .*/, '') })

describe('replicas', () => {
  it.each(lines<ReplicasCase>('replicas.jsonl').map((golden, i) => [i + 1, golden] as const))('line %i', (_, golden) => {
    expect(plain(said(golden))).toEqual(plain(golden.want))
  })
})

interface BehaviorCase {
  readonly behavior?: HorizontalPodAutoscalerBehavior
  readonly current: number
  readonly desired: number
  readonly min: number
  readonly max: number
  readonly recommendations: readonly { readonly change: number; readonly ageS: number }[]
  readonly ups: readonly { readonly change: number; readonly ageS: number }[]
  readonly downs: readonly { readonly change: number; readonly ageS: number }[]
  readonly want: object
}

describe('behaviors', () => {
  it.each(lines<BehaviorCase>('behaviors.jsonl').map((golden, i) => [i + 1, golden] as const))('line %i', (_, golden) => {
    const { behavior, current, desired, min, max } = golden
    const dated = ({ change, ageS }: { readonly change: number; readonly ageS: number }) => ({ change, atMs: ago(ageS) })
    const before: History = {
      recommendations: golden.recommendations.map(({ change, ageS }) => ({ replicas: change, atMs: ago(ageS) })),
      ups: golden.ups.map(dated),
      downs: golden.downs.map(dated),
    }
    const { replicas, conditions, history } = normalize({ behavior, current, desired, min, max }, before, now)
    const after = replicas === current ? history : withChange(history, behavior, { from: current, to: replicas }, now)
    expect({
      replicas,
      conditions: conditions.map(({ type, status, reason, message }) => [type, status, reason, message]),
      recommendations: after.recommendations.map((r) => r.replicas),
      ups: after.ups.map(({ change }) => change),
      downs: after.downs.map(({ change }) => change),
    }).toEqual(golden.want)
  })
})
