/**
 * One version of a CustomResourceDefinition in the forms that its objects are read and checked by. Each form is made
 * when it is first needed: definitions come by the hundred, and few of their versions are ever written to.
 */
import type { AnyObject } from '../meta.ts'
import type { CustomResourceDefinitionVersion, CustomResourceSubresourceScale } from '../schema/types.ts'
import type { Correlation } from './structural/correlation.ts'
import { requestCostMax, type RuleTree, ruleTree, type Told } from './structural/ruletree.ts'
import { structuralOf, type Structural } from './structural/schema.ts'
import { Check } from './structural/values.ts'

const nothingToAsk: Told = { errors: [], forgiven: [], budget: requestCostMax }

export class CompiledVersion {
  readonly definition: Readonly<CustomResourceDefinitionVersion>
  #schema: Structural | undefined
  #check: Check | undefined
  #statusCheck: Check | undefined
  #rules: { readonly tree: RuleTree | undefined } | undefined

  constructor(definition: Readonly<CustomResourceDefinitionVersion>) {
    this.definition = definition
  }

  get schema(): Structural {
    return (this.#schema ??= structuralOf(this.definition.schema?.openAPIV3Schema))
  }

  get check(): Check {
    return (this.#check ??= new Check(this.definition.schema?.openAPIV3Schema ?? {}))
  }

  /** Writes to /status are checked against the status' schema alone; undefined: it has none. */
  get statusCheck(): Check | undefined {
    const status = this.definition.schema?.openAPIV3Schema?.properties?.['status']
    return status === undefined ? undefined : (this.#statusCheck ??= new Check(status))
  }

  get scale(): Readonly<CustomResourceSubresourceScale> | undefined {
    return this.definition.subresources?.scale
  }

  /** Asks the rules of an object, and of what it was where that is known. */
  askRules(object: Readonly<AnyObject>, correlation: Correlation | undefined): Told {
    if (this.#rules === undefined) this.#rules = { tree: ruleTree(this.schema, true) }
    return this.#rules.tree?.ask({ value: object, old: correlation?.old, correlation }) ?? nothingToAsk
  }
}
