/**
 * Types of CEL, the Common Expression Language, as a checker knows them
 * (cel-spec/doc/langdef.md, "Values"). What a schema says of an object becomes an
 * ObjectType. Values are value.ts; what functions there are is library.ts.
 */

export type CelType = SimpleType | ListType | MapType | OptionalType | TypeType | ObjectType | OpaqueType | ParamType

export interface SimpleType {
  readonly kind: 'dyn' | 'null' | 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'timestamp' | 'duration'
  /** Of dyn: google.protobuf.Any, which is good for everything too, but nothing loops over it. */
  readonly any?: true
}

export interface ListType {
  readonly kind: 'list'
  readonly element: CelType
  /**
   * What x-kubernetes-list-type makes of == and +: a set, or a map by these keys (names in JSON). Asked of values
   * only; to the checker a list is a list.
   */
  readonly merge?: 'set' | readonly string[]
}

export interface MapType {
  readonly kind: 'map'
  readonly key: CelType
  readonly value: CelType
}

export interface OptionalType {
  readonly kind: 'optional'
  readonly of: CelType
}

/** The type of a type: what `type(x)` and the name `int` are. */
export interface TypeType {
  readonly kind: 'type'
  readonly of: CelType
}

/** A record with named, typed fields. Fields are asked for one by one, so that schemas may be deep and recursive. */
export interface ObjectType {
  readonly kind: 'object'
  readonly name: string
  /** By its name in an expression (escaped where CEL has that word for itself); undefined: there is none. */
  readonly field: (name: string) => FieldType | undefined
  readonly fieldNames: () => readonly string[]
}

export interface FieldType {
  readonly type: CelType
  /** Its name in JSON, where the name in an expression is escaped (`__dash__`, `__namespace__`, ...). */
  readonly jsonName: string
  /** What has() is asked of: false for fields that are always there. */
  readonly optional?: boolean
}

/** A type that only its own functions look into: kubernetes.Quantity, net.IP, kubernetes.authorization.Authorizer, ... */
export interface OpaqueType {
  readonly kind: 'opaque'
  readonly name: string
  /** What comparing two of it may cost, by the size of the right one; 1 unless given. */
  readonly equalityCost?: (size: { readonly min: number; readonly max: number } | undefined) => { readonly min: number; readonly max: number }
}

/** A type parameter of an overload: `A` in `list(A).sum() -> A`. */
export interface ParamType {
  readonly kind: 'param'
  readonly name: string
}

export const dyn: SimpleType = { kind: 'dyn' }
export const any: SimpleType = { kind: 'dyn', any: true }
export const nullType: SimpleType = { kind: 'null' }
export const bool: SimpleType = { kind: 'bool' }
export const int: SimpleType = { kind: 'int' }
export const uint: SimpleType = { kind: 'uint' }
export const double: SimpleType = { kind: 'double' }
export const string: SimpleType = { kind: 'string' }
export const bytes: SimpleType = { kind: 'bytes' }
export const timestamp: SimpleType = { kind: 'timestamp' }
export const duration: SimpleType = { kind: 'duration' }

export function list(element: CelType): ListType {
  return { kind: 'list', element }
}

export function map(key: CelType, value: CelType): MapType {
  return { kind: 'map', key, value }
}

export function optional(of: CelType): OptionalType {
  return { kind: 'optional', of }
}

export function typeOf(of: CelType): TypeType {
  return { kind: 'type', of }
}

export function opaque(name: string, equalityCost?: OpaqueType['equalityCost']): OpaqueType {
  return equalityCost === undefined ? { kind: 'opaque', name } : { kind: 'opaque', name, equalityCost }
}

export function param(name: string): ParamType {
  return { kind: 'param', name }
}
