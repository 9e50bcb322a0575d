/**
 * watch: events as frames. A frame is made once for each event and form and shared by everybody who watches; a watcher
 * that falls behind is cut off and starts again from a list. The registry finds the events, frames.ts makes the bytes.
 */
import { badRequest } from '../../api/errors.ts'
import type { Item, WatchSink } from '../../registry/registry.ts'
import type { ApiServerDeps, Call } from '../deps.ts'
import { bookmarkFrame, errorFrame, framer, type Framer } from '../frames.ts'
import type { Headers, Outlet } from '../exchange.ts'
import type { Media } from '../negotiate.ts'
import { includeObject } from '../table.ts'
import { integer, listQuery } from './options.ts'

/** A watch that names no end lives between half an hour and an hour (upstream's min-request-timeout). */
const lifeSMin = 1_800
/** Bytes that may wait for a slow watcher before it is cut off. */
export const backlogBytesMax = 16 * 1_024 * 1_024
/** A watcher whose stream does not move for so long while events wait is cut off. */
export const stuckMsMax = 15_000

/** Starts the stream. Refusals (bad selectors, 410) are thrown before anything is sent. */
export async function watchVerb(deps: ApiServerDeps, call: Call, media: Media, outlet: Outlet, headers: Headers): Promise<void> {
  const { query } = call.info
  const timeoutS = integer(query, 'timeoutSeconds') ?? 0
  const lifeMs = (timeoutS > 0 ? timeoutS : lifeSMin * (1 + deps.random.fraction())) * 1_000
  if (timeoutS < 0) throw badRequest('timeoutSeconds must not be negative')
  const asked = query.get('sendInitialEvents')
  const frames = framer(call.kind, media, { include: includeObject(call.info), now: () => call.ctx.clock.now() })
  const stream = new WatchStream(call, outlet, frames, { ...headers, 'content-type': frames.type, 'cache-control': 'no-cache, private' })
  const watch = await deps.registry.watch(
    call.ctx, call.kind,
    {
      ...listQuery(call),
      allowBookmarks: query.flag('allowWatchBookmarks'),
      sendInitialEvents: asked === undefined ? undefined : query.flag('sendInitialEvents'),
    },
    stream,
  )
  stream.begin(watch.stop, lifeMs)
}

class WatchStream implements WatchSink {
  readonly #call: Call
  readonly #outlet: Outlet
  readonly #frames: Framer
  readonly #headers: Headers
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #full = false
  #over = false
  #stop: (() => void) | undefined
  #timers: { stop(): void }[] = []
  #stuck: { stop(): void } | undefined

  constructor(call: Call, outlet: Outlet, frames: Framer, headers: Headers) {
    this.#call = call
    this.#outlet = outlet
    this.#frames = frames
    this.#headers = headers
  }

  begin(stop: () => void, lifeMs: number): void {
    this.#stop = stop
    if (this.#over) return stop()
    this.#start()
    const finish = (): void => this.end()
    this.#timers.push(this.#call.ctx.clock.after(lifeMs, finish))
    this.#call.ctx.signal.addEventListener('abort', finish, { once: true })
    this.#timers.push({ stop: () => this.#call.ctx.signal.removeEventListener('abort', finish) })
    this.#outlet.onClose(() => this.#finish())
  }

  event(type: 'ADDED' | 'MODIFIED' | 'DELETED', item: Item): void {
    this.#write(this.#frames.event(type, item))
  }

  bookmark(revision: number, initialEnd: boolean): void {
    this.#write(bookmarkFrame(this.#frames, revision, initialEnd))
  }

  end(error?: Error): void {
    if (this.#over) return
    if (error !== undefined) this.#write(errorFrame(this.#frames, error))
    if (this.#over) return
    for (const chunk of this.#waiting) this.#outlet.write(chunk)
    this.#finish()
    this.#outlet.end()
  }

  #start(): void {
    if (this.#outlet.started) return
    this.#outlet.start(200, this.#headers)
    this.#outlet.onDrain(() => this.#drain())
  }

  #write(frame: Uint8Array): void {
    if (this.#over) return
    this.#start()
    if (this.#full) {
      this.#waiting.push(frame)
      this.#waitingBytes += frame.length
      if (this.#waitingBytes > backlogBytesMax) this.#cutOff(`more than ${backlogBytesMax} bytes behind`)
      return
    }
    if (this.#outlet.write(frame)) return
    this.#full = true
    this.#stuck = this.#call.ctx.clock.after(stuckMsMax, () => this.#cutOff(`stuck for ${stuckMsMax} ms`))
  }

  #drain(): void {
    this.#full = false
    this.#stuck?.stop()
    const chunks = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    for (const chunk of chunks) this.#write(chunk)
  }

  #cutOff(why: string): void {
    this.#call.ctx.log.warn('watcher is cut off', { resource: this.#call.kind.plural, user: this.#call.user.name, why })
    this.#finish()
    this.#outlet.destroy(new Error(why))
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#waiting = []
    this.#stuck?.stop()
    for (const timer of this.#timers) timer.stop()
    this.#stop?.()
  }
}
