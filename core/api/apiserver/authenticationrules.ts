/**
 * What an AuthenticationConfiguration must obey, in upstream's sentences, and its expressions compiled
 * (k8s.io/apiserver/pkg/apis/apiserver/validation, pkg/authentication/cel). Evaluating them is core/auth's affair.
 */
import { children, type Expr } from '../cel/ast.ts'
import { environment, type Compiled, type Environment } from '../cel/cel.ts'
import { kubernetesLibraries } from '../cel/environments.ts'
import { parse } from '../cel/parse.ts'
import { Source } from '../cel/source.ts'
import { bool, dyn, list, map, string, type CelType, type FieldType, type ObjectType } from '../cel/type.ts'
import { typeName } from '../cel/typing.ts'
import { domainPath } from '../checks.ts'
import { duplicate, FieldError, forbiddenField, invalidValue, path, required, tooMany, type Path } from '../field.ts'
import type { AuthenticationConfiguration, ClaimMappings, ClaimValidationRule, Issuer, JwtAuthenticator, PrefixedClaimOrExpression, UserValidationRule } from './authentication.ts'

/** One issuer, ready to be asked. Expressions that are not there are undefined. */
export interface CompiledJwt {
  readonly of: JwtAuthenticator
  readonly username: CompiledExpression | undefined
  readonly groups: CompiledExpression | undefined
  readonly uid: CompiledExpression | undefined
  readonly extra: readonly { readonly key: string; readonly expression: CompiledExpression }[]
  readonly claimRules: readonly { readonly expression: CompiledExpression; readonly message: string }[]
  readonly userRules: readonly { readonly expression: CompiledExpression; readonly message: string }[]
}

export interface CompiledExpression {
  readonly text: string
  readonly compiled: Compiled
}

export interface Checked {
  readonly errors: readonly FieldError[]
  /** Whole only without errors. */
  readonly jwt: readonly CompiledJwt[]
}

const issuersMax = 64

/** `taken` are issuers that other tokens name: those of service accounts. */
export function checkAuthentication(config: AuthenticationConfiguration, taken: readonly string[]): Checked {
  const at = path('jwt')
  if (config.jwt.length > issuersMax) return { errors: [tooMany(at, config.jwt.length, issuersMax)], jwt: [] }
  const errors: FieldError[] = []
  const issuers = new Set<string>()
  const discoveries = new Set<string>()
  const jwt = config.jwt.map((one, i) => {
    const here = at.index(i)
    const compiled = checkJwt(one, here, taken, errors)
    const { url, discoveryURL } = one.issuer
    unique(url, issuers, here.child('issuer', 'url'), errors)
    if (discoveryURL !== '') unique(discoveryURL, discoveries, here.child('issuer', 'discoveryURL'), errors)
    return compiled
  })
  const { anonymous } = config
  if (anonymous !== undefined && !anonymous.enabled && anonymous.conditions.length > 0) {
    errors.push(invalidValue(path('anonymous', 'conditions'), anonymous.conditions.map(({ path: Path }) => ({ Path })), 'enabled should be set to true when conditions are defined'))
  }
  return { errors, jwt }
}

/** Reading the file again may not change who needs no name. */
export function anonymousChange(before: AuthenticationConfiguration, after: AuthenticationConfiguration): readonly FieldError[] {
  return JSON.stringify(before.anonymous) === JSON.stringify(after.anonymous) ? [] : [forbiddenField(path('anonymous'), 'changed from initial configuration file')]
}

/** As upstream's aggregate says them. */
export function sentencesOf(errors: readonly FieldError[]): string {
  const sentences = [...new Set(errors.map((error) => error.message()))]
  return sentences.length === 1 ? (sentences[0] ?? '') : `[${sentences.join(', ')}]`
}

/** Whether a value is seen for the second time. */
function unique(value: string, seen: Set<string>, at: Path, errors: FieldError[]): boolean {
  const again = seen.has(value)
  if (again) errors.push(duplicate(at, value))
  seen.add(value)
  return !again
}

function checkJwt(of: JwtAuthenticator, at: Path, taken: readonly string[], errors: FieldError[]): CompiledJwt {
  checkIssuer(of.issuer, at.child('issuer'), taken, errors)
  const claimRules = checkClaimRules(of.claimValidationRules, at.child('claimValidationRules'), errors)
  const mappings = checkMappings(of.claimMappings, at.child('claimMappings'), claimRules.map(({ expression }) => expression), errors)
  const userRules = checkUserRules(of.userValidationRules, at.child('userValidationRules'), errors)
  return { of, ...mappings, claimRules, userRules }
}

function checkIssuer(issuer: Issuer, at: Path, taken: readonly string[], errors: FieldError[]): void {
  const { url, discoveryURL, audiences, audienceMatchPolicy, egressSelectorType } = issuer
  if (url === '') errors.push(required(at.child('url')))
  else checkUrl(url, taken, at.child('url'), errors)
  if (discoveryURL !== '') {
    const there = at.child('discoveryURL')
    if (url !== '' && url.replace(/\/+$/, '') === discoveryURL.replace(/\/+$/, '')) errors.push(invalidValue(there, discoveryURL, 'discoveryURL must be different from URL'))
    checkUrl(discoveryURL, [], there, errors)
  }
  checkAudiences(audiences, audienceMatchPolicy, at, errors)
  const ca = issuer.certificateAuthority
  if (ca !== '' && !/-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----/.test(ca)) {
    errors.push(invalidValue(at.child('certificateAuthority'), '<omitted>', 'data does not contain any valid RSA or ECDSA certificates'))
  }
  if (egressSelectorType !== '' && egressSelectorType !== 'controlplane' && egressSelectorType !== 'cluster') {
    errors.push(invalidValue(at.child('egressSelectorType'), egressSelectorType, 'egress selector must be either controlplane or cluster'))
  }
}

function checkUrl(text: string, taken: readonly string[], at: Path, errors: FieldError[]): void {
  if (taken.includes(text)) errors.push(invalidValue(at, text, `URL must not overlap with disallowed issuers: [${taken.toSorted().join(' ')}]`))
  const parts = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?[^?#]*(\?[^#]*)?(#.*)?$/s.exec(text)
  const [, scheme = '', authority = '', query = '', fragment = ''] = parts ?? []
  if (scheme.toLowerCase() !== 'https') errors.push(invalidValue(at, text, 'URL scheme must be https'))
  if (authority.includes('@')) errors.push(invalidValue(at, text, 'URL must not contain a username or password'))
  if (query.length > 1) errors.push(invalidValue(at, text, 'URL must not contain a query'))
  if (fragment.length > 1) errors.push(invalidValue(at, text, 'URL must not contain a fragment'))
}

function checkAudiences(audiences: readonly string[], policy: string, at: Path, errors: FieldError[]): void {
  const there = at.child('audiences')
  if (audiences.length === 0) {
    errors.push(required(there, `at least one ${there.text} is required`))
    return
  }
  const seen = new Set<string>()
  audiences.forEach((audience, i) => {
    if (audience === '') errors.push(required(there.index(i)))
    unique(audience, seen, there.index(i), errors)
  })
  if (audiences.length > 1 && policy !== 'MatchAny') errors.push(invalidValue(at.child('audienceMatchPolicy'), policy, 'audienceMatchPolicy must be MatchAny for multiple audiences'))
  if (audiences.length === 1 && policy !== '' && policy !== 'MatchAny') errors.push(invalidValue(at.child('audienceMatchPolicy'), policy, 'audienceMatchPolicy must be empty or MatchAny for single audience'))
}

function checkClaimRules(rules: readonly ClaimValidationRule[], at: Path, errors: FieldError[]): CompiledJwt['claimRules'] {
  const claims = new Set<string>()
  const expressions = new Set<string>()
  return rules.flatMap((rule, i) => {
    const here = at.index(i)
    const { claim, expression, message, requiredValue } = rule
    if (claim !== '' && expression !== '') errors.push(invalidValue(here, claim, "claim and expression can't both be set"))
    else if (claim === '' && expression === '') errors.push(required(here, 'claim or expression is required'))
    else if (claim !== '') {
      if (message !== '') errors.push(invalidValue(here.child('message'), message, 'may not be specified when claim is set'))
      unique(claim, claims, here.child('claim'), errors)
    } else {
      if (requiredValue !== '') errors.push(invalidValue(here.child('requiredValue'), requiredValue, 'may not be specified when expression is set'))
      if (!unique(expression, expressions, here.child('expression'), errors)) return []
      const compiled = compile(claimsEnvironment(), expression, bool, here.child('expression'), errors)
      return compiled === undefined ? [] : [{ expression: compiled, message }]
    }
    return []
  })
}

type Mappings = Pick<CompiledJwt, 'username' | 'groups' | 'uid' | 'extra'>

function checkMappings(of: ClaimMappings, at: Path, rules: readonly CompiledExpression[], errors: FieldError[]): Mappings {
  const username = checkMapping(of.username, at.child('username'), true, errors)
  const groups = checkMapping(of.groups, at.child('groups'), false, errors)
  let uid: CompiledExpression | undefined
  if (of.uid.claim !== '' && of.uid.expression !== '') errors.push(invalidValue(at.child('uid'), '', "claim and expression can't both be set"))
  else if (of.uid.expression !== '') uid = compile(claimsEnvironment(), of.uid.expression, undefined, at.child('uid', 'expression'), errors)
  const extra = checkExtra(of.extra, at.child('extra'), errors)
  if (username !== undefined && reads(username, 'email')) {
    const others = [username, ...extra.map(({ expression }) => expression), ...rules]
    if (!others.some((one) => reads(one, 'email_verified'))) {
      errors.push(invalidValue(at.child('username', 'expression'), of.username.expression, 'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression'))
    }
  }
  return { username, groups, uid, extra }
}

function checkMapping({ claim, expression, prefix }: PrefixedClaimOrExpression, at: Path, needed: boolean, errors: FieldError[]): CompiledExpression | undefined {
  if (expression !== '' && claim !== '') errors.push(invalidValue(at, '', "claim and expression can't both be set"))
  else if (expression !== '') {
    if (prefix !== undefined) errors.push(invalidValue(at.child('prefix'), prefix, 'may not be specified when expression is set'))
    return compile(claimsEnvironment(), expression, undefined, at.child('expression'), errors)
  } else if (claim === '') {
    if (needed) errors.push(required(at, 'claim or expression is required'))
  } else if (prefix === undefined) errors.push(required(at.child('prefix'), 'prefix is required when claim is set. It can be set to an empty string to disable prefixing'))
  return undefined
}

function checkExtra(extra: ClaimMappings['extra'], at: Path, errors: FieldError[]): CompiledJwt['extra'] {
  const seen = new Set<string>()
  return extra.flatMap(({ key, valueExpression }, i) => {
    const here = at.index(i)
    domainPath(errors, key, here.child('key'))
    if (key !== key.toLowerCase()) errors.push(invalidValue(here.child('key'), key, 'must be lowercase'))
    if (/^([^/]*\.)?(kubernetes|k8s)\.io\//.test(key)) errors.push(invalidValue(here.child('key'), key, 'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use'))
    if (!unique(key, seen, here.child('key'), errors)) return []
    if (valueExpression === '') {
      errors.push(required(here.child('valueExpression')))
      return []
    }
    const expression = compile(claimsEnvironment(), valueExpression, undefined, here.child('valueExpression'), errors)
    return expression === undefined ? [] : [{ key, expression }]
  })
}

function checkUserRules(rules: readonly UserValidationRule[], at: Path, errors: FieldError[]): CompiledJwt['userRules'] {
  const seen = new Set<string>()
  return rules.flatMap(({ expression, message }, i) => {
    const here = at.index(i).child('expression')
    if (expression === '') {
      errors.push(required(here))
      return []
    }
    if (!unique(expression, seen, here, errors)) return []
    const compiled = compile(userEnvironment(), expression, bool, here, errors)
    return compiled === undefined ? [] : [{ expression: compiled, message }]
  })
}

const userFields = new Map<string, FieldType>([
  ['username', { type: string, jsonName: 'username', optional: true }],
  ['uid', { type: string, jsonName: 'uid', optional: true }],
  ['groups', { type: list(string), jsonName: 'groups', optional: true }],
  ['extra', { type: map(string, list(string)), jsonName: 'extra', optional: true }],
])

/** What `user` is in user validation rules. */
export const userType: ObjectType = { kind: 'object', name: 'kubernetes.UserInfo', field: (name) => userFields.get(name), fieldNames: () => [...userFields.keys()] }

let claimsEnv: Environment | undefined
let userEnv: Environment | undefined

function claimsEnvironment(): Environment {
  return (claimsEnv ??= environment({ libraries: kubernetesLibraries, variables: { claims: map(string, dyn) } }))
}

function userEnvironment(): Environment {
  return (userEnv ??= environment({ libraries: kubernetesLibraries, variables: { user: userType } }))
}

function compile(env: Environment, text: string, result: CelType | undefined, at: Path, errors: FieldError[]): CompiledExpression | undefined {
  const compilation = env.compile(text)
  if (!compilation.ok) {
    const planned = compilation.stage === 'plan'
    errors.push(planned ? new FieldError('InternalError', at, '', `program instantiation failed: ${compilation.text}`) : invalidValue(at, text, `compilation failed: ${compilation.text}`))
    return undefined
  }
  if (result !== undefined && compilation.compiled.type.kind !== result.kind) {
    errors.push(invalidValue(at, text, `must evaluate to ${typeName(result)}`))
    return undefined
  }
  return { text, compiled: compilation.compiled }
}

/** Whether `claims.<name>`, or `claims.?<name>`, stands anywhere in it. */
function reads({ text }: CompiledExpression, name: string): boolean {
  const tree = parse(new Source(text), { optionals: true, bindings: false })
  return tree !== undefined && selects(tree, name)
}

function selects(expr: Expr, name: string): boolean {
  const isClaims = (of: Expr | undefined): boolean => of?.kind === 'ident' && of.name === 'claims'
  if (expr.kind === 'select' && expr.field === name && isClaims(expr.operand)) return true
  if (expr.kind === 'call' && expr.name === '_?._') {
    const [operand, field] = expr.args
    if (isClaims(operand) && field?.kind === 'literal' && field.value === name) return true
  }
  return children(expr).some((inner) => selects(inner, name))
}
