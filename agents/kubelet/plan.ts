/**
 * What to do next for a pod: a pure function of what is wanted, what runs and
 * what the probes say. The worker does it, looks again, and asks again. The order
 * of init containers, sidecars and app containers is decided here and nowhere else
 * (pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions).
 */
import type { Pod } from '../../core/api/schema/types.ts'
import type { RuntimeContainer } from '../host/runtime.ts'
import { goDuration } from './backoff.ts'
import { attemptOf, containerNameOf, hashOf, label } from './labels.ts'
import type { ObservedPod } from './observe.ts'
import { containersOf, podText, restartsAfter, type PodContainer } from './spec.ts'

export type ProbeVerdict = 'success' | 'failure' | 'unknown'

export interface PlanInput {
  readonly pod: Readonly<Pod>
  readonly observed: ObservedPod | undefined
  /** What a container's probe said last; a container without that probe: 'success'. */
  readonly verdict: (container: RuntimeContainer, spec: PodContainer, probe: 'startup' | 'liveness') => ProbeVerdict
  /** Whether a container that runs must be started anew to have the resources that it was granted. */
  readonly resized: (container: RuntimeContainer, spec: PodContainer) => boolean
  /** Ids of containers that were ended to be started anew. */
  readonly replaced: ReadonlySet<string>
  /** Whether a container that ended must wait before it is started again. */
  readonly waiting: (spec: PodContainer, finishedMs: number) => { readonly ms: number; readonly untilMs: number } | undefined
}

export interface Kill {
  readonly target: RuntimeContainer
  readonly spec: PodContainer
  readonly why: 'changed' | 'liveness' | 'startup' | 'resize' | 'old sandbox'
  readonly message: string
}

export interface Plan {
  /** Containers to end before anything else. */
  readonly kill: readonly Kill[]
  /** A sandbox is missing or dead: make this attempt, then plan again. */
  readonly sandbox: { readonly attempt: number } | undefined
  readonly start: readonly PodContainer[]
  /** Containers held back: what their status says meanwhile. */
  readonly held: readonly { readonly name: string; readonly reason: string; readonly message: string }[]
  /** Nothing will run again: the pod has Succeeded or Failed. */
  readonly finished: boolean
  /** When to plan again even if nothing happens. */
  readonly wakeMs: number | undefined
}

interface Draft {
  readonly kill: Kill[]
  readonly start: PodContainer[]
  readonly held: { name: string; reason: string; message: string }[]
  wakeMs: number | undefined
}

export function planPod(input: PlanInput): Plan {
  const { pod, observed } = input
  const draft: Draft = { kill: [], start: [], held: [], wakeMs: undefined }
  const all = containersOf(pod)
  const sandbox = observed?.sandboxes[0]
  if (nothingLeft(input, all)) return done(draft)
  if (sandbox === undefined || sandbox.state !== 'running') {
    for (const target of observed?.containers ?? []) {
      const spec = all.find((c) => c.container.name === containerNameOf(target))
      if (target.state === 'running' && spec !== undefined) draft.kill.push({ target, spec, why: 'old sandbox', message: '' })
    }
    return { ...draft, sandbox: { attempt: sandbox === undefined ? 0 : attemptOf(sandbox) + 1 }, finished: false }
  }

  const here = (name: string): RuntimeContainer | undefined =>
    observed?.containers.find((c) => containerNameOf(c) === name && c.labels[label.sandbox] === sandbox.id)
  for (const spec of all) if (spec.kind === 'ephemeral' && here(spec.container.name) === undefined) draft.start.push(spec)

  const apps = all.filter((c) => c.kind === 'app')
  const initialized = apps.some((c) => here(c.container.name) !== undefined)
  const ready = initialized ? keepSidecars(input, draft, all, here) : advanceInit(input, draft, all, here)
  if (ready === 'failed') return done(draft)
  if (ready) for (const spec of apps) keepApp(input, draft, spec, here(spec.container.name))
  return { ...draft, sandbox: undefined, finished: false }
}

function done(draft: Draft): Plan {
  return { ...draft, start: [], held: [], sandbox: undefined, finished: true, wakeMs: undefined }
}

/** Every app container has ended for good, in whatever sandbox. */
function nothingLeft(input: PlanInput, all: readonly PodContainer[]): boolean {
  return all
    .filter((c) => c.kind === 'app')
    .every((spec) => {
      const last = input.observed?.containers.find((c) => containerNameOf(c) === spec.container.name)
      return last !== undefined && last.state === 'exited' && !startsAgain(input, spec, last)
    })
}

function startsAgain({ pod, replaced }: PlanInput, spec: PodContainer, ended: RuntimeContainer): boolean {
  return replaced.has(ended.id) || restartsAfter(pod, spec, ended.exitCode)
}

type Here = (name: string) => RuntimeContainer | undefined

/** Before the app containers: one init container after the other. True when all have done their part. */
function advanceInit(input: PlanInput, draft: Draft, all: readonly PodContainer[], here: Here): boolean | 'failed' {
  for (const spec of all) {
    if (spec.kind !== 'init' && spec.kind !== 'sidecar') continue
    const c = here(spec.container.name)
    if (c === undefined || c.state === 'created') {
      startOnceMore(input, draft, spec, undefined)
      return false
    }
    if (c.state === 'running') {
      if (spec.kind === 'init' || !keepRunning(input, draft, spec, c)) return false
      if (input.verdict(c, spec, 'startup') !== 'success') return false
      continue
    }
    if (spec.kind === 'init' && c.exitCode === 0) continue
    if (!restartsAfter(input.pod, spec, c.exitCode)) return 'failed'
    startOnceMore(input, draft, spec, c)
    return false
  }
  return true
}

/** With the app containers running: sidecars are kept alive, plain init containers are history. */
function keepSidecars(input: PlanInput, draft: Draft, all: readonly PodContainer[], here: Here): true {
  for (const spec of all) if (spec.kind === 'sidecar') keepApp(input, draft, spec, here(spec.container.name))
  return true
}

function keepApp(input: PlanInput, draft: Draft, spec: PodContainer, c: RuntimeContainer | undefined): void {
  if (c === undefined || c.state === 'created') return startOnceMore(input, draft, spec, lastOf(input, spec))
  if (c.state === 'running') return void keepRunning(input, draft, spec, c)
  if (startsAgain(input, spec, c)) startOnceMore(input, draft, spec, c)
}

/** The last one of that name that ended, perhaps in an older sandbox. */
function lastOf(input: PlanInput, spec: PodContainer): RuntimeContainer | undefined {
  return input.observed?.containers.find((c) => containerNameOf(c) === spec.container.name && c.state === 'exited')
}

/** False when it is to be killed. */
function keepRunning(input: PlanInput, draft: Draft, spec: PodContainer, target: RuntimeContainer): boolean {
  const { container, kind } = spec
  const name = kind === 'app' ? `Container ${container.name}` : `Init container ${container.name}`
  const kill = (why: Kill['why'], what: string, restarted: boolean): boolean => {
    draft.kill.push({ target, spec, why, message: `${name} ${what}${restarted ? ', will be restarted' : ''}` })
    return false
  }
  if (target.labels[label.hash] !== hashOf(container)) return kill('changed', 'definition changed', true)
  const restarted = restartsAfter(input.pod, spec, 137)
  if (input.verdict(target, spec, 'liveness') === 'failure') return kill('liveness', 'failed liveness probe', restarted)
  if (input.verdict(target, spec, 'startup') === 'failure') return kill('startup', 'failed startup probe', restarted)
  if (!input.resized(target, spec)) return true
  draft.kill.push({ target, spec, why: 'resize', message: `Container ${container.name} resize requires restart` })
  return false
}

function startOnceMore(input: PlanInput, draft: Draft, spec: PodContainer, ended: RuntimeContainer | undefined): void {
  const wait = ended === undefined ? undefined : input.waiting(spec, ended.finishedMs || ended.createdMs)
  if (wait === undefined) return void draft.start.push(spec)
  draft.wakeMs = Math.min(draft.wakeMs ?? Infinity, wait.untilMs)
  draft.held.push({
    name: spec.container.name,
    reason: 'CrashLoopBackOff',
    message: `back-off ${goDuration(wait.ms)} restarting failed container=${spec.container.name} pod=${podText(input.pod)}`,
  })
}
