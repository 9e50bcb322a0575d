/**
 * Authorization, put together: system:masters, then those that a file or flags name, in their order; the file counts again
 * when it changes. The authorizers themselves are in core/auth/authz, what the file must obey in core/api/apiserver.
 */
import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { checkAuthorization, conditionsOf, nameProblems, readAuthorization, type AuthorizationConfiguration, type AuthorizerConfiguration, type WebhookConfiguration } from './api/apiserver/authorization.ts'
import { sentencesOf } from './api/apiserver/authenticationrules.ts'
import { alwaysAllow, alwaysDeny, joinedRules, nodeRulesOf, privileged, rbacRules, unionAuthorizer, webhookRules, type RulesOf, type RulesStatus } from './auth/authz/authorizers.ts'
import type { Rbac } from './auth/authz/rbac.ts'
import { webhookAuthorizer } from './auth/authz/webhook.ts'
import type { Attributes, Authorizer, Decision, User } from './auth/user.ts'
import { kubeconfigTarget } from './client/kubeconfig.ts'
import type { Remote } from './client/remote.ts'
import type { Ctx } from './lib/ctx.ts'
import { errorPath } from './lib/log.ts'
import type { Random } from './lib/random.ts'
import { onFileChange } from './reload.ts'

/** What flags say. */
export interface AuthorizationOptions {
  /** AuthorizationConfiguration; all else is then left unsaid. */
  readonly configFile?: string
  readonly modes?: readonly string[]
  readonly webhook?: { readonly configFile?: string; readonly version?: string; readonly authorizedMs?: number; readonly unauthorizedMs?: number }
}

export interface AuthorizationParts {
  readonly rbac: Rbac
  readonly node: Authorizer
  /** Asked before everybody, beside system:masters: paths that everybody may read. */
  readonly open: Authorizer
  readonly remote: Pick<Remote, 'send'>
  readonly random: Random
}

const defaultModes = ['Node', 'RBAC'] as const
const webhookTimeoutMs = 30_000

export class Authorization implements Authorizer {
  readonly #ctx: Ctx
  readonly #parts: AuthorizationParts
  readonly #file: { readonly path: string; readonly text: string } | undefined
  /** Those that are no webhooks must stay as long as the server runs. */
  readonly #needed: readonly string[]
  #config: string
  #current: Current

  private constructor(ctx: Ctx, parts: AuthorizationParts, config: AuthorizationConfiguration, file: { readonly path: string; readonly text: string } | undefined) {
    this.#ctx = ctx
    this.#parts = parts
    this.#file = file
    this.#needed = config.authorizers.filter(({ type }) => type !== 'Webhook').map(({ type }) => type)
    this.#config = JSON.stringify(config)
    this.#current = currentOf(ctx, parts, config)
  }

  /** `ctx` is the life of the server. Throws what is wrong with flags or file. */
  static async open(ctx: Ctx, options: AuthorizationOptions, parts: AuthorizationParts): Promise<Authorization> {
    const { configFile } = options
    if (configFile === undefined) return new Authorization(ctx, parts, fromFlags(options), undefined)
    if (options.modes !== undefined || options.webhook !== undefined) throw new Error('--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined')
    const text = await readFile(configFile, 'utf8').catch((cause: unknown) => { throw new Error(unreadable, { cause }) })
    return new Authorization(ctx, parts, checked(text, []), { path: configFile, text })
  }

  authorize(asked: Attributes): Decision | Promise<Decision> {
    return this.#current.authorizer.authorize(asked)
  }

  rulesFor(user: User, namespace: string): RulesStatus {
    return this.#current.rules(user, namespace)
  }

  /** Reads the file again when it changes. One that cannot be used changes nothing. */
  async run(ctx: Ctx): Promise<void> {
    const file = this.#file
    if (file === undefined) return
    await onFileChange(ctx, file.path, file.text, async (text) => {
      try {
        this.#use(checked(text, this.#needed))
      } catch (error) {
        ctx.log.error('the authorization configuration stays as it was', { file: file.path, error: errorPath(error) })
      }
      return true
    })
  }

  #use(config: AuthorizationConfiguration): void {
    const text = JSON.stringify(config)
    if (text === this.#config) return
    const strange = config.authorizers.find(({ type }) => (type === 'Node' || type === 'RBAC') && !this.#needed.includes(type))
    if (strange !== undefined) throw new Error(`authorizer type ${strange.type} is not allowed if it was not enabled at initial server startup`)
    this.#current = currentOf(this.#ctx, this.#parts, config)
    this.#config = text
    this.#ctx.log.info('authorization configuration read again')
  }
}

const unreadable = 'failed to load AuthorizationConfiguration from file'

interface Current {
  readonly authorizer: Authorizer
  readonly rules: RulesOf
}

function checked(text: string, needed: readonly string[]): AuthorizationConfiguration {
  let config: AuthorizationConfiguration
  try {
    config = readAuthorization(text)
  } catch (cause) {
    throw new Error(unreadable, { cause })
  }
  const errors = checkAuthorization(config, fileProblem)
  if (errors.length > 0) throw new Error(sentencesOf(errors))
  const problems = nameProblems(config, needed)
  if (problems.length > 0) throw new Error(problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`)
  return config
}

function fileProblem(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? undefined : 'must be a regular file'
  } catch (error) {
    return `error loading file: ${errorPath(error)}`
  }
}

const modeNames = ['AlwaysAllow', 'AlwaysDeny', 'Webhook', 'RBAC', 'Node']

function fromFlags({ modes = defaultModes, webhook = {} }: AuthorizationOptions): AuthorizationConfiguration {
  const odd = modes.find((mode) => !modeNames.includes(mode))
  if (odd !== undefined) throw new Error(`authorization-mode ${JSON.stringify(odd)} is not a valid mode`)
  if (modes.length === 0) throw new Error('at least one authorization-mode must be passed')
  const { configFile = '' } = webhook
  if (modes.includes('Webhook') && configFile === '') throw new Error("authorization-mode Webhook's authorization config file not passed")
  if (!modes.includes('Webhook') && configFile !== '') throw new Error('cannot specify --authorization-webhook-config-file without mode Webhook')
  if (new Set(modes).size !== modes.length) throw new Error(`authorization-mode [${modes.map((mode) => JSON.stringify(mode)).join(' ')}] has mode specified more than once`)
  return { authorizers: modes.map((type): AuthorizerConfiguration => (type === 'Webhook' ? { type, name: 'default', webhook: fromWebhookFlags(webhook) } : { type, name: type.toLowerCase() })) }
}

function fromWebhookFlags({ configFile = '', version = 'v1beta1', authorizedMs = 300_000, unauthorizedMs = 30_000 }: NonNullable<AuthorizationOptions['webhook']>): WebhookConfiguration {
  if (version !== 'v1' && version !== 'v1beta1') throw new Error(`unsupported webhook authorizer version ${JSON.stringify(version)}, supported versions are "v1", "v1beta1"`)
  return {
    authorizedTTL: authorizedMs, cacheAuthorizedRequests: authorizedMs !== 0, unauthorizedTTL: unauthorizedMs, cacheUnauthorizedRequests: unauthorizedMs !== 0,
    timeout: webhookTimeoutMs, subjectAccessReviewVersion: version, matchConditionSubjectAccessReviewVersion: '', failurePolicy: 'NoOpinion',
    connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: configFile }, matchConditions: [],
  }
}

function currentOf(ctx: Ctx, parts: AuthorizationParts, { authorizers }: AuthorizationConfiguration): Current {
  const each = authorizers.map((one) => currentPart(ctx, parts, one))
  return { authorizer: unionAuthorizer([privileged, parts.open, ...each.map(({ authorizer }) => authorizer)]), rules: joinedRules(each.map(({ rules }) => rules)) }
}

function currentPart(ctx: Ctx, { rbac, node, remote, random }: AuthorizationParts, { type, webhook }: AuthorizerConfiguration): Current {
  if (type === 'Node') return { authorizer: node, rules: nodeRulesOf }
  if (type === 'RBAC') return { authorizer: rbac, rules: rbacRules(rbac) }
  if (webhook === undefined) return type === 'AlwaysAllow' ? alwaysAllow : alwaysDeny
  const authorizer = webhookAuthorizer({
    ctx, remote, random,
    target: kubeconfigTarget(webhook.connectionInfo.kubeConfigFile ?? ''),
    version: webhook.subjectAccessReviewVersion === 'v1' ? 'v1' : 'v1beta1',
    allowedMs: webhook.cacheAuthorizedRequests ? webhook.authorizedTTL : 0,
    refusedMs: webhook.cacheUnauthorizedRequests ? webhook.unauthorizedTTL : 0,
    timeoutMs: webhook.timeout,
    denyOnError: webhook.failurePolicy === 'Deny',
    conditions: conditionsOf(webhook),
  })
  return { authorizer, rules: webhookRules }
}
