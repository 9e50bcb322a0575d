/** Calling webhooks again that did not answer well (k8s.io/apiserver/pkg/util/webhook): when, how often, and what an answer that is none is called. */
import type { Reason } from '../api/errors.ts'
import { refusalOf } from '../client/refusals.ts'
import type { RemoteAnswer } from '../client/remote.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Random } from '../lib/random.ts'

const triesMax = 5
const firstWaitMs = 500
const factor = 1.5
const jitter = 0.2

/** What a webhook could not say; `again`: it may yet. */
export class WebhookFailure extends Error {
  readonly again: boolean

  constructor(message: string, again: boolean, options?: ErrorOptions) {
    super(message, options)
    this.again = again
  }
}

/** Throws the last failure. */
export async function withRetries<T>(ctx: Ctx, random: Random, call: () => Promise<T>): Promise<T> {
  for (let tries = 1, waitMs = firstWaitMs; ; tries++, waitMs *= factor) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof WebhookFailure) || !error.again || tries >= triesMax || ctx.signal.aborted) throw error
      await ctx.clock.sleep(waitMs * (1 + random.fraction() * jitter), ctx.signal)
    }
  }
}

const passing: readonly Reason[] = ['InternalError', 'Timeout', 'TooManyRequests']

/** The JSON of a good answer; throws WebhookFailure for any other. */
export function reviewOf(answer: RemoteAnswer): Readonly<Record<string, unknown>> {
  const refusal = refusalOf(answer)
  if (refusal !== undefined) throw new WebhookFailure(refusal.message, passing.includes(refusal.reason) || answer.headers['retry-after'] !== undefined)
  const text = new TextDecoder().decode(answer.body)
  const value = jsonOf(text)
  if (value === undefined) throw new WebhookFailure(`the server answered no JSON: ${JSON.stringify(text.slice(0, saidMax))}`, false)
  return value
}

const saidMax = 200

/** Wraps what comes before an answer: only a connection that was cut is tried again. */
export function callFailure(cause: unknown): WebhookFailure {
  const message = cause instanceof Error ? cause.message : String(cause)
  return new WebhookFailure(message, /ECONNRESET|connection reset/.test(message), { cause })
}

function jsonOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
