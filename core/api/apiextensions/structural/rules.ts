/**
 * The rules of one schema (x-kubernetes-validations), compiled: what is wrong with them, what they may cost, and asked of
 * a value whether they hold. Which values they are asked of is ruletree.ts.
 *
 * After apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go.
 */
import { type Compilation, type Compiled, environment } from '../../cel/cel.ts'
import { kubernetesLibraries } from '../../cel/environments.ts'
import { optional } from '../../cel/type.ts'
import type { ValidationRule } from '../../schema/types.ts'
import { findField } from '../fieldpath.ts'
import { cardinalityOf, type Declared, sizeIn } from './declared.ts'
import type { Structural } from './schema.ts'

export interface Rule {
  readonly source: Readonly<ValidationRule>
  /** Why it cannot be asked; undefined with no program: there is nothing to ask. */
  readonly error: string | undefined
  readonly program: Compiled | undefined
  readonly messageError: string | undefined
  readonly message: Compiled | undefined
  readonly readsOldSelf: boolean
  /** What asking may cost, in units of CEL's cost model. */
  readonly cost: number
  readonly messageCost: number | undefined
  /** How often it may be asked in one request where no limits say. */
  readonly cardinality: number
  /** The field at fault, below the value. */
  readonly fieldPath: string | undefined
}

/** `rules` for values of `schema`. */
export function rulesOf(rules: readonly Readonly<ValidationRule>[], schema: Structural, declared: Declared): readonly Rule[] {
  const compilers = { plain: once(() => compilerOf(declared, false)), optional: once(() => compilerOf(declared, true)) }
  return rules.map((rule) => compileRule(rule, schema, declared, rule.optionalOldSelf === true ? compilers.optional : compilers.plain))
}

type Compiler = ReturnType<typeof environment>

function compilerOf({ type }: Declared, optionalOld: boolean): Compiler {
  return environment({ libraries: kubernetesLibraries, variables: { self: type, oldSelf: optionalOld ? optional(type) : type } })
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

const noRule = { error: undefined, program: undefined, messageError: undefined, message: undefined, readsOldSelf: false, cost: 0, messageCost: undefined, fieldPath: undefined }

function compileRule(source: Readonly<ValidationRule>, schema: Structural, declared: Declared, compiler: () => Compiler): Rule {
  const none: Rule = { ...noRule, source, cardinality: cardinalityOf(declared) }
  if (source.rule.trim() === '') return none
  const compiled = compiler().compile(source.rule)
  if (!compiled.ok) return { ...none, error: why(compiled) }
  const { compiled: program } = compiled
  if (program.type.kind !== 'bool') return { ...none, error: 'cel expression must evaluate to a bool' }
  const rule: Rule = { ...none, program, readsOldSelf: program.reads.has('oldSelf'), cost: program.estimate(sizeIn(declared)).max, fieldPath: placeOf(source, schema) }
  const { messageExpression = '' } = source
  if (messageExpression === '') return rule
  const message = compiler().compile(messageExpression)
  if (!message.ok) return { ...rule, fieldPath: undefined, messageError: `messageExpression ${why(message)}`.replace(' program instantiation', ' instantiation') }
  if (message.compiled.type.kind !== 'string') return { ...rule, fieldPath: undefined, messageError: 'messageExpression must evaluate to a string' }
  return { ...rule, message: message.compiled, messageCost: message.compiled.estimate(sizeIn(declared)).max }
}

function why({ stage, text }: Extract<Compilation, { readonly ok: false }>): string {
  return `${stage === 'check' ? 'compilation' : 'program instantiation'} failed: ${text}`
}

function placeOf({ fieldPath = '' }: Readonly<ValidationRule>, schema: Structural): string | undefined {
  if (fieldPath === '') return undefined
  const found = findField(fieldPath, schema.source, { brackets: true })
  return found.ok ? found.path?.text : undefined
}
