/**
 * What a checker does with types: names them as cel-go does, asks whether one is good for another, and finds out what
 * type parameters stand for (cel-go/checker/types.go, format.go, common/types/types.go).
 */
import { type CelType, dyn, list, map, opaque, optional, type OpaqueType, param, typeOf } from './type.ts'

/** What an expression that did not check has; good for everything, so that one mistake is reported once. */
export const errorType: OpaqueType = opaque('!error!')

/** As errors print it. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case 'list': return `list(${formatType(type.element)})`
    case 'map': return `map(${formatType(type.key)}, ${formatType(type.value)})`
    case 'optional': return `optional_type(${formatType(type.of)})`
    case 'type': return isUntypedType(type) ? 'type' : `type(${formatType(type.of)})`
    case 'object':
    case 'opaque':
    case 'param': return type.name
    case 'dyn': return type.any === true ? 'any' : 'dyn'
    default: return type.kind
  }
}

/** The name that values of it have at run time: type(x) == y compares these. */
export function typeName(type: CelType): string {
  switch (type.kind) {
    case 'optional': return 'optional_type'
    case 'null': return 'null_type'
    case 'timestamp': return 'google.protobuf.Timestamp'
    case 'duration': return 'google.protobuf.Duration'
    case 'object':
    case 'opaque':
    case 'param': return type.name
    default: return type.kind
  }
}

/** `type` itself, as a value: type(int) is it. */
export const typeType: CelType = typeOf(opaque('type'))

function isUntypedType(type: CelType): boolean {
  return type.kind === 'type' && type.of.kind === 'opaque' && type.of.name === 'type'
}

export function isDynOrError(type: CelType): boolean {
  return type.kind === 'dyn' || isError(type)
}

function isError(type: CelType): boolean {
  return type.kind === 'opaque' && type.name === errorType.name
}

export function parameters(type: CelType): readonly CelType[] {
  switch (type.kind) {
    case 'list': return [type.element]
    case 'map': return [type.key, type.value]
    case 'optional': return [type.of]
    case 'type': return isUntypedType(type) ? [] : [type.of]
    default: return []
  }
}

function withParameters(type: CelType, [first, second]: readonly CelType[]): CelType {
  switch (type.kind) {
    case 'list': return list(first ?? dyn)
    case 'map': return map(first ?? dyn, second ?? dyn)
    case 'optional': return optional(first ?? dyn)
    case 'type': return first === undefined ? type : typeOf(first)
    default: return type
  }
}

export function sameType(a: CelType, b: CelType, ignoreParamNames = false): boolean {
  if (a === b) return true
  if (a.kind !== b.kind) return false
  if (!(ignoreParamNames && a.kind === 'param') && typeName(a) !== typeName(b)) return false
  const [theirs, mine] = [parameters(b), parameters(a)]
  return mine.length === theirs.length && mine.every((type, i) => sameType(type, theirs[i] as CelType, ignoreParamNames))
}

/** What parameters stand for, so far. Tried on a copy: what does not fit leaves no trace. */
export class Substitution {
  #known: Map<string, CelType>

  constructor(known: Map<string, CelType> = new Map()) {
    this.#known = known
  }

  /** Whether `from` may be given where `to` is wanted; if so, remembers what that says of parameters. */
  assign(to: CelType, from: CelType): boolean {
    return this.#attempt((trial) => trial.#assignable(to, from))
  }

  assignAll(to: readonly CelType[], from: readonly CelType[]): boolean {
    return this.#attempt((trial) => trial.#allAssignable(to, from))
  }

  /** With `free` 'dyn', parameters that stand for nothing become dyn. */
  apply(type: CelType, free: 'keep' | 'dyn' = 'keep'): CelType {
    if (type.kind === 'param') {
      const known = this.#known.get(type.name)
      if (known !== undefined) return this.apply(known, free)
      return free === 'dyn' ? dyn : type
    }
    const inner = parameters(type)
    return inner.length === 0 ? type : withParameters(type, inner.map((each) => this.apply(each, free)))
  }

  #attempt(attempt: (trial: Substitution) => boolean): boolean {
    const trial = new Substitution(new Map(this.#known))
    if (!attempt(trial)) return false
    this.#known = trial.#known
    return true
  }

  #allAssignable(to: readonly CelType[], from: readonly CelType[]): boolean {
    return to.length === from.length && to.every((type, i) => this.#assignable(type, from[i] as CelType))
  }

  #assignable(to: CelType, from: CelType): boolean {
    if (from.kind === 'param') {
      const tried = this.#bind(from.name, from, to)
      if (tried !== 'free') return tried === 'fits'
    }
    if (to.kind === 'param') return this.#bind(to.name, to, from) === 'fits'
    if (isDynOrError(to) || isDynOrError(from)) return true
    if (to.kind === 'null') return isNullable(from)
    if (from.kind === 'null') return isNullable(to)
    if (to.kind === 'type') return from.kind === 'type'
    if (to.kind !== from.kind || typeName(to) !== typeName(from)) return false
    return this.#allAssignable(parameters(to), parameters(from))
  }

  /** 'free': the parameter stands for nothing and cannot stand for this either, since it occurs in it. */
  #bind(name: string, parameter: CelType, type: CelType): 'fits' | 'differs' | 'free' {
    if (sameType(type, parameter)) return 'fits'
    const known = this.#known.get(name)
    if (known === undefined) {
      if (this.#occurs(name, type)) return 'free'
      this.#known.set(name, type)
      return 'fits'
    }
    if (sameType(type, known)) return 'fits'
    if (!this.#assignable(type, known)) return 'differs'
    const general = mostGeneral(type, known)
    if (!this.#occurs(name, general)) this.#known.set(name, general)
    return 'fits'
  }

  #occurs(name: string, type: CelType): boolean {
    if (type.kind !== 'param') return parameters(type).some((inner) => this.#occurs(name, inner))
    if (type.name === name) return true
    const known = this.#known.get(type.name)
    return known !== undefined && this.#occurs(name, known)
  }
}

function isNullable(type: CelType): boolean {
  return ['null', 'object', 'opaque', 'optional', 'duration', 'timestamp', 'dyn'].includes(type.kind)
}

/** Of two types known to fit each other. */
export function mostGeneral(a: CelType, b: CelType): CelType {
  return isLessSpecific(a, b) ? a : b
}

function isLessSpecific(a: CelType, b: CelType): boolean {
  if (a.kind === 'dyn' || a.kind === 'param') return true
  if (b.kind === 'dyn' || b.kind === 'param' || a.kind !== b.kind) return false
  if (a.kind === 'type') return true
  if (typeName(a) !== typeName(b)) return false
  const theirs = parameters(b)
  return parameters(a).every((type, i) => isLessSpecific(type, theirs[i] as CelType))
}

/** Parameters of an overload under names that nobody else has. */
export function fresh(types: readonly CelType[], newName: () => string): readonly CelType[] {
  const names = new Map<string, CelType>()
  const rename = (type: CelType): CelType => {
    if (type.kind === 'param') {
      const known = names.get(type.name) ?? param(newName())
      names.set(type.name, known)
      return known
    }
    const inner = parameters(type)
    return inner.length === 0 ? type : withParameters(type, inner.map(rename))
  }
  return types.map(rename)
}
