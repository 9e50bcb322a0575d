/**
 * What can go wrong between a part and the API, drawn from the seed: watches that end, are too old or lag, writes that
 * lose a race, never arrive, or succeed and are not answered, and calls that take their time. It stands where the network
 * would; neither side knows of it.
 */
import { conflict, expired, internal, serviceUnavailable, timeout } from '../../core/api/errors.ts'
import type { KubeObject } from '../../core/api/meta.ts'
import type { Call, InProcessApi, WatchCall, WatchSink } from '../../core/client/inprocess.ts'
import type { Clock } from '../../core/lib/clock.ts'
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Random } from '../../core/lib/random.ts'

/** How likely each fault is, from 0 (never) to 1, while the weather lasts. */
export interface Weather {
  /** A write is refused as if somebody else had been quicker. */
  readonly conflicts: number
  /** A write never arrives. */
  readonly lostWrites: number
  /** A write succeeds, and its answer is lost. */
  readonly lostAnswers: number
  /** A call takes up to `slowMsMax`, on its way there and back. */
  readonly slowCalls: number
  readonly slowMsMax: number
  /** An event of a watch is told up to `lagMsMax` late, and all after it no earlier. */
  readonly lag: number
  readonly lagMsMax: number
}

export const fair: Weather = { conflicts: 0, lostWrites: 0, lostAnswers: 0, slowCalls: 0, slowMsMax: 0, lag: 0, lagMsMax: 0 }

interface Stream {
  readonly kind: WatchCall['kind']
  readonly cut: (tooOld: boolean) => void
}

export interface FaultDeps {
  readonly clock: Clock
  readonly random: Random
  readonly note: (text: string) => void
}

export class Faults {
  weather: Weather = fair
  /** Uids of objects whose makers never heard that they made them, and `namespace/name/binding` of pods whose binding nobody heard of. */
  readonly unheard = new Set<string>()
  readonly #deps: FaultDeps
  readonly #streams = new Set<Stream>()

  constructor(deps: FaultDeps) {
    this.#deps = deps
  }

  between(inner: InProcessApi): InProcessApi {
    return {
      call: (ctx, who, call) => this.#call(ctx, call, () => inner.call(ctx, who, call)),
      watch: async (ctx, who, call, sink) => await this.#watch(call, sink, (mine) => inner.watch(ctx, who, call, mine)),
    }
  }

  /** Ends some of the watches that are open now, or tells them that they are too old. */
  cutWatches(share: number, tooOld: boolean): void {
    for (const stream of this.#streams) if (this.#happens(share)) stream.cut(tooOld)
  }

  #happens(likelihood: number): boolean {
    return likelihood > 0 && this.#deps.random.fraction() < likelihood
  }

  async #dawdle(ctx: Ctx): Promise<void> {
    const { slowCalls, slowMsMax } = this.weather
    if (this.#happens(slowCalls)) await this.#deps.clock.sleep(this.#deps.random.fraction() * slowMsMax, ctx.signal)
  }

  async #call(ctx: Ctx, call: Call, inner: () => Promise<unknown>): Promise<unknown> {
    const writes = call.verb !== 'get' && call.verb !== 'list'
    await this.#dawdle(ctx)
    if (writes) this.#refuse(call)
    const answer = await inner()
    if (writes && this.#happens(this.weather.lostAnswers)) return this.#loseAnswer(call, answer)
    if (ctx.signal.aborted) this.#isUnheard(call, answer) // who asked has ended
    try {
      await this.#dawdle(ctx)
    } catch (error) {
      this.#isUnheard(call, answer)
      throw error
    }
    return answer
  }

  #refuse(call: Call): void {
    const { conflicts, lostWrites } = this.weather
    if ((call.verb === 'update' || call.verb === 'patch') && this.#happens(conflicts)) {
      this.#deps.note(`conflict: ${textOf(call)}`)
      throw conflict({ group: call.kind.group, resource: call.kind.plural }, call.name, 'the object has been modified; please apply your changes to the latest version and try again')
    }
    if (this.#happens(lostWrites)) {
      this.#deps.note(`lost: ${textOf(call)}`)
      throw serviceUnavailable('the server is currently unable to handle the request')
    }
  }

  #loseAnswer(call: Call, answer: unknown): never {
    this.#deps.note(`not answered: ${textOf(call)}`)
    this.#isUnheard(call, answer)
    throw this.#happens(0.5) ? timeout('request did not complete within the allotted timeout') : internal('the connection was lost')
  }

  #isUnheard(call: Call, answer: unknown): void {
    if (call.verb !== 'create') return
    if (call.subresource !== '') return void this.unheard.add(`${call.namespace}/${call.name}/${call.subresource}`)
    const uid = (answer as { readonly metadata?: { readonly uid?: string } } | undefined)?.metadata?.uid
    if (uid !== undefined) this.unheard.add(uid)
  }

  async #watch(call: WatchCall, sink: WatchSink, open: (mine: WatchSink) => Promise<{ stop(): void }>): Promise<{ stop(): void }> {
    const line = new Delayed(this.#deps.clock, () => (this.#happens(this.weather.lag) ? this.#deps.random.fraction() * this.weather.lagMsMax : 0))
    const inner: { handle?: { stop(): void } } = {}
    const stop = (): void => {
      this.#streams.delete(stream)
      line.stop()
      inner.handle?.stop()
    }
    const stream: Stream = {
      kind: call.kind,
      cut(tooOld) {
        stop()
        if (tooOld) sink.event('ERROR', expired('too old resource version').status() as unknown as KubeObject)
        sink.end()
      },
    }
    inner.handle = await open({
      event: (type, object) => line.push(() => sink.event(type, object)),
      end: () => line.push(() => {
        stop()
        sink.end()
      }),
    })
    this.#streams.add(stream)
    return { stop }
  }
}

/** Calls in their order, each after the time that is drawn for it, and none before the one before it. */
class Delayed {
  readonly #clock: Clock
  readonly #delay: () => number
  readonly #waiting: { readonly call: () => void; readonly at: number }[] = []
  #stopped = false
  #armed = false

  constructor(clock: Clock, delay: () => number) {
    this.#clock = clock
    this.#delay = delay
  }

  push(call: () => void): void {
    const ms = this.#delay()
    if (ms === 0 && this.#waiting.length === 0) return call()
    const at = Math.max(this.#clock.monotonic() + ms, this.#waiting.at(-1)?.at ?? 0)
    this.#waiting.push({ call, at })
    this.#arm()
  }

  stop(): void {
    this.#stopped = true
  }

  #arm(): void {
    const [next] = this.#waiting
    if (next === undefined || this.#armed || this.#stopped) return
    this.#armed = true
    this.#clock.after(next.at - this.#clock.monotonic(), () => {
      this.#armed = false
      if (this.#stopped) return
      this.#waiting.shift()?.call() // one at least: sums of fractions may fall short of the moment
      while (this.#waiting[0] !== undefined && this.#waiting[0].at <= this.#clock.monotonic()) this.#waiting.shift()?.call()
      this.#arm()
    })
  }
}

function textOf({ verb, kind, namespace, name, subresource }: Call): string {
  return `${verb} ${kind.plural}${subresource === '' ? '' : `/${subresource}`} ${namespace}/${name}`
}
