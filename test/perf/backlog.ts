/**
 * Pods that wait: thousands of them on hollow nodes, made while nobody schedules; then a scheduler comes, ours or
 * upstream's (replaced.ts), and works them off. What another client notices meanwhile is looked at, too. Time counts
 * from when the scheduler is ready until a client has seen the last binding.
 */
import { accessOf } from './access.ts'
import { measure, numberOf, type Subject } from './load.ts'
import type { Options } from './options.ts'
import { probing } from './probe.ts'
import { startOwn, startReplaced, startUnscheduled } from './replaced.ts'
import type { Measure, Tally } from './tally.ts'

export interface BacklogWorld {
  readonly options: Options
  readonly kbench: string
  readonly tally: Tally
  readonly dir: (name: string) => string
  /** Whether upstream's scheduler is there to compare with. */
  readonly compared: boolean
}

const variants = ['basic', 'spread', 'antiaffinity'] as const
/** Pods of a group stay apart: no more of them than nodes. */
const groups = 10
/** Pods bound a second, and, with rules that look at other pods, half of it. */
const rateMin: Readonly<Record<number, number>> = { 1_000: 2_000, 5_000: 1_000 }
const getMsMax = 50

export async function backlog(world: BacklogWorld): Promise<void> {
  const { options, compared } = world
  const sides: readonly Subject['name'][] = compared ? ['kubun', 'upstream'] : ['kubun']
  for (const nodes of options.schedNodes) {
    for (const variant of variants) {
      for (let round = 1; round <= options.repetitions; round++) {
        for (const side of sides) await workOff(world, { nodes, variant, round, side })
      }
    }
  }
}

interface Turn {
  readonly nodes: number
  readonly variant: (typeof variants)[number]
  readonly round: number
  readonly side: Subject['name']
}

async function workOff({ options, kbench, tally, dir }: BacklogWorld, { nodes, variant, round, side }: Turn): Promise<void> {
  const { schedPods } = options
  const what = `${schedPods} waiting Pods onto ${nodes} nodes, ${variant}`
  console.log(`${what}: ${side} (${round})`)
  const home = dir(`backlog-${nodes}-${variant}-${round}-${side}`)
  const args = ['--nodes', String(nodes), '--pods', String(schedPods), '--variant', variant, '--groups', String(groups)]
  const before = await startUnscheduled(kbench, home)
  try {
    await measure(kbench, before, 'sched', ['--mode', 'prepare', ...args])
  } finally {
    await before.stop()
  }
  const { subject, readyAt } = side === 'kubun' ? await startOwn(kbench, home, 'scheduler') : await startReplaced(kbench, home, 'scheduler')
  try {
    const probe = await probing(accessOf(subject.kubeconfig))
    const rows = await measure(kbench, subject, 'sched', ['--mode', 'wait', '--cleanup=false', ...args])
    const tookS = (Date.now() - readyAt) / 1_000
    const noticed = await probe.end()
    const row = rows.find((each) => each['bench'] === 'sched')
    if (row === undefined || numberOf(row, 'bound') !== schedPods) throw new Error(`${side} did not schedule all Pods: ${JSON.stringify(row)}`)
    if (!tally.admits(row)) return
    const add = (of: string, unit: string, value: number | undefined, goal?: Measure['goal']): void => tally.add(side, { what, of, unit, ...(goal === undefined ? {} : { goal }) }, value)
    const least = rateMin[nodes]
    add('rate', '/s', schedPods / tookS, least === undefined ? undefined : { absoluteMin: variant === 'basic' ? least : least / 2 })
    add('CPU of server and scheduler', 'ms/op', ((numberOf(row, 'server_cpu_s') ?? Number.NaN) * 1_000) / schedPods)
    add('RSS of server and scheduler', 'MB', numberOf(row, 'server_rss_mb'))
    add('get beside it, p50', 'ms', noticed.p50Ms)
    add('get beside it, p99', 'ms', noticed.p99Ms, { absoluteMax: getMsMax })
  } finally {
    await subject.stop()
  }
}
