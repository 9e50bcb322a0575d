/**
 * DNS over UDP and TCP on one address. It reads questions, hands them to the
 * chain and writes what comes back; it knows no names. Stable answers are kept as
 * bytes until the cluster changes, so that most questions cost one look-up.
 */
import type { Ctx } from '../../core/lib/ctx.ts'
import { framed } from './exchange.ts'
import type { DnsHandler, Reply } from './plugin.ts'
import { encodeAnswer, encodeError, messageBytesMax, parseQuery, rcodes, types, u16, type Query } from './wire.ts'

/** Answers kept as bytes. When it is full it is emptied: it fills again in no time. */
export const readyAnswersMax = 10_000
export const tcpConnectionsMax = 1_000
export const tcpIdleS = 10
/** Questions of one connection that wait for answers; more are read when these are answered. */
export const tcpPipelineMax = 100

export interface DnsServerOptions {
  readonly ip: string
  readonly port: number
  readonly handler: DnsHandler
  /** Changes whenever an answer of the cluster's zone may. */
  readonly generation: () => number
  /** Opens the sockets, e.g. in another network namespace. */
  readonly enter?: <T>(open: () => T) => T
}

export interface DnsServer {
  readonly port: number
  stop(): void
}

export async function serveDns(ctx: Ctx, options: DnsServerOptions): Promise<DnsServer> {
  const enter = options.enter ?? (<T>(open: () => T): T => open())
  const respond = responder(ctx, options)
  const udp = await enter(() =>
    Bun.udpSocket({
      hostname: options.ip,
      port: options.port,
      socket: {
        data(socket, packet, port, address) {
          const send = (bytes: Uint8Array | undefined): void => {
            try {
              if (bytes !== undefined && !socket.closed) socket.send(bytes, port, address)
            } catch (error) {
              // Thrown here and now: a firewall says no, or the question came from port 0. It would end the process.
              ctx.log.debug('udp answer not sent', { error })
            }
          }
          const answer = respond(packet, 'udp')
          if (answer instanceof Promise) void answer.then(send)
          else send(answer)
        },
        error: (_socket, error) => ctx.log.debug('udp', { error }),
      },
    }),
  )
  try {
    const tcp = enter(() => listenTcp({ ip: options.ip, port: udp.port }, respond))
    return {
      port: udp.port,
      stop() {
        udp.close()
        tcp.stop(true)
      },
    }
  } catch (error) {
    udp.close()
    throw error
  }
}

type Respond = (packet: Uint8Array, transport: 'udp' | 'tcp') => Uint8Array | undefined | Promise<Uint8Array | undefined>

function responder(ctx: Ctx, options: DnsServerOptions): Respond {
  const ready = new Map<string, Uint8Array>()
  let generation = -1
  return (packet, transport) => {
    if (generation !== options.generation()) {
      ready.clear()
      generation = options.generation()
    }
    // Everything but the id: flags, question and options decide the answer.
    const key = `${transport}${Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength).toString('latin1', 2)}`
    const known = ready.get(key)
    if (known !== undefined) return withId(known, packet)
    const parsed = parseQuery(Uint8Array.from(packet), transport) // the packet's memory is the socket's: only ours lasts
    if (parsed === undefined) return undefined
    if ('error' in parsed) return encodeError(packet, parsed.error)
    const { query } = parsed
    if (query.class !== 1 || query.type === types.AXFR || query.type === types.AXFR - 1) return encodeError(packet, rcodes.refused)
    const reply = handled(ctx, options.handler, query)
    if (reply instanceof Promise) return reply.then((late) => finish(query, late)).catch(() => encodeError(query.packet, rcodes.servFail))
    const answer = finish(query, reply)
    if ('answer' in reply && reply.stable === true) {
      if (ready.size >= readyAnswersMax) ready.clear()
      ready.set(key, Uint8Array.from(answer))
    }
    return answer
  }
}

/** Names come from whoever may make a Service: a handler that trips over one fails that question and nothing else. */
function handled(ctx: Ctx, handler: DnsHandler, query: Query): Reply | Promise<Reply> {
  try {
    return handler(ctx, query)
  } catch (error) {
    ctx.log.debug('question not answered', { name: query.name, error })
    return { packet: encodeError(query.packet, rcodes.servFail) }
  }
}

function finish(query: Query, reply: Reply): Uint8Array {
  if ('answer' in reply) return encodeAnswer(query, reply.answer)
  const { packet } = reply
  packet[0] = query.id >> 8
  packet[1] = query.id & 255
  // The client's own spelling of the name: some check it.
  if (u16(packet, 4) === 1 && packet.length >= query.questionEnd) packet.set(query.packet.subarray(12, query.questionEnd), 12)
  if (query.transport === 'udp' && packet.length > query.limit) return encodeAnswer(query, { rcode: (packet[3] ?? 0) & 15, authoritative: false, answers: [], authorities: [], additionals: [] })
  return packet
}

function withId(answer: Uint8Array, packet: Uint8Array): Uint8Array {
  answer[0] = packet[0] ?? 0
  answer[1] = packet[1] ?? 0
  return answer
}

interface Connection {
  got: Buffer
  waiting: number
}

function listenTcp(at: { readonly ip: string; readonly port: number }, respond: Respond): Bun.TCPSocketListener<Connection> {
  let open = 0
  const pump = (socket: Bun.Socket<Connection>): void => {
    const { data } = socket
    while (data.got.length >= 2 && data.waiting < tcpPipelineMax) {
      const length = data.got.readUInt16BE(0)
      if (data.got.length < length + 2) return
      const message = Uint8Array.from(data.got.subarray(2, length + 2))
      data.got = data.got.subarray(length + 2)
      data.waiting++
      const answer = respond(message, 'tcp')
      const send = (bytes: Uint8Array | undefined): void => {
        data.waiting--
        if (bytes === undefined) return void socket.end()
        // A client that asks and does not read is cut off: what it would hold is bounded by nothing else.
        if (socket.write(framed(bytes)) < bytes.length + 2) socket.terminate()
      }
      if (answer instanceof Promise) void answer.then((bytes) => (send(bytes), pump(socket)))
      else send(answer)
    }
  }
  return Bun.listen<Connection>({
    hostname: at.ip,
    port: at.port,
    socket: {
      open(socket) {
        socket.data = { got: Buffer.alloc(0), waiting: 0 }
        socket.timeout(tcpIdleS)
        if (++open > tcpConnectionsMax) socket.terminate()
      },
      data(socket, data) {
        socket.timeout(tcpIdleS)
        socket.data.got = Buffer.concat([socket.data.got, data])
        if (socket.data.got.length > 2 * messageBytesMax) return socket.terminate()
        pump(socket)
      },
      timeout: (socket) => void socket.end(),
      close: () => void open--,
      error: (socket) => socket.terminate(),
    },
  })
}
