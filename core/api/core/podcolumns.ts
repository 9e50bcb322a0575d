/** How `kubectl get pods` shows a pod: readiness, the STATUS word and restarts (upstream's printPod). */
import { since } from '../age.ts'
import { ageColumn, nameColumn, text, wide } from '../columns.ts'
import type { Column } from '../kind.ts'
import { isBeingDeleted } from '../meta.ts'
import type { Container, ContainerStatus, Pod } from '../schema/types.ts'

export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  text('Ready', (pod) => `${summaryOf(pod).ready}/${summaryOf(pod).total}`),
  text('Status', (pod) => summaryOf(pod).reason),
  text('Restarts', (pod, now) => {
    const { restarts, lastRestart } = summaryOf(pod)
    return restarts > 0 && lastRestart !== '' ? `${restarts} (${since(lastRestart, now)} ago)` : String(restarts)
  }),
  ageColumn,
  wide('IP', (pod) => pod.status?.podIPs?.[0]?.ip ?? '<none>'),
  wide('Node', (pod) => pod.spec?.nodeName || '<none>'),
  wide('Nominated Node', (pod) => pod.status?.nominatedNodeName || '<none>'),
  wide('Readiness Gates', (pod) => {
    const gates = pod.spec?.readinessGates ?? []
    if (gates.length === 0) return '<none>'
    const isTrue = (type: string): boolean => pod.status?.conditions?.find((c) => c.type === type)?.status === 'True'
    return `${gates.filter((gate) => isTrue(gate.conditionType)).length}/${gates.length}`
  }),
]

export interface PodSummary {
  readonly ready: number
  readonly total: number
  /** The word under STATUS. */
  readonly reason: string
  readonly restarts: number
  /** RFC 3339, '' when nothing was restarted. */
  readonly lastRestart: string
}

const summaries = new WeakMap<object, PodSummary>()

/** Computed once an object: four columns read it. */
export function summaryOf(pod: Readonly<Pod>): PodSummary {
  let summary = summaries.get(pod)
  if (summary === undefined) summaries.set(pod, (summary = summarize(pod)))
  return summary
}

const isSidecar = (container: Readonly<Container> | undefined): boolean => container?.restartPolicy === 'Always'

function summarize(pod: Readonly<Pod>): PodSummary {
  const inits = pod.spec?.initContainers ?? []
  const total = (pod.spec?.containers.length ?? 0) + inits.filter(isSidecar).length
  const gated = pod.status?.conditions?.some((c) => c.type === 'PodScheduled' && c.reason === 'SchedulingGated') ?? false
  const first = gated ? 'SchedulingGated' : pod.status?.reason || pod.status?.phase || ''
  const init = summarizeInit(pod, first)
  const initialized = pod.status?.conditions?.find((c) => c.type === 'Initialized')?.status === 'True'
  const main = init.blocked && !initialized ? init : summarizeMain(pod, init)
  return { ...main, total, reason: deletionReason(pod) ?? main.reason }
}

function deletionReason(pod: Readonly<Pod>): string | undefined {
  if (!isBeingDeleted(pod)) return undefined
  if (pod.status?.reason === 'NodeLost') return 'Unknown'
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed' ? undefined : 'Terminating'
}

interface Progress {
  readonly ready: number
  readonly reason: string
  readonly restarts: number
  readonly lastRestart: string
  /** An init container stands in the way of the others. */
  readonly blocked: boolean
  readonly sidecarRestarts: number
  readonly lastSidecarRestart: string
}

function summarizeInit(pod: Readonly<Pod>, first: string): Progress {
  const specs = new Map((pod.spec?.initContainers ?? []).map((c) => [c.name, c]))
  let ready = 0
  let restarts = 0
  let lastRestart = ''
  let sidecarRestarts = 0
  let lastSidecarRestart = ''
  for (const [i, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const sidecar = isSidecar(specs.get(status.name))
    const ended = status.lastState?.terminated?.finishedAt ?? ''
    restarts += status.restartCount
    lastRestart = later(lastRestart, ended)
    if (sidecar) {
      sidecarRestarts += status.restartCount
      lastSidecarRestart = later(lastSidecarRestart, ended)
    }
    if (status.state?.terminated?.exitCode === 0) continue
    if (sidecar && status.started === true) {
      if (status.ready) ready++
      continue
    }
    return { ready, reason: initReason(status, i, specs.size), restarts, lastRestart, blocked: true, sidecarRestarts, lastSidecarRestart }
  }
  return { ready, reason: first, restarts, lastRestart, blocked: false, sidecarRestarts, lastSidecarRestart }
}

function initReason(status: Readonly<ContainerStatus>, index: number, total: number): string {
  const { terminated, waiting } = status.state ?? {}
  if (terminated !== undefined) return `Init:${terminatedReason(terminated)}`
  if (waiting?.reason !== undefined && waiting.reason !== '' && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`
  return `Init:${index}/${total}`
}

function terminatedReason(terminated: { readonly reason?: string; readonly signal?: number; readonly exitCode: number }): string {
  if (terminated.reason !== undefined && terminated.reason !== '') return terminated.reason
  return terminated.signal !== undefined && terminated.signal !== 0 ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`
}

function summarizeMain(pod: Readonly<Pod>, init: Progress): Omit<PodSummary, 'total'> {
  let { ready, reason } = init
  let restarts = init.sidecarRestarts
  let lastRestart = init.lastSidecarRestart
  let running = false
  let error = ''
  for (const status of (pod.status?.containerStatuses ?? []).toReversed()) {
    restarts += status.restartCount
    lastRestart = later(lastRestart, status.lastState?.terminated?.finishedAt ?? '')
    const { waiting, terminated, running: runs } = status.state ?? {}
    if (waiting?.reason !== undefined && waiting.reason !== '') reason = waiting.reason
    else if (terminated !== undefined) {
      reason = terminatedReason(terminated)
      if (terminated.exitCode !== 0) error = reason
    } else if (status.ready && runs !== undefined) {
      running = true
      ready++
    }
  }
  if (reason === 'Completed') {
    const isReady = pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false
    if (running && isReady) reason = 'Running'
    else if (error !== '') reason = error
    else if (running) reason = 'NotReady'
  }
  return { ready, reason, restarts, lastRestart }
}

/** The later of two RFC 3339 times in UTC, which order as text. */
function later(a: string, b: string): string {
  return b > a ? b : a
}
