/**
 * Expressions of one policy: each may read the variables that were declared before it, as `variables.x`, whose type is
 * that of their expression (k8s.io/apiserver/pkg/admission/plugin/cel/composition.go).
 */
import { environment, type Environment } from '../cel/cel.ts'
import { dyn, list, map, type CelType, type FieldType, type ObjectType } from '../cel/type.ts'
import { parameters } from '../cel/typing.ts'
import { admissionVariables, compileExpression, kubernetesLibraries, mutatingLibraries, type CompiledExpression } from './expressions.ts'
import { patchTypeOf } from './patchtypes.ts'

export interface PolicyCompilerInit {
  /** There is a `params`. */
  readonly params: boolean
  /** There are `variables`. On unless false. */
  readonly composed?: boolean
}

export interface ExpressionOptions {
  /** There is an `authorizer`. On unless false. */
  readonly authorizer?: boolean
  /** Patches may be constructed. */
  readonly patches?: boolean
}

export class PolicyCompiler {
  /** Every variable so far, by name, in order. */
  readonly variables = new Map<string, CompiledExpression>()
  readonly #init: PolicyCompilerInit
  readonly #types = new VariableTypes()
  readonly #environments = new Map<string, Environment>()

  constructor(init: PolicyCompilerInit) {
    this.#init = init
  }

  /** Those that come after it may read it, also where it does not compile. */
  variable(name: string, text: string): CompiledExpression {
    const compiled = this.compile(text, undefined)
    this.variables.set(name, compiled)
    this.#types.add(name, compiled.ok ? compiled.compiled.type : undefined)
    return compiled
  }

  /** @param results what may come of it; undefined: anything */
  compile(text: string, results: readonly CelType[] | undefined, options: ExpressionOptions = {}): CompiledExpression {
    return compileExpression(this.#environment(options), text, results)
  }

  #environment({ authorizer = true, patches = false }: ExpressionOptions): Environment {
    const id = `${authorizer}/${patches}`
    const known = this.#environments.get(id)
    if (known !== undefined) return known
    const made = environment({
      libraries: patches ? mutatingLibraries : kubernetesLibraries,
      variables: {
        ...admissionVariables({ params: this.#init.params, authorizer }),
        ...(this.#init.composed === false ? {} : { variables: this.#types.type }),
      },
      ...(patches ? { constructible: patchTypeOf } : {}),
    })
    this.#environments.set(id, made)
    return made
  }
}

/** The type of `variables`, which grows with every variable. */
export class VariableTypes {
  readonly type: ObjectType
  readonly #fields = new Map<string, FieldType>()

  constructor() {
    this.type = { kind: 'object', name: 'kubernetes.variables', field: (name) => this.#fields.get(name), fieldNames: () => [...this.#fields.keys()] }
  }

  /** @param type of its expression; undefined: that does not compile */
  add(name: string, type: CelType | undefined): void {
    this.#fields.set(name, { type: type === undefined ? dyn : declared(type), jsonName: name })
  }
}

const simple = new Set(['bool', 'bytes', 'double', 'duration', 'int', 'null', 'string', 'timestamp', 'uint'])

/** What a variable is declared as: of objects and of what only libraries know nothing is kept. */
function declared(type: CelType): CelType {
  if (simple.has(type.kind)) return type
  const [first = dyn, second = dyn] = parameters(type).map(declared)
  if (type.kind === 'list') return list(first)
  return type.kind === 'map' ? map(first, second) : dyn
}
