/**
 * Sorted: a map in key order, for many thousands of keys. Keys stand in chunks, so that an
 * insertion moves a few hundred neighbours and never the whole list. Order is that of UTF-16
 * code units, which for the keys we have (ASCII) is byte order.
 */

/** Keys in one chunk before it is split in two. */
const chunkMax = 512

interface Chunk<T> {
  readonly keys: string[]
  readonly values: T[]
}

export interface Slice<T> {
  readonly values: T[]
  /** Keys in the range that did not fit into the limit. */
  readonly remaining: number
}

export class Sorted<T> {
  readonly #byKey = new Map<string, T>()
  #chunks: Chunk<T>[] = []

  get size(): number {
    return this.#byKey.size
  }

  get(key: string): T | undefined {
    return this.#byKey.get(key)
  }

  set(key: string, value: T): void {
    const known = this.#byKey.has(key)
    this.#byKey.set(key, value)
    const c = this.#chunkOf(key)
    const chunk = this.#chunks[c]
    if (chunk === undefined) {
      this.#chunks.push({ keys: [key], values: [value] })
      return
    }
    const i = lowerBound(chunk.keys, key)
    if (known) {
      chunk.values[i] = value
      return
    }
    if (i === chunk.keys.length) {
      chunk.keys.push(key)
      chunk.values.push(value)
    } else {
      chunk.keys.splice(i, 0, key)
      chunk.values.splice(i, 0, value)
    }
    if (chunk.keys.length > chunkMax) this.#split(c, chunk)
  }

  delete(key: string): boolean {
    if (!this.#byKey.delete(key)) return false
    const c = this.#chunkOf(key)
    const chunk = this.#chunks[c] as Chunk<T>
    const i = lowerBound(chunk.keys, key)
    chunk.keys.splice(i, 1)
    chunk.values.splice(i, 1)
    if (chunk.keys.length === 0) this.#chunks.splice(c, 1)
    return true
  }

  clear(): void {
    this.#byKey.clear()
    this.#chunks = []
  }

  /** Values whose keys start with `prefix` and come after `after`, in order. */
  slice(prefix: string, after = '', limit = Infinity): Slice<T> {
    const end = prefixEnd(prefix)
    const values: T[] = []
    let remaining = 0
    let { c, i } = this.#seek(prefix, after)
    for (; c < this.#chunks.length; c++, i = 0) {
      const chunk = this.#chunks[c] as Chunk<T>
      const to = end === undefined || (chunk.keys.at(-1) as string) < end ? chunk.keys.length : lowerBound(chunk.keys, end)
      const take = Math.min(to - i, limit - values.length)
      if (i === 0 && take === chunk.keys.length) for (const value of chunk.values) values.push(value)
      else for (let at = i; at < i + take; at++) values.push(chunk.values[at] as T)
      remaining += to - i - take
      if (to < chunk.keys.length) break
    }
    return { values, remaining }
  }

  /** Keys and values from a place on, one at a time; the map must not change meanwhile. */
  *entries(prefix: string, after = ''): Generator<[string, T]> {
    let { c, i } = this.#seek(prefix, after)
    for (; c < this.#chunks.length; c++, i = 0) {
      const chunk = this.#chunks[c] as Chunk<T>
      for (; i < chunk.keys.length; i++) {
        const key = chunk.keys[i] as string
        if (!key.startsWith(prefix)) return
        yield [key, chunk.values[i] as T]
      }
    }
  }

  #seek(prefix: string, after: string): { c: number; i: number } {
    const from = after > prefix ? after : prefix
    let c = this.#chunkOf(from)
    const chunk = this.#chunks[c]
    if (chunk === undefined) return { c, i: 0 }
    let i = lowerBound(chunk.keys, from)
    if (after !== '' && chunk.keys[i] === after) i++
    if (i === chunk.keys.length) {
      c++
      i = 0
    }
    return { c, i }
  }

  /** The chunk in which the key stands or would stand. */
  #chunkOf(key: string): number {
    let low = 0
    let high = this.#chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#chunks[middle]?.keys[0] as string) <= key) low = middle
      else high = middle - 1
    }
    return low
  }

  #split(c: number, chunk: Chunk<T>): void {
    // Ascending inserts (most of ours) leave full chunks behind when the cut is near the end.
    const cut = Math.floor(chunkMax * 0.75)
    this.#chunks.splice(c + 1, 0, { keys: chunk.keys.splice(cut), values: chunk.values.splice(cut) })
  }
}

/** Index of the first key that is not less. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
}

/** The first string after every string that starts with the prefix; undefined when there is none. */
export function prefixEnd(prefix: string): string | undefined {
  return prefix === '' ? undefined : `${prefix}\u{10ffff}`
}
