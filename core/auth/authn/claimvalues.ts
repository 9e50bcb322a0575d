/**
 * A token's claims as values of CEL (k8s.io/apiserver/plugin/pkg/authenticator/token/oidc): every number is a double, and
 * keys that are no names are reached by names with `__dot__`, `__dash__` and the like.
 */
import { ListValue, MapValue, type Value } from '../../api/cel/value.ts'

export type Json = Readonly<Record<string, unknown>>

export function claimsValue(claims: Json): MapValue {
  return new ClaimsMap(claims)
}

function valueOf(json: unknown): Value {
  if (typeof json === 'string' || typeof json === 'boolean' || typeof json === 'number') return json
  if (Array.isArray(json)) return new ClaimsList(json)
  return typeof json === 'object' && json !== null ? new ClaimsMap(json as Json) : null
}

class ClaimsList extends ListValue {
  readonly #json: readonly unknown[]

  constructor(json: readonly unknown[]) {
    super()
    this.#json = json
  }

  get size(): number {
    return this.#json.length
  }

  at(index: number): Value {
    return valueOf(this.#json[index])
  }
}

class ClaimsMap extends MapValue {
  readonly #json: Json

  constructor(json: Json) {
    super()
    this.#json = json
  }

  get size(): number {
    return Object.keys(this.#json).length
  }

  keys(): Iterable<Value> {
    return Object.keys(this.#json)
  }

  get(key: Value): Value | undefined {
    if (typeof key !== 'string') return undefined
    const name = unescaped(key)
    return Object.hasOwn(this.#json, name) ? valueOf(this.#json[name]) : undefined
  }
}

const symbols: Readonly<Record<string, string>> = { underscores: '__', dot: '.', dash: '-', slash: '/' }
const reserved = new Set([
  'true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop',
  'package', 'namespace', 'return', 'var', 'void', 'while',
])

/** `a__dot__b` -> `a.b`, `__namespace__` -> `namespace`; what is not escaped stays. */
function unescaped(name: string): string {
  if (!name.includes('__')) return name
  const word = /^__([a-z]+)__$/.exec(name)?.[1]
  if (word !== undefined && reserved.has(word)) return word
  return name.replaceAll(/__(underscores|dot|dash|slash)__/g, (whole, symbol: string) => symbols[symbol] ?? whole)
}
