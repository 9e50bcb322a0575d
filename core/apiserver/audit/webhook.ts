/**
 * Events sent to a server of the cluster's owner, in batches, again when it did not take them
 * (k8s.io/apiserver/plugin/pkg/audit/{buffered,webhook}). Where it is, a kubeconfig says.
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseYaml } from '../../api/codec/yaml.ts'
import type { Remote, RemoteTarget } from '../../client/remote.ts'
import type { Ctx } from '../../lib/ctx.ts'
import { errorPath } from '../../lib/log.ts'
import type { Sink } from './audit.ts'

/** Upstream's defaults. */
export const webhookDefaults = { bufferMax: 10_000, batchMax: 400, batchWaitMs: 30_000, initialBackoffMs: 10_000, timeoutMs: 30_000 }
/** Batches are sent again so often, each time after a longer while; then they are lost and counted. */
const triesMax = 5
const backoffFactor = 1.5

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
  #timer: { stop(): void } | undefined
  #closing = false

  constructor(ctx: Ctx, init: WebhookInit) {
    this.#ctx = ctx
    this.#init = init
    this.#options = { ...webhookDefaults, ...init.options }
  }

  add(line: string): boolean {
    if (this.#queued >= this.#options.bufferMax) return false
    this.#queued++
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
    this.#sending = this.#sending.then(() => this.#send(lines)).then(() => void (this.#queued -= lines.length))
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

interface Kubeconfig {
  readonly 'current-context'?: string
  readonly contexts?: readonly { readonly name: string; readonly context: { readonly cluster?: string; readonly user?: string } }[]
  readonly clusters?: readonly { readonly name: string; readonly cluster: Readonly<Record<string, unknown>> }[]
  readonly users?: readonly { readonly name: string; readonly user?: Readonly<Record<string, unknown>> }[]
}

/** Throws what is wrong with it. */
export function webhookTarget(path: string): RemoteTarget {
  const parsed = parseYaml(readFileSync(path, 'utf8'))
  if (!parsed.ok) throw new Error(`${path}: ${parsed.error}`)
  const config = (parsed.value ?? {}) as Kubeconfig
  const context = config.contexts?.find(({ name }) => name === config['current-context'])?.context
  if (context === undefined) throw new Error(`${path}: there is no context "${config['current-context'] ?? ''}"`)
  const cluster = config.clusters?.find(({ name }) => name === context.cluster)?.cluster
  const user = config.users?.find(({ name }) => name === context.user)?.user ?? {}
  const url = cluster?.['server']
  if (cluster === undefined || typeof url !== 'string' || url === '') throw new Error(`${path}: the context names no cluster with a server`)
  for (const field of ['exec', 'auth-provider', 'username']) if (user[field] !== undefined) throw new Error(`${path}: ${field} is not served: a certificate or a token signs in`)
  const from = (holder: Readonly<Record<string, unknown>>, field: string): string | undefined => textOf(path, holder, field)
  const ca = from(cluster, 'certificate-authority')
  const credentials = { certificate: from(user, 'client-certificate'), key: from(user, 'client-key'), token: (user['token'] as string | undefined) ?? from(user, 'tokenFile')?.trim() }
  return {
    url,
    ...(ca === undefined ? {} : { caBundle: Buffer.from(ca).toString('base64') }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { insecureSkipTlsVerify: true } : {}),
    ...(typeof cluster['tls-server-name'] === 'string' ? { serverName: cluster['tls-server-name'] } : {}),
    credentials: Object.fromEntries(Object.entries(credentials).filter(([, value]) => value !== undefined)),
  }
}

/** Inline (FIELD-data, base64) or in a file beside the kubeconfig. */
function textOf(path: string, holder: Readonly<Record<string, unknown>>, field: string): string | undefined {
  const inline = holder[`${field}-data`]
  if (typeof inline === 'string') return Buffer.from(inline, 'base64').toString()
  const file = holder[field]
  return typeof file === 'string' ? readFileSync(resolve(dirname(path), file), 'utf8') : undefined
}
