/**
 * A request and its answer without a socket: what the chain sees. server.ts makes them of node's http2 and http1
 * streams, tests make them of nothing.
 */
import type { Ctx } from '../lib/ctx.ts'
import type { Credentials } from '../auth/user.ts'

export interface Incoming {
  readonly method: string
  /** Path and query as sent. */
  readonly url: string
  /** Lower-case name; several values are joined by ', '. */
  header(name: string): string | undefined
  /** All values of a header that may come several times. */
  headers(name: string): readonly string[]
  /** Names of all headers, lower-case. */
  headerNames(): readonly string[]
  /** The whole body. Throws ApiError 413 beyond the limit. */
  body(): Promise<Uint8Array>
  /** The body as it comes, without limit: for what is only passed on. */
  stream(): AsyncIterable<Uint8Array>
  readonly credentials: Credentials
  /** Address of the sender. */
  readonly peer: string
}

export type Headers = Record<string, string | readonly string[]>

/** Where an answer goes. Either send() once, or start() and then write() and end(). */
export interface Outlet {
  send(code: number, headers: Headers, body: Uint8Array | undefined): void
  start(code: number, headers: Headers): void
  /** False when the stream holds back: what is written stays in memory until `drained` is called. */
  write(chunk: Uint8Array): boolean
  end(): void
  /** Breaks the stream so that the other side sees an error, not an end. */
  destroy(why: Error): void
  /** Called whenever a stream that held back flows again, and once when the other side has gone. */
  onDrain(drained: () => void): void
  onClose(closed: () => void): void
  readonly started: boolean
  /** The other side has gone, or has had its answer. */
  readonly gone: boolean
  /** What is left of the request is not waited for: its connection, or its stream, ends with the answer. */
  hangUp(): void
}

export interface Exchange {
  readonly ctx: Ctx
  readonly request: Incoming
  readonly outlet: Outlet
}

/** The same, with these headers on whatever is answered; `heard` is told the code when the answer begins. */
export function overheard(exchange: Exchange, more: Headers, heard: (code: number) => void): Exchange {
  const { outlet } = exchange
  return {
    ...exchange,
    outlet: {
      get started() {
        return outlet.started
      },
      get gone() {
        return outlet.gone
      },
      hangUp: () => outlet.hangUp(),
      send(code, headers, body) {
        outlet.send(code, { ...headers, ...more }, body)
        heard(code)
      },
      start(code, headers) {
        outlet.start(code, { ...headers, ...more })
        heard(code)
      },
      write: (chunk) => outlet.write(chunk),
      end: () => outlet.end(),
      destroy: (why) => outlet.destroy(why),
      onDrain: (drained) => outlet.onDrain(drained),
      onClose: (closed) => outlet.onClose(closed),
    },
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}
