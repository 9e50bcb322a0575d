/**
 * Whether an expression chooses a device: what `device` holds is made here of a device of a ResourceSlice
 * (k8s.io/dynamic-resource-allocation/cel/compile.go, DeviceMatches). What may be written in an expression is selectors.ts.
 */
import { valueTypeName } from '../cel/kinds.ts'
import { readAmount } from '../cel/library/amount.ts'
import { Quantity } from '../cel/library/quantity.ts'
import { Semver } from '../cel/library/semver.ts'
import { readVersion } from '../cel/library/version.ts'
import { dyn } from '../cel/type.ts'
import { CelError, MapValue, ObjectValue, type Value } from '../cel/value.ts'
import type { Device, DeviceAttribute, DeviceCapacity } from '../schema/types.ts'
import { compileSelector, expressionCostMax } from './selectors.ts'

/** Names with a domain are cut at their slash; those without are the driver's own. */
export function qualifiedName(name: string, driver: string): readonly [domain: string, id: string] {
  const slash = name.indexOf('/')
  return slash < 0 ? [driver, name] : [name.slice(0, slash), name.slice(slash + 1)]
}

/** Throws CelError for an expression that cannot be compiled or fails with this device. */
export function deviceMatches(expression: string, value: DeviceValue): boolean {
  return value.answer(expression, () => evaluate(expression, value))
}

function evaluate(expression: string, value: DeviceValue): boolean {
  const compilation = compileSelector(expression)
  if (!compilation.ok) throw new CelError(`CEL compile error: ${compilation.stage === 'check' ? 'compilation' : 'program instantiation'} failed: ${compilation.text}`)
  const chosen = runtime(() => compilation.compiled.evaluate({ device: value.read() }, expressionCostMax).value)
  if (typeof chosen === 'boolean') return chosen
  throw new CelError(`CEL runtime error: CEL result of type ${valueTypeName(chosen)} could not be converted to bool`)
}

function runtime(run: () => Value): Value {
  try {
    return run()
  } catch (error) {
    throw new CelError(`CEL runtime error: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Expressions of one device that are remembered: claims are made from few templates. */
const answersMax = 64

/** `device` of an expression: made when it is first read, and then kept for all expressions about the device, as are their answers. */
export class DeviceValue {
  readonly #driver: string
  readonly #device: Readonly<Device>
  readonly #answers = new Map<string, boolean>()
  #made: Value | undefined

  constructor(driver: string, device: Readonly<Device>) {
    this.#driver = driver
    this.#device = device
  }

  answer(expression: string, find: () => boolean): boolean {
    const known = this.#answers.get(expression)
    if (known !== undefined) return known
    const answer = find()
    if (this.#answers.size >= answersMax) this.#answers.clear()
    this.#answers.set(expression, answer)
    return answer
  }

  /** Throws CelError for an attribute that says nothing, or no version. */
  read(): Value {
    const { attributes = {}, capacity = {}, allowMultipleAllocations = false } = this.#device
    return this.#made ??= new Members(new Map<string, Value>([
      ['driver', this.#driver],
      ['allowMultipleAllocations', allowMultipleAllocations],
      ['attributes', byDomain(this.#driver, attributes, attributeValue)],
      ['capacity', byDomain(this.#driver, capacity, capacityValue)],
    ]))
  }
}

function byDomain<T>(driver: string, of: Readonly<Record<string, T>>, valueOf: (name: string, item: T) => Value): MapValue {
  const domains = new Map<string, Map<string, Value>>()
  for (const [name, item] of Object.entries(of)) {
    const [domain, id] = qualifiedName(name, driver)
    const ids = domains.get(domain) ?? new Map<string, Value>()
    domains.set(domain, ids.set(id, valueOf(name, item)))
  }
  return new Domains(domains)
}

function attributeValue(name: string, { int, bool, string, version }: Readonly<DeviceAttribute>): Value {
  if (int !== undefined) return BigInt(int)
  if (bool !== undefined) return bool
  if (string !== undefined) return string
  if (version === undefined) throw new CelError(`attribute ${name}: unsupported attribute value`)
  try {
    return new Semver(readVersion(version))
  } catch (error) {
    throw new CelError(`attribute ${name}: parse semantic version: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function capacityValue(name: string, { value }: Readonly<DeviceCapacity>): Value {
  const read = readAmount(value)
  if (!read.ok) throw new CelError(`capacity ${name}: ${read.error}`)
  return new Quantity(read.amount)
}

class Ids extends MapValue {
  readonly #ids: ReadonlyMap<string, Value>

  constructor(ids: ReadonlyMap<string, Value>) {
    super()
    this.#ids = ids
  }

  get size(): number {
    return this.#ids.size
  }

  keys(): Iterable<Value> {
    return this.#ids.keys()
  }

  get(key: Value): Value | undefined {
    return typeof key === 'string' ? this.#ids.get(key) : undefined
  }
}

const nothing = new Ids(new Map())

/** A domain that is not there has nothing in it, so that expressions need not ask for domains first. */
class Domains extends MapValue {
  readonly #domains: ReadonlyMap<string, Ids>

  constructor(domains: ReadonlyMap<string, ReadonlyMap<string, Value>>) {
    super()
    this.#domains = new Map([...domains].map(([domain, ids]) => [domain, new Ids(ids)]))
  }

  get size(): number {
    return this.#domains.size
  }

  keys(): Iterable<Value> {
    return this.#domains.keys()
  }

  get(key: Value): Value {
    return (typeof key === 'string' ? this.#domains.get(key) : undefined) ?? nothing
  }

  override contains(key: Value): boolean {
    return typeof key === 'string' && this.#domains.has(key)
  }
}

class Members extends ObjectValue {
  readonly type = dyn
  readonly #members: ReadonlyMap<string, Value>

  constructor(members: ReadonlyMap<string, Value>) {
    super()
    this.#members = members
  }

  get(field: string): Value | undefined {
    return this.#members.get(field)
  }

  fields(): Iterable<string> {
    return this.#members.keys()
  }
}
