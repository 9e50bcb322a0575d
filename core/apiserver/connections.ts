/**
 * Who is connected, and for how long: connections that have no whole request to show, or nothing to ask for a while, are
 * closed; at the end all are told to go, what is in flight may finish, and what is left after the grace is cut.
 */
import type { Http2SecureServer, ServerHttp2Session } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Timer } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'

/** Time for a client to send its first headers. */
export const headersMsMax = 10_000
/** A connection without a request is closed after so long, as upstream's. */
export const idleMsMax = 90_000

interface Connection {
  /** Requests under way. */
  busy: number
  /** When it came, and then when its last request ended. */
  usedAt: number
  patienceMs: number
  /** Looks from time to time whether it is still used: nothing is set or stopped for a request. */
  guard: Timer | undefined
  /** No further request: it ends, at once or with the last answer. */
  readonly end: () => void
}

export class Connections {
  readonly #ctx: Ctx
  readonly #server: Http2SecureServer
  readonly #sessions = new Map<ServerHttp2Session, Connection>()
  readonly #sockets = new Map<TLSSocket, Connection>()
  #closing = false

  constructor(ctx: Ctx, server: Http2SecureServer) {
    this.#ctx = ctx
    this.#server = server
    server.on('secureConnection', (socket: TLSSocket) => this.#connected(socket))
    server.on('session', (session) => this.#began(session))
    server.on('request', (request, response) => {
      const connection = request.httpVersionMajor === 1 ? this.#sockets.get(request.socket as TLSSocket) : undefined
      if (connection === undefined) return
      if (this.#closing) response.setHeader('connection', 'close')
      this.#enter(connection)
      response.once('close', () => this.#leave(connection))
    })
    server.on('upgrade', (request) => {
      const connection = this.#sockets.get(request.socket as TLSSocket)
      if (connection !== undefined) this.#enter(connection) // for good
    })
  }

  async close(graceMs: number): Promise<void> {
    this.#closing = true
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const { end } of this.#sessions.values()) end()
    for (const { busy, end } of this.#sockets.values()) if (busy === 0) end()
    const cut = this.#ctx.clock.after(graceMs, () => {
      for (const session of this.#sessions.keys()) session.destroy()
      for (const socket of this.#sockets.keys()) socket.destroy()
    })
    await closed
    cut.stop()
  }

  #connected(socket: TLSSocket): void {
    socket.on('error', ignore)
    // Of HTTP/2 the session ends by itself.
    const connection = this.#connection(headersMsMax, () => void (socket.alpnProtocol === 'h2' || socket.destroy()))
    this.#sockets.set(socket, connection)
    socket.once('close', () => {
      connection.guard?.stop()
      this.#sockets.delete(socket)
    })
  }

  #began(session: ServerHttp2Session): void {
    session.on('error', ignore)
    const connection = this.#connection(idleMsMax, () => session.close())
    this.#sessions.set(session, connection)
    session.on('stream', (stream) => {
      this.#enter(connection)
      stream.once('close', () => this.#leave(connection))
    })
    session.once('close', () => {
      connection.guard?.stop()
      this.#sessions.delete(session)
    })
  }

  #enter(connection: Connection): void {
    connection.busy++
    connection.patienceMs = idleMsMax
  }

  #leave(connection: Connection): void {
    if (--connection.busy > 0) return
    connection.usedAt = this.#ctx.clock.monotonic()
    if (this.#closing) connection.end()
  }

  #connection(patienceMs: number, end: () => void): Connection {
    const connection: Connection = { busy: 0, usedAt: this.#ctx.clock.monotonic(), patienceMs, guard: undefined, end }
    this.#guard(connection, patienceMs)
    return connection
  }

  #guard(connection: Connection, ms: number): void {
    const { clock } = this.#ctx
    connection.guard = clock.after(ms, () => {
      const idleMs = connection.busy > 0 ? 0 : clock.monotonic() - connection.usedAt
      if (idleMs >= connection.patienceMs) connection.end()
      else this.#guard(connection, connection.patienceMs - idleMs)
    })
  }
}

function ignore(): void {}
