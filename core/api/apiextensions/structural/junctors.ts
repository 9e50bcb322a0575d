/** allOf, anyOf, oneOf and not: several schemas for one value, of which the errors of the best are told (kube-openapi/pkg/validation/validate/schema_props.go). */
import { goQuote } from '../../field.ts'
import type { JSONSchemaProps } from '../../schema/types.ts'
import { Findings, whole } from './findings.ts'
import { Check, type Place } from './values.ts'

export interface Junctors {
  readonly anyOf: readonly Check[]
  readonly oneOf: readonly Check[]
  readonly allOf: readonly Check[]
  readonly not: Check | undefined
}

const checks = (schemas: readonly Readonly<JSONSchemaProps>[] | undefined): Check[] => (schemas ?? []).map((each) => new Check(each))

export function junctorsOf({ anyOf, oneOf, allOf, not }: Readonly<JSONSchemaProps>): Junctors | undefined {
  if (anyOf === undefined && oneOf === undefined && allOf === undefined && not === undefined) return undefined
  return { anyOf: checks(anyOf), oneOf: checks(oneOf), allOf: checks(allOf), not: not === undefined ? undefined : new Check(not) }
}

export function checkJunctors({ anyOf, oneOf, allOf, not }: Junctors, value: unknown, at: Place, out: Findings): void {
  if (anyOf.length > 0) checkAny(anyOf, value, at, out)
  if (oneOf.length > 0) checkOne(oneOf, value, at, out)
  if (allOf.length > 0) checkAll(allOf, value, at, out)
  if (not !== undefined && found(not, value, at).clean) out.add(whole(`${goQuote(at.text)} must not validate the schema (not)`))
  out.matches++
}

function found(check: Check, value: unknown, at: Place): Findings {
  const findings = new Findings()
  check.run(value, at, findings)
  return findings
}

/** Of alternatives that all fail, the one that got furthest; the first of equals. */
function best(all: readonly Findings[]): Findings | undefined {
  return all.reduce<Findings | undefined>((so, each) => (so === undefined || each.matches > so.matches ? each : so), undefined)
}

function checkAny(checks: readonly Check[], value: unknown, at: Place, out: Findings): void {
  const failed: Findings[] = []
  for (const check of checks) {
    const findings = found(check, value, at)
    if (findings.clean) return out.merge(findings)
    failed.push(findings)
  }
  out.add(whole(`${goQuote(at.text)} must validate at least one schema (anyOf)`))
  out.merge(best(failed) as Findings)
}

function checkOne(checks: readonly Check[], value: unknown, at: Place, out: Findings): void {
  const all = checks.map((check) => found(check, value, at))
  const valid = all.filter((findings) => findings.clean)
  const [first] = valid
  if (valid.length === 1 && first !== undefined) return out.merge(first)
  const how = valid.length === 0 ? 'Found none valid' : `Found ${valid.length} valid alternatives`
  out.add(whole(`${goQuote(at.text)} must validate one and only one schema (oneOf). ${how}`))
  if (valid.length === 0) out.merge(best(all) as Findings)
}

function checkAll(checks: readonly Check[], value: unknown, at: Place, out: Findings): void {
  let valid = 0
  for (const check of checks) {
    const findings = found(check, value, at)
    if (findings.clean) valid++
    out.merge(findings)
  }
  if (valid !== checks.length) out.add(whole(`${goQuote(at.text)} must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`))
}
