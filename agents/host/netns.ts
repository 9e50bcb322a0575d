/**
 * Connections from inside a network namespace: to a pod's own localhost. The
 * namespace is entered just for the moment in which the socket is made; where that
 * is not possible, dialIn() says so.
 */
import { Duplex } from 'node:stream'
import { connect } from 'node:net'
import { libc } from './libc.ts'

/** `netnsPath` undefined: the machine's own namespace. Tries IPv4 first, then IPv6. */
export async function dialLocalhost(netnsPath: string | undefined, port: number): Promise<Duplex> {
  try {
    return await dial(netnsPath, '127.0.0.1', port)
  } catch (error) {
    return dial(netnsPath, '::1', port).catch(() => {
      throw error
    })
  }
}

async function dial(netnsPath: string | undefined, host: string, port: number): Promise<Duplex> {
  if (netnsPath === undefined) return dialHere(host, port)
  const c = await libc()
  if (c === undefined) throw new Error('network namespaces cannot be entered: the C library could not be loaded')
  const side = new Side()
  // The socket is made before connect() returns, so it belongs to the namespace; waiting is done outside.
  const connecting = c.inNetns(netnsPath, () => Bun.connect({ hostname: host, port, allowHalfOpen: true, socket: side.handlers }))
  try {
    side.attach(await connecting)
  } catch (error) {
    throw new Error(`dial tcp ${host}:${port}: connect: ${(error as { code?: string }).code === 'ECONNREFUSED' ? 'connection refused' : error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  return side
}

function dialHere(host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true })
    socket.once('connect', () => resolve(socket))
    socket.once('error', (error) => reject(new Error(`dial tcp ${host}:${port}: connect: ${(error as { code?: string }).code === 'ECONNREFUSED' ? 'connection refused' : error.message}`, { cause: error })))
  })
}

type BunSocket = Awaited<ReturnType<typeof Bun.connect>>

/** A Bun socket as a stream: what does not fit is written when the socket drains, and reading pauses when nobody reads. */
class Side extends Duplex {
  #socket: BunSocket | undefined
  #waiting: { rest: Uint8Array; done: (error?: Error | null) => void } | undefined

  constructor() {
    super({ allowHalfOpen: true })
  }

  get handlers(): Parameters<typeof Bun.connect>[0]['socket'] {
    return {
      binaryType: 'buffer',
      data: (socket, data) => {
        if (!this.push(data)) socket.pause()
      },
      drain: () => this.#flush(),
      end: () => void this.push(null),
      close: () => {
        // What has arrived is still to be read: only the writing side is over.
        this.#socket = undefined
        this.push(null)
        const waiting = this.#waiting
        this.#waiting = undefined
        waiting?.done(new Error('the connection is closed'))
        if (waiting === undefined) this.end()
      },
      error: (_socket, error) => void this.destroy(error),
      connectError: () => {},
      open: () => {},
    }
  }

  attach(socket: BunSocket): void {
    this.#socket = socket
    this.on('error', () => {})
  }

  override _read(): void {
    this.#socket?.resume()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#socket === undefined) return done(new Error('the connection is closed'))
    this.#waiting = { rest: chunk, done }
    this.#flush()
  }

  override _final(done: () => void): void {
    this.#socket?.shutdown()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket?.end()
    done(error)
  }

  #flush(): void {
    const waiting = this.#waiting
    if (waiting === undefined || this.#socket === undefined) return
    const sent = this.#socket.write(waiting.rest)
    if (sent < 0) {
      this.#waiting = undefined
      return waiting.done(new Error('the connection is closed'))
    }
    if (sent < waiting.rest.length) {
      waiting.rest = waiting.rest.subarray(sent)
      return
    }
    this.#waiting = undefined
    waiting.done()
  }
}
