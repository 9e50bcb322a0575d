/**
 * Asks the rules of a schema of a value and of everything in it: where rules stand, with the old value beside the new
 * one, within one budget for the whole request. What a rule is: rules.ts.
 *
 * After apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go.
 */
import { costPerCallMax } from '../../cel/environments.ts'
import type { Compiled } from '../../cel/cel.ts'
import { CostExceeded, EvaluationError, OptionalValue, type Value } from '../../cel/value.ts'
import { FieldError, goQuote, omitted, Path } from '../../field.ts'
import type { JSONSchemaProps, ValidationRule } from '../../schema/types.ts'
import { celValue } from './celvalues.ts'
import { indexByKey, keyOf, type Correlation } from './correlation.ts'
import { type Declared, declare } from './declared.ts'
import { escapeName } from './escape.ts'
import { isList, isMap } from './json.ts'
import { type Rule, rulesOf } from './rules.ts'
import { structuralOf, type Structural } from './schema.ts'

/** What all rules together may cost for one request. */
export const requestCostMax = 10_000_000
const messageBytesMax = 5 * 1_024

export interface Asked {
  /** Undefined: of the whole object. */
  readonly at?: Path | undefined
  readonly value: unknown
  readonly old?: unknown
  /** Beside what it was: errors in what has not changed are forgiven. */
  readonly correlation?: Correlation | undefined
  readonly budget?: number
}

export interface Told {
  readonly errors: readonly FieldError[]
  /** Errors that were forgiven. */
  readonly forgiven: readonly FieldError[]
  /** What is left; below 0: rules remained that nobody asked. */
  readonly budget: number
}

/** undefined: there are no rules. `whole`: of an object with kind, apiVersion and metadata. */
export function ruleTree(schema: Structural, whole: boolean): RuleTree | undefined {
  return schema.has.rules ? nodeOf(schema, schema, whole, declare(schema, whole, 'selfType')) : undefined
}

/** A schema that has rules, in it or below it. `rules` says what is asked, `schema` of what. */
function nodeOf(rules: Structural, schema: Structural, whole: boolean, declared: Declared | undefined): RuleTree | undefined {
  const { items, additional } = rules
  const properties = new Map<string, RuleTree>()
  for (const [name, inner] of rules.properties) {
    const node = propertyNode(inner, schema.properties.get(name), declared?.fields?.get(escapeName(name) ?? ''), declared, name)
    if (node !== undefined) properties.set(name, node)
  }
  const inside = (of: Structural | undefined, spine: Structural | undefined): RuleTree | undefined =>
    of === undefined || spine === undefined ? undefined : nodeOf(of, spine, spine.embedded, declared?.element)
  const below: Below = {
    items: inside(items, schema.items),
    additional: inside(additional, schema.additional),
    properties,
    allOf: (rules.source.allOf ?? []).flatMap((nested) => nodeOf(structuralOf(nested as JSONSchemaProps), schema, whole, declared) ?? []),
  }
  if (rules.rules.length === 0 && below.items === undefined && below.additional === undefined && properties.size === 0 && below.allOf.length === 0) return undefined
  return new RuleTree({ rules: rules.rules, schema, whole, declared, below })
}

/** A field that has no name in expressions has its rules all the same. */
function propertyNode(rules: Structural, schema: Structural | undefined, field: Declared | undefined, parent: Declared | undefined, name: string): RuleTree | undefined {
  if (schema === undefined || parent === undefined) return undefined
  const declared = escapeName(name) === undefined ? declare(schema, schema.embedded, 'selfType') : field
  return declared === undefined ? undefined : nodeOf(rules, schema, schema.embedded, declared)
}

interface Below {
  readonly items: RuleTree | undefined
  readonly additional: RuleTree | undefined
  readonly properties: ReadonlyMap<string, RuleTree>
  readonly allOf: readonly RuleTree[]
}

interface NodeInit {
  readonly rules: readonly Readonly<ValidationRule>[]
  readonly schema: Structural
  readonly whole: boolean
  readonly declared: Declared | undefined
  readonly below: Below
}

/** What is asked of one request, and what was said. */
class Run {
  readonly errors: FieldError[] = []
  readonly forgiven: FieldError[] = []
  budget: number

  constructor(budget: number) {
    this.budget = budget
  }

  get over(): boolean {
    return this.budget < 0
  }

  stop(error: FieldError): void {
    this.errors.push(error)
    this.budget = -1
  }
}

interface Here {
  readonly at: Path | undefined
  readonly value: unknown
  readonly old: unknown
  readonly beside: Beside
}

/** The value's own correlation, or that of the nearest around it that has one. */
interface Beside {
  readonly own: Correlation | undefined
  readonly nearest: Correlation | undefined
}

export class RuleTree {
  readonly #init: NodeInit
  #rules: readonly Rule[] | undefined

  constructor(init: NodeInit) {
    this.#init = init
  }

  ask({ at, value, old, correlation, budget = requestCostMax }: Asked): Told {
    const run = new Run(budget)
    this.#ask(run, { at, value, old, beside: { own: correlation, nearest: undefined } })
    return { errors: run.errors, forgiven: run.forgiven, budget: run.budget }
  }

  #ask(run: Run, here: Here): void {
    if (here.value === null || here.value === undefined) return
    this.#askOwn(run, here)
    const { below } = this.#init
    for (const nested of below.allOf) {
      if (run.over) return
      nested.#ask(run, { ...here, beside: { own: undefined, nearest: here.beside.nearest } })
    }
    if (run.over) return
    if (isList(here.value)) this.#askItems(run, here, here.value)
    else if (isMap(here.value)) this.#askFields(run, here, here.value)
  }

  #askItems(run: Run, { at, old, beside }: Here, list: readonly unknown[]): void {
    const { items } = this.#init.below
    if (items === undefined) return
    const { listType, listKeys } = this.#init.schema
    const before = listType === 'map' && isList(old) ? indexByKey(old, listKeys) : undefined
    for (const [i, value] of list.entries()) {
      const key = isMap(value) ? keyOf(value, listKeys) : undefined
      items.#ask(run, { at: (at ?? new Path('')).index(i), value, old: key === undefined ? undefined : before?.get(key), beside: beside.own === undefined ? beside : { own: beside.own.index(i), nearest: beside.own } })
      if (run.over) return
    }
  }

  #askFields(run: Run, here: Here, map: Readonly<Record<string, unknown>>): void {
    const { additional, properties } = this.#init.below
    const old = isMap(here.old) ? here.old : undefined
    const step = (node: RuleTree, name: string, at: Path): void => node.#ask(run, { at, value: map[name], old: old?.[name], beside: keyed(here.beside, name) })
    for (const name in map) {
      if (additional !== undefined) step(additional, name, here.at === undefined ? new Path(name, undefined, true) : here.at.key(name))
      if (run.over) return
    }
    for (const name in map) {
      const node = properties.get(name)
      if (node !== undefined) step(node, name, here.at === undefined ? new Path(name) : here.at.child(name))
      if (run.over) return
    }
  }

  #askOwn(run: Run, here: Here): void {
    const { rules, schema, whole, declared } = this.#init
    if (rules.length === 0) return
    const fail = (detail: string): FieldError => new FieldError('FieldValueInvalid', here.at ?? '<nil>', schema.type, detail)
    if (declared === undefined) {
      run.errors.push(fail('rule compiler initialization error: failed to convert to declType for CEL validation rules'))
      return
    }
    if (run.budget <= 0) return run.stop(fail(outOfBudgetSentence))
    this.#rules ??= rulesOf(rules, schema, declared)
    const values = new Values(here, schema, whole)
    for (const rule of this.#rules) {
      this.#askOne(run, here, rule, values, fail)
      if (run.over) return
    }
  }

  #askOne(run: Run, here: Here, rule: Rule, values: Values, fail: (detail: string) => FieldError): void {
    const { source, program } = rule
    if (rule.error !== undefined) {
      run.errors.push(fail(`rule compile error: ${rule.error}`))
      return
    }
    const optional = source.optionalOldSelf === true
    if (program === undefined || (rule.readsOldSelf && !values.hasOld && !optional)) return
    const outcome = evaluate(program, values.bindings(optional))
    if (outcome.cost > run.budget) return run.stop(fail(outOfBudgetSentence))
    run.budget -= outcome.cost
    if (outcome.error !== undefined) {
      const error = fail(errorSentence(outcome.error, source))
      if (outcome.exceeded) run.stop(error)
      else run.errors.push(error)
    } else if (outcome.value !== true) this.#fails(run, here, rule, values.bindings(optional))
  }

  /** A rule that does not hold: its message may be an expression of its own. */
  #fails(run: Run, { at, value, beside }: Here, rule: Rule, bindings: Bindings): void {
    const { type } = this.#init.schema
    const place = rule.fieldPath === undefined ? at : at === undefined ? new Path(rule.fieldPath) : at.child(rule.fieldPath)
    const add = (error: FieldError): void => {
      const same = !rule.readsOldSelf && (beside.own ?? beside.nearest)?.unchanged === true
      ;(same ? run.forgiven : run.errors).push(error)
    }
    let detail: string | undefined
    if (rule.message !== undefined) {
      const said = evaluate(rule.message, bindings)
      if (said.cost > run.budget || said.exceeded) {
        const why = said.exceeded && said.cost <= run.budget
          ? `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${goQuote(rule.source.messageExpression ?? '')}`
          : 'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run'
        add(new FieldError('FieldValueInvalid', place ?? '<nil>', type, why))
        run.budget = -1
        return
      }
      run.budget -= said.cost
      detail = usable(said.value)
    }
    const message = detail ?? ((rule.source.message ?? '') === '' ? `failed rule: ${ruleText(rule.source)}` : ruleText(rule.source))
    add(reasoned(place ?? '<nil>', type === 'object' || type === 'array' ? omitted : value, message, rule.source.reason))
  }
}

const outOfBudgetSentence = 'validation failed due to running out of cost budget, no further validation rules will be run'

/** What is in kind and apiVersion of the whole object is never forgiven. */
function keyed(beside: Beside, name: string): Beside {
  if (beside.own === undefined) return beside
  if (beside.nearest === undefined && (name === 'apiVersion' || name === 'kind')) return { own: undefined, nearest: undefined }
  return { own: beside.own.key(name), nearest: beside.own }
}

type Bindings = Readonly<Record<string, Value | (() => Value)>>

/** self and oldSelf, made when a rule first reads them, and once for all rules of a value. */
class Values {
  readonly hasOld: boolean
  readonly #self: () => Value
  readonly #old: () => Value

  constructor({ value, old }: Here, schema: Structural, whole: boolean) {
    this.hasOld = old !== undefined && old !== null
    this.#self = once(() => celValue(value, schema, whole || schema.embedded))
    this.#old = once(() => celValue(old, schema, whole || schema.embedded))
  }

  bindings(optional: boolean): Bindings {
    if (!optional) return this.hasOld ? { self: this.#self, oldSelf: this.#old } : { self: this.#self }
    return { self: this.#self, oldSelf: () => new OptionalValue(this.hasOld ? this.#old() : undefined) }
  }
}

function once(make: () => Value): () => Value {
  let value: Value | undefined
  return () => (value ??= make())
}

interface Outcome {
  readonly value?: Value
  readonly cost: number
  readonly error?: string
  readonly exceeded?: boolean
}

function evaluate(program: Compiled, bindings: Bindings): Outcome {
  try {
    return program.evaluate(bindings, costPerCallMax)
  } catch (error) {
    if (error instanceof CostExceeded) return { cost: costPerCallMax + 1, error: error.message, exceeded: true }
    if (error instanceof EvaluationError) return { cost: error.cost, error: error.message }
    throw error
  }
}

function errorSentence(error: string, rule: Readonly<ValidationRule>): string {
  if (error.startsWith('no such overload')) return `'${error}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(rule)}`
  if (error.startsWith('operation cancelled: actual cost limit exceeded')) return `'${error}': no further validation rules will be run due to call cost exceeds limit for rule: ${ruleText(rule)}`
  return `${error} evaluating rule: ${ruleText(rule)}`
}

function ruleText({ rule, message = '' }: Readonly<ValidationRule>): string {
  return (message === '' ? rule : message).trim()
}

/** A message that an expression made; undefined: the rule's own is better. */
function usable(value: Value | undefined): string | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  return text === '' || text.includes('\n') || Buffer.byteLength(text) > messageBytesMax ? undefined : text
}

function reasoned(at: Path | string, value: unknown, message: string, reason: string | undefined): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return new FieldError('FieldValueForbidden', at, '', message)
    case 'FieldValueRequired':
      return new FieldError('FieldValueRequired', at, '', message)
    case 'FieldValueDuplicate':
      return new FieldError('FieldValueDuplicate', at, value, '')
    default:
      return new FieldError('FieldValueInvalid', at, value, message)
  }
}
