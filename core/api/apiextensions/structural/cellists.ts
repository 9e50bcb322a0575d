/** Lists that are sets or maps (x-kubernetes-list-type), as CEL sees them: == does not look at the order, + joins by element or by key. */
import { equal } from '../../cel/equality.ts'
import { ListValue, MapValue, ObjectValue, type Value } from '../../cel/value.ts'
import { escapeName } from './escape.ts'

/** Elements are scalars. */
export class SetList extends ListValue {
  readonly #values: readonly Value[]
  #texts: ReadonlySet<string> | undefined

  constructor(values: readonly Value[]) {
    super()
    this.#values = values
  }

  get size(): number {
    return this.#values.length
  }

  at(index: number): Value {
    return this.#values[index] as Value
  }

  override equals(other: ListValue): boolean {
    this.#texts ??= new Set(this.#values.map(scalarText))
    return this.size === other.size && all(other).every((each) => this.#texts?.has(scalarText(each)) === true)
  }

  override plus(other: ListValue): ListValue {
    const texts = new Set(this.#values.map(scalarText))
    const added = all(other).filter((each) => {
      const text = scalarText(each)
      return !texts.has(text) && texts.add(text)
    })
    return new SetList([...this.#values, ...added])
  }
}

/** Elements are objects, told apart by some of their fields. */
export class KeyedList extends ListValue {
  readonly #values: readonly Value[]
  readonly #keys: readonly string[]
  #byKey: ReadonlyMap<string, Value> | undefined

  constructor(values: readonly Value[], keys: readonly string[]) {
    super()
    this.#values = values
    this.#keys = keys
  }

  get size(): number {
    return this.#values.length
  }

  at(index: number): Value {
    return this.#values[index] as Value
  }

  override equals(other: ListValue): boolean {
    this.#byKey ??= new Map(this.#values.map((value) => [this.#keyOf(value), value]))
    if (this.size !== other.size) return false
    return all(other).every((each) => {
      const own = this.#byKey?.get(this.#keyOf(each))
      return own !== undefined && equal(own, each)
    })
  }

  override plus(other: ListValue): ListValue {
    const merged = [...this.#values]
    const places = new Map(merged.map((value, i) => [this.#keyOf(value), i]))
    for (const each of all(other)) {
      const at = places.get(this.#keyOf(each))
      if (at === undefined) merged.push(each)
      else merged[at] = each
    }
    return new KeyedList(merged, this.#keys)
  }

  #keyOf(value: Value): string {
    return this.#keys.map((key) => JSON.stringify(scalarText(part(value, escapeName(key) ?? key)))).join()
  }
}

function scalarText(value: Value | undefined): string {
  return value === null || typeof value !== 'object' ? `${typeof value} ${String(value)}` : JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each))
}

function part(value: Value, name: string): Value | undefined {
  if (value instanceof ObjectValue || value instanceof MapValue) return value.get(name)
  return undefined
}

function all(list: ListValue): Value[] {
  return Array.from({ length: list.size }, (_, i) => list.at(i))
}
