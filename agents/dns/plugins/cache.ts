/**
 * DNS plugin: remembers what other servers said, absences too, for as long as
 * they allow and never longer than its own limits. Questions that are alike and
 * come while the first is on its way wait for its answer.
 */
import type { DnsPlugin, Reply } from '../plugin.ts'
import { rcodes, shapeOf, type Shape } from '../wire.ts'

/** Answers that are kept; the oldest go first. */
export const cacheEntriesMax = 10_000
/** However long others allow: a change of theirs is seen after so long. */
export const cachePositiveMsMax = 30_000
export const cacheNegativeMsMax = 10_000
const cacheFailureMs = 1_000

interface Entry {
  readonly packet: Uint8Array
  readonly shape: Shape
  readonly at: number
  readonly until: number
}

export function cache(): DnsPlugin {
  return (next) => {
    const entries = new Map<string, Entry>()
    const asked = new Map<string, Promise<Reply>>()
    const keep = (key: string, reply: Reply, now: number): void => {
      if (!('packet' in reply)) return
      const entry = entryOf(reply.packet, now)
      if (entry === undefined) return
      entries.delete(key)
      entries.set(key, entry)
      if (entries.size > cacheEntriesMax) entries.delete(entries.keys().next().value ?? '')
    }
    return (ctx, query) => {
      const key = `${query.name} ${query.type} ${query.class} ${query.edns ? query.limit : 0} ${query.dnssec} ${query.transport} ${(query.packet[3] ?? 0) & 0x10}`
      const now = ctx.clock.monotonic()
      const known = entries.get(key)
      if (known !== undefined && known.until > now) return { packet: aged(known, now) }
      const running = asked.get(key)
      if (running !== undefined) return running.then((reply) => ('packet' in reply ? { packet: Uint8Array.from(reply.packet) } : reply))
      const reply = next(ctx, query)
      if (!(reply instanceof Promise)) return reply
      const answer = reply.finally(() => asked.delete(key))
      asked.set(key, answer)
      return answer.then((done) => {
        keep(key, done, ctx.clock.monotonic())
        return done
      })
    }
  }
}

function entryOf(packet: Uint8Array, now: number): Entry | undefined {
  const shape = shapeOf(packet)
  if (shape === undefined || shape.truncated) return undefined
  const known = shape.rcode === rcodes.ok || shape.rcode === rcodes.nxDomain
  const positive = shape.rcode === rcodes.ok && shape.answers > 0
  const allowed = (shape.ttl ?? 0) * 1_000
  const ms = known ? Math.min(allowed, positive ? cachePositiveMsMax : cacheNegativeMsMax) : cacheFailureMs
  return ms <= 0 ? undefined : { packet: Uint8Array.from(packet), shape, at: now, until: now + ms }
}

function aged(entry: Entry, now: number): Uint8Array {
  const packet = Buffer.from(entry.packet)
  const passed = Math.floor((now - entry.at) / 1_000)
  for (const at of entry.shape.ttlsAt) packet.writeUInt32BE(Math.max(0, packet.readUInt32BE(at) - passed), at)
  return packet
}
