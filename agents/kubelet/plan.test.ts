/** Which containers start, wait and end: a table of pods and what runs of them. */
import { describe, expect, it } from 'vitest'
import type { Container, Pod } from '../../core/api/schema/types.ts'
import type { RuntimeContainer } from '../host/runtime.ts'
import { hashOf, label } from './labels.ts'
import type { ObservedPod } from './observe.ts'
import { planPod, type Plan, type PlanInput, type ProbeVerdict } from './plan.ts'

const container = (name: string, more: Partial<Container> = {}): Container => ({ name, image: 'i', ...more })
const podOf = (spec: Partial<NonNullable<Pod['spec']>>): Pod => ({
  metadata: { name: 'p', namespace: 'default', uid: 'u' },
  spec: { containers: [container('a')], restartPolicy: 'Always', ...spec },
})
const c = (name: string, state: RuntimeContainer['state'], more: Partial<RuntimeContainer> & { attempt?: number; sandbox?: string } = {}): RuntimeContainer => ({
  id: `${name}-${more.attempt ?? 0}`, name, image: 'i', imageId: 'sha256:i', state, pid: 1, createdMs: 1, startedMs: 1, finishedMs: state === 'exited' ? 5 : 0,
  exitCode: 0, oomKilled: false, resources: { cpuShares: 2, cpuQuotaUs: 0, cpuPeriodUs: 100_000, memoryBytes: 0 }, startFailed: false, error: '',
  labels: { [label.container]: name, [label.sandbox]: more.sandbox ?? 'POD-0', [label.attempt]: String(more.attempt ?? 0), [label.hash]: hashOf(container(name)) },
  ...more,
})
const sandbox = (state: RuntimeContainer['state'] = 'running', attempt = 0): RuntimeContainer => ({ ...c('POD', state, { attempt }), labels: { [label.role]: 'podsandbox', [label.attempt]: String(attempt) } })
const observed = (containers: RuntimeContainer[], sandboxes = [sandbox()]): ObservedPod => ({ uid: 'u', namespace: 'default', name: 'p', sandboxes, containers, holders: [] })

interface Row {
  readonly name: string
  readonly pod: Pod
  readonly observed: ObservedPod | undefined
  readonly verdicts?: Readonly<Record<string, ProbeVerdict>>
  readonly waits?: boolean
  readonly resized?: string
  readonly replaced?: string[]
  readonly want: { readonly start?: string[]; readonly kill?: string[]; readonly sandbox?: number; readonly held?: string[]; readonly finished?: boolean }
}

const init = container('init')
const sidecar = container('side', { restartPolicy: 'Always' })

const rows: readonly Row[] = [
  { name: 'a new pod gets a sandbox', pod: podOf({}), observed: undefined, want: { sandbox: 0 } },
  { name: 'a dead sandbox is replaced, and its containers end first', pod: podOf({}), observed: observed([c('a', 'running')], [sandbox('exited', 2)]), want: { sandbox: 3, kill: ['a'] } },
  { name: 'all app containers start together', pod: podOf({ containers: [container('a'), container('b')] }), observed: observed([]), want: { start: ['a', 'b'] } },
  { name: 'app containers wait for init containers', pod: podOf({ initContainers: [init] }), observed: observed([]), want: { start: ['init'] } },
  { name: 'a running init container holds everything', pod: podOf({ initContainers: [init] }), observed: observed([c('init', 'running')]), want: {} },
  { name: 'after init the app starts', pod: podOf({ initContainers: [init] }), observed: observed([c('init', 'exited')]), want: { start: ['a'] } },
  { name: 'a failed init container is tried again', pod: podOf({ initContainers: [init] }), observed: observed([c('init', 'exited', { exitCode: 1 })]), want: { start: ['init'] } },
  { name: 'a failed init container ends a pod that never restarts', pod: podOf({ initContainers: [init], restartPolicy: 'Never' }), observed: observed([c('init', 'exited', { exitCode: 1 })]), want: { finished: true } },
  { name: 'init runs again in a new sandbox', pod: podOf({ initContainers: [init] }), observed: observed([c('init', 'exited', { sandbox: 'old' }), c('a', 'exited', { sandbox: 'old', exitCode: 1 })]), want: { start: ['init'] } },
  { name: 'a sidecar must have started before the app', pod: podOf({ initContainers: [sidecar] }), observed: observed([c('side', 'running')]), verdicts: { 'side startup': 'unknown' }, want: {} },
  { name: 'a started sidecar lets the app start', pod: podOf({ initContainers: [sidecar] }), observed: observed([c('side', 'running')]), want: { start: ['a'] } },
  { name: 'a sidecar that ended is started beside the running app', pod: podOf({ initContainers: [sidecar] }), observed: observed([c('side', 'exited'), c('a', 'running')]), want: { start: ['side'] } },
  { name: 'liveness failure ends the container', pod: podOf({}), observed: observed([c('a', 'running')]), verdicts: { 'a liveness': 'failure' }, want: { kill: ['a'] } },
  { name: 'a changed image ends the container', pod: podOf({ containers: [container('a', { image: 'new' })] }), observed: observed([c('a', 'running')]), want: { kill: ['a'] } },
  { name: 'an ended container is started again', pod: podOf({}), observed: observed([c('a', 'exited', { exitCode: 0 })]), want: { start: ['a'] } },
  { name: 'one that keeps failing waits', pod: podOf({}), observed: observed([c('a', 'exited', { exitCode: 1 })]), waits: true, want: { held: ['a'] } },
  { name: 'OnFailure: success is the end', pod: podOf({ restartPolicy: 'OnFailure' }), observed: observed([c('a', 'exited')]), want: { finished: true } },
  { name: 'OnFailure: failure is not', pod: podOf({ restartPolicy: 'OnFailure' }), observed: observed([c('a', 'exited', { exitCode: 2 })]), want: { start: ['a'] } },
  { name: 'a resize that needs it ends the container', pod: podOf({}), observed: observed([c('a', 'running')]), resized: 'a', want: { kill: ['a'] } },
  { name: 'a resized sidecar is ended before the app starts', pod: podOf({ initContainers: [sidecar] }), observed: observed([c('side', 'running')]), resized: 'side', want: { kill: ['side'] } },
  { name: 'OnFailure: what was ended to be started anew is', pod: podOf({ restartPolicy: 'OnFailure' }), observed: observed([c('a', 'exited')]), replaced: ['a-0'], want: { start: ['a'] } },
  { name: 'Never: any end is the end', pod: podOf({ restartPolicy: 'Never' }), observed: observed([c('a', 'exited', { exitCode: 2 })]), want: { finished: true } },
  { name: 'Never: finished even when the sandbox is gone', pod: podOf({ restartPolicy: 'Never' }), observed: observed([c('a', 'exited')], []), want: { finished: true } },
  { name: 'a container that was made but never started is started', pod: podOf({}), observed: observed([c('a', 'created')]), want: { start: ['a'] } },
  { name: 'ephemeral containers start once, whatever else is going on', pod: podOf({ ephemeralContainers: [container('dbg')] }), observed: observed([c('a', 'running')]), want: { start: ['dbg'] } },
  { name: 'ephemeral containers are not started again', pod: podOf({ ephemeralContainers: [container('dbg')] }), observed: observed([c('a', 'running'), c('dbg', 'exited')]), want: {} },
  {
    name: 'a container rule restarts what the pod would not', observed: observed([c('a', 'exited', { exitCode: 42 })]),
    pod: podOf({ restartPolicy: 'Never', containers: [container('a', { restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }] })] }),
    want: { start: ['a'] },
  },
]

function shown(plan: Plan): Required<Row['want']> {
  return {
    start: plan.start.map((s) => s.container.name),
    kill: plan.kill.map((k) => k.spec.container.name),
    sandbox: plan.sandbox?.attempt ?? -1,
    held: plan.held.map((h) => h.name),
    finished: plan.finished,
  }
}

describe('planPod()', () => {
  it.each(rows)('$name', ({ pod, observed, verdicts = {}, waits = false, resized, replaced = [], want }) => {
    const input: PlanInput = {
      pod,
      observed,
      verdict: (_c, spec, probe) => verdicts[`${spec.container.name} ${probe}`] ?? 'success',
      resized: (_c, spec) => resized === spec.container.name,
      replaced: new Set(replaced),
      waiting: () => (waits ? { ms: 80_000, untilMs: 99 } : undefined),
    }
    expect(shown(planPod(input))).toEqual({ start: [], kill: [], sandbox: -1, held: [], finished: false, ...want })
  })

  it('says how long a container waits, in upstream words', () => {
    const plan = planPod({ pod: podOf({}), observed: observed([c('a', 'exited', { exitCode: 1 })]), verdict: () => 'success', resized: () => false, replaced: new Set(), waiting: () => ({ ms: 80_000, untilMs: 99 }) })
    expect(plan.held).toEqual([{ name: 'a', reason: 'CrashLoopBackOff', message: 'back-off 1m20s restarting failed container=a pod=p_default(u)' }])
    expect(plan.wakeMs).toBe(99)
  })
})
