/** The conditions that the kubelet owns (pkg/kubelet/status/generate.go). Pure; other owners' conditions pass through. */
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../../core/api/schema/types.ts'
import { resizeConditionTypes } from './resize/conditions.ts'
import { isSidecar } from './spec.ts'

export interface ConditionInput {
  readonly pod: Readonly<Pod>
  readonly prev: Readonly<PodStatus>
  readonly nowMs: number
  readonly phase: string
  readonly containers: readonly ContainerStatus[]
  readonly init: readonly ContainerStatus[]
  readonly sandboxReady: boolean
  /** How far a resize is. */
  readonly resizes?: readonly PodCondition[]
}

type Verdict = Pick<PodCondition, 'status' | 'reason' | 'message'>

const owned: readonly string[] = [...resizeConditionTypes, 'PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled']

export function conditionsOf(input: ConditionInput): PodCondition[] {
  const { pod, prev } = input
  const foreign = (pod.status?.conditions ?? []).filter((c) => !owned.includes(c.type))
  const containersReady = containersReadyOf(input)
  const make = (type: string, verdict: Verdict): PodCondition => {
    const before = prev.conditions?.find((c) => c.type === type)
    const since = before?.status === verdict.status ? before.lastTransitionTime : undefined
    return {
      type,
      ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
      lastTransitionTime: since ?? `${new Date(input.nowMs).toISOString().slice(0, 19)}Z`,
      ...verdict,
    }
  }
  return [
    ...foreign,
    ...(input.resizes ?? []),
    make('PodReadyToStartContainers', { status: input.sandboxReady ? 'True' : 'False' }),
    make('Initialized', initializedOf(input)),
    make('Ready', readyOf(input, containersReady)),
    make('ContainersReady', containersReady),
    make('PodScheduled', { status: 'True' }),
  ]
}

function terminalVerdict(phase: string): Verdict | undefined {
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  return phase === 'Succeeded' ? { status: 'False', reason: 'PodCompleted' } : undefined
}

function containersReadyOf({ pod, phase, containers, init }: ConditionInput): Verdict {
  const terminal = terminalVerdict(phase)
  if (terminal !== undefined) return terminal
  const names = [...(pod.spec?.initContainers ?? []).filter(isSidecar), ...(pod.spec?.containers ?? [])].map((c) => c.name)
  const unready = names.filter((name) => [...init, ...containers].find((s) => s.name === name)?.ready !== true)
  if (unready.length === 0) return { status: 'True' }
  return { status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }
}

function readyOf({ pod }: ConditionInput, containersReady: Verdict): Verdict {
  if (containersReady.status !== 'True') return containersReady
  const messages = (pod.spec?.readinessGates ?? []).flatMap((gate) => {
    const condition = pod.status?.conditions?.find((c) => c.type === gate.conditionType)
    if (condition === undefined) return [`corresponding condition of pod readiness gate "${gate.conditionType}" does not exist.`]
    return condition.status === 'True' ? [] : [`the status of pod readiness gate "${gate.conditionType}" is not "True", but ${condition.status}`]
  })
  return messages.length === 0 ? { status: 'True' } : { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') }
}

function initializedOf({ pod, phase, containers, init }: ConditionInput): Verdict {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' }
  const began = containers.some((s) => s.state?.running !== undefined || s.state?.terminated !== undefined || s.lastState?.terminated !== undefined)
  if (began) return { status: 'True' }
  const incomplete = (pod.spec?.initContainers ?? [])
    .filter((c) => {
      const status = init.find((s) => s.name === c.name)
      return isSidecar(c) ? status?.started !== true : status?.ready !== true
    })
    .map((c) => c.name)
  if (incomplete.length === 0) return { status: 'True' }
  return { status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${incomplete.join(' ')}]` }
}
