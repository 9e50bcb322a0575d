/**
 * The user that a token's claims make, or why they make none: mappings by name and by expression, then the rules that
 * claims and user must obey (k8s.io/apiserver/plugin/pkg/authenticator/token/oidc). The token's signature was checked before.
 */
import type { CompiledExpression, CompiledJwt } from '../../api/apiserver/authenticationrules.ts'
import { userType } from '../../api/apiserver/authenticationrules.ts'
import { costPerCallMax } from '../../api/cel/environments.ts'
import { fromJson } from '../../api/cel/json.ts'
import { CelError, CostExceeded, ListValue, type Value } from '../../api/cel/value.ts'
import type { User } from '../user.ts'
import { claimsValue, type Json } from './claimvalues.ts'

/** Why claims make no user. */
export class ClaimsRefusal extends Error {}

const credentialIdKey = 'authentication.kubernetes.io/credential-id'

/** Throws ClaimsRefusal. */
export function userOfClaims(jwt: CompiledJwt, claims: Json): User {
  const bindings = { claims: claimsValue(claims) }
  const user = {
    name: usernameOf(jwt, claims, bindings),
    groups: groupsOf(jwt, claims, bindings),
    uid: uidOf(jwt, claims, bindings),
    extra: extraOf(jwt, claims, bindings),
  }
  checkRequired(jwt, claims)
  checkRules(jwt.claimRules, bindings, 'claim validation expression')
  if (jwt.userRules.length > 0) {
    const shown = { username: user.name, uid: user.uid, groups: user.groups, extra: user.extra }
    checkRules(jwt.userRules, { user: fromJson(shown, userType) }, 'user info validation rule')
  }
  const { uid, extra, ...rest } = user
  return Object.freeze({ ...rest, ...(uid === '' ? {} : { uid }), ...(Object.keys(extra).length === 0 ? {} : { extra }) })
}

type Bindings = Readonly<Record<string, Value>>

function usernameOf({ of, username }: CompiledJwt, claims: Json, bindings: Bindings): string {
  if (username !== undefined) {
    const value = evaluated(username, bindings, 'username claim expression')
    if (typeof value !== 'string') throw new ClaimsRefusal('oidc: error evaluating username claim expression: username claim expression must return a string')
    if (value === '') throw new ClaimsRefusal('oidc: empty username via CEL expression is not allowed')
    return value
  }
  const { claim, prefix = '' } = of.claimMappings.username
  const name = text(claims, claim, (why) => `oidc: parse username claims ${JSON.stringify(claim)}: ${why}`)
  if (claim === 'email' && Object.hasOwn(claims, 'email_verified')) {
    const verified = claims['email_verified'] ?? false
    if (typeof verified !== 'boolean') throw new ClaimsRefusal(`oidc: parse 'email_verified' claim: json: cannot unmarshal ${jsonType(verified)} into Go value of type bool`)
    if (!verified) throw new ClaimsRefusal('oidc: email not verified')
  }
  return prefix + name
}

function groupsOf({ of, groups }: CompiledJwt, claims: Json, bindings: Bindings): readonly string[] {
  const { claim, prefix = '' } = of.claimMappings.groups
  if (claim !== '' && Object.hasOwn(claims, claim)) {
    const value = claims[claim]
    if (Array.isArray(value) && value.every((group) => typeof group === 'string')) return value.map((group) => prefix + group)
    if (value === null) return []
    if (typeof value === 'string') return [prefix + value]
    throw new ClaimsRefusal(`oidc: parse groups claim ${JSON.stringify(claim)}: json: cannot unmarshal ${jsonType(value)} into Go value of type string`)
  }
  if (groups === undefined) return []
  return strings(evaluated(groups, bindings, 'group claim expression'), 'oidc: error evaluating group claim expression')
}

function uidOf({ of, uid }: CompiledJwt, claims: Json, bindings: Bindings): string {
  const { claim } = of.claimMappings.uid
  if (claim !== '') return text(claims, claim, (why) => `oidc: parse uid claim ${JSON.stringify(claim)}: ${why}`)
  if (uid === undefined) return ''
  const value = evaluated(uid, bindings, 'uid claim expression')
  if (typeof value !== 'string') throw new ClaimsRefusal('oidc: error evaluating uid claim expression: uid claim expression must return a string')
  return value
}

function extraOf({ extra }: CompiledJwt, claims: Json, bindings: Bindings): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, readonly string[]> = {}
  const id = claims['jti']
  if (typeof id === 'string' && id !== '') found[credentialIdKey] = [`JTI=${id}`]
  for (const { key, expression } of extra) {
    const values = strings(evaluated(expression, bindings), `oidc: error evaluating extra claim expression: ${expression.text}`)
    if (values.length > 0) found[key] = values
  }
  return found
}

/** What stands in claimValidationRules by name. */
function checkRequired({ of }: CompiledJwt, claims: Json): void {
  for (const { claim, requiredValue } of of.claimValidationRules) {
    if (claim === '') continue
    if (!Object.hasOwn(claims, claim)) throw new ClaimsRefusal(`oidc: required claim ${claim} not present in ID token`)
    const have = text(claims, claim, (why) => `oidc: parse claim ${claim}: ${why}`)
    if (have !== requiredValue) throw new ClaimsRefusal(`oidc: required claim ${claim} value does not match. Got = ${have}, want = ${requiredValue}`)
  }
}

/** All are evaluated before any is judged. */
function checkRules(rules: CompiledJwt['claimRules'], bindings: Bindings, what: string): void {
  const values = rules.map(({ expression }) => evaluated(expression, bindings, what))
  rules.forEach(({ expression, message }, i) => {
    const value = values[i]
    if (typeof value !== 'boolean') throw new ClaimsRefusal(`oidc: error evaluating ${what}: validation expression must return a boolean`)
    if (!value) throw new ClaimsRefusal(`oidc: error evaluating ${what}: validation expression '${expression.text}' failed: ${message}`)
  })
}

function evaluated({ text, compiled }: CompiledExpression, bindings: Bindings, what?: string): Value {
  try {
    return compiled.evaluate(bindings, costPerCallMax).value
  } catch (error) {
    if (!(error instanceof CelError) && !(error instanceof CostExceeded)) throw error
    throw new ClaimsRefusal(`${what === undefined ? '' : `oidc: error evaluating ${what}: `}expression '${text}' resulted in error: ${error.message}`, { cause: error })
  }
}

/** A string or a list of them; nothing, and what is empty, is left out. */
function strings(value: Value, what: string): readonly string[] {
  if (value === null || value === '') return []
  if (typeof value === 'string') return [value]
  const found: string[] = []
  for (let i = 0; value instanceof ListValue && i < value.size; i++) {
    const element = value.at(i)
    if (typeof element !== 'string') throw new ClaimsRefusal(`${what}: expression must return a string or a list of strings`)
    if (element !== '') found.push(element)
  }
  if (!(value instanceof ListValue)) throw new ClaimsRefusal(`${what}: expression must return a string or a list of strings`)
  return found
}

function text(claims: Json, name: string, say: (why: string) => string): string {
  if (!Object.hasOwn(claims, name)) throw new ClaimsRefusal(say('claim not present'))
  const value = claims[name] ?? ''
  if (typeof value !== 'string') throw new ClaimsRefusal(say(`json: cannot unmarshal ${jsonType(value)} into Go value of type string`))
  return value
}

/** As encoding/json calls it. */
function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
