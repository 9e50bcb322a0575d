/**
 * npm run bench: the API server's speed and memory beside upstream's, measurement by measurement in turn. It asserts
 * nothing: it prints a table and writes test/perf/report.md. What is measured is benches.ts, of what subjects.ts.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binDir, upstreamPrograms } from '../peers/upstream.ts'
import { api, crd, fair, idle, informer, list, watch, type Bench } from './benches.ts'
import { backlog } from './backlog.ts'
import { controllers } from './inplace.ts'
import { kbenchProgram, measure, type Subject } from './load.ts'
import { parts, readOptions, usage, type Options, type Part } from './options.ts'
import { markdown, printable } from './report.ts'
import { missingProgram, type Replaceable, startOwn, startReplaced } from './replaced.ts'
import { startKubun, startPeer } from './subjects.ts'
import { Tally } from './tally.ts'

const startMsMax = 1_000
const fullStartMsMax = 2_000
const fullObjects = 10_000

async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = readOptions(argv)
    if (options === undefined) {
      console.log(usage)
      return 0
    }
    const kbench = await kbenchProgram(binDir)
    if ('missing' in kbench) throw new Error(kbench.missing)
    await run(options, kbench.path)
    return 0
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
    return 1
  }
}

async function run(options: Options, kbench: string): Promise<void> {
  const programs = upstreamPrograms()
  if (typeof programs === 'string') console.log(`measured alone: ${programs}`)
  const home = mkdtempSync(join(tmpdir(), 'kubun-bench-'))
  const tally = new Tally({ busy: options.busy })
  const world: World = { options, kbench, programs, tally, dir: (name) => folder(home, name) }
  try {
    if (options.parts.has('start')) await starts(world)
    for (const part of parts) if (part !== 'start' && part !== 'scheduler' && options.parts.has(part)) await withServers(world, part)
    if (options.parts.has('scheduler')) await backlog({ ...world, compared: isThere('scheduler') })
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
  const lines = tally.lines()
  console.log(`\n${printable(lines)}\n`)
  if (tally.disturbed > 0) console.log(`${tally.disturbed} rows were disturbed by others${options.busy ? '' : ' and thrown away'}`)
  if (options.report === undefined || typeof programs === 'string') return
  const date = new Date().toISOString().slice(0, 10)
  const path = join(import.meta.dirname, options.report)
  writeFileSync(path, markdown(lines, { date, repetitions: options.repetitions, disturbed: tally.disturbed, busy: options.busy, upstream: 'kube-apiserver with etcd; where Pods are scheduled,\nDeployments made and namespaces deleted it is kube-scheduler or kube-controller-manager over a Kubun server without its own' }))
  console.log(`written: test/perf/${options.report}`)
}

interface World {
  readonly options: Options
  readonly kbench: string
  readonly programs: ReturnType<typeof upstreamPrograms>
  readonly tally: Tally
  readonly dir: (name: string) => string
}

function folder(home: string, name: string): string {
  const path = join(home, name)
  mkdirSync(path, { recursive: true })
  return path
}

const benches = { api, list, informer, watch, crd, fair, idle, controllers } as const

/** Both servers, new for each part, so that no part pays for another's leavings. */
async function withServers(world: World, part: Exclude<Part, 'start' | 'scheduler'>): Promise<void> {
  const { options, kbench, tally, dir } = world
  const subjects: Subject[] = []
  try {
    for (const begin of startersOf(world, part)) subjects.push(await begin())
    const bench: Bench = { kbench, options, tally, subjects, dir: dir(part), note: (text) => console.log(text) }
    await benches[part](bench)
  } finally {
    for (const subject of subjects) await subject.stop()
  }
}

function startersOf({ kbench, programs, dir }: World, part: Exclude<Part, 'start' | 'scheduler'>): readonly (() => Promise<Subject>)[] {
  const [ours, theirs] = [dir(`${part}-kubun`), dir(`${part}-upstream`)]
  if (part === 'controllers') {
    const own = async (): Promise<Subject> => (await startOwn(kbench, ours, part)).subject
    return isThere(part) ? [own, async () => (await startReplaced(kbench, theirs, part)).subject] : [own]
  }
  const own = async (): Promise<Subject> => (await startKubun(kbench, ours)).subject
  return typeof programs === 'string' ? [own] : [own, async () => (await startPeer(theirs, programs)).subject]
}

function isThere(part: Replaceable): boolean {
  const missing = missingProgram(part)
  if (missing !== undefined) console.log(`measured alone: ${missing}`)
  return missing === undefined
}

/** From nothing to /readyz, with an empty data dir and with many objects. */
async function starts({ options, kbench, programs, tally, dir }: World): Promise<void> {
  for (let round = 1; round <= options.repetitions; round++) {
    console.log(`start ... (${round})`)
    const empty = await startKubun(kbench, dir(`empty-${round}`))
    tally.add('kubun', { what: 'start to /readyz, empty', of: 'time', unit: 'ms', goal: { absoluteMax: startMsMax } }, empty.readyMs)
    await empty.subject.stop()
    if (typeof programs === 'string') continue
    const peer = await startPeer(dir(`peer-${round}`), programs)
    tally.add('upstream', { what: 'start to /readyz, empty', of: 'time', unit: 'ms' }, peer.readyMs)
    await peer.subject.stop()
  }
  const home = dir('full')
  const first = await startKubun(kbench, home)
  await measure(kbench, first.subject, 'seed', ['--n', String(fullObjects)])
  await first.subject.stop()
  for (let round = 1; round <= options.repetitions; round++) {
    const full = await startKubun(kbench, home)
    tally.add('kubun', { what: `start to /readyz, ${fullObjects} objects`, of: 'time', unit: 'ms', goal: { absoluteMax: fullStartMsMax } }, full.readyMs)
    await full.subject.stop()
  }
}

process.exit(await main(process.argv.slice(2)))
