/**
 * bun test/sim/run.ts --seed N [--trace] [--log]: one run, twice where nothing is traced, as the same seed must give the
 * same history. `--seeds FROM..TO [--threads 2]` runs many; each that fails is printed with the command that replays it.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { simulate, type Verdict } from './simulate.ts'

interface Work {
  /** Next seed to take, shared by all threads. */
  readonly next: SharedArrayBuffer
  readonly to: number
}

const failuresShownMax = 20

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name)
  return at < 0 ? undefined : (process.argv[at + 1] ?? '')
}

/** In a thread: takes seeds until there are none. */
async function work({ next, to }: Work): Promise<void> {
  const counter = new Int32Array(next)
  for (;;) {
    const seed = Atomics.add(counter, 0, 1)
    if (seed > to) return
    parentPort?.postMessage(await simulate(seed))
  }
}

async function many(from: number, to: number, threads: number): Promise<readonly Verdict[]> {
  const next = new SharedArrayBuffer(4)
  new Int32Array(next)[0] = from
  const failed: Verdict[] = []
  await Promise.all(
    Array.from({ length: threads }, () => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { next, to } satisfies Work })
      worker.on('message', (verdict: Verdict) => {
        if (verdict.broken === undefined) return
        failed.push(verdict)
        if (failed.length <= failuresShownMax) show(verdict)
      })
      return new Promise<void>((resolve, reject) => {
        worker.on('error', reject)
        worker.on('exit', () => resolve())
      })
    }),
  )
  return failed
}

function show({ seed, broken }: Verdict): void {
  console.log(`seed ${seed}: ${broken?.invariant ?? ''}: ${broken?.why ?? ''} (at ${((broken?.atMs ?? 0) / 1_000).toFixed(3)} s)`)
  console.log(`  bun test/sim/run.ts --seed ${seed} --trace`)
}

async function one(seed: number): Promise<boolean> {
  const isTraced = process.argv.includes('--trace')
  const verdict = await simulate(seed, { ...(isTraced ? { trace: (line: string) => console.log(line) } : {}), log: process.argv.includes('--log') })
  const again = isTraced ? verdict : await simulate(seed)
  console.log(`seed ${seed}: ${verdict.changes} changes in ${(verdict.virtualMs / 1_000).toFixed(0)} s, hash ${verdict.hash}`)
  if (verdict.broken !== undefined) show(verdict)
  if (again.hash !== verdict.hash) console.log(`seed ${seed}: another hash the second time: ${again.hash}`)
  return verdict.broken === undefined && again.hash === verdict.hash
}

async function range(text: string): Promise<boolean> {
  const [from = 1, to = from] = text.split('..').map(Number)
  const begun = Bun.nanoseconds()
  const failed = await many(from, to, Number(option('--threads') ?? 2))
  const count = to - from + 1
  const ms = (Bun.nanoseconds() - begun) / 1e6
  console.log(`${count} seeds in ${(ms / 1_000).toFixed(1)} s (${(ms / count).toFixed(1)} ms each), ${failed.length} failed`)
  return failed.length === 0
}

if (isMainThread) {
  const seed = option('--seed')
  const good = seed === undefined ? await range(option('--seeds') ?? '1..1000') : await one(Number(seed))
  process.exit(good ? 0 : 1)
} else void work(workerData as Work)
