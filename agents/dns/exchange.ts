/** Questions to other servers over UDP and TCP sockets. Each gets an id of its own on one of a few sockets with ports of the kernel's choosing. */
import type { Timer } from '../../core/lib/clock.ts'
import type { Random } from '../../core/lib/random.ts'
import { answers, type Exchange, type Upstream } from './plugins/forward.ts'
import { u16 } from './wire.ts'

/** Sockets for each resolver: with the id, what a forger has to guess. */
const socketsPerUpstream = 8
/** A socket is replaced after so many questions. */
const questionsPerSocket = 1_000

interface Waiting {
  readonly question: Uint8Array
  readonly resolve: (answer: Uint8Array) => void
  readonly reject: (error: Error) => void
}

interface Line {
  readonly opening: Promise<Bun.udp.ConnectedSocket<'buffer'>>
  readonly waiting: Map<number, Waiting>
  /** Questions it was given so far, and those that are not done with it yet. */
  asked: number
  users: number
  /** Another has its place: it closes with its last user. */
  retired: boolean
}

export interface SocketExchange extends Exchange {
  close(): void
}

/** `enter` opens the sockets, e.g. in another network namespace. */
export function socketExchange(random: Random, enter: <T>(open: () => T) => T = (open) => open()): SocketExchange {
  const lines = new Map<string, Line>()
  const retire = (key: string, line: Line): void => {
    line.retired = true
    if (lines.get(key) === line) lines.delete(key)
    if (line.users === 0) void line.opening.then((socket) => socket.close()).catch(() => {})
  }
  const askUdp = async (upstream: Upstream, packet: Uint8Array, late: Promise<never>): Promise<Uint8Array> => {
    const key = `${upstream.ip} ${upstream.port} ${random.int(socketsPerUpstream)}`
    const line = lines.get(key) ?? openLine(upstream, enter)
    lines.set(key, line)
    line.users++
    if (++line.asked >= questionsPerSocket) retire(key, line)
    const id = freeId(line, random)
    const question = Uint8Array.from(packet)
    question[0] = id >> 8
    question[1] = id & 255
    try {
      const answer = new Promise<Uint8Array>((resolve, reject) => line.waiting.set(id, { question, resolve, reject }))
      answer.catch(() => {}) // it may fail while the socket still opens
      const socket = await Promise.race([late, line.opening])
      socket.send(question)
      return await Promise.race([late, answer])
    } catch (error) {
      retire(key, line) // a socket that was refused may stay silent for good
      throw error
    } finally {
      line.waiting.delete(id)
      if (--line.users === 0 && line.retired) void line.opening.then((socket) => socket.close()).catch(() => {})
    }
  }
  return {
    async ask(ctx, upstream, packet, { transport, timeoutMs }) {
      let timer: Timer | undefined
      const late = new Promise<never>((_resolve, reject) => {
        timer = ctx.clock.after(timeoutMs, () => reject(new Error(`no answer from ${upstream.ip} in ${timeoutMs} ms`)))
      })
      late.catch(() => {})
      try {
        if (transport === 'udp') return await askUdp(upstream, packet, late)
        return await askTcp(upstream, packet, { enter, late })
      } finally {
        timer?.stop()
      }
    },
    close() {
      for (const [key, line] of lines) retire(key, line)
    },
  }
}

function freeId(line: Line, random: Random): number {
  let id = random.int(65_536)
  while (line.waiting.has(id)) id = (id + 1) % 65_536 // never more than questionsPerSocket of them
  return id
}

function openLine(upstream: Upstream, enter: <T>(open: () => T) => T): Line {
  const waiting = new Map<number, Waiting>()
  const opening = enter(() =>
    Bun.udpSocket({
      connect: { hostname: upstream.ip, port: upstream.port },
      socket: {
        data(_socket, data) {
          const one = waiting.get(u16(data, 0))
          if (one !== undefined && answers(one.question, data)) one.resolve(Uint8Array.from(data))
        },
        error(_socket, error) {
          for (const one of waiting.values()) one.reject(error)
        },
      },
    }),
  )
  opening.catch(() => {})
  return { opening, waiting, asked: 0, users: 0, retired: false }
}

interface TcpAsk {
  readonly enter: <T>(open: () => T) => T
  readonly late: Promise<never>
}

async function askTcp(upstream: Upstream, packet: Uint8Array, { enter, late }: TcpAsk): Promise<Uint8Array> {
  let got = Buffer.alloc(0)
  let opened: Promise<Bun.Socket> | undefined
  const answer = new Promise<Uint8Array>((resolve, reject) => {
    opened = enter(() => Bun.connect({
      hostname: upstream.ip,
      port: upstream.port,
      socket: {
        open: (socket) => void socket.write(framed(packet)),
        data(_socket, data) {
          got = Buffer.concat([got, data])
          if (got.length < 2 || got.length < got.readUInt16BE(0) + 2) return
          const message = Uint8Array.from(got.subarray(2, got.readUInt16BE(0) + 2))
          if (answers(packet, message)) resolve(message)
          else reject(new Error(`answer of ${upstream.ip} to another question`))
        },
        close: () => reject(new Error(`${upstream.ip} closed the connection`)),
        error: (_socket, error) => reject(error),
        connectError: (_socket, error) => reject(error),
      },
    }))
    opened.catch(reject)
  })
  try {
    return await Promise.race([late, answer])
  } finally {
    answer.catch(() => {})
    void opened?.then((socket) => socket.terminate()).catch(() => {})
  }
}

/** A message as TCP carries it: its length in front. */
export function framed(message: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(message.length + 2)
  bytes.writeUInt16BE(message.length)
  bytes.set(message, 2)
  return bytes
}
