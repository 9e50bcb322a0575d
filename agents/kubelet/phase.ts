/** The phase of a pod from the states of its containers (pkg/kubelet/kubelet_pods.go getPhase). Pure. */
import type { ContainerStatus, Pod } from '../../core/api/schema/types.ts'
import { containersOf, restartsAfter, type PodContainer } from './spec.ts'

type Restarts = (spec: PodContainer, exitCode: number) => boolean
type Count = 'pendingInit' | 'failedInit' | 'pendingSidecar' | 'unknown' | 'running' | 'waiting' | 'stopped' | 'stoppedForGood' | 'succeeded'

/** `restarts`: whether a container that ended with this code is started again. */
export function phaseOf(pod: Readonly<Pod>, statuses: readonly ContainerStatus[], terminal: boolean, restarts: Restarts = (spec, exitCode) => restartsAfter(pod, spec, exitCode)): string {
  const n: Record<Count, number> = { pendingInit: 0, failedInit: 0, pendingSidecar: 0, unknown: 0, running: 0, waiting: 0, stopped: 0, stoppedForGood: 0, succeeded: 0 }
  let appRuns = false
  for (const spec of containersOf(pod)) {
    const status = statuses.find((s) => s.name === spec.container.name)
    if (spec.kind === 'init') countInit(n, restarts, spec, status)
    else if (spec.kind === 'sidecar') countSidecar(n, status)
    else if (spec.kind === 'app') {
      countApp(n, restarts, spec, status)
      appRuns ||= status?.state?.running !== undefined || status?.state?.terminated !== undefined || status?.lastState?.terminated !== undefined
    }
  }
  if (n.failedInit > 0) return 'Failed'
  if (n.pendingInit > 0 || (n.pendingSidecar > 0 && !appRuns)) return 'Pending'
  if (n.waiting > 0) return 'Pending'
  if (n.running > 0 && n.unknown === 0) return 'Running'
  if (n.running === 0 && n.stopped > 0 && n.unknown === 0) {
    if (!terminal && n.stopped !== n.stoppedForGood) return 'Running'
    return n.stopped === n.succeeded ? 'Succeeded' : 'Failed'
  }
  return 'Pending'
}

function countInit(n: Record<Count, number>, restarts: Restarts, spec: PodContainer, status: ContainerStatus | undefined): void {
  const ended = status?.state?.terminated ?? (status?.state?.waiting === undefined ? undefined : status.lastState?.terminated)
  if (ended === undefined) n.pendingInit++
  else if (ended.exitCode !== 0) {
    if (restarts(spec, ended.exitCode)) n.pendingInit++
    else n.failedInit++
  }
}

function countSidecar(n: Record<Count, number>, status: ContainerStatus | undefined): void {
  if (status === undefined) n.unknown++
  else if (status.state?.running !== undefined) {
    if (status.started !== true) n.pendingSidecar++
    n.running++
  } else if (status.state?.waiting !== undefined && status.lastState?.terminated === undefined) {
    n.pendingSidecar++
    n.waiting++
  }
}

function countApp(n: Record<Count, number>, restarts: Restarts, spec: PodContainer, status: ContainerStatus | undefined): void {
  const ended = status?.state?.terminated ?? (status?.state?.waiting === undefined ? undefined : status.lastState?.terminated)
  if (status?.state?.running !== undefined) n.running++
  else if (ended !== undefined) {
    n.stopped++
    if (!restarts(spec, ended.exitCode)) n.stoppedForGood++
    if (status?.state?.terminated?.exitCode === 0) n.succeeded++
  } else if (status?.state?.waiting !== undefined) n.waiting++
  else n.unknown++
}
