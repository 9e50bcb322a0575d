/**
 * Authorizers that ask others: all of them in order, everybody or nobody; and what each tells of one user's rights
 * (SelfSubjectRulesReview); and the sentence of a refusal. Which there are, and in which order, core/authorization.ts says.
 */
import { forbidden, type ApiError } from '../../api/errors.ts'
import { goQuote } from '../../api/field.ts'
import type { NonResourceRule, PolicyRule, ResourceRule } from '../../api/schema/types.ts'
import type { Attributes, Authorizer, Decision, User } from '../user.ts'
import { nodeNameOf } from './node.ts'
import type { Rbac } from './rbac.ts'

export const mastersGroup = 'system:masters'

const allowed: Decision = Object.freeze({ answer: 'allow', reason: '' })
export const privileged: Authorizer = {
  authorize(asked) {
    return asked.user.groups.includes(mastersGroup) ? allowed : { answer: 'no opinion', reason: '' }
  },
}

/** The first opinion counts; without one the request is refused with all reasons, and with all that went wrong. Synchronous as long as its parts are. */
export function unionAuthorizer(parts: readonly Authorizer[]): Authorizer {
  const from = (i: number, asked: Attributes, reasons: readonly string[], errors: readonly string[]): Decision | Promise<Decision> => {
    const part = parts[i]
    if (part === undefined) return { answer: 'no opinion', reason: reasons.join('\n'), ...(errors.length === 0 ? {} : { error: joined(errors) }) }
    const go = (d: Decision): Decision | Promise<Decision> =>
      d.answer === 'no opinion' ? from(i + 1, asked, d.reason === '' ? reasons : [...reasons, d.reason], d.error === undefined ? errors : [...errors, d.error]) : d
    const answer = part.authorize(asked)
    return answer instanceof Promise ? answer.then(go) : go(answer)
  }
  return { authorize: (asked) => from(0, asked, [], []) }
}

/** As upstream's aggregates are written: each once. */
function joined(errors: readonly string[]): string {
  const all = [...new Set(errors)]
  return all.length === 1 ? (all[0] ?? '') : `[${all.join(', ')}]`
}

export interface RulesStatus {
  readonly resourceRules: readonly ResourceRule[]
  readonly nonResourceRules: readonly NonResourceRule[]
  readonly incomplete: boolean
  readonly evaluationError?: string
}

/** What one authorizer knows of a user's rights in a namespace. */
export type RulesOf = (user: User, namespace: string) => RulesStatus

const noRules: RulesStatus = { resourceRules: [], nonResourceRules: [], incomplete: false }

/** Of all authorizers together: the status of a SelfSubjectRulesReview. */
export function joinedRules(parts: readonly RulesOf[]): RulesOf {
  return (user, namespace) => {
    const all = parts.map((part) => part(user, namespace))
    const errors = all.flatMap(({ evaluationError }) => evaluationError ?? [])
    return {
      resourceRules: all.flatMap(({ resourceRules }) => resourceRules),
      nonResourceRules: all.flatMap(({ nonResourceRules }) => nonResourceRules),
      incomplete: all.some(({ incomplete }) => incomplete),
      ...(errors.length === 0 ? {} : { evaluationError: joined(errors) }),
    }
  }
}

export const nodeRulesOf: RulesOf = (user) =>
  nodeNameOf(user) === undefined ? noRules : { ...noRules, incomplete: true, evaluationError: 'node authorizer does not support user rule resolution' }

export const webhookRules: RulesOf = () => ({ ...noRules, incomplete: true, evaluationError: 'webhook authorizer does not support user rule resolution' })

export function rbacRules(rbac: Rbac): RulesOf {
  return (user, namespace) => {
    const { rules, error } = rbac.rulesFor(user, namespace)
    return {
      resourceRules: rules.filter((r) => (r.resources ?? []).length > 0).map(resourceRule),
      nonResourceRules: rules.filter((r) => (r.nonResourceURLs ?? []).length > 0).map((r) => ({ verbs: r.verbs, nonResourceURLs: r.nonResourceURLs ?? [] })),
      incomplete: error !== '',
      ...(error === '' ? {} : { evaluationError: error }),
    }
  }
}

export const alwaysAllow: { readonly authorizer: Authorizer; readonly rules: RulesOf } = {
  authorizer: { authorize: () => allowed },
  rules: () => ({ ...noRules, resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }], nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] }),
}

export const alwaysDeny: { readonly authorizer: Authorizer; readonly rules: RulesOf } = {
  authorizer: { authorize: () => ({ answer: 'no opinion', reason: 'Everything is forbidden.' }) },
  rules: () => noRules,
}

function resourceRule(rule: Readonly<PolicyRule>): ResourceRule {
  return {
    verbs: rule.verbs,
    ...(rule.apiGroups === undefined ? {} : { apiGroups: rule.apiGroups }),
    ...(rule.resources === undefined ? {} : { resources: rule.resources }),
    ...(rule.resourceNames === undefined || rule.resourceNames.length === 0 ? {} : { resourceNames: rule.resourceNames }),
  }
}

/** 403 as upstream says it (apiserver endpoints/handlers/responsewriters/errors.go). */
export function refused(asked: Attributes, reason: string): ApiError {
  const tail = reason === '' ? '' : `: ${reason}`
  const who = `User ${goQuote(asked.user.name)}`
  if (asked.type === 'path') return forbidden({ group: '', resource: '' }, '', `${who} cannot ${asked.verb} path ${goQuote(asked.path)}${tail}`)
  const what = asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`
  const where = asked.namespace === '' ? 'at the cluster scope' : `in the namespace ${goQuote(asked.namespace)}`
  const text = `${who} cannot ${asked.verb} resource ${goQuote(what)} in API group ${goQuote(asked.group)} ${where}${tail}`
  return forbidden({ group: asked.group, resource: asked.resource }, asked.name, text)
}
