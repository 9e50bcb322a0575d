/** A round over one target: inputs from a seed, what crashed, what was slow, what the heap grew by. */
import { seededRandom } from '../../core/lib/random.ts'
import { mutant } from './mutations.ts'
import { isRefusal, type Target } from './target.ts'

/** No input may take longer. */
export const inputMsMax = 1_000
const faultsMax = 5

export interface Fault {
  readonly index: number
  readonly input: Uint8Array
  readonly what: string
}

export interface Outcome {
  readonly target: string
  readonly inputs: number
  readonly refused: number
  readonly faults: readonly Fault[]
  readonly slowestMs: number
  readonly slowest: Uint8Array
}

/** Called between inputs: tells how far the round is. */
export type Progress = (index: number) => void

/** A busy machine takes its time, too: what was slow is slow when it is slow each time. */
async function reallyTook(target: Target, input: Uint8Array, firstMs: number): Promise<number> {
  let leastMs = firstMs
  for (let tries = 0; leastMs > inputMsMax && tries < 3; tries++) {
    const before = performance.now()
    try {
      await target.run(input)
    } catch {
      // Judged the first time.
    }
    leastMs = Math.min(leastMs, performance.now() - before)
  }
  return leastMs
}

export async function round(target: Target, { inputs, seed }: { readonly inputs: number; readonly seed: number }, progress: Progress = () => {}): Promise<Outcome> {
  const random = seededRandom(seed)
  const faults: Fault[] = []
  const count = { inputs: 0, refused: 0, slowestMs: 0, slowest: new Uint8Array() as Uint8Array }
  for (let index = 0; index < inputs; index++) {
    progress(index)
    const input = index < target.corpus.length ? (target.corpus[index] ?? new Uint8Array()) : mutant(random, target.corpus)
    const before = performance.now()
    try {
      const answer = target.run(input)
      if (answer instanceof Promise) await answer
    } catch (error) {
      if (isRefusal(target, error)) count.refused++
      else faults.push({ index, input, what: error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ''}` : String(error) })
    }
    const tookMs = await reallyTook(target, input, performance.now() - before)
    count.inputs++
    if (tookMs > count.slowestMs) Object.assign(count, { slowestMs: tookMs, slowest: input })
    if (tookMs > inputMsMax) faults.push({ index, input, what: `took ${Math.round(tookMs)} ms` })
    if (faults.length >= faultsMax) break
  }
  return { target: target.name, faults, ...count }
}
