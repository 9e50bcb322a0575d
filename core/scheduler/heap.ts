/** A binary heap: pop() gives what `before` puts first; equal items come in the order in which they were pushed. */

export class Heap<T> {
  readonly #before: (a: T, b: T) => number
  readonly #items: { readonly item: T; readonly order: number }[] = []
  #order = 0

  constructor(before: (a: T, b: T) => number) {
    this.#before = before
  }

  peek(): T | undefined {
    return this.#items[0]?.item
  }

  push(item: T): void {
    this.#items.push({ item, order: this.#order++ })
    this.#up(this.#items.length - 1)
  }

  pop(): T | undefined {
    const first = this.#items[0]
    const last = this.#items.pop()
    if (first === undefined || last === undefined) return undefined
    if (this.#items.length > 0) {
      this.#items[0] = last
      this.#down(0)
    }
    return first.item
  }

  #less(a: number, b: number): boolean {
    const x = this.#items[a]
    const y = this.#items[b]
    if (x === undefined || y === undefined) return false
    const order = this.#before(x.item, y.item)
    return order === 0 ? x.order < y.order : order < 0
  }

  #swap(a: number, b: number): void {
    const [x, y] = [this.#items[a], this.#items[b]]
    if (x === undefined || y === undefined) return
    this.#items[a] = y
    this.#items[b] = x
  }

  #up(start: number): void {
    for (let i = start; i > 0; ) {
      const parent = (i - 1) >> 1
      if (!this.#less(i, parent)) return
      this.#swap(i, parent)
      i = parent
    }
  }

  #down(start: number): void {
    for (let i = start; ; ) {
      const left = 2 * i + 1
      let first = i
      if (this.#less(left, first)) first = left
      if (this.#less(left + 1, first)) first = left + 1
      if (first === i) return
      this.#swap(i, first)
      i = first
    }
  }
}
