/**
 * AuthorizationConfiguration: who is asked whether somebody may, in which order; and what it must obey, in upstream's
 * sentences (k8s.io/apiserver/pkg/apis/apiserver, validation; pkg/kubeapiserver/authorizer). Files that it names are read by core/authorization.ts.
 */
import { goDuration } from '../../lib/duration.ts'
import { dns1123Subdomain } from '../names.ts'
import { duplicate, FieldError, invalidValue, notSupported, path, required, tooMany, type Path } from '../field.ts'
import { compileMatchCondition, type MatchCondition } from './matchconditions.ts'
import { readConfiguration, type Shape } from './shape.ts'

export interface AuthorizationConfiguration {
  readonly authorizers: readonly AuthorizerConfiguration[]
}

export interface AuthorizerConfiguration {
  readonly type: string
  readonly name: string
  readonly webhook?: WebhookConfiguration
}

/** Times in milliseconds. */
export interface WebhookConfiguration {
  readonly authorizedTTL: number
  readonly cacheAuthorizedRequests: boolean
  readonly unauthorizedTTL: number
  readonly cacheUnauthorizedRequests: boolean
  readonly timeout: number
  readonly subjectAccessReviewVersion: string
  readonly matchConditionSubjectAccessReviewVersion: string
  readonly failurePolicy: string
  readonly connectionInfo: { readonly type: string; readonly kubeConfigFile?: string }
  readonly matchConditions: readonly { readonly expression: string }[]
}

/** In upstream's order. ABAC is not served. */
const authorizerTypes = ['AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC', 'Webhook'] as const

/** What is remembered, and for how long, where nothing is said. */
export const webhookDefaults = { authorizedTTL: 300_000, unauthorizedTTL: 30_000, cacheAuthorizedRequests: true, cacheUnauthorizedRequests: true } as const

const shape: Readonly<Record<string, Shape>> = {
  authorizers: {
    list: {
      fields: {
        type: 'string',
        name: 'string',
        webhook: {
          fields: {
            authorizedTTL: 'duration', cacheAuthorizedRequests: 'boolean', unauthorizedTTL: 'duration', cacheUnauthorizedRequests: 'boolean', timeout: 'duration',
            subjectAccessReviewVersion: 'string', matchConditionSubjectAccessReviewVersion: 'string', failurePolicy: 'string',
            connectionInfo: { fields: { type: 'string', kubeConfigFile: 'string' } },
            matchConditions: { list: { fields: { expression: 'string' } } },
          },
        },
      },
    },
  },
}

interface Written {
  readonly authorizers?: readonly { readonly type?: string; readonly name?: string; readonly webhook?: Partial<WebhookConfiguration> }[]
}

/** Throws ConfigurationError. */
export function readAuthorization(text: string): AuthorizationConfiguration {
  const written = readConfiguration(text, 'AuthorizationConfiguration', ['v1', 'v1beta1', 'v1alpha1'], shape) as Written
  return {
    authorizers: (written.authorizers ?? []).map(({ type = '', name = '', webhook }) => ({ type, name, ...(webhook === undefined ? {} : { webhook: completed(webhook) }) })),
  }
}

function completed(written: Partial<WebhookConfiguration>): WebhookConfiguration {
  const { connectionInfo, matchConditions } = written
  return {
    ...webhookDefaults,
    timeout: 0,
    subjectAccessReviewVersion: '',
    matchConditionSubjectAccessReviewVersion: '',
    failurePolicy: '',
    ...written,
    ...(written.authorizedTTL === 0 ? { authorizedTTL: webhookDefaults.authorizedTTL } : {}),
    ...(written.unauthorizedTTL === 0 ? { unauthorizedTTL: webhookDefaults.unauthorizedTTL } : {}),
    connectionInfo: { type: connectionInfo?.type ?? '', ...(connectionInfo?.kubeConfigFile === undefined ? {} : { kubeConfigFile: connectionInfo.kubeConfigFile }) },
    matchConditions: (matchConditions ?? []).map(({ expression = '' }: { readonly expression?: string }) => ({ expression })),
  }
}

/** Why a file cannot be read by a webhook's rules: asked of the machine by whoever checks. */
export type FileProblem = (path: string) => string | undefined

export function checkAuthorization(config: AuthorizationConfiguration, fileProblem: FileProblem): readonly FieldError[] {
  const errors: FieldError[] = []
  const at = path('authorizers')
  if (config.authorizers.length === 0) errors.push(required(at, 'at least one authorization mode must be defined'))
  const types = new Set<string>()
  const names = new Set<string>()
  config.authorizers.forEach(({ type, name, webhook }, i) => {
    const here = at.index(i)
    const wrong = typeError(type, types, here.child('type'))
    if (wrong !== undefined) {
      errors.push(wrong)
      return
    }
    types.add(type)
    checkName(name, names, here.child('name'), errors)
    names.add(name)
    if (type !== 'Webhook') {
      if (webhook !== undefined) errors.push(invalidValue(here.child('webhook'), 'non-null', 'may only be specified when type=Webhook'))
    } else if (webhook === undefined) errors.push(required(here.child('webhook'), 'required when type=Webhook'))
    else checkWebhook(webhook, here, fileProblem, errors)
  })
  return errors
}

/** Names of what is no webhook are fixed; types that were there at first must stay. */
export function nameProblems(config: AuthorizationConfiguration, needed: readonly string[]): readonly string[] {
  const fixed = config.authorizers.filter(({ type }) => type !== 'Webhook')
  const problems = fixed.filter(({ type, name }) => name !== type.toLowerCase()).map(({ type, name }) => `expected name ${type.toLowerCase()} for authorizer ${type} instead of ${name}`)
  const missing = needed.filter((type) => !fixed.some((one) => one.type === type)).toSorted()
  return missing.length === 0 ? problems : [...problems, `missing required types: [${missing.join(' ')}]`]
}

function typeError(type: string, seen: ReadonlySet<string>, at: Path): FieldError | undefined {
  if (type === '') return required(at)
  if (!(authorizerTypes as readonly string[]).includes(type)) return notSupported(at, type, authorizerTypes)
  return seen.has(type) && type !== 'Webhook' ? duplicate(at, type) : undefined
}

function checkName(name: string, seen: ReadonlySet<string>, at: Path, errors: FieldError[]): void {
  const wrong = dns1123Subdomain(name)
  if (name === '') errors.push(required(at))
  else if (seen.has(name)) errors.push(duplicate(at, name))
  else if (wrong.length > 0) errors.push(invalidValue(at, name, `authorizer name is invalid: ${wrong.join(', ')}`))
}

const timeoutMsMax = 30_000

function checkWebhook(of: WebhookConfiguration, at: Path, fileProblem: FileProblem, errors: FieldError[]): void {
  if (of.timeout === 0) errors.push(required(at.child('timeout')))
  else if (of.timeout > timeoutMsMax || of.timeout < 0) errors.push(invalidValue(at.child('timeout'), goDuration(of.timeout), 'must be > 0s and <= 30s'))
  for (const field of ['authorizedTTL', 'unauthorizedTTL'] as const) if (of[field] < 0) errors.push(invalidValue(at.child(field), goDuration(of[field]), 'must be > 0s'))
  oneOf(of.subjectAccessReviewVersion, ['v1', 'v1beta1'], at.child('subjectAccessReviewVersion'), errors)
  const version = of.matchConditionSubjectAccessReviewVersion
  if (version !== '' || of.matchConditions.length > 0) {
    oneOf(version, ['v1'], at.child('matchConditionSubjectAccessReviewVersion'), errors, 'required if match conditions are specified')
  }
  oneOf(of.failurePolicy, ['NoOpinion', 'Deny'], at.child('failurePolicy'), errors)
  checkConnection(of.connectionInfo, at.child('connectionInfo'), fileProblem, errors)
  checkConditions(of.matchConditions, at.child('matchConditions'), errors)
}

function oneOf(value: string, known: readonly string[], at: Path, errors: FieldError[], detail = ''): void {
  if (value === '') errors.push(required(at, detail))
  else if (!known.includes(value)) errors.push(notSupported(at, value, known))
}

function checkConnection({ type, kubeConfigFile }: WebhookConfiguration['connectionInfo'], at: Path, fileProblem: FileProblem, errors: FieldError[]): void {
  const there = at.child('kubeConfigFile')
  if (type === '') errors.push(required(at.child('type')))
  else if (type === 'InClusterConfig') {
    if (kubeConfigFile !== undefined) errors.push(invalidValue(there, kubeConfigFile, 'can only be set when type=KubeConfigFile'))
    else errors.push(invalidValue(at.child('type'), type, 'an API server does not run in a pod of its own cluster: use KubeConfigFile'))
  } else if (type !== 'KubeConfigFile') errors.push(notSupported(at.child('type'), type, ['InClusterConfig', 'KubeConfigFile']))
  else if (kubeConfigFile === undefined || kubeConfigFile === '') errors.push(required(there))
  else {
    const problem = kubeConfigFile.startsWith('/') ? fileProblem(kubeConfigFile) : 'must be an absolute path'
    if (problem !== undefined) errors.push(invalidValue(there, kubeConfigFile, problem))
  }
}

const conditionsMax = 64

function checkConditions(conditions: WebhookConfiguration['matchConditions'], at: Path, errors: FieldError[]): void {
  if (conditions.length > conditionsMax) {
    errors.push(tooMany(at, conditions.length, conditionsMax))
    return
  }
  const seen = new Set<string>()
  conditions.forEach(({ expression }, i) => {
    const here = at.index(i).child('expression')
    if (expression.trim() === '') errors.push(required(here))
    else if (seen.has(expression)) errors.push(duplicate(here, expression))
    else {
      const compiled = compileMatchCondition(expression)
      if (!compiled.ok) errors.push(compiled.internal ? new FieldError('InternalError', here, '', compiled.detail) : invalidValue(here, expression, compiled.detail))
    }
    seen.add(expression)
  })
}

/** The conditions of a configuration without errors. */
export function conditionsOf({ matchConditions }: WebhookConfiguration): readonly MatchCondition[] {
  return matchConditions.flatMap(({ expression }) => {
    const compiled = compileMatchCondition(expression)
    return compiled.ok ? [compiled.condition] : []
  })
}
