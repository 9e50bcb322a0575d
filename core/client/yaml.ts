/**
 * YAML from outside, whose size and shape are somebody else's choice: small texts are read at once, large ones in a thread
 * of their own, so that nobody else waits. A reader that works when its request ends is ended with it.
 */
import { parseYaml, type ParsedYaml } from '../api/codec/yaml.ts'
import type { Timer } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'

/** About a millisecond's work; longer texts go to the thread. */
export const charactersHereMax = 32 * 1_024
/** A thread that has nothing to read is kept for so long. */
export const idleMs = 30_000

/** No promise where none is needed. Rejects with the signal's reason when it is aborted first. */
export function readYaml(ctx: Ctx, text: string): ParsedYaml<unknown> | Promise<ParsedYaml<unknown>> {
  return text.length <= charactersHereMax ? parseYaml(text) : reader.read(ctx, text)
}

interface Job {
  readonly ctx: Ctx
  readonly text: string
  readonly resolve: (parsed: ParsedYaml<unknown>) => void
  readonly reject: (reason: unknown) => void
  readonly stop: () => void
}

/** In the executable the worker is an entry point of its own, and lies where it lies in the source, seen from the root. */
const place = import.meta.url.includes('/$bunfs/') ? './core/client/yaml.worker.ts' : './yaml.worker.ts'

export class YamlReader {
  readonly #waiting: Job[] = []
  #worker: Worker | undefined
  #current: Job | undefined
  #idle: Timer | undefined

  /** Whether a thread stands. */
  get running(): boolean {
    return this.#worker !== undefined
  }

  read(ctx: Ctx, text: string): Promise<ParsedYaml<unknown>> {
    return new Promise((resolve, reject) => {
      if (ctx.signal.aborted) return reject(ctx.signal.reason)
      const job: Job = { ctx, text, resolve, reject, stop: () => this.#giveUp(job) }
      ctx.signal.addEventListener('abort', job.stop, { once: true })
      this.#waiting.push(job)
      this.#next()
    })
  }

  #next(): void {
    if (this.#current !== undefined) return
    const job = this.#waiting.shift()
    if (job === undefined) return
    this.#current = job
    this.#idle?.stop()
    this.#worker ??= this.#start()
    this.#worker.postMessage(job.text)
  }

  #start(): Worker {
    const worker = new Worker(new URL(place, import.meta.url))
    worker.onmessage = (event: MessageEvent<ParsedYaml<unknown>>) => this.#done((job) => job.resolve(event.data))
    worker.onerror = (event) => {
      this.#end()
      this.#done((job) => job.reject(new Error(`the reader of YAML ended: ${event.message}`)))
    }
    return worker
  }

  #done(tell: (job: Job) => void): void {
    const job = this.#current
    if (job === undefined) return
    this.#current = undefined
    job.ctx.signal.removeEventListener('abort', job.stop)
    tell(job)
    this.#next()
    if (this.#current === undefined) this.#idle = job.ctx.clock.after(idleMs, () => this.#end())
  }

  /** Nobody waits for it any more. A thread cannot be told to stop reading: it is ended, and the next text gets another. */
  #giveUp(job: Job): void {
    if (job === this.#current) {
      this.#end()
      return this.#done(() => job.reject(job.ctx.signal.reason))
    }
    this.#waiting.splice(this.#waiting.indexOf(job), 1)
    job.reject(job.ctx.signal.reason)
  }

  #end(): void {
    this.#idle?.stop()
    this.#worker?.terminate()
    this.#worker = undefined
  }
}

const reader = new YamlReader()
