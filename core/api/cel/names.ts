/**
 * What names mean in an environment: variables, types, constants, and functions with the overloads of all libraries
 * put together.
 */
import type { EnvironmentInit } from './cel.ts'
import type { FunctionDeclaration, Library, Overload } from './library.ts'
import { bool, bytes, type CelType, double, duration, dyn, int, list, map, nullType, opaque, string, timestamp, typeOf, uint } from './type.ts'
import { typeName, typeType } from './typing.ts'
import { TypeValue, type Value } from './value.ts'

export interface FunctionEntry {
  readonly name: string
  readonly overloads: readonly Overload[]
  readonly unguarded: boolean
  readonly costByOverload: boolean
}

export interface Names {
  /** `value` is there for constants. */
  ident(name: string): { readonly type: CelType; readonly value?: Value } | undefined
  function(name: string): FunctionEntry | undefined
}

export function namesOf(init: EnvironmentInit, libraries: readonly Library[]): Names {
  const functions = new Map<string, FunctionEntry>()
  for (const library of libraries) {
    for (const declaration of library.functions) functions.set(declaration.name, merged(functions.get(declaration.name), declaration))
  }
  const constants = new Map(libraries.flatMap((library) => Object.entries(library.constants ?? {})))
  return {
    ident(name) {
      const variable = Object.hasOwn(init.variables, name) ? init.variables[name] : undefined
      if (variable !== undefined) return { type: variable }
      const known = constants.get(name) ?? typeNames.get(name)
      if (known !== undefined) return known
      const constructible = init.constructible?.(name)
      return constructible === undefined ? undefined : typeConstant(constructible)
    },
    function: (name) => functions.get(name),
  }
}

function merged(known: FunctionEntry | undefined, declaration: FunctionDeclaration): FunctionEntry {
  return {
    name: declaration.name,
    overloads: [...(known?.overloads ?? []), ...declaration.overloads],
    unguarded: known?.unguarded ?? declaration.unguarded ?? false,
    costByOverload: known?.costByOverload ?? declaration.costByOverload ?? false,
  }
}

function typeConstant(of: CelType): { type: CelType; value: Value } {
  return { type: typeOf(of), value: new TypeValue(of) }
}

const typeNames: ReadonlyMap<string, { type: CelType; value: Value }> = new Map([
  ...[bool, bytes, double, duration, int, list(dyn), map(dyn, dyn), nullType, string, timestamp, uint, opaque('optional_type')]
    .map((type): [string, { type: CelType; value: Value }] => [typeName(type), typeConstant(type)]),
  ['type', typeConstant(typeType)],
])
