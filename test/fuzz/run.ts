/**
 * bun test/fuzz/run.ts [--inputs N] [--seed S] [--only REGEXP]: N changed inputs in all, shared out among the decoders. Each decoder has
 * a thread of its own: one that hangs is ended and named, and what its heap grew by is its own. Ends with 1 when anything crashed, was
 * slow or kept memory. `--input BASE64 --only NAME` gives a decoder that one input.
 */
import { heapStats } from 'bun:jsc'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { inputMsMax, round, type Outcome } from './round.ts'
import type { Target } from './target.ts'
import { allTargets } from './targets.ts'

/** What a heap may be larger after all inputs than after the first fifth. */
const growthBytesMax = 48 * 1_024 * 1_024
const hangMs = 30_000
const shownBytesMax = 2_000

interface Work {
  readonly target: string
  readonly inputs: number
  readonly seed: number
  /** [index of the input, when it began]. */
  readonly at: SharedArrayBuffer
}

interface Report extends Outcome {
  readonly grewBytes: number
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name)
  return at < 0 ? undefined : (process.argv[at + 1] ?? '')
}

function heapBytes(): number {
  Bun.gc(true)
  return heapStats().heapSize
}

/** In the thread of one target. */
async function work({ target: name, inputs, seed, at }: Work): Promise<void> {
  const place = new Float64Array(at)
  const target = (await allTargets()).find((each) => each.name === name)
  if (target === undefined) throw new Error(`no target ${name}`)
  const from = Math.floor(inputs / 5)
  let before = 0
  const outcome = await round(target, { inputs, seed }, (index) => {
    if (index === from) before = heapBytes()
    place[0] = index
    place[1] = Date.now()
  })
  const report: Report = { ...outcome, grewBytes: outcome.inputs > from ? heapBytes() - before : 0 }
  parentPort?.postMessage(report)
}

function played(target: Target, inputs: number, seed: number): Promise<Report | string> {
  const at = new SharedArrayBuffer(16)
  const place = new Float64Array(at)
  return new Promise((resolve) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { target: target.name, inputs, seed, at } satisfies Work })
    const watch = setInterval(() => {
      if ((place[1] ?? 0) === 0 || Date.now() - (place[1] ?? 0) < hangMs) return
      done(`hangs at input ${place[0]} of seed ${seed}`)
    }, 1_000)
    const done = (report: Report | string): void => {
      clearInterval(watch)
      void worker.terminate()
      resolve(report)
    }
    worker.on('message', (report: Report) => done(report))
    worker.on('error', (error: unknown) => done(`ended at input ${place[0]} of seed ${seed}: ${String(error)}`))
  })
}

function line(name: string, report: Report): string {
  const mega = (report.grewBytes / 2 ** 20).toFixed(1)
  return `${name.padEnd(44)} ${String(report.inputs).padStart(8)} inputs ${String(report.refused).padStart(8)} refused  slowest ${report.slowestMs.toFixed(0).padStart(4)} ms  heap ${mega.padStart(6)} MB`
}

function faults(report: Report): readonly string[] {
  const shown = report.faults.map(({ index, input, what }) => `input ${index}: ${what}\n    ${Buffer.from(input).subarray(0, shownBytesMax).toString('base64')}`)
  return report.grewBytes > growthBytesMax ? [...shown, `the heap grew by ${report.grewBytes} bytes`] : shown
}

async function main(): Promise<number> {
  const seed = Number(option('--seed') ?? 1)
  const only = new RegExp(option('--only') ?? '')
  const targets = (await allTargets()).filter(({ name }) => only.test(name))
  const input = option('--input')
  if (input !== undefined) return await single(targets, Buffer.from(input, 'base64'))
  const shares = targets.reduce((sum, { share }) => sum + (share ?? 1), 0)
  const each = Number(option('--inputs') ?? 20_000) / shares
  const count = { inputs: 0, faults: 0 }
  for (const target of targets) {
    const report = await played(target, Math.ceil(each * (target.share ?? 1)), seed)
    const wrong = typeof report === 'string' ? [report] : faults(report)
    if (typeof report !== 'string') count.inputs += report.inputs
    console.log(typeof report === 'string' ? target.name : line(target.name, report))
    for (const fault of wrong) console.log(`  ${fault}`)
    count.faults += wrong.length
  }
  console.log(`${count.inputs} inputs, ${count.faults} faults; none may take more than ${inputMsMax} ms`)
  return count.faults === 0 ? 0 : 1
}

async function single(targets: readonly Target[], input: Uint8Array): Promise<number> {
  for (const target of targets) {
    const { faults: found, slowestMs } = await round({ ...target, corpus: [input] }, { inputs: 1, seed: 1 })
    console.log(target.name, `${slowestMs.toFixed(0)} ms`, ...found.map(({ what }) => what))
  }
  return 0
}

if (isMainThread) process.exit(await main())
else await work(workerData as Work)
