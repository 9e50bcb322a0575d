/** Ring: a queue with a limit. push() says false when it is full; what then happens is the owner's decision. */

export class Ring<T> {
  readonly limit: number
  #items: (T | undefined)[]
  #head = 0
  #size = 0

  constructor(limit: number) {
    this.limit = limit
    this.#items = Array.from({ length: Math.min(limit, 16) })
  }

  get size(): number {
    return this.#size
  }

  push(item: T): boolean {
    if (this.#size >= this.limit) return false
    if (this.#size === this.#items.length) this.#grow()
    this.#items[(this.#head + this.#size) % this.#items.length] = item
    this.#size++
    return true
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head = (this.#head + 1) % this.#items.length
    this.#size--
    return item
  }

  clear(): void {
    while (this.#size > 0) this.shift()
  }

  #grow(): void {
    const next: (T | undefined)[] = Array.from({ length: Math.min(this.limit, this.#items.length * 2) })
    for (let i = 0; i < this.#size; i++) next[i] = this.#items[(this.#head + i) % this.#items.length]
    this.#items = next
    this.#head = 0
  }
}
