/**
 * Events sent to a server of the cluster's owner, in batches, again when it did not take them
 * (k8s.io/apiserver/plugin/pkg/audit/{buffered,webhook}). Where it is, a kubeconfig says.
 */
import type { Remote, RemoteTarget } from '../../client/remote.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { errorPath } from '../../lib/log.ts'
import type { Sink } from './audit.ts'

/** Upstream's defaults. */
export const webhookDefaults = { bufferMax: 10_000, batchMax: 400, batchWaitMs: 30_000, initialBackoffMs: 10_000, timeoutMs: 30_000 }
/** Batches are sent again so often, each time after a longer while; then they are lost and counted. */
const triesMax = 5
const backoffFactor = 1.5

/** Text that may wait, however few events it is. */
const waitingCharactersMax = 64 * 1_024 * 1_024

export type WebhookOptions = typeof webhookDefaults

export interface WebhookInit {
  readonly target: RemoteTarget
  readonly remote: Pick<Remote, 'post'>
  readonly options?: Partial<WebhookOptions>
  /** So many events could not be sent. */
  readonly lost: (events: number) => void
}

export class Webhook implements Sink {
  readonly name = 'webhook'
  readonly #ctx: Ctx
  readonly #init: WebhookInit
  readonly #options: WebhookOptions
  #lines: string[] = []
  /** Events that have been taken out of the buffer and are not there yet. */
  #sending: Promise<void> = Promise.resolve()
  #queued = 0
  #characters = 0
  #timer: { stop(): void } | undefined
  #closing = false

  constructor(ctx: Ctx, init: WebhookInit) {
    this.#ctx = ctx
    this.#init = init
    this.#options = { ...webhookDefaults, ...init.options }
  }

  add(line: string): boolean {
    if (this.#queued >= this.#options.bufferMax || this.#characters > waitingCharactersMax) return false
    this.#queued++
    this.#characters += line.length
    this.#lines.push(line)
    if (this.#lines.length >= this.#options.batchMax) this.#flush()
    else this.#timer ??= this.#ctx.clock.after(this.#options.batchWaitMs, () => this.#flush())
    return true
  }

  /** One try for what is left. */
  async close(): Promise<void> {
    this.#closing = true
    this.#flush()
    await this.#sending
  }

  #flush(): void {
    this.#timer?.stop()
    this.#timer = undefined
    if (this.#lines.length === 0) return
    const lines = this.#lines
    this.#lines = []
    this.#sending = this.#sending.then(() => this.#send(lines)).then(() => {
      this.#queued -= lines.length
      for (const line of lines) this.#characters -= line.length
    })
  }

  async #send(lines: readonly string[]): Promise<void> {
    const body = { kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {}, items: lines.map((line) => JSON.parse(line) as unknown) }
    for (let tries = 1, waitMs = this.#options.initialBackoffMs; ; tries++, waitMs *= backoffFactor) {
      const why = await this.#post(body)
      if (why === undefined) return
      if (tries >= triesMax || this.#closing || !(await this.#pause(waitMs))) {
        this.#init.lost(lines.length)
        this.#ctx.log.error('audit webhook', { events: lines.length, error: why })
        return
      }
    }
  }

  /** Why it was not taken. */
  async #post(body: object): Promise<string | undefined> {
    try {
      const { status } = await this.#init.remote.post(this.#ctx, this.#init.target, body, { timeoutMs: this.#options.timeoutMs })
      return status >= 200 && status < 300 ? undefined : `answered ${status}`
    } catch (error) {
      return errorPath(error)
    }
  }

  async #pause(ms: number): Promise<boolean> {
    return await this.#ctx.clock.sleep(ms, this.#ctx.signal).then(() => true, () => false)
  }
}
