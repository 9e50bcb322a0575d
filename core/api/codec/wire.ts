/**
 * Protobuf's bytes: a reader that moves forward over a message, and a writer that fills its buffer from the end, so
 * that the length of what is inside is known when its prefix is written. Nothing here knows Kubernetes.
 */

/** Thrown for bytes that are no message; caught at the door of the codec. */
export class WireError extends Error {}

export const varint = 0
export const fixed64 = 1
export const delimited = 2
export const fixed32 = 5

const textDecoder = new TextDecoder()
const textEncoder = new TextEncoder()

/** Below this length a string is read faster byte by byte. */
const shortStringBytes = 32

export class Reader {
  readonly bytes: Uint8Array
  at: number
  end: number

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.at = 0
    this.end = bytes.length
  }

  /** A varint up to 2^53; the low 32 bits are in `low` afterwards, the high ones in `high`. */
  low = 0
  high = 0

  readVarint(): void {
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) throw new WireError('unexpected EOF')
      const byte = this.bytes[this.at++] ?? 0
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high |= bits >>> 4
      } else high |= bits << (shift - 32)
      if (byte < 0x80) {
        this.low = low >>> 0
        this.high = high
        return
      }
    }
    throw new WireError('proto: integer overflow')
  }

  /** A tag or a length. */
  uint32(): number {
    const first = this.bytes[this.at]
    if (first !== undefined && first < 0x80 && this.at < this.end) {
      this.at++
      return first
    }
    this.readVarint()
    return this.low
  }

  int32(): number {
    this.readVarint()
    return this.low | 0
  }

  /** Exact up to 2^53. */
  int64(): number {
    this.readVarint()
    return (this.high | 0) * 4_294_967_296 + this.low
  }

  double(): number {
    const start = this.take(8)
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + start, 8).getFloat64(0, true)
  }

  string(): string {
    const length = this.uint32()
    const start = this.take(length)
    if (length > shortStringBytes) return textDecoder.decode(this.bytes.subarray(start, start + length))
    let text = ''
    for (let i = start; i < start + length; i++) {
      const byte = this.bytes[i] ?? 0
      if (byte >= 0x80) return textDecoder.decode(this.bytes.subarray(start, start + length))
      text += String.fromCharCode(byte)
    }
    return text
  }

  data(): Uint8Array {
    const length = this.uint32()
    const start = this.take(length)
    return this.bytes.subarray(start, start + length)
  }

  /** Narrows to the message inside; give the answer to leave(). */
  enter(): number {
    const length = this.uint32()
    const outer = this.end
    if (this.at + length > outer) throw new WireError('unexpected EOF')
    this.end = this.at + length
    return outer
  }

  leave(outer: number): void {
    this.at = this.end
    this.end = outer
  }

  skip(wireType: number): void {
    if (wireType === varint) this.readVarint()
    else if (wireType === fixed64) this.take(8)
    else if (wireType === delimited) this.take(this.uint32())
    else if (wireType === fixed32) this.take(4)
    else throw new WireError(`proto: illegal wireType ${wireType}`)
  }

  private take(length: number): number {
    const start = this.at
    if (start + length > this.end) throw new WireError('unexpected EOF')
    this.at = start + length
    return start
  }
}

export class Writer {
  private buffer: Uint8Array
  /** The first written byte. */
  private at: number

  constructor(bytes = 4_096) {
    this.buffer = new Uint8Array(bytes)
    this.at = bytes
  }

  /** Bytes written so far; the difference of two is the length of what came between. */
  get written(): number {
    return this.buffer.length - this.at
  }

  finish(): Uint8Array {
    return this.buffer.subarray(this.at)
  }

  byte(value: number): void {
    this.reserve(1)
    this.buffer[--this.at] = value
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.at -= bytes.length
    this.buffer.set(bytes, this.at)
  }

  /** The text without its length. */
  text(text: string): void {
    this.reserve(text.length)
    let at = this.at
    for (let i = text.length - 1; i >= 0; i--) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) {
        this.raw(textEncoder.encode(text))
        return
      }
      this.buffer[--at] = code
    }
    this.at = at
  }

  uint(value: number): void {
    let low = value
    let size = 1
    while (low > 0x7f) {
      low = Math.floor(low / 128)
      size++
    }
    this.reserve(size)
    this.at -= size
    let rest = value
    for (let i = 0; i < size; i++) {
      this.buffer[this.at + i] = (rest % 128) | (i < size - 1 ? 0x80 : 0)
      rest = Math.floor(rest / 128)
    }
  }

  /** Negative numbers take ten bytes, as two's complement of 64 bits. */
  int(value: number): void {
    if (value >= 0) {
      this.uint(value)
      return
    }
    let rest = BigInt.asUintN(64, BigInt(value))
    const bytes = new Uint8Array(10)
    for (let i = 0; i < 10; i++) {
      bytes[i] = Number(rest & 0x7fn) | (i < 9 ? 0x80 : 0)
      rest >>= 7n
    }
    this.raw(bytes)
  }

  double(value: number): void {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setFloat64(0, value, true)
    this.raw(bytes)
  }

  tag(number: number, wireType: number): void {
    this.uint(number * 8 + wireType)
  }

  /** Length and tag of what was written since `before`. */
  prefix(number: number, before: number): void {
    this.uint(this.written - before)
    this.tag(number, delimited)
  }

  private reserve(bytes: number): void {
    if (this.at >= bytes) return
    const written = this.written
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, written + bytes + 1_024))
    grown.set(this.buffer.subarray(this.at), grown.length - written)
    this.buffer = grown
    this.at = grown.length - written
  }
}
