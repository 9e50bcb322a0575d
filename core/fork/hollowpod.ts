/**
 * A pod that runs on no machine: what has become of it by now, from its fate and the moments at which things were asked
 * of it, and the status that its kubelet would report. Knows no client and no clock; hollow.ts says when, and writes.
 */
import { isBeingDeleted } from '../api/meta.ts'
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../api/schema/types.ts'
import { formatTime, parseTime } from '../api/time.ts'
import type { Timer } from '../lib/clock.ts'
import { equalJson } from '../lib/json.ts'

/** What becomes of a pod. */
export interface Fate {
  /** From its binding until its containers run. */
  readonly startMs: number
  /** From then until it is ready; undefined: it never is. */
  readonly readyMs: number | undefined
  /** How long its containers run; undefined: until they are stopped. */
  readonly runMs?: number
  /** With what they end then, each time in turn; the last for all further times. 0 where nothing is said. */
  readonly exitCodes?: readonly number[]
  /** How long they take to stop when they are told to, at most their grace. */
  readonly stopMs: number
  /** It stays as its status says, whatever that is, until it is told to stop. */
  readonly still?: boolean
}

const restartFirstMs = 10_000
const restartMaxMs = 300_000

type Stage = 'starting' | 'running' | 'backing off' | 'ended'

/** Durations go by a clock that does not jump; what is written goes by the time of day. */
export interface Moment {
  readonly monotonicMs: number
  readonly timeMs: number
}

export interface Birth {
  readonly ip: string
  readonly hostIp: string
  readonly now: Moment
  /** The machine came up anew: what ran on it has ended. Otherwise what runs runs on. */
  readonly afresh: boolean
}

export function bornPod(pod: Readonly<Pod>, fate: Fate, birth: Birth): HollowPod {
  return new HollowPod(pod, fate, birth)
}

export class HollowPod {
  readonly uid: string
  pod: Readonly<Pod>
  timer: Timer | undefined
  /** A report is on its way. */
  writing = false
  /** Its containers are gone and it is to be deleted: nothing holds it any more. */
  released = false
  readonly #fate: Fate
  readonly #birth: Birth
  readonly #runIp: string
  readonly #bornAt: number
  /** From the clock to the time of day. */
  #dayMs: number
  #stage: Stage
  #restarts = 0
  #startedAt = 0
  #endedAt = 0
  #exitCode = 0
  #ready = false
  #readySince: number | undefined
  /** When the next thing happens by itself. */
  #due: number | undefined
  #stopsAt: number | undefined

  constructor(pod: Readonly<Pod>, fate: Fate, birth: Birth) {
    this.pod = pod
    this.uid = pod.metadata.uid ?? ''
    this.#fate = fate
    this.#birth = birth
    const phase = pod.status?.phase
    const was = pod.status?.phase === 'Running' ? pod.status : undefined
    this.#stage = phase === 'Succeeded' || phase === 'Failed' ? 'ended' : 'starting'
    this.#bornAt = birth.now.monotonicMs
    this.#dayMs = birth.now.timeMs - birth.now.monotonicMs
    this.#due = this.#stage === 'ended' ? undefined : this.#bornAt + fate.startMs
    this.#restarts = (pod.status?.containerStatuses?.[0]?.restartCount ?? 0) + (was !== undefined && birth.afresh ? 1 : 0)
    this.#runIp = (birth.afresh ? undefined : was?.podIP) ?? birth.ip
    if (was !== undefined && !birth.afresh) this.#goesOn(pod)
    if (fate.still === true) this.#due = undefined
  }

  #goesOn(pod: Readonly<Pod>): void {
    const begun = parseTime(pod.status?.containerStatuses?.[0]?.state?.running?.startedAt ?? '')
    this.#start(begun === undefined ? this.#bornAt : begun - this.#dayMs)
    if (readiness(pod.status) === 'True') this.#becomeReady(this.#bornAt)
  }

  /** Lets happen what was due until now. */
  advance({ monotonicMs: now, timeMs }: Moment): void {
    this.#dayMs = timeMs - now
    if (isBeingDeleted(this.pod) && this.#stopsAt === undefined) this.#stop(now)
    for (;;) {
      const at = this.nextAt()
      if (at === undefined || at > now) return
      if (this.#stopsAt !== undefined && at === this.#stopsAt) return this.#stopped(at)
      if (this.#stage === 'running' && !this.#ready && at === this.#readyAt()) this.#becomeReady(at)
      else if (this.#stage === 'running') this.#exit(at)
      else this.#start(at)
    }
  }

  /** There is nothing to tell of it. */
  get silent(): boolean {
    return this.#fate.still === true && this.#stopsAt === undefined
  }

  /** When something happens by itself next. */
  nextAt(): number | undefined {
    if (this.#stopsAt !== undefined) return this.released ? undefined : this.#stopsAt
    const readyAt = this.#readyAt()
    if (readyAt === undefined) return this.#due
    return this.#due === undefined ? readyAt : Math.min(readyAt, this.#due)
  }

  status(): PodStatus {
    const { startTime = this.#text(this.#bornAt), hostIP, hostIPs } = this.pod.status ?? {}
    return {
      phase: this.#phase(),
      ...(this.#stage === 'starting' && this.#restarts === 0 ? {} : { podIP: this.#ip(), podIPs: [{ ip: this.#ip() }] }),
      // They name the same address first, or the server refuses both.
      ...(hostIP !== undefined ? { hostIP, ...(hostIPs === undefined ? {} : { hostIPs }) } : { hostIP: this.#birth.hostIp, hostIPs: [{ ip: this.#birth.hostIp }] }),
      startTime,
      conditions: this.#conditions(),
      containerStatuses: (this.pod.spec?.containers ?? []).map(({ name, image = '' }) => this.#container(name, image)),
    }
  }

  #text(at: number): string {
    return formatTime(at + this.#dayMs)
  }

  #ip(): string {
    return this.pod.spec?.hostNetwork === true ? this.#birth.hostIp : this.#runIp
  }

  #readyAt(): number | undefined {
    if (this.#stage !== 'running' || this.#ready || this.#fate.readyMs === undefined) return undefined
    return this.#startedAt + this.#fate.readyMs
  }

  #start(at: number): void {
    this.#stage = 'running'
    this.#startedAt = at
    this.#due = this.#fate.runMs === undefined ? undefined : at + this.#fate.runMs
  }

  #becomeReady(at: number): void {
    this.#ready = true
    this.#readySince = at
  }

  #exit(at: number): void {
    const { exitCodes = [] } = this.#fate
    this.#exitCode = exitCodes[Math.min(this.#restarts, exitCodes.length - 1)] ?? 0
    this.#endedAt = at
    this.#unready(at)
    const policy = this.pod.spec?.restartPolicy ?? 'Always'
    const again = policy === 'Always' || (policy === 'OnFailure' && this.#exitCode !== 0)
    this.#stage = again ? 'backing off' : 'ended'
    this.#due = again ? at + Math.min(restartFirstMs * 2 ** this.#restarts, restartMaxMs) : undefined
    if (again) this.#restarts++
  }

  #stop(now: number): void {
    const graceMs = (this.pod.metadata.deletionGracePeriodSeconds ?? 30) * 1_000
    this.#stopsAt = this.#stage === 'running' ? now + Math.min(this.#fate.stopMs, graceMs) : now
  }

  #stopped(at: number): void {
    if (this.#stage !== 'ended') {
      // What is to run for ever stops as it should; what has a task has not done it.
      this.#exitCode = this.#stage !== 'running' ? 137 : (this.pod.spec?.restartPolicy ?? 'Always') === 'Always' ? 0 : 143
      this.#endedAt = at
      this.#unready(at)
      this.#stage = 'ended'
    }
    this.#due = undefined
    this.released = true
  }

  #unready(at: number): void {
    if (!this.#ready) return
    this.#ready = false
    this.#readySince = at
  }

  #phase(): string {
    if (this.#stage === 'starting') return this.#restarts === 0 ? 'Pending' : 'Running'
    if (this.#stage !== 'ended') return 'Running'
    if (this.pod.status?.phase === 'Succeeded' || this.pod.status?.phase === 'Failed') return this.pod.status.phase
    return this.#exitCode === 0 ? 'Succeeded' : 'Failed'
  }

  #conditions(): PodCondition[] {
    const begun = this.#bornAt
    const ready = this.#ready
    const changed = this.#readySince ?? begun
    const of = (type: string, holds: boolean, at: number): PodCondition => this.#condition(type, holds, at)
    return [of('PodReadyToStartContainers', this.#stage === 'running', begun), of('Initialized', true, begun), of('Ready', ready, changed), of('ContainersReady', ready, changed), of('PodScheduled', true, begun)]
  }

  /** A condition that stands as it should keeps the moment it came about. */
  #condition(type: string, holds: boolean, at: number): PodCondition {
    const status = holds ? 'True' : 'False'
    const was = this.pod.status?.conditions?.find((c) => c.type === type)
    const lastTransitionTime = was?.status === status ? (was.lastTransitionTime ?? this.#text(at)) : this.#text(at)
    return { type, status, lastTransitionTime }
  }

  #container(name: string, image: string): ContainerStatus {
    const running = this.#stage === 'running'
    return { name, image, imageID: '', restartCount: this.#restarts, ready: this.#ready, started: running, state: this.#state() }
  }

  #state(): NonNullable<ContainerStatus['state']> {
    if (this.#stage === 'running') return { running: { startedAt: this.#text(this.#startedAt) } }
    if (this.#stage === 'starting') return { waiting: { reason: 'ContainerCreating' } }
    if (this.#stage === 'backing off') return { waiting: { reason: 'CrashLoopBackOff' } }
    const reason = this.#exitCode === 0 ? 'Completed' : 'Error'
    return { terminated: { exitCode: this.#exitCode, reason, finishedAt: this.#text(this.#endedAt), startedAt: this.#text(this.#startedAt) } }
  }
}

/** Whether the API shows another state than the pod is in. */
export function differs(mine: HollowPod): boolean {
  if (mine.silent) return false
  const want = mine.status()
  const { status } = mine.pod
  return (
    status?.phase !== want.phase ||
    (want.podIP !== undefined && status?.podIP !== want.podIP) ||
    readiness(status) !== readiness(want) ||
    !equalJson(brief(status?.containerStatuses), brief(want.containerStatuses))
  )
}

function readiness(status: PodStatus | undefined): string | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status
}

function brief(statuses: readonly ContainerStatus[] | undefined): readonly (string | number)[] {
  return (statuses ?? []).flatMap(({ restartCount, state }) => [restartCount, Object.keys(state ?? {})[0] ?? ''])
}
