/**
 * The parts of the benchmark: which measurements they make of both servers in turn, and which numbers they read from
 * kbench's rows. The goals are those of the project: a rate of 2.5 times upstream's at a quarter of its CPU, and so on.
 */
import { fairness } from './fairness.ts'
import { join } from 'node:path'
import { cpuSeconds, measure, numberOf, rowsOf, type Row, type Subject } from './load.ts'
import type { Options } from './options.ts'
import type { Measure, Tally } from './tally.ts'

export interface Bench {
  readonly kbench: string
  readonly options: Options
  readonly tally: Tally
  /** Kubun first; alone where there is no upstream. */
  readonly subjects: readonly Subject[]
  /** For what programs write meanwhile. */
  readonly dir: string
  note(text: string): void
}

const rateAtLeast = 2.5
const quarter = 0.25
const fifth = 0.2
const third = 1 / 3
const informerMsMax = 2_000
const definitionClients = 16
const definitionsPerSecondMin = 2_000
const idleCpuPctMax = 2
const idleRssMbMax = 200

const plural = { configmap: 'ConfigMap', pod: 'Pod' } as const
const operations = ['create', 'get', 'update', 'patch', 'list100', 'delete'] as const

/** Every verb on ConfigMaps and Pods, with few and many clients. */
export async function api(bench: Bench): Promise<void> {
  for (const subject of bench.subjects) await measure(bench.kbench, subject, 'api', ['--clients', '16', '--n', String(bench.options.objects)]) // warms up, is not counted
  for (const kind of ['configmap', 'pod'] as const) {
    for (const clients of bench.options.clients) {
      const what = (op: string): string => `${plural[kind]} ${op}, ${clients} client${clients === 1 ? '' : 's'}`
      const args = ['--kinds', kind, '--clients', String(clients), '--n', String(bench.options.objects)]
      await inTurn(bench, operations.map(what), async (subject) => {
        for (const row of await measure(bench.kbench, subject, 'api', args)) {
          if (bench.tally.admits(row)) addOperation(bench.tally, subject, what(String(row['op'])), row)
        }
      })
    }
  }
}

function addOperation(tally: Tally, subject: Subject, what: string, row: Row): void {
  const n = numberOf(row, 'n') ?? Number.NaN
  tally.add(subject.name, { what, of: 'rate', unit: '/s', goal: { atLeast: rateAtLeast } }, numberOf(row, 'ops_s'))
  tally.add(subject.name, { what, of: 'server CPU', unit: 'ms/op', goal: { atMost: quarter } }, ((numberOf(row, 'server_cpu_s') ?? Number.NaN) * 1_000) / n)
  tally.add(subject.name, { what, of: 'p99', unit: 'ms' }, numberOf(row, 'p99_ms'))
  tally.add(subject.name, { what: 'after it all', of: 'server RSS', unit: 'MB', goal: { atMost: quarter } }, numberOf(row, 'server_rss_mb'))
}

/** A list of many pods: plain JSON is what the goal speaks of. */
export async function list(bench: Bench): Promise<void> {
  const what = `list of ${bench.options.listPods} Pods`
  await inTurn(bench, [what], async (subject) => {
    for (const row of await measure(bench.kbench, subject, 'list', ['--n', String(bench.options.listPods), '--reps', '5'])) {
      if (row['bench'] !== 'list' || !bench.tally.admits(row)) continue
      const goal = row['variant'] === 'json' ? { goal: { atMost: fifth } } : {}
      const name = row['variant'] === 'json' ? what : `${what}, ${String(row['variant'])}`
      bench.tally.add(subject.name, { what: name, of: 'time', unit: 'ms', ...goal }, numberOf(row, 'p50_ms'))
    }
  })
}

/** client-go's informer from nothing to synced: by a watch that begins with what there is, and by pages of a list. */
export async function informer(bench: Bench): Promise<void> {
  const { informerPods } = bench.options
  for (const subject of bench.subjects) await measure(bench.kbench, subject, 'seed', ['--n', String(informerPods)])
  for (const content of ['json', 'protobuf']) {
    for (const streams of [true, false]) {
      const what = `informer of ${informerPods} Pods, ${content} by ${streams ? 'watch' : 'list'}`
      await inTurn(bench, [what], async (subject) => {
        const rows = await measure(bench.kbench, subject, 'informer', ['--content', content], { KUBE_FEATURE_WatchListClient: String(streams) })
        for (const row of rows) {
          if (!bench.tally.admits(row)) continue
          bench.tally.add(subject.name, { what, of: 'time', unit: 'ms', goal: { absoluteMax: informerMsMax } }, numberOf(row, 'max_ms'))
          bench.tally.add(subject.name, { what, of: 'server CPU', unit: 's' }, numberOf(row, 'server_cpu_s'))
        }
      })
    }
  }
}

/** Definitions of custom kinds, small and large, until the last one is served. */
export async function crd(bench: Bench): Promise<void> {
  const { definitions } = bench.options
  let run = 0
  for (const properties of [10, 100]) {
    const what = `CRD create, ${properties} fields, ${definitionClients} clients`
    await inTurn(bench, [what], async (subject) => {
      const before = cpuSeconds(subject)
      const wish = { kubeconfig: subject.kubeconfig, clients: definitionClients, n: definitions, properties, group: `r${++run}.example.com` }
      for (const row of await rowsOf(process.execPath, [join(import.meta.dirname, 'crds.ts'), JSON.stringify(wish)])) {
        if (numberOf(row, 'established') !== definitions) bench.note(`${subject.name} had not established all in a minute: ${JSON.stringify(row)}`)
        const goal = properties === 10 ? { goal: { absoluteMin: definitionsPerSecondMin } } : {}
        bench.tally.add(subject.name, { what, of: 'rate', unit: '/s', ...goal }, numberOf(row, 'ops_s'))
        bench.tally.add(subject.name, { what, of: 'rate until established', unit: '/s' }, numberOf(row, 'established_s'))
        bench.tally.add(subject.name, { what, of: 'established after, p99', unit: 'ms' }, numberOf(row, 'lag_p99_ms'))
        bench.tally.add(subject.name, { what, of: 'server CPU', unit: 'ms/op' }, ((cpuSeconds(subject) - before) * 1_000) / definitions)
      }
    })
  }
}

/** One change, told to many watchers. */
export async function watch(bench: Bench): Promise<void> {
  const { watchers, watchS } = bench.options
  const what = `${watchers} watchers, 200 writes/s`
  await inTurn(bench, [what], async (subject) => {
    for (const row of await measure(bench.kbench, subject, 'watch', ['--watchers', String(watchers), '--rate', '200', '--secs', String(watchS)])) {
      if (!bench.tally.admits(row)) continue
      bench.tally.add(subject.name, { what, of: 'lag p99', unit: 'ms', goal: { atMost: third } }, numberOf(row, 'lag_p99_ms'))
      bench.tally.add(subject.name, { what, of: 'events', unit: '/s' }, numberOf(row, 'events_s'))
      bench.tally.add(subject.name, { what, of: 'server CPU', unit: 's' }, numberOf(row, 'server_cpu_s'))
      bench.tally.add(subject.name, { what, of: 'server RSS', unit: 'MB', goal: { atMost: quarter } }, numberOf(row, 'server_rss_mb'))
    }
  })
}

/** One client's p99 beside another that wants everything; the goal is of Kubun's own idle value. */
export async function fair(bench: Bench): Promise<void> {
  for (const subject of bench.subjects) {
    bench.note(`fairness of ${subject.name} ...`)
    for (const row of await fairness(subject, bench.dir, bench.options.fairS)) {
      bench.tally.add(subject.name, { what: row.what, of: 'p99 alone', unit: 'ms' }, row.idleP99Ms)
      bench.tally.add(subject.name, { what: row.what, of: 'p99 beside it', unit: 'ms' }, row.busyP99Ms)
      bench.tally.add(subject.name, { what: row.what, of: 'p50 alone', unit: 'ms' }, row.idleP50Ms)
      bench.tally.add(subject.name, { what: row.what, of: 'p50 beside it', unit: 'ms' }, row.busyP50Ms)
      bench.tally.add(subject.name, { what: row.what, of: 'p99 beside it : alone', unit: 'x', goal: { absoluteMax: 3 } }, row.busyP99Ms / row.idleP99Ms)
    }
  }
}

/** What a server uses when nothing is asked of it; the servers are new ones. */
export async function idle(bench: Bench): Promise<void> {
  const seconds = bench.options.idleS
  for (const subject of bench.subjects) {
    const [row] = await measure(bench.kbench, subject, 'idle', ['--secs', String(seconds)])
    if (row === undefined) continue
    const cpu: Measure = { what: 'idle', of: 'CPU of one core', unit: '%', goal: { absoluteMax: idleCpuPctMax } }
    bench.tally.add(subject.name, cpu, ((numberOf(row, 'server_cpu_s') ?? Number.NaN) * 100) / seconds)
    bench.tally.add(subject.name, { what: 'idle', of: 'RSS', unit: 'MB', goal: { absoluteMax: idleRssMbMax } }, numberOf(row, 'server_rss_mb'))
  }
}

/** Subject by subject, round by round, until each has its samples of all of these. */
export async function inTurn(bench: Bench, wanted: readonly string[], once: (subject: Subject) => Promise<void>): Promise<void> {
  const { repetitions, extraRounds } = bench.options
  const lacks = (subject: Subject): boolean => wanted.some((what) => bench.tally.count(subject.name, what) < repetitions)
  for (let round = 0; round < repetitions + extraRounds; round++) {
    const due = bench.subjects.filter(lacks)
    if (due.length === 0) return
    bench.note(`${wanted[0] ?? ''} ... (${round + 1})`)
    for (const subject of due) await once(subject)
  }
}
