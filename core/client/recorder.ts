/**
 * Recorder: events about objects, as `kubectl describe` shows them. Same events are counted up on one object instead of
 * being written anew, many alike are combined, and one object's flood is cut off: upstream's correlator
 * (client-go/tools/record/events_cache.go) with its limits. Recording never waits; what cannot be written is dropped.
 */
import { isApiError } from '../api/errors.ts'
import { events } from '../api/core/event.ts'
import type { KindRef } from '../api/kind.ts'
import { apiVersionOf, type KubeObject } from '../api/meta.ts'
import type { Event, ObjectReference } from '../api/schema/types.ts'
import { formatTime } from '../api/time.ts'
import type { Ctx } from '../lib/ctx.ts'
import { Ring } from '../lib/ring.ts'
import type { Random } from '../lib/random.ts'
import type { Client } from './client.ts'

/** Events that wait to be written. */
const backlogEventsMax = 1_000
/** Events that are remembered for counting. */
const rememberedMax = 4_096
/** From so many different messages of one reason on, within the span, they are combined. */
const alikeMax = 10
const alikeSpanMs = 600_000
/** One object may be talked about so often at once, and then once a span. */
const burst = 25
const refillMs = 300_000
const triesMax = 12

export interface Recorder {
  event(kind: KindRef, about: Readonly<KubeObject>, type: 'Normal' | 'Warning', reason: string, message: string): void
  /** Like event(), about a part of an object: `spec.containers{web}`. */
  eventAt(kind: KindRef, about: Readonly<KubeObject>, fieldPath: string, type: 'Normal' | 'Warning', reason: string, message: string): void
}

export interface RecorderSource {
  readonly component: string
  readonly host?: string
}

interface Told {
  readonly name: string
  readonly namespace: string
  count: number
  firstTimestamp: string
}

interface Write {
  readonly event: Event
  /** Counted up on the event that is there; created anew when that is gone. */
  readonly again: boolean
}

export class EventRecorder implements Recorder {
  readonly #client: Client
  readonly #source: RecorderSource
  readonly #ctx: Ctx
  readonly #random: Random
  readonly #backlog = new Ring<Write>(backlogEventsMax)
  readonly #told = new Map<string, Told>()
  readonly #alike = new Map<string, { readonly messages: Set<string>; sinceMs: number }>()
  readonly #budget = new Map<string, { tokens: number; atMs: number }>()
  #wake: (() => void) | undefined

  /** `ctx` gives the clock and the log; run() does the writing. */
  constructor(ctx: Ctx, client: Client, source: RecorderSource, random: Random) {
    this.#ctx = ctx
    this.#client = client
    this.#source = source
    this.#random = random
  }

  event(kind: KindRef, about: Readonly<KubeObject>, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.eventAt(kind, about, '', type, reason, message)
  }

  eventAt(kind: KindRef, about: Readonly<KubeObject>, fieldPath: string, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const now = this.#ctx.clock.now()
    const involvedObject: ObjectReference = {
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      name: about.metadata.name ?? '',
      ...(about.metadata.namespace === undefined ? {} : { namespace: about.metadata.namespace }),
      ...(about.metadata.uid === undefined ? {} : { uid: about.metadata.uid }),
      ...(about.metadata.resourceVersion === undefined ? {} : { resourceVersion: about.metadata.resourceVersion }),
      ...(fieldPath === '' ? {} : { fieldPath }),
    }
    const object = [involvedObject.kind, involvedObject.namespace, involvedObject.name, involvedObject.uid, fieldPath].join('|')
    if (!this.#afford(object, now)) return
    const group = [object, type, reason].join('|')
    const combined = this.#combines(group, message, now)
    const text = (combined ? `(combined from similar events): ${message}` : message).slice(0, 1_024)
    this.#offer(this.#correlate(combined ? group : `${group}|${message}`, { involvedObject, type, reason, message: text }, now))
  }

  /** Writes what was recorded until ctx ends. */
  async run(ctx: Ctx): Promise<void> {
    const stir = (): void => this.#stir()
    ctx.signal.addEventListener('abort', stir, { once: true })
    try {
      while (!ctx.signal.aborted) {
        const write = this.#backlog.shift()
        if (write === undefined) await new Promise<void>((resolve) => (this.#wake = resolve))
        else await this.#write(ctx, write)
      }
    } finally {
      ctx.signal.removeEventListener('abort', stir)
    }
  }

  #afford(object: string, now: number): boolean {
    const budget = remember(this.#budget, object, () => ({ tokens: burst, atMs: now }))
    budget.tokens = Math.min(burst, budget.tokens + (now - budget.atMs) / refillMs)
    budget.atMs = now
    if (budget.tokens < 1) return false
    budget.tokens--
    return true
  }

  #combines(group: string, message: string, now: number): boolean {
    const alike = remember(this.#alike, group, () => ({ messages: new Set<string>(), sinceMs: now }))
    if (now - alike.sinceMs > alikeSpanMs) alike.messages.clear()
    alike.sinceMs = now
    alike.messages.add(message)
    if (alike.messages.size < alikeMax) return false
    const [oldest] = alike.messages
    if (oldest !== undefined && alike.messages.size > alikeMax) alike.messages.delete(oldest)
    return true
  }

  #correlate(key: string, event: Pick<Event, 'involvedObject' | 'type' | 'reason' | 'message'>, now: number): Write {
    const at = formatTime(now)
    const again = this.#told.has(key)
    const told = remember(this.#told, key, () => ({
      name: `${event.involvedObject.name}.${Math.floor(now * 1_000_000 + this.#random.int(1_000_000)).toString(16)}`,
      namespace: event.involvedObject.namespace ?? 'default',
      count: 0,
      firstTimestamp: at,
    }))
    told.count++
    const { component, host } = this.#source
    return {
      again,
      event: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: told.name, namespace: told.namespace },
        ...event,
        source: { component, ...(host === undefined ? {} : { host }) },
        reportingComponent: component,
        reportingInstance: host ?? '',
        count: told.count,
        firstTimestamp: told.firstTimestamp,
        lastTimestamp: at,
      },
    }
  }

  #offer(write: Write): void {
    if (!this.#backlog.push(write)) this.#ctx.log.warn('event dropped', { reason: write.event.reason ?? '', object: write.event.involvedObject.name ?? '' })
    this.#stir()
  }

  #stir(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  async #write(ctx: Ctx, { event, again }: Write): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        if (!again || !(await this.#countUp(ctx, event))) await this.#client.create(ctx, events, event)
        return
      } catch (error) {
        if (ctx.signal.aborted) return
        // A refusal stays one; only a server that is away is worth another try.
        if (isApiError(error) && error.code < 500 || tries === triesMax) return ctx.log.debug('event not written', { reason: event.reason ?? '', error })
        await ctx.clock.sleep(10_000 * this.#random.fraction(), ctx.signal).catch(() => {})
      }
    }
  }

  async #countUp(ctx: Ctx, event: Event): Promise<boolean> {
    const key = { namespace: event.metadata.namespace ?? '', name: event.metadata.name ?? '' }
    const { count, lastTimestamp, message } = event
    try {
      await this.#client.patch(ctx, events, key, 'merge', { count, lastTimestamp, message })
      return true
    } catch (error) {
      if (isApiError(error, 'NotFound')) return false
      throw error
    }
  }
}

/** The value of the key, made when it is new; the least recently used one makes room. */
function remember<V>(map: Map<string, V>, key: string, make: () => V): V {
  const value = map.get(key) ?? make()
  map.delete(key)
  map.set(key, value)
  if (map.size > rememberedMax) {
    const [oldest] = map.keys()
    if (oldest !== undefined) map.delete(oldest)
  }
  return value
}
