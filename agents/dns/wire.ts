/**
 * DNS messages as bytes: reading a question, writing answers of the few record
 * types that a cluster has, and walking over messages of others without decoding
 * them. Never throws on what came from the network: says undefined.
 */

export const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, AXFR: 252, ANY: 255 } as const
export const rcodes = { ok: 0, formErr: 1, servFail: 2, nxDomain: 3, notImp: 4, refused: 5 } as const

/** What a client without EDNS can take, and the most that UDP answers ever have. */
export const udpBytesPlain = 512
export const udpBytesMax = 4_096
export const messageBytesMax = 65_535

export interface Query {
  readonly id: number
  /** Lower case, no dot at the end. */
  readonly name: string
  readonly type: number
  readonly class: number
  readonly recursion: boolean
  /** Bytes a UDP answer may have. */
  readonly limit: number
  readonly edns: boolean
  readonly dnssec: boolean
  readonly transport: 'udp' | 'tcp'
  /** The message as it came. */
  readonly packet: Uint8Array
  /** Where the question ends: bytes 12 to here are repeated in the answer, in the client's own spelling. */
  readonly questionEnd: number
}

export type Rec =
  | { readonly name: string; readonly ttl: number; readonly type: 'A' | 'AAAA' | 'CNAME' | 'NS' | 'PTR' | 'TXT'; readonly data: string }
  | { readonly name: string; readonly ttl: number; readonly type: 'SRV'; readonly data: { readonly priority: number; readonly weight: number; readonly port: number; readonly target: string } }
  | { readonly name: string; readonly ttl: number; readonly type: 'SOA'; readonly data: { readonly mname: string; readonly rname: string; readonly numbers: readonly [number, number, number, number, number] } }

export interface Answer {
  readonly rcode: number
  readonly authoritative: boolean
  readonly answers: readonly Rec[]
  readonly authorities: readonly Rec[]
  readonly additionals: readonly Rec[]
}

export type Parsed = { readonly query: Query } | { readonly error: number } | undefined

/** A question; the code to refuse it with; or undefined for what gets no answer at all. */
export function parseQuery(packet: Uint8Array, transport: 'udp' | 'tcp'): Parsed {
  if (packet.length < 12 || (byte(packet, 2) & 0x80) !== 0) return undefined
  if ((byte(packet, 2) & 0x78) !== 0) return { error: rcodes.notImp }
  const counts = [4, 6, 8, 10].map((at) => u16(packet, at))
  if (counts[0] !== 1 || counts[1] !== 0 || (counts[3] ?? 0) > additionalsMax) return { error: rcodes.formErr }
  const labels: string[] = []
  let at = 12
  for (;;) {
    const length = byte(packet, at)
    if (length === 0) break
    if (length > 63 || at + 1 + length >= packet.length || at - 12 > 254) return { error: rcodes.formErr }
    let label = ''
    for (let i = at + 1; i <= at + length; i++) {
      const c = byte(packet, i)
      label += String.fromCharCode(c >= 65 && c <= 90 ? c + 32 : c)
    }
    labels.push(label)
    at += length + 1
  }
  const questionEnd = at + 5
  if (questionEnd > packet.length) return { error: rcodes.formErr }
  const opt = findOpt(packet, questionEnd, (counts[2] ?? 0) + (counts[3] ?? 0))
  if (opt === 'broken') return { error: rcodes.formErr }
  const query: Query = {
    id: u16(packet, 0),
    name: labels.join('.'),
    type: u16(packet, at + 1),
    class: u16(packet, at + 3),
    recursion: (byte(packet, 2) & 1) !== 0,
    limit: opt === undefined ? udpBytesPlain : Math.min(Math.max(opt.size, udpBytesPlain), udpBytesMax),
    edns: opt !== undefined,
    dnssec: opt?.dnssec ?? false,
    transport,
    packet,
    questionEnd,
  }
  return { query }
}

/** Records after the question that a query may have: OPT, and perhaps a signature. */
const additionalsMax = 4

function findOpt(packet: Uint8Array, from: number, records: number): { readonly size: number; readonly dnssec: boolean } | undefined | 'broken' {
  let at = from
  for (let i = 0; i < records; i++) {
    const end = skipName(packet, at)
    if (end === undefined || end + 10 > packet.length) return 'broken'
    if (u16(packet, end) === types.OPT) return { size: u16(packet, end + 2), dnssec: (byte(packet, end + 6) & 0x80) !== 0 }
    at = end + 10 + u16(packet, end + 8)
  }
  return undefined
}

/** The message that answers `query`; over UDP what does not fit is cut off and the rest marked as truncated. */
export function encodeAnswer(query: Query, answer: Answer): Uint8Array {
  const limit = query.transport === 'tcp' ? messageBytesMax : query.limit
  let { answers, additionals } = answer
  for (let truncated = false; ; truncated = true) {
    const message = new Writer(query).write({ ...answer, answers, additionals }, truncated)
    if (message.length <= limit) return message
    if (additionals.length > 0) additionals = []
    else answers = answers.slice(0, Math.floor(answers.length * (limit / message.length)))
    if (answers.length === answer.answers.length) truncated = false // leaving out extras is no truncation
    if (answers.length === 0) return new Writer(query).write({ ...answer, answers: [], authorities: [], additionals: [] }, true)
  }
}

/** An answer without records, for what may not even be a question: only its first 12 bytes count. */
export function encodeError(packet: Uint8Array, rcode: number): Uint8Array {
  const out = new Uint8Array(12)
  out.set(packet.subarray(0, 2))
  out[2] = 0x80 | (byte(packet, 2) & 0x79)
  out[3] = rcode
  return out
}

class Writer {
  readonly #query: Query
  #bytes = Buffer.allocUnsafe(512)
  #at = 0
  readonly #names = new Map<string, number>()

  constructor(query: Query) {
    this.#query = query
  }

  write(answer: Answer, truncated: boolean): Uint8Array {
    const { packet, questionEnd, edns } = this.#query
    this.#room(questionEnd)
    this.#bytes.set(packet.subarray(0, questionEnd))
    this.#at = questionEnd
    this.#names.set(this.#query.name, 12)
    const additionals = answer.additionals.length + (edns ? 1 : 0)
    this.#bytes[2] = 0x80 | (answer.authoritative ? 4 : 0) | (truncated ? 2 : 0) | (byte(packet, 2) & 1)
    this.#bytes[3] = 0x80 | answer.rcode
    ;[1, answer.answers.length, answer.authorities.length, additionals].forEach((count, i) => this.#bytes.writeUInt16BE(count, 4 + 2 * i))
    for (const record of [...answer.answers, ...answer.authorities, ...answer.additionals]) this.#record(record)
    if (edns) this.#opt()
    return this.#bytes.subarray(0, this.#at)
  }

  #record(record: Rec): void {
    this.#name(record.name)
    this.#u16(types[record.type])
    this.#u16(1)
    this.#u32(record.ttl)
    const length = this.#at
    this.#u16(0)
    this.#data(record)
    this.#bytes.writeUInt16BE(this.#at - length - 2, length)
  }

  #data(record: Rec): void {
    if (record.type === 'SRV') {
      const { priority, weight, port, target } = record.data
      for (const value of [priority, weight, port]) this.#u16(value)
      return this.#name(target, false) // RFC 2782: the target is not compressed
    }
    if (record.type === 'SOA') {
      this.#name(record.data.mname)
      this.#name(record.data.rname)
      return record.data.numbers.forEach((value) => this.#u32(value))
    }
    if (record.type === 'A') return this.#raw(Uint8Array.from(record.data.split('.'), Number))
    if (record.type === 'AAAA') return this.#raw(v6Bytes(record.data))
    if (record.type === 'TXT') return this.#raw(Buffer.from([Math.min(record.data.length, 255), ...Buffer.from(record.data, 'latin1').subarray(0, 255)]))
    this.#name(record.data)
  }

  #name(name: string, compress = true): void {
    let rest = name
    while (rest !== '') {
      const known = this.#names.get(rest)
      if (compress && known !== undefined) return this.#u16(0xc000 | known)
      if (this.#at < 0x4000 && known === undefined) this.#names.set(rest, this.#at)
      const dot = rest.indexOf('.')
      const label = dot < 0 ? rest : rest.slice(0, dot)
      this.#room(64)
      this.#bytes[this.#at] = label.length
      this.#bytes.write(label, this.#at + 1, 'latin1')
      this.#at += 1 + label.length
      rest = dot < 0 ? '' : rest.slice(dot + 1)
    }
    this.#raw(Uint8Array.of(0))
  }

  #opt(): void {
    this.#raw(Uint8Array.of(0))
    this.#u16(types.OPT)
    this.#u16(udpBytesMax)
    this.#u32(this.#query.dnssec ? 0x8000 : 0)
    this.#u16(0)
  }

  #u16(value: number): void {
    this.#room(2)
    this.#at = this.#bytes.writeUInt16BE(value, this.#at)
  }

  #u32(value: number): void {
    this.#room(4)
    this.#at = this.#bytes.writeUInt32BE(value >>> 0, this.#at)
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const next = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + bytes))
    this.#bytes.copy(next)
    this.#bytes = next
  }
}

function v6Bytes(address: string): Uint8Array {
  const [head = '', tail] = address.split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const front = groups(head)
  const back = groups(tail ?? '')
  const all = tail === undefined ? front : [...front, ...Array.from({ length: 8 - front.length - back.length }, () => '0'), ...back]
  return Uint8Array.from(all.flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >>> 8, value & 255]
  }))
}

export interface Shape {
  readonly rcode: number
  readonly truncated: boolean
  readonly answers: number
  /** Where the times to live stand; OPT has none. */
  readonly ttlsAt: readonly number[]
  /** The lowest of them; of an SOA alone, its minimum. undefined: there are none. */
  readonly ttl: number | undefined
}

/** Walks over an answer of somebody else. */
export function shapeOf(packet: Uint8Array): Shape | undefined {
  if (packet.length < 12) return undefined
  let at = 12
  for (let i = 0; i < u16(packet, 4); i++) {
    const end = skipName(packet, at)
    if (end === undefined) return undefined
    at = end + 4
  }
  const ttlsAt: number[] = []
  let ttl: number | undefined
  for (let i = 0; i < u16(packet, 6) + u16(packet, 8) + u16(packet, 10); i++) {
    const end = skipName(packet, at)
    if (end === undefined || end + 10 > packet.length) return undefined
    const next = end + 10 + u16(packet, end + 8)
    if (next > packet.length) return undefined
    const type = u16(packet, end)
    if (type !== types.OPT) {
      ttlsAt.push(end + 4)
      // RFC 2308: how long an absence may be believed is the smaller of the SOA's own time and its last number.
      const own = type === types.SOA && u16(packet, 6) === 0 ? Math.min(u32(packet, end + 4), u32(packet, next - 4)) : u32(packet, end + 4)
      ttl = Math.min(ttl ?? own, own)
    }
    at = next
  }
  return { rcode: byte(packet, 3) & 15, truncated: (byte(packet, 2) & 2) !== 0, answers: u16(packet, 6), ttlsAt, ttl }
}

/** Where the name that starts at `at` ends in the message; pointers are not followed. */
function skipName(packet: Uint8Array, from: number): number | undefined {
  let at = from
  while (at < packet.length) {
    const length = byte(packet, at)
    if (length === 0) return at + 1
    if (length >= 0xc0) return at + 2
    if (length > 63) return undefined
    at += length + 1
  }
  return undefined
}

function byte(packet: Uint8Array, at: number): number {
  return packet[at] ?? 0
}

export function u16(packet: Uint8Array, at: number): number {
  return (byte(packet, at) << 8) | byte(packet, at + 1)
}

function u32(packet: Uint8Array, at: number): number {
  return u16(packet, at) * 65_536 + u16(packet, at + 2)
}
