/**
 * A pod's status from what runs: container states, phase, conditions. Pure; the
 * rules are those of pkg/kubelet/kubelet_pods.go (getPhase, convertToAPIContainerStatuses)
 * and pkg/kubelet/status/generate.go. Times of transitions are kept from `prev`.
 */
import type { ContainerState, ContainerStatus, Pod, PodCondition, PodStatus } from '../../core/api/schema/types.ts'
import type { RuntimeContainer } from '../host/runtime.ts'
import { conditionsOf } from './conditions.ts'
import { attemptOf, containerNameOf } from './labels.ts'
import type { ObservedPod } from './observe.ts'
import { phaseOf } from './phase.ts'
import type { PodRecord } from './resize/records.ts'
import { shownContainer, shownPod } from './resize/shown.ts'
import { qosOf } from './resources.ts'
import { containersOf, isTerminalPhase, restartsAfter, type PodContainer } from './spec.ts'

export interface StatusInput {
  readonly pod: Readonly<Pod>
  /** The status that was last written, or the API's. */
  readonly prev: Readonly<PodStatus>
  readonly observed: ObservedPod | undefined
  readonly nowMs: number
  readonly hostIPs: readonly string[]
  readonly podIPs: readonly string[]
  /** Why a container does not run, while it is held back or could not be started. */
  readonly reasons: ReadonlyMap<string, { readonly reason: string; readonly message: string }>
  /** Termination messages by container id. */
  readonly messages: ReadonlyMap<string, string>
  readonly imageRef: (imageId: string) => string
  readonly started: (container: RuntimeContainer, spec: PodContainer) => boolean
  readonly ready: (container: RuntimeContainer, spec: PodContainer) => boolean
  /** Ids of containers that were ended to be started anew. */
  readonly replaced?: ReadonlySet<string>
  /** How far a resize of the pod is. */
  readonly resizes?: readonly PodCondition[]
  /** What of the pod's resources is in force. */
  readonly record?: PodRecord | undefined
  /** Nothing of it runs, and nothing will. */
  readonly terminal: boolean
  /** Phase, reason and message that were decided from outside: deadline, rejection. */
  readonly verdict?: { readonly phase: 'Failed'; readonly reason: string; readonly message: string }
}

export function statusOf(input: StatusInput): PodStatus {
  const { pod, prev, observed, hostIPs } = input
  const by = (kinds: readonly string[], list: readonly ContainerStatus[] | undefined): ContainerStatus[] =>
    containersOf(pod).filter((c) => kinds.includes(c.kind)).map((c) => containerStatus(input, c, list?.find((s) => s.name === c.container.name)))
  const init = by(['init', 'sidecar'], prev.initContainerStatuses)
  const app = by(['app'], prev.containerStatuses).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const ephemeral = by(['ephemeral'], prev.ephemeralContainerStatuses)
  const phase = input.verdict?.phase ?? keptPhase(prev, phaseOf(pod, [...app, ...init], input.terminal, (spec, exitCode) => restarts(input, spec, exitCode)))
  const kept = phase === prev.phase ? { reason: prev.reason, message: prev.message } : {}
  const { reason, message } = input.verdict ?? kept
  const podIPs = pod.spec?.hostNetwork === true ? hostIPs : input.podIPs.length > 0 || observed?.sandboxes[0]?.state === 'running' ? input.podIPs : (prev.podIPs ?? []).map((p) => p.ip)
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: conditionsOf({ pod, prev, nowMs: input.nowMs, phase, containers: app, init, sandboxReady: observed?.sandboxes[0]?.state === 'running' && (podIPs.length > 0 || input.terminal), resizes: input.terminal ? [] : (input.resizes ?? []) }),
    ...(message === undefined || message === '' ? {} : { message }),
    ...(reason === undefined || reason === '' ? {} : { reason }),
    ...(hostIPs[0] === undefined ? {} : { hostIP: hostIPs[0], hostIPs: hostIPs.map((ip) => ({ ip })) }),
    ...(podIPs[0] === undefined ? {} : { podIP: podIPs[0], podIPs: podIPs.map((ip) => ({ ip })) }),
    startTime: prev.startTime ?? rfc3339(input.nowMs),
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: app,
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
    qosClass: qosOf(pod),
    ...shownPod(pod, input.record?.group, { running: phase === 'Running' }),
  }
}

/** Of that container; of one that nobody wrote down it is not known. */
function inForceRequest(record: PodRecord | undefined, c: RuntimeContainer): string | undefined {
  const known = record?.inForce[containerNameOf(c)]
  return known?.id === c.id ? known.memoryRequest : undefined
}

function restarts({ pod, observed, replaced }: StatusInput, spec: PodContainer, exitCode: number): boolean {
  // Its successor may be made already, but not run yet.
  const last = observed?.containers.find((c) => containerNameOf(c) === spec.container.name && c.state !== 'created')
  return (last?.state === 'exited' && replaced?.has(last.id) === true) || restartsAfter(pod, spec, exitCode)
}

/** Terminal phases are for ever. */
function keptPhase(prev: Readonly<PodStatus>, next: string): string {
  return isTerminalPhase(prev.phase) && prev.phase !== undefined ? prev.phase : next
}

function containerStatus(input: StatusInput, spec: PodContainer, prev: ContainerStatus | undefined): ContainerStatus {
  const { container } = spec
  const [now, before] = input.observed?.containers.filter((c) => containerNameOf(c) === container.name) ?? []
  const status = now === undefined ? withoutContainer(input, spec, prev) : fromContainer(input, spec, now, before, prev)
  return applyReason(input, spec, status, now)
}

function fromContainer(input: StatusInput, spec: PodContainer, now: RuntimeContainer, before: RuntimeContainer | undefined, prev: ContainerStatus | undefined): ContainerStatus {
  const state = stateOf(input, now)
  const lastState = before === undefined ? (prev?.lastState ?? {}) : stateOf(input, before)
  const running = now.state === 'running'
  const started = running && input.started(now, spec)
  const ready = spec.kind === 'init' ? state.terminated?.exitCode === 0 : started && input.ready(now, spec)
  return {
    name: spec.container.name,
    state,
    lastState: lastState.running === undefined ? lastState : {},
    ready,
    restartCount: Math.max(attemptOf(now), 0),
    image: now.image,
    imageID: input.imageRef(now.imageId),
    containerID: containerId(now.id),
    started,
    ...details(spec),
    ...(spec.kind === 'ephemeral' ? {} : shownContainer(spec.container, now, inForceRequest(input.record, now))),
  }
}

/** No container of that name: it was never made, or somebody removed it. */
function withoutContainer(input: StatusInput, spec: PodContainer, prev: ContainerStatus | undefined): ContainerStatus {
  const base: ContainerStatus = { name: spec.container.name, state: notYet(input.pod), lastState: {}, ready: false, restartCount: 0, image: spec.container.image ?? '', imageID: '', started: false, ...details(spec) }
  if (prev === undefined) return base
  if (prev.state?.terminated !== undefined) return { ...prev, ready: spec.kind === 'init' && prev.state.terminated.exitCode === 0, started: false }
  const kept = { ...base, restartCount: prev.restartCount, lastState: prev.lastState ?? {} }
  if (prev.state?.running === undefined || kept.lastState.terminated !== undefined) return kept
  const lost = {
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was deleted.  The container used to be Running',
    exitCode: 137,
  }
  if (input.terminal) return { ...kept, state: { terminated: lost }, imageID: prev.imageID }
  const gone = input.pod.metadata.deletionTimestamp !== undefined
  return { ...kept, lastState: { terminated: lost }, restartCount: prev.restartCount + (gone ? 0 : 1) }
}

/** While it is held back the reason is the state, and how it ended becomes the last state. */
function applyReason(input: StatusInput, spec: PodContainer, status: ContainerStatus, now: RuntimeContainer | undefined): ContainerStatus {
  const why = input.reasons.get(spec.container.name)
  if (why === undefined || input.terminal || now?.state === 'running') return status
  if (now?.state === 'exited' && !restarts(input, spec, now.exitCode)) return status
  const lastState = status.state?.terminated === undefined ? (status.lastState ?? {}) : { terminated: status.state.terminated }
  const waiting = { ...(why.message === '' ? {} : { message: why.message }), reason: why.reason }
  return { ...status, state: { waiting }, lastState, ready: false, started: false }
}

/** A container that has not run, whether it is made already or not. */
function notYet(pod: Readonly<Pod>): ContainerState {
  return { waiting: { reason: (pod.spec?.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating' } }
}

function stateOf(input: StatusInput, c: RuntimeContainer): ContainerState {
  if (c.state === 'running') return { running: { startedAt: rfc3339(c.startedMs) } }
  if (c.state === 'created') return notYet(input.pod)
  const message = c.startFailed ? c.error : (input.messages.get(c.id) ?? '')
  return {
    terminated: {
      exitCode: c.exitCode,
      reason: c.startFailed ? 'ContainerCannotRun' : c.oomKilled ? 'OOMKilled' : c.exitCode === 0 ? 'Completed' : 'Error',
      ...(message === '' ? {} : { message }),
      startedAt: rfc3339(c.startedMs || c.createdMs),
      finishedAt: rfc3339(c.finishedMs || c.createdMs),
      containerID: containerId(c.id),
    },
  }
}

function details({ container }: PodContainer): Partial<ContainerStatus> {
  const { volumeMounts = [] } = container
  if (volumeMounts.length === 0) return {}
  return {
    volumeMounts: volumeMounts.map((m) => ({
      name: m.name,
      mountPath: m.mountPath,
      ...(m.readOnly === true ? { readOnly: true, recursiveReadOnly: 'Disabled' } : {}),
    })),
  }
}

export const containerId = (id: string): string => `docker://${id}`
export const rfc3339 = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`
