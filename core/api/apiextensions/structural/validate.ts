/** Checking whole values: what is created, and what is updated, where errors in what has not changed are forgiven (ratcheting). */
import type { FieldError } from '../../field.ts'
import type { JSONSchemaProps } from '../../schema/types.ts'
import type { Correlation } from './correlation.ts'
import { fieldErrors, Findings } from './findings.ts'
import { Check, rootPlace } from './values.ts'

/** What is wrong with a value by a schema; `at` is its place, undefined that of a whole object. Compiles the schema: who has many values keeps a Check. */
export function validateValue(value: unknown, schema: Readonly<JSONSchemaProps>, at?: string): FieldError[] {
  return checkValue(new Check(schema), value, at)
}

export function checkValue(check: Check, value: unknown, at?: string): FieldError[] {
  const findings = new Findings()
  check.run(value, rootPlace, findings)
  return fieldErrors(findings, at)
}

/** `correlation`: the value beside what it was; undefined: it was not there. */
export function checkChange(check: Check, value: unknown, correlation: Correlation | undefined, at?: string): FieldError[] {
  const findings = new Findings()
  check.run(value, rootPlace, findings)
  if (findings.clean || correlation === undefined) return fieldErrors(findings, at)
  // Most updates are valid: what may be forgiven is looked at only now.
  const remaining = new Findings()
  check.run(value, rootPlace, remaining, correlation)
  return remaining.clean || correlation.unchanged ? [] : fieldErrors(remaining, at)
}
