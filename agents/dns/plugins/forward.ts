/**
 * DNS plugin: asks the node's own resolvers. Messages go through as they are,
 * over the transport the client chose; a resolver that does not answer is passed
 * over for the next, and one that leads back here is found by a question of our
 * own and left out.
 */
import type { Ctx } from '../../../core/lib/ctx.ts'
import type { Random } from '../../../core/lib/random.ts'
import { refusal, type DnsPlugin, type Reply } from '../plugin.ts'
import { rcodes, u16, type Query } from '../wire.ts'

export interface Upstream {
  readonly ip: string
  readonly port: number
}

/** How questions leave the machine: sockets, or a test's table. */
export interface Exchange {
  /** Sends the message and gives the answer; throws when none comes or the resolver refuses the connection. */
  ask(ctx: Ctx, upstream: Upstream, packet: Uint8Array, options: { readonly transport: 'udp' | 'tcp'; readonly timeoutMs: number }): Promise<Uint8Array>
}

/** What one resolver may take; the next is asked then. */
export const forwardTimeoutMs = 2_000
/** What a question may take in all. */
export const forwardTotalMs = 5_000
/** Questions on their way at once; beyond it the answer is SERVFAIL at once. */
export const forwardConcurrentMax = 1_000
/** A resolver that failed is asked last for so long. */
const restMs = 5_000

export interface Forwarder {
  readonly plugin: DnsPlugin
  /** Asks every resolver for a name that only this server knows; who brings the question back here is left out. */
  probe(ctx: Ctx): Promise<void>
}

const probeDomain = 'loop.kubun.internal'

export function forward(exchange: Exchange, upstreams: () => readonly Upstream[], random: Random): Forwarder {
  const restUntil = new Map<string, number>()
  const loops = new Set<string>()
  const probes = new Map<string, string>()
  let running = 0

  const order = (now: number): Upstream[] => {
    const usable = upstreams().filter((upstream) => !loops.has(id(upstream)))
    return usable.toSorted((a, b) => Number((restUntil.get(id(a)) ?? 0) > now) - Number((restUntil.get(id(b)) ?? 0) > now))
  }
  const askAll = async (ctx: Ctx, query: Query): Promise<Reply> => {
    const start = ctx.clock.monotonic()
    let last: Reply = refusal(rcodes.servFail)
    for (const upstream of order(start)) {
      const left = forwardTotalMs - (ctx.clock.monotonic() - start)
      if (left <= 0) break
      try {
        const options = { transport: query.transport, timeoutMs: Math.min(forwardTimeoutMs, left) }
        const packet = await exchange.ask(ctx, upstream, query.packet, options)
        last = { packet }
        const rcode = (packet[3] ?? 0) & 15
        if (rcode !== rcodes.servFail && rcode !== rcodes.refused) return last
      } catch (error) {
        if (ctx.signal.aborted) throw error
        restUntil.set(id(upstream), ctx.clock.monotonic() + restMs)
        ctx.log.debug('resolver does not answer', { upstream: id(upstream), error })
      }
    }
    return last
  }
  return {
    plugin: (_next) => (ctx, query) => {
      if (query.name.endsWith(probeDomain)) {
        const upstream = probes.get(query.name)
        if (upstream !== undefined && !loops.has(upstream)) {
          loops.add(upstream)
          ctx.log.error('resolver of the node leads back to the cluster DNS; it is not asked any more', { upstream })
        }
        return refusal(rcodes.nxDomain)
      }
      if (running >= forwardConcurrentMax) return refusal(rcodes.servFail)
      running++
      return askAll(ctx, query).finally(() => running--)
    },
    async probe(ctx) {
      for (const upstream of upstreams()) {
        const name = `${random.suffix(20)}.${probeDomain}`
        probes.set(name, id(upstream))
        await exchange.ask(ctx, upstream, probePacket(name, random), { transport: 'udp', timeoutMs: forwardTimeoutMs }).catch(() => {})
        probes.delete(name)
      }
    },
  }
}

function id(upstream: Upstream): string {
  return `${upstream.ip}:${upstream.port}`
}

function probePacket(name: string, random: Random): Uint8Array {
  const question = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)])
  return Uint8Array.from([random.int(256), random.int(256), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...question, 0, 0, 13, 0, 1])
}

/** Whether `answer` is one to `question`: same id, an answer, the same name and type (letters in any case). */
export function answers(question: Uint8Array, answer: Uint8Array): boolean {
  if (answer.length < 12 || u16(question, 0) !== u16(answer, 0) || ((answer[2] ?? 0) & 0x80) === 0) return false
  if (u16(answer, 4) === 0) return true // errors may leave the question out
  const end = questionEnd(question)
  for (let i = 12; i < end; i++) if (lower(question[i]) !== lower(answer[i])) return false
  return true
}

function questionEnd(packet: Uint8Array): number {
  let at = 12
  while ((packet[at] ?? 0) !== 0) at += (packet[at] ?? 0) + 1
  return at + 5
}

function lower(byte: number | undefined): number | undefined {
  return byte !== undefined && byte >= 65 && byte <= 90 ? byte + 32 : byte
}
