/**
 * Probes of running containers: one task a probe, on the ctx's clock, from the
 * container's start to its end (pkg/kubelet/prober). Thresholds are counted by a
 * pure function. The pod's worker is told when a verdict changes.
 */
import { childCtx, withTimeout, type Ctx } from '../../../core/lib/ctx.ts'
import type { Group } from '../../../core/lib/group.ts'
import type { Probe } from '../../../core/api/schema/types.ts'
import type { Runtime, RuntimeContainer } from '../../host/runtime.ts'
import { goDuration } from '../backoff.ts'
import type { ProbeVerdict } from '../plan.ts'
import type { PodContainer } from '../spec.ts'
import { runGrpc } from './grpc.ts'
import { portOf, runExec, runHttp, runTcp, type ProbeAnswer } from './handlers.ts'

export type ProbeType = 'startup' | 'liveness' | 'readiness'

export interface Probed {
  readonly container: RuntimeContainer
  readonly spec: PodContainer
  readonly podIP: string
  /** Readiness as the API knows it, for containers that ran before this Kubun did. */
  readonly wasReady: boolean
  readonly wasStarted: boolean
}

export interface Prober {
  /** Starts probes of containers that are new in the list, ends those of containers that are not in it. */
  watch(podUid: string, running: readonly Probed[], options: { readonly terminating: boolean }, tell: (spec: PodContainer, reason: string, message: string) => void): void
  verdict(containerId: string, probe: ProbeType): ProbeVerdict
  started(c: RuntimeContainer, spec: PodContainer): boolean
  ready(c: RuntimeContainer, spec: PodContainer): boolean
}

export interface Streak {
  readonly last: 'success' | 'failure' | undefined
  readonly run: number
}

/** Counts a result; `verdict` is defined when a threshold is reached. */
export function count(streak: Streak, ok: boolean, probe: Readonly<Probe>): { readonly streak: Streak; readonly verdict: 'success' | 'failure' | undefined } {
  const result = ok ? 'success' : 'failure'
  const run = streak.last === result ? streak.run + 1 : 1
  const threshold = ok ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3)
  return { streak: { last: result, run }, verdict: run >= threshold ? result : undefined }
}

const upstreamNames: Readonly<Record<ProbeType, string>> = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' }

interface Task {
  readonly containerId: string
  /** `forget`: the container is gone; else what was found out last stays true. */
  readonly end: (forget: boolean) => void
}

export function createProber(group: Group, runtime: Runtime, changed: (podUid: string) => void): Prober {
  const verdicts = new Map<string, ProbeVerdict>()
  const tasks = new Map<string, Map<string, Task>>()

  const set = (podUid: string, key: string, verdict: ProbeVerdict): void => {
    if (verdicts.get(key) === verdict) return
    verdicts.set(key, verdict)
    changed(podUid)
  }
  const startedOf = (c: RuntimeContainer, spec: PodContainer): boolean => spec.container.startupProbe === undefined || verdicts.get(`${c.id} startup`) === 'success'

  const run = async (ctx: Ctx, podUid: string, type: ProbeType, probe: Readonly<Probe>, probed: Probed, tell: (reason: string, message: string) => void): Promise<void> => {
    const { container: c, spec } = probed
    const key = `${c.id} ${type}`
    const period = (probe.periodSeconds ?? 10) * 1000
    const delay = c.startedMs + (probe.initialDelaySeconds ?? 0) * 1000 - ctx.clock.now()
    if (delay > 0) await ctx.clock.sleep(delay, ctx.signal)
    let streak: Streak = { last: undefined, run: 0 }
    while (!ctx.signal.aborted) {
      if (type === 'startup' || startedOf(c, spec)) {
        const answer = await ask(ctx, runtime, probe, probed)
        if (ctx.signal.aborted) return
        if (!answer.ok) tell('Unhealthy', `${upstreamNames[type]} probe failed: ${answer.output}`)
        const counted = count(streak, answer.ok, probe)
        ;({ streak } = counted)
        if (counted.verdict !== undefined) {
          set(podUid, key, counted.verdict)
          // A container that failed is to be restarted, one that started has started: nothing more to ask.
          if (type === 'startup' || (type === 'liveness' && counted.verdict === 'failure')) return
        }
      }
      await ctx.clock.sleep(startedOf(c, spec) || type === 'startup' ? period : Math.min(period, gateMs), ctx.signal)
    }
  }

  const begin = (podUid: string, type: ProbeType, probe: Readonly<Probe>, probed: Probed, tell: (reason: string, message: string) => void): Task => {
    const key = `${probed.container.id} ${type}`
    const known = type === 'readiness' ? (probed.wasReady ? 'success' : 'failure') : type === 'liveness' ? 'success' : probed.wasStarted ? 'success' : 'unknown'
    verdicts.set(key, known)
    const { ctx, end } = childCtx(group.ctx)
    if (type === 'startup' && probed.wasStarted) end()
    else group.go(`probe ${type} ${probed.spec.container.name}`, () => run(ctx, podUid, type, probe, probed, tell).catch((error: unknown) => {
      if (!ctx.signal.aborted) ctx.log.warn('probe ended', { error })
    }).finally(() => end()))
    return {
      containerId: probed.container.id,
      end(forget) {
        end()
        if (forget) verdicts.delete(key)
      },
    }
  }

  return {
    watch(podUid, running, { terminating }, tell) {
      const mine = tasks.get(podUid) ?? new Map<string, Task>()
      const wanted = new Set<string>()
      for (const probed of running) {
        const { startupProbe, livenessProbe, readinessProbe } = probed.spec.container
        for (const [type, probe] of [['startup', startupProbe], ['liveness', livenessProbe], ['readiness', readinessProbe]] as const) {
          if (probe === undefined || (terminating && type !== 'readiness')) continue
          const key = `${probed.container.id} ${type}`
          wanted.add(key)
          if (!mine.has(key)) mine.set(key, begin(podUid, type, probe, probed, (reason, message) => tell(probed.spec, reason, message)))
        }
      }
      for (const [key, task] of mine) {
        if (wanted.has(key)) continue
        task.end(!running.some((probed) => probed.container.id === task.containerId))
        mine.delete(key)
      }
      if (mine.size > 0) tasks.set(podUid, mine)
      else tasks.delete(podUid)
    },
    verdict: (id, probe) => verdicts.get(`${id} ${probe}`) ?? (probe === 'readiness' ? 'failure' : probe === 'liveness' ? 'success' : 'unknown'),
    started: startedOf,
    ready: (c, spec) => spec.container.readinessProbe === undefined || verdicts.get(`${c.id} readiness`) === 'success',
  }
}

/** How often a gated probe looks whether the container has started. */
const gateMs = 1_000

async function ask(ctx: Ctx, runtime: Runtime, probe: Readonly<Probe>, { container: c, spec, podIP }: Probed): Promise<ProbeAnswer> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000
  try {
    return await withTimeout(ctx, timeoutMs, async (ctx) => {
      if (probe.exec !== undefined) return runExec(ctx, runtime, c.id, probe.exec.command ?? [])
      if (probe.httpGet !== undefined) return runHttp(ctx, probe.httpGet, spec.container, podIP)
      if (probe.tcpSocket !== undefined) return runTcp(ctx, probe.tcpSocket.host || podIP, portOf(spec.container, probe.tcpSocket.port))
      if (probe.grpc !== undefined) return runGrpc(ctx, podIP, probe.grpc.port, probe.grpc.service ?? '')
      return { ok: false, output: 'missing probe handler' }
    })
  } catch (error) {
    const late = error instanceof DOMException && error.name === 'TimeoutError'
    if (late && probe.exec !== undefined) return { ok: false, output: `command timed out: "${(probe.exec.command ?? []).join(' ')}" timed out after ${goDuration(timeoutMs)}` }
    return { ok: false, output: error instanceof Error ? error.message : String(error) }
  }
}
