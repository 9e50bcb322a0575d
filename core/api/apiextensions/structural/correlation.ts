/**
 * An object and what it was before an update, side by side: each place of the new value knows the old value of the same
 * thing, where that can be told. Fields are told by name, items of map lists by their keys; items of other lists cannot.
 *
 * After apiserver/pkg/cel/common/equality.go, with its idea of what "the same" is: order of map lists does not count.
 */
import { equalJson } from '../../../lib/json.ts'
import { isList, isMap, type JsonMap } from './json.ts'
import type { Structural } from './schema.ts'

export class Correlation {
  readonly value: unknown
  readonly old: unknown
  readonly schema: Structural
  #unchanged: boolean | undefined
  #children: Map<string | number, Correlation | undefined> | undefined
  #byKey: Map<string, unknown> | undefined

  constructor(value: unknown, old: unknown, schema: Structural) {
    this.value = value
    this.old = old
    this.schema = schema
  }

  key(name: string): Correlation | undefined {
    return this.#child(name, () => {
      if (!isMap(this.value) || !isMap(this.old)) return undefined
      const schema = this.schema.properties.get(name) ?? this.schema.additional
      const [value, old] = [this.value[name], this.old[name]]
      return schema === undefined || value === undefined || old === undefined ? undefined : new Correlation(value, old, schema)
    })
  }

  index(i: number): Correlation | undefined {
    return this.#child(i, () => {
      if (!isList(this.value) || !isList(this.old) || this.schema.listType !== 'map') return undefined
      const old = this.#oldItem(this.value[i])
      const { items } = this.schema
      return old === undefined || items === undefined ? undefined : new Correlation(this.value[i], old, items)
    })
  }

  /** Whether the value is what it was. */
  get unchanged(): boolean {
    return (this.#unchanged ??= this.#same())
  }

  #child(step: string | number, make: () => Correlation | undefined): Correlation | undefined {
    this.#children ??= new Map()
    if (this.#children.has(step)) return this.#children.get(step)
    const child = make()
    this.#children.set(step, child)
    return child
  }

  #same(): boolean {
    const { value, old } = this
    if (isList(value)) {
      if (!isList(old) || value.length !== old.length) return false
      if (this.schema.listType !== 'map') return equalJson(value, old)
      return value.every((_, i) => this.index(i)?.unchanged === true)
    }
    if (!isMap(value)) return value === old
    if (!isMap(old) || Object.keys(value).length !== Object.keys(old).length) return false
    return Object.keys(value).every((name) => this.key(name)?.unchanged === true)
  }

  #oldItem(item: unknown): unknown {
    const key = isMap(item) ? keyOf(item, this.schema.listKeys) : undefined
    return key === undefined ? undefined : (this.#byKey ??= indexByKey(this.old as readonly unknown[], this.schema.listKeys)).get(key)
  }
}

/** The first item of each key. */
export function indexByKey(list: readonly unknown[], names: readonly string[]): Map<string, unknown> {
  const index = new Map<string, unknown>()
  for (const item of list) {
    const key = isMap(item) ? keyOf(item, names) : undefined
    if (key !== undefined && !index.has(key)) index.set(key, item)
  }
  return index
}

/** undefined: a key is missing, or is no scalar. */
export function keyOf(item: Readonly<JsonMap>, names: readonly string[]): string | undefined {
  const parts: unknown[] = []
  for (const name of names) {
    const part = item[name]
    if (part === undefined || typeof part === 'object') return undefined
    parts.push(part)
  }
  return names.length === 0 ? undefined : JSON.stringify(parts)
}
