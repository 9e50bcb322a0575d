/**
 * The request thread's end of the writer thread: one message in flight, the rest waits in
 * order. It knows what travels (sqlite.frame.ts) but nothing of revisions.
 */
import { encodeRequest, type Answer, type Request } from './sqlite.frame.ts'

/** In the executable the worker is an entry point of its own, and lies where it lies in the source, seen from the root. */
const place = import.meta.url.includes('/$bunfs/') ? './core/store/drivers/sqlite.worker.ts' : './sqlite.worker.ts'
const workerUrl = new URL(place, import.meta.url)

interface Job {
  /** Made when its turn comes, so that a batch holds all that gathered meanwhile. */
  readonly request: () => Request
  readonly done: (answer: Answer) => void
}

export class WriterThread {
  readonly #worker: Worker
  readonly #waiting: Job[] = []
  #current: Job | undefined
  #broken: string | undefined

  constructor() {
    this.#worker = new Worker(workerUrl)
    this.#worker.onmessage = (event: MessageEvent<string>) => this.#answered(JSON.parse(event.data) as Answer)
    this.#worker.onerror = (event) => this.#fail(`the writer thread ended: ${event.message}`)
  }

  /** Does one thing after all that was asked before. A failure is an answer, never a throw. */
  ask(request: Request | (() => Request)): Promise<Answer> {
    return new Promise((done) => this.push(typeof request === 'function' ? request : () => request, done))
  }

  push(request: () => Request, done: (answer: Answer) => void): void {
    this.#waiting.push({ request, done })
    this.#next()
  }

  /** Ends the thread; what was not answered yet fails. */
  terminate(): void {
    this.#worker.onmessage = null
    this.#fail('the writer thread was ended')
    this.#worker.terminate()
  }

  #next(): void {
    if (this.#current !== undefined) return
    const job = this.#waiting.shift()
    if (job === undefined) return
    if (this.#broken !== undefined) {
      job.done({ ok: false, error: this.#broken })
      return this.#next()
    }
    this.#current = job
    this.#worker.postMessage(encodeRequest(job.request()))
  }

  #answered(answer: Answer): void {
    const job = this.#current
    this.#current = undefined
    // The thread writes on while what it has written is told; but what failed is heard first, for it may take back what waits.
    if (answer.ok) this.#next()
    job?.done(answer)
    if (!answer.ok) this.#next()
  }

  #fail(why: string): void {
    this.#broken ??= why
    if (this.#current !== undefined) this.#answered({ ok: false, error: this.#broken })
    else this.#next()
  }
}
