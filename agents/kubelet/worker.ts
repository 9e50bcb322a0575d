/**
 * A pod's worker: one loop a pod, from its arrival to the removal of its last
 * trace. Level-triggered: whenever something changed (the pod, its containers, a
 * probe, an object it uses, time) it looks at everything, lets plan.ts decide, acts,
 * and looks again. Start reading at sync().
 */
import { Bell } from '../../core/lib/bell.ts'
import { childCtx, type Ctx } from '../../core/lib/ctx.ts'
import { isBeingDeleted } from '../../core/api/meta.ts'
import type { Pod } from '../../core/api/schema/types.ts'
import type { Rejection } from './admission.ts'
import type { PodDeps } from './deps.ts'
import { graceOf, graceSMin, killAll, killContainer } from './kill.ts'
import { containerNameOf, label } from './labels.ts'
import { LastWords } from './messages.ts'
import type { ObservedPod } from './observe.ts'
import { planPod, type Plan } from './plan.ts'
import { refOf } from './ports.ts'
import { actuate, asItRuns } from './resize/actuate.ts'
import { resizeRestarts } from './resize/steps.ts'
import { finishPod, stopSandboxes } from './remove.ts'
import { PodSandbox } from './sandbox.ts'
import { containersOf, isTerminalPhase, podText, type PodContainer } from './spec.ts'
import { podDirOf, prepareVolumes, restartKey } from './start.ts'
import { type Ground, Starts } from './starts.ts'
import { statusOf } from './status.ts'
import { MountError, tearDownVolumes, type VolumesReady } from './volumes.ts'

/** A worker looks again at the latest after this long, whatever happened. */
const resyncMs = 60_000
/** Waits after failures that say nothing about when to try again. */
const retryMs = [500, 1_000, 2_000, 5_000, 10_000] as const
/** Times that one sync may plan anew after having acted. */
const roundsMax = 20

/** What the API wants; 'gone': it knows no such pod. */
export type Desired = Readonly<Pod> | 'gone'

export class PodWorker {
  readonly uid: string
  readonly #deps: PodDeps
  readonly #bell = new Bell()
  /** As the API wants it. */
  #wanted: Readonly<Pod>
  /** As it is run: with the resources that it was granted. */
  #pod: Readonly<Pod>
  #gone = false
  #busy = false
  /** Ends what a sync waits for when the pod is to go. */
  #interrupt: (() => void) | undefined
  #volumes: VolumesReady | undefined
  #volumesStale = false
  #verdict: { readonly phase: 'Failed'; readonly reason: string; readonly message: string } | undefined
  #terminal = false
  readonly #lastWords: LastWords
  readonly #sandbox: PodSandbox
  readonly #starts: Starts
  /** Containers that were ended to be started anew, whatever the pod's restart policy says of how they ended. */
  readonly #replaced = new Set<string>()
  #failures = 0
  #released = false
  #closed = false

  constructor(deps: PodDeps, pod: Readonly<Pod>) {
    this.#deps = deps
    this.#wanted = pod
    this.#pod = deps.resizes.allocated(pod)
    this.uid = pod.metadata.uid ?? ''
    this.#lastWords = new LastWords(deps.runtime)
    this.#sandbox = new PodSandbox(deps, this.uid, () => this.#pod)
    this.#starts = new Starts(deps, this.uid, this.#lastWords)
    this.#terminal = isTerminalPhase(pod.status?.phase)
  }

  /** Whether it is over: it holds nothing of the node any more. */
  get ended(): boolean {
    return this.#terminal
  }

  /** The node does not take it: it fails without having begun. */
  reject({ reason, message }: Rejection): void {
    this.#verdict = { phase: 'Failed', reason, message: `Pod was rejected: ${message}` }
    this.#terminal = true
    this.#deps.recorder.event(refOf(this.#pod, 'Pod'), 'Warning', reason, message)
  }

  /** The pod as the API has it now. */
  update(desired: Desired): void {
    const leaving = this.#leaving()
    const before = this.#graceS()
    if (desired === 'gone') this.#gone = true
    else {
      const same = wishOf(desired) === wishOf(this.#wanted)
      this.#wanted = desired
      this.#pod = this.#deps.resizes.allocated(desired)
      // Its own status comes back too: that is no reason to look at everything. Others' conditions may decide readiness.
      if (same) return this.#report()
      this.#volumesStale = true
    }
    if (!leaving && this.#leaving()) this.#interrupt?.()
    else if (leaving && this.#graceS() < before) this.#hurry()
    this.#bell.ring()
  }

  /** It was granted other resources, or a resize of it waits for another reason. */
  resized(): void {
    this.#pod = this.#deps.resizes.allocated(this.#wanted)
    this.#volumesStale = true // files may show them
    this.#report()
    this.#bell.ring()
  }

  /** Its containers or probes changed. */
  poke(): void {
    if (this.#busy) this.#report()
    this.#bell.ring()
  }

  /** An object that a volume shows has changed. */
  refreshVolumes(): void {
    this.#volumesStale = true
    this.#starts.tryAllAgain()
    this.#bell.ring()
  }

  /** Until nothing of the pod is left, or ctx ends; then its containers run on. */
  async run(ctx: Ctx): Promise<void> {
    while (!ctx.signal.aborted) {
      this.#bell.clear()
      let wakeMs = ctx.clock.now() + resyncMs
      const { ctx: work, end } = childCtx(ctx)
      try {
        this.#busy = true
        this.#interrupt = this.#leaving() ? undefined : () => end(new Interrupted())
        const outcome = await this.sync(work)
        if (outcome === 'done') return
        if (outcome !== undefined) wakeMs = Math.min(wakeMs, outcome)
        this.#failures = 0
      } catch (error) {
        if (ctx.signal.aborted) return
        if (!(error instanceof Interrupted) && work.signal.reason instanceof Interrupted === false) {
          ctx.log.warn('pod sync', { pod: podText(this.#pod), error })
          wakeMs = ctx.clock.now() + (retryMs[this.#failures++] ?? 15_000)
        } else this.#bell.ring()
      } finally {
        this.#busy = false
        this.#interrupt = undefined
        end()
      }
      await this.#bell.wait(ctx, Math.max(0, wakeMs - ctx.clock.now())).catch(() => undefined)
    }
  }

  /** One look at everything. Says when to look again; 'done': nothing is left to do, ever. */
  async sync(ctx: Ctx): Promise<number | undefined | 'done'> {
    for (let round = 0; round < roundsMax; round++) {
      const observed = this.#deps.observer.pod(this.uid)
      await this.#lastWords.read(ctx, observed)
      this.#checkDeadline(ctx)
      if (this.#leaving() || this.#terminal) return this.#end(ctx, observed)
      await this.#adopt(ctx, observed)
      this.#watchProbes(observed)
      const pod = this.#pod
      const plan = this.#plan(ctx, pod, observed)
      if (plan.finished) {
        this.#terminal = true
        continue
      }
      this.#starts.hold(this.#pod, plan.held)
      this.#report()
      const again = await this.#act(ctx, pod, observed, plan)
      if (again !== 'again') return earliest([again, plan.wakeMs, this.#volumes?.refreshMs, this.#deadlineMs()])
    }
    return 0
  }

  #plan(ctx: Ctx, pod: Readonly<Pod>, observed: ObservedPod | undefined): Plan {
    const { prober, restarts } = this.#deps
    return planPod({
      pod,
      observed,
      verdict: (c, spec, probe) => {
        const has = probe === 'startup' ? spec.container.startupProbe : spec.container.livenessProbe
        return has === undefined ? 'success' : prober.verdict(c.id, probe)
      },
      resized: (container, spec) => resizeRestarts(pod, asItRuns(this.#deps.records.get(this.uid), container, spec)),
      replaced: this.#replaced,
      waiting: (spec, finishedMs) => restarts.waiting(restartKey(this.#pod, spec), finishedMs, ctx.clock.now()),
    })
  }

  async #act(ctx: Ctx, pod: Readonly<Pod>, observed: ObservedPod | undefined, plan: Plan): Promise<number | undefined | 'again'> {
    if (plan.kill.length > 0) {
      for (const { why, target } of plan.kill) if (why === 'changed' || why === 'resize') this.#replaced.add(target.id)
      if (plan.kill.some(({ why }) => why === 'resize')) this.#deps.resizes.inProgress(this.#pod)
      await Promise.all(
        plan.kill.map((kill) => {
          const graceS = kill.why === 'old sandbox' ? graceSMin : graceOf(this.#pod, kill)
          return killContainer(ctx, this.#deps, { pod: this.#pod, ...kill, graceS, podIP: this.#sandbox.podIPs[0] ?? '' })
        }),
      )
      return 'again'
    }
    if (this.#volumes === undefined || this.#volumesStale || (this.#volumes.refreshMs ?? Infinity) <= ctx.clock.now()) await this.#mount(ctx)
    if (plan.sandbox !== undefined) {
      await this.#sandbox.make(ctx, observed, plan.sandbox.attempt)
      this.#report()
      return 'again'
    }
    const retry = await this.#resize(ctx, pod, observed)
    const started = await this.#start(ctx, plan.start)
    return started === 'again' ? started : earliest([retry, started])
  }

  /** What it was granted comes into force; what cannot be now is tried again. */
  async #resize(ctx: Ctx, pod: Readonly<Pod>, observed: ObservedPod | undefined): Promise<number | undefined> {
    const { resizes } = this.#deps
    const problem = await actuate(ctx, this.#deps, pod, observed)
    // Granted something else meanwhile: whether a container must be started anew for that was not asked yet.
    if (resizes.allocated(pod) !== pod) return ctx.clock.now()
    if (problem === undefined) resizes.completed(pod)
    else resizes.inProgress(pod, problem)
    this.#report()
    return problem === undefined ? undefined : ctx.clock.now() + resizeRetryMs
  }

  async #mount(ctx: Ctx): Promise<void> {
    this.#volumesStale = false
    try {
      this.#volumes = await prepareVolumes(ctx, this.#deps, this.#pod, this.#sandbox.podIPs)
    } catch (error) {
      if (error instanceof MountError) this.#deps.recorder.event(refOf(this.#pod, 'Pod'), 'Warning', 'FailedMount', error.message)
      // What is mounted serves on: only a pod that has not begun waits.
      if (this.#volumes === undefined) throw error
      ctx.log.warn('volumes not brought up to date', { pod: podText(this.#pod), error })
    }
  }

  /** A sandbox is there: the pod has addresses to tell of. */
  async #adopt(ctx: Ctx, observed: ObservedPod | undefined): Promise<void> {
    if (await this.#sandbox.adopt(ctx, observed)) this.#report()
  }

  async #start(ctx: Ctx, wanted: readonly PodContainer[]): Promise<number | undefined | 'again'> {
    const ground = (): Ground => ({ pod: this.#pod, podIPs: this.#sandbox.podIPs, volumes: this.#volumes })
    return await this.#starts.start(ctx, wanted, ground, () => this.#report())
  }

  /** The pod is finished, or is to go: everything ends, and then, if the API wants it gone, every trace. */
  async #end(ctx: Ctx, observed: ObservedPod | undefined): Promise<number | undefined | 'done'> {
    this.#watchProbes(observed)
    const running = observed?.containers.filter((c) => c.state === 'running') ?? []
    if (running.length > 0) {
      this.#report()
      await killAll(ctx, this.#deps, this.#pod, running, { graceS: this.#graceS(), podIP: this.#sandbox.podIPs[0] ?? '' })
      await this.#lastWords.read(ctx, this.#deps.observer.pod(this.uid))
    }
    const rest = this.#deps.observer.pod(this.uid)
    if (rest?.containers.some((c) => c.state === 'running') === true) return 0
    if (!this.#gone && !isTerminalPhase(this.#pod.status?.phase)) {
      this.#terminal = true
      this.#report()
    }
    this.#deps.prober.watch(this.uid, [], { terminating: true }, () => {})
    if (rest !== undefined && rest.sandboxes.some((c) => c.state === 'running')) await stopSandboxes(ctx, this.#deps, this.uid, rest, { remove: false })
    if (!this.#leaving()) {
      await this.#release(ctx)
      return undefined
    }
    this.#closed = true
    await finishPod(ctx, this.#deps, this.#pod, { gone: this.#gone })
    return 'done'
  }

  /** A finished pod keeps its dead containers, for their logs; its volumes go. */
  async #release(ctx: Ctx): Promise<void> {
    if (this.#released) return
    await this.#deps.records.settled(this.uid)
    await tearDownVolumes(ctx, this.#deps.mounts, podDirOf(this.#deps, this.uid))
    this.#deps.objects.release(this.uid)
    this.#deps.tokens.release(this.uid)
    this.#released = true
  }

  #report(): void {
    if (this.#closed || this.#gone || (isTerminalPhase(this.#pod.status?.phase) && !this.#leaving())) return
    const { group, statuses, node, observer, prober, records, resizes } = this.#deps
    const observed = observer.pod(this.uid)
    if (this.#lastWords.isMissing(observed)) {
      // A finished pod's status is not written again: an end is told with its last words, or not yet.
      group.go('last words', async (ctx) => {
        await this.#lastWords.read(ctx, observed)
        this.#report()
      })
      return
    }
    const terminal = this.#terminal && observed?.containers.some((c) => c.state === 'running') !== true
    statuses.set(
      this.#pod,
      statusOf({
        pod: this.#pod,
        prev: statuses.get(this.#pod),
        observed,
        nowMs: this.#deps.group.ctx.clock.now(),
        hostIPs: node.hostIPs,
        podIPs: this.#sandbox.podIPs,
        reasons: this.#starts.reasons,
        messages: this.#lastWords.known,
        imageRef: (id) => `docker://${id}`,
        started: (c, spec) => prober.started(c, spec),
        ready: (c, spec) => prober.ready(c, spec),
        replaced: this.#replaced,
        resizes: resizes.conditions(this.uid),
        record: records.get(this.uid),
        terminal,
        ...(this.#verdict === undefined ? {} : { verdict: this.#verdict }),
      }),
    )
  }

  #watchProbes(observed: ObservedPod | undefined): void {
    const { prober, recorder, node } = this.#deps
    const status = this.#deps.statuses.get(this.#pod)
    const known = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])]
    const podIP = (this.#pod.spec?.hostNetwork === true ? node.hostIPs : this.#sandbox.podIPs)[0] ?? ''
    const running = (observed?.containers ?? []).flatMap((container) => {
      const spec = containersOf(this.#pod).find((s) => s.container.name === containerNameOf(container))
      if (spec === undefined || container.state !== 'running') return []
      const before = known.find((s) => s.containerID === `docker://${container.id}`)
      return [{ container, spec, podIP, wasReady: before?.ready === true, wasStarted: before?.started === true }]
    })
    prober.watch(this.uid, running, { terminating: this.#leaving() }, (spec, reason, message) => {
      recorder.event(refOf(this.#pod, 'Pod', `spec.${spec.kind === 'app' ? 'containers' : 'initContainers'}{${spec.container.name}}`), 'Warning', reason, message)
    })
  }

  #checkDeadline(ctx: Ctx): void {
    const at = this.#deadlineMs()
    if (at === undefined || at > ctx.clock.now() || this.#terminal || this.#verdict !== undefined) return
    const message = 'Pod was active on the node longer than the specified deadline'
    this.#verdict = { phase: 'Failed', reason: 'DeadlineExceeded', message }
    this.#terminal = true
    this.#deps.recorder.event(refOf(this.#pod, 'Pod'), 'Normal', 'DeadlineExceeded', message)
  }

  #deadlineMs(): number | undefined {
    const seconds = this.#pod.spec?.activeDeadlineSeconds
    const start = this.#deps.statuses.get(this.#pod).startTime
    return seconds === undefined || start === undefined ? undefined : Date.parse(start) + seconds * 1000
  }

  #leaving(): boolean {
    return this.#gone || isBeingDeleted(this.#pod)
  }

  #graceS(): number {
    const { metadata, spec } = this.#pod
    if (this.#gone) return Math.min(metadata.deletionGracePeriodSeconds ?? graceSMin, spec?.terminationGracePeriodSeconds ?? 30)
    return metadata.deletionGracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? 30
  }

  /** Whoever deletes again with less patience is heard at once. */
  #hurry(): void {
    const { group, runtime, observer } = this.#deps
    const graceS = Math.max(graceSMin, this.#graceS())
    for (const c of observer.pod(this.uid)?.containers ?? []) {
      if (c.state === 'running' && c.labels[label.role] === 'container') {
        group.go('kill sooner', (ctx) => runtime.stop(ctx, c.id, graceS).catch((error: unknown) => ctx.log.debug('kill sooner', { error })))
      }
    }
  }
}

/** All of a pod that the kubelet acts on. */
function wishOf({ metadata: m, spec }: Readonly<Pod>): string {
  return JSON.stringify([spec, m.labels, m.annotations, m.deletionTimestamp, m.deletionGracePeriodSeconds, m.generation])
}

/** A resize that could not come into force is tried again after this long, if nothing else happens. */
const resizeRetryMs = 10_000

class Interrupted extends Error {
  constructor() {
    super('the pod is to go')
    this.name = 'AbortError'
  }
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((at) => at !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
