/**
 * One version of a CustomResourceDefinition in the forms that its objects are read and checked by. Each form is made
 * when it is first needed: definitions come by the hundred, and few of their versions are ever written to.
 */
import type { FieldError } from '../field.ts'
import type { AnyObject } from '../meta.ts'
import type { CustomResourceDefinitionVersion, CustomResourceSubresourceScale } from '../schema/types.ts'
import type { Correlation } from './structural/correlation.ts'
import { structuralOf, type Structural } from './structural/schema.ts'
import { Check } from './structural/values.ts'

export class CompiledVersion {
  readonly definition: Readonly<CustomResourceDefinitionVersion>
  #schema: Structural | undefined
  #check: Check | undefined
  #statusCheck: Check | undefined

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

  validateRules(_object: Readonly<AnyObject>, _correlation: Correlation | undefined): readonly FieldError[] {
    return []
  }
}
